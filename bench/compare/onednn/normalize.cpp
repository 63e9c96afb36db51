// oneDNN's reductions, softmax and norms.
#include <cmath>

#include "operand.h"

namespace bench {
namespace {

using dnnl::normalization_flags;
using dnnl::prop_kind;

const auto affine = normalization_flags::use_scale | normalization_flags::use_shift;

/** Mean and variance go in (inference, backward) or come out. */
void statistics(Plan& plan, const memory::desc& desc) {
  plan.constant(DNNL_ARG_MEAN, desc);
  plan.constant(DNNL_ARG_VARIANCE, desc);
}

Way batchNormIn(const Call& call, const Dims& dims, Tag tag, Operands& operands) {
  using Forward = dnnl::batch_normalization_forward;
  using Backward = dnnl::batch_normalization_backward;
  const std::string op = call.text("op");
  const auto plain = describe(dims, Tag::nchw), data = describe(dims, tag);
  const auto channels = describe({dims[1]}, Tag::x);
  const bool inference = op == "batchNormInference";
  const auto flags = inference ? affine | normalization_flags::use_global_stats : affine;
  const Forward::primitive_desc forward(
      {inference ? prop_kind::forward_inference : prop_kind::forward_training, data, 1e-5f, flags},
      engine());
  Plan plan(operands);
  statistics(plan, channels);
  plan.constant(DNNL_ARG_SCALE, channels);
  plan.constant(DNNL_ARG_SHIFT, channels);
  plan.input(DNNL_ARG_SRC, plain, data);
  if (op != "batchNormBackward") {
    plan.output(DNNL_ARG_DST, plain, data);
    return plan.way(Forward(forward), forward.impl_info_str());
  }
  const Backward::primitive_desc chosen({prop_kind::backward, data, data, 1e-5f, flags}, engine(),
                                        forward);
  plan.input(DNNL_ARG_DIFF_DST, plain, data);
  plan.output(DNNL_ARG_DIFF_SRC, plain, data);
  plan.constant(DNNL_ARG_DIFF_SCALE, channels);
  plan.constant(DNNL_ARG_DIFF_SHIFT, channels);
  return plan.way(Backward(chosen), chosen.impl_info_str());
}

}  // namespace

std::vector<Way> batchNorm(const Call& call) {
  const long side = std::lround(std::sqrt(call.number("inner")));
  const Dims dims = {call["batch"], call["channels"], side, call["inner"] / side};
  Operands operands;
  return waysOf({Tag::nchw, Tag::nhwc, Tag::nChw16c},
                [&](Tag tag) { return batchNormIn(call, dims, tag, operands); });
}

std::vector<Way> layerNorm(const Call& call) {
  using Forward = dnnl::layer_normalization_forward;
  using Backward = dnnl::layer_normalization_backward;
  const auto data = describe({call["rows"], call["columns"]}, Tag::ab);
  const auto rows = describe({call["rows"]}, Tag::x), columns = describe({call["columns"]}, Tag::x);
  const Forward::primitive_desc forward({prop_kind::forward_training, data, rows, 1e-5f, affine},
                                        engine());
  Operands operands;
  Plan plan(operands);
  statistics(plan, rows);
  plan.constant(DNNL_ARG_SCALE, columns);
  plan.constant(DNNL_ARG_SHIFT, columns);
  plan.input(DNNL_ARG_SRC, data, data);
  if (call.text("op") == "layerNorm") {
    plan.output(DNNL_ARG_DST, data, data);
    return {plan.way(Forward(forward), forward.impl_info_str())};
  }
  const Backward::primitive_desc chosen({prop_kind::backward, data, data, rows, 1e-5f, affine},
                                        engine(), forward);
  plan.input(DNNL_ARG_DIFF_DST, data, data);
  plan.output(DNNL_ARG_DIFF_SRC, data, data);
  plan.constant(DNNL_ARG_DIFF_SCALE, columns);
  plan.constant(DNNL_ARG_DIFF_SHIFT, columns);
  return {plan.way(Backward(chosen), chosen.impl_info_str())};
}

std::vector<Way> softmax(const Call& call) {
  const std::string op = call.text("op");
  const auto data = describe({call["outer"], call["count"]}, Tag::ab);
  Operands operands;
  Plan plan(operands);
  if (op == "logSoftmax") {
    const dnnl::logsoftmax_forward::primitive_desc chosen({prop_kind::forward_training, data, 1},
                                                          engine());
    plan.input(DNNL_ARG_SRC, data, data);
    plan.output(DNNL_ARG_DST, data, data);
    return {plan.way(dnnl::logsoftmax_forward(chosen), chosen.impl_info_str())};
  }
  const dnnl::softmax_forward::primitive_desc forward({prop_kind::forward_training, data, 1},
                                                      engine());
  if (op == "softmax") {
    plan.input(DNNL_ARG_SRC, data, data);
    plan.output(DNNL_ARG_DST, data, data);
    return {plan.way(dnnl::softmax_forward(forward), forward.impl_info_str())};
  }
  const dnnl::softmax_backward::primitive_desc chosen({data, data, 1}, engine(), forward);
  plan.input(DNNL_ARG_DST, data, data);
  plan.input(DNNL_ARG_DIFF_DST, data, data);
  plan.output(DNNL_ARG_DIFF_SRC, data, data);
  return {plan.way(dnnl::softmax_backward(chosen), chosen.impl_info_str())};
}

std::vector<Way> reduction(const Call& call) {
  const std::map<std::string, dnnl::algorithm> kinds = {{"sum", dnnl::algorithm::reduction_sum},
                                                        {"mean", dnnl::algorithm::reduction_mean},
                                                        {"max", dnnl::algorithm::reduction_max}};
  const auto kind = kinds.find(call.text("op"));
  if (kind == kinds.end()) return {};
  const auto x = describe({call["outer"], call["count"], call["inner"]}, Tag::abc);
  const auto y = describe({call["outer"], 1, call["inner"]}, Tag::abc);
  const dnnl::reduction::primitive_desc chosen({kind->second, x, y, 0.0f, 0.0f}, engine());
  Operands operands;
  Plan plan(operands);
  plan.input(DNNL_ARG_SRC, x, x);
  plan.output(DNNL_ARG_DST, y, y);
  return {plan.way(dnnl::reduction(chosen), chosen.impl_info_str())};
}

}  // namespace bench
