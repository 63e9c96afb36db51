// oneDNN's convolutions: each algorithm in each layout it takes, with the reorders from and to
// plain NCHW.
#include "operand.h"

namespace bench {
namespace {

struct Layer {
  Dims x, weight, y, strides, dilations, padLeft, padRight;
  bool grouped, winograd;
};

Layer read(const Call& call) {
  const long groups = call["groups"], out = call["outChannels"];
  Layer layer;
  layer.x = {call["batch"], call["inChannels"], call["height"], call["width"]};
  layer.y = {call["batch"], out, call["outHeight"], call["outWidth"]};
  layer.weight = {out, call["groupChannels"], call["kernelHeight"], call["kernelWidth"]};
  layer.grouped = groups > 1;
  if (layer.grouped) {
    layer.weight[0] = out / groups;
    layer.weight.insert(layer.weight.begin(), groups);
  }
  layer.strides = {call["strideHeight"], call["strideWidth"]};
  layer.dilations = {call["dilationHeight"] - 1, call["dilationWidth"] - 1};
  layer.padLeft = {call["padTop"], call["padLeft"]};
  for (int i = 0; i < 2; ++i) {
    const long kernel = layer.weight[layer.weight.size() - 2 + i];
    const long reach =
        (layer.y[2 + i] - 1) * layer.strides[i] + (kernel - 1) * (layer.dilations[i] + 1) + 1;
    layer.padRight.push_back(reach - layer.x[2 + i] - layer.padLeft[i]);
  }
  layer.winograd = !layer.grouped && call["kernelHeight"] == 3 && call["kernelWidth"] == 3 &&
                   call["strideHeight"] == 1 && call["strideWidth"] == 1;
  return layer;
}

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

class Search {
 public:
  explicit Search(const Call& call)
      : call_(call),
        layer_(read(call)),
        plainX_(describe(layer_.x, Tag::nchw)),
        plainY_(describe(layer_.y, Tag::nchw)),
        plainWeight_(describe(layer_.weight, layer_.grouped ? Tag::goihw : Tag::oihw)),
        anyWeight_(describe(layer_.weight, Tag::any)),
        bias_(describe({call["outChannels"]}, Tag::x)) {}

  std::vector<Way> ways() {
    for (const Tag tag : {Tag::any, Tag::nchw, Tag::nhwc, Tag::nChw16c})
      tryOne(dnnl::algorithm::convolution_direct, tag);
    if (layer_.winograd) tryOne(dnnl::algorithm::convolution_winograd, Tag::any);
    return std::move(ways_);
  }

 private:
  void tryOne(dnnl::algorithm algorithm, Tag tag) {
    const std::string op = call_.text("op");
    try {
      if (op == "conv2d")
        forward(algorithm, tag);
      else if (op == "conv2dBackwardInput")
        backwardInput(algorithm, tag);
      else
        backwardWeight(algorithm, tag);
    } catch (const dnnl::error&) {
      // No implementation takes this layout.
    }
  }

  Forward::primitive_desc chooseForward(dnnl::algorithm algorithm, Tag tag) {
    const Forward::desc desc(dnnl::prop_kind::forward_training, algorithm, describe(layer_.x, tag),
                             anyWeight_, bias_, describe(layer_.y, tag), layer_.strides,
                             layer_.dilations, layer_.padLeft, layer_.padRight);
    return {desc, engine()};
  }

  void forward(dnnl::algorithm algorithm, Tag tag) {
    const auto chosen = chooseForward(algorithm, tag);
    Plan plan(operands_);
    plan.input(DNNL_ARG_SRC, plainX_, chosen.src_desc());
    plan.weight(DNNL_ARG_WEIGHTS, plainWeight_, chosen.weights_desc(), call_["packed"]);
    plan.constant(DNNL_ARG_BIAS, chosen.bias_desc());
    plan.output(DNNL_ARG_DST, plainY_, chosen.dst_desc());
    ways_.push_back(plan.way(Forward(chosen), chosen.impl_info_str()));
  }

  void backwardInput(dnnl::algorithm algorithm, Tag tag) {
    const BackwardData::desc desc(algorithm, describe(layer_.x, tag), anyWeight_,
                                  describe(layer_.y, tag), layer_.strides, layer_.dilations,
                                  layer_.padLeft, layer_.padRight);
    const BackwardData::primitive_desc chosen(desc, engine(), chooseForward(algorithm, tag));
    Plan plan(operands_);
    plan.input(DNNL_ARG_DIFF_DST, plainY_, chosen.diff_dst_desc());
    plan.weight(DNNL_ARG_WEIGHTS, plainWeight_, chosen.weights_desc(), call_["packed"]);
    plan.output(DNNL_ARG_DIFF_SRC, plainX_, chosen.diff_src_desc());
    ways_.push_back(plan.way(BackwardData(chosen), chosen.impl_info_str()));
  }

  void backwardWeight(dnnl::algorithm algorithm, Tag tag) {
    const BackwardWeights::desc desc(algorithm, describe(layer_.x, tag), anyWeight_, bias_,
                                     describe(layer_.y, tag), layer_.strides, layer_.dilations,
                                     layer_.padLeft, layer_.padRight);
    const BackwardWeights::primitive_desc chosen(desc, engine(), chooseForward(algorithm, tag));
    Plan plan(operands_);
    plan.input(DNNL_ARG_SRC, plainX_, chosen.src_desc());
    plan.input(DNNL_ARG_DIFF_DST, plainY_, chosen.diff_dst_desc());
    plan.output(DNNL_ARG_DIFF_WEIGHTS, plainWeight_, chosen.diff_weights_desc());
    plan.output(DNNL_ARG_DIFF_BIAS, bias_, chosen.diff_bias_desc());
    ways_.push_back(plan.way(BackwardWeights(chosen), chosen.impl_info_str()));
  }

  const Call& call_;
  const Layer layer_;
  const memory::desc plainX_, plainY_, plainWeight_, anyWeight_, bias_;
  Operands operands_;
  std::vector<Way> ways_;
};

}  // namespace

std::vector<Way> conv2d(const Call& call) {
  return Search(call).ways();
}

}  // namespace bench
