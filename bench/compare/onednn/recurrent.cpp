// oneDNN's recurrent layers, one primitive per layer, forward for inference, or forward and
// backward for training.
#include <cmath>

#include "operand.h"

namespace bench {
namespace {

using dnnl::prop_kind;
using dnnl::rnn_direction;

/** One layer's sizes, and what its memories look like. */
struct Layer {
  long steps, batch, inputs, hidden, gates, directions, biases;

  memory::desc source() const { return describe({steps, batch, inputs}, Tag::tnc); }
  memory::desc destination() const {
    return describe({steps, batch, directions * hidden}, Tag::tnc);
  }
  memory::desc state() const { return describe({1, directions, batch, hidden}, Tag::ldnc); }
  memory::desc inputWeight(Tag tag) const {
    return describe({1, directions, inputs, gates, hidden}, tag);
  }
  memory::desc stateWeight(Tag tag) const {
    return describe({1, directions, hidden, gates, hidden}, tag);
  }
  memory::desc bias() const { return describe({1, directions, biases, hidden}, Tag::ldgo); }
  rnn_direction direction() const {
    return directions == 2 ? rnn_direction::bidirectional_concat
                           : rnn_direction::unidirectional_left2right;
  }
};

/** Weights of the size that layers begin with: gates that are shut would make gradients of denormal
 * numbers. Reordered into a layout that may be opaque: random numbers there are no weights. */
memory weights(const memory::desc& desc) {
  memory plain = filled(describe(desc.dims(), Tag::ldigo));
  float* const values = static_cast<float*>(plain.get_data_handle());
  const float scale = 2.0f / std::sqrt(static_cast<float>(desc.dims().back()));
  for (size_t i = 0; i < plain.get_desc().get_size() / sizeof(float); ++i) values[i] *= scale;
  memory data(desc, engine());
  dnnl::reorder(plain, data).execute(stream(), plain, data);
  stream().wait();
  return data;
}

using Arguments = std::unordered_map<int, memory>;

/** The memories of a training step, kept from the forward pass to the backward. */
Arguments forwardArguments(const dnnl::rnn_primitive_desc_base& chosen, bool cell, bool training) {
  Arguments arguments = {
      {DNNL_ARG_SRC_LAYER, filled(chosen.src_layer_desc())},
      {DNNL_ARG_SRC_ITER, filled(chosen.src_iter_desc())},
      {DNNL_ARG_WEIGHTS_LAYER, weights(chosen.weights_layer_desc())},
      {DNNL_ARG_WEIGHTS_ITER, weights(chosen.weights_iter_desc())},
      {DNNL_ARG_BIAS, filled(chosen.bias_desc())},
      {DNNL_ARG_DST_LAYER, filled(chosen.dst_layer_desc())},
      {DNNL_ARG_DST_ITER, filled(chosen.dst_iter_desc())},
  };
  if (cell) {
    arguments[DNNL_ARG_SRC_ITER_C] = filled(chosen.src_iter_c_desc());
    arguments[DNNL_ARG_DST_ITER_C] = filled(chosen.dst_iter_c_desc());
  }
  if (training) arguments[DNNL_ARG_WORKSPACE] = memory(chosen.workspace_desc(), engine());
  return arguments;
}

/** The gradients beside what the forward pass left; weights in the backward pass's own layout. */
Arguments backwardArguments(const dnnl::rnn_primitive_desc_base& chosen, Arguments arguments,
                            bool cell) {
  arguments[DNNL_ARG_WEIGHTS_LAYER] = weights(chosen.weights_layer_desc());
  arguments[DNNL_ARG_WEIGHTS_ITER] = weights(chosen.weights_iter_desc());
  arguments[DNNL_ARG_DIFF_SRC_LAYER] = filled(chosen.diff_src_layer_desc());
  arguments[DNNL_ARG_DIFF_SRC_ITER] = filled(chosen.diff_src_iter_desc());
  arguments[DNNL_ARG_DIFF_WEIGHTS_LAYER] = filled(chosen.diff_weights_layer_desc());
  arguments[DNNL_ARG_DIFF_WEIGHTS_ITER] = filled(chosen.diff_weights_iter_desc());
  arguments[DNNL_ARG_DIFF_BIAS] = filled(chosen.diff_bias_desc());
  arguments[DNNL_ARG_DIFF_DST_LAYER] = filled(chosen.diff_dst_layer_desc());
  arguments[DNNL_ARG_DIFF_DST_ITER] = filled(chosen.diff_dst_iter_desc());
  if (cell) {
    arguments[DNNL_ARG_DIFF_SRC_ITER_C] = filled(chosen.diff_src_iter_c_desc());
    arguments[DNNL_ARG_DIFF_DST_ITER_C] = filled(chosen.diff_dst_iter_c_desc());
  }
  return arguments;
}

/** Adds one layer: `Forward` and `Backward` are a cell's primitives, `describeCell` and its
 * gradient make their descriptors. */
template <typename Forward, typename Backward, typename Describe, typename DescribeGradient>
void add(Steps& run, bool cell, bool training, const Describe& describeCell,
         const DescribeGradient& describeGradient) {
  const auto kind = training ? prop_kind::forward_training : prop_kind::forward_inference;
  const typename Forward::primitive_desc forward(describeCell(kind), engine());
  const Arguments arguments = forwardArguments(forward, cell, training);
  run.add(Forward(forward), arguments);
  if (!training) return;
  const typename Backward::primitive_desc backward(describeGradient(), engine(), forward);
  run.add(Backward(backward), backwardArguments(backward, arguments, cell));
}

void lstm(Steps& run, const Layer& l, bool training) {
  using Forward = dnnl::lstm_forward;
  using Backward = dnnl::lstm_backward;
  const auto x = l.source(), y = l.destination(), h = l.state(), b = l.bias();
  const auto w = l.inputWeight(Tag::any), u = l.stateWeight(Tag::any);
  add<Forward, Backward>(
      run, true, training,
      [&](prop_kind kind) { return Forward::desc(kind, l.direction(), x, h, h, w, u, b, y, h, h); },
      [&] {
        return Backward::desc(prop_kind::backward, l.direction(), x, h, h, w, u, b, y, h, h, x, h,
                              h, w, u, b, y, h, h);
      });
}

/** Both kinds of GRU: with the reset gate before the product (as published) or after it (as
 * PyTorch's). */
template <typename Forward, typename Backward>
void gru(Steps& run, const Layer& l, bool training) {
  const auto x = l.source(), y = l.destination(), h = l.state(), b = l.bias();
  const auto w = l.inputWeight(Tag::any), u = l.stateWeight(Tag::any);
  add<Forward, Backward>(
      run, false, training,
      [&](prop_kind kind) {
        return typename Forward::desc(kind, l.direction(), x, h, w, u, b, y, h);
      },
      [&] {
        return typename Backward::desc(prop_kind::backward, l.direction(), x, h, w, u, b, y, h, x,
                                       h, w, u, b, y, h);
      });
}

void elman(Steps& run, const Layer& l, bool training) {
  using Forward = dnnl::vanilla_rnn_forward;
  using Backward = dnnl::vanilla_rnn_backward;
  constexpr auto tanh = dnnl::algorithm::eltwise_tanh;
  const auto x = l.source(), y = l.destination(), h = l.state(), b = l.bias();
  const auto w = l.inputWeight(Tag::any), u = l.stateWeight(Tag::any);
  add<Forward, Backward>(
      run, false, training,
      [&](prop_kind kind) { return Forward::desc(kind, tanh, l.direction(), x, h, w, u, b, y, h); },
      [&] {
        return Backward::desc(prop_kind::backward, tanh, l.direction(), x, h, w, u, b, y, h, x, h,
                              w, u, b, y, h);
      });
}

}  // namespace

std::vector<Way> recurrent(const Call& call) {
  const std::string cell = call.text("cell");
  const bool training = call["training"];
  Steps run;
  for (long index = 0; index < call["layers"]; ++index) {
    Layer layer{
        call["steps"], call["batch"], call["inputs"], call["hidden"], 1, call["directions"], 1};
    if (index > 0) layer.inputs = layer.hidden * layer.directions;
    if (cell == "lstm") {
      layer.gates = layer.biases = 4;
      lstm(run, layer, training);
    } else if (cell == "gru") {
      layer.gates = 3;
      layer.biases = 4;
      gru<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(run, layer, training);
    } else if (cell == "gru-v1") {
      layer.gates = layer.biases = 3;
      gru<dnnl::gru_forward, dnnl::gru_backward>(run, layer, training);
    } else {
      elman(run, layer, training);
    }
  }
  return {{run, "", {}}};
}

}  // namespace bench
