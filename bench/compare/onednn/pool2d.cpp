// oneDNN's pools, in each layout, with the reorders from and to plain NCHW; training keeps the
// places of the maxima.
#include "operand.h"

namespace bench {
namespace {

using Forward = dnnl::pooling_forward;
using Backward = dnnl::pooling_backward;

struct Windows {
  Dims x, y, strides, kernel, padLeft, padRight;
  dnnl::algorithm algorithm;
};

Windows read(const Call& call) {
  const long channels = call["channels"], batch = call["planes"] / channels;
  Windows windows;
  windows.x = {batch, channels, call["height"], call["width"]};
  windows.y = {batch, channels, call["outHeight"], call["outWidth"]};
  windows.strides = {call["strideHeight"], call["strideWidth"]};
  windows.kernel = {call["kernelHeight"], call["kernelWidth"]};
  windows.padLeft = {call["padTop"], call["padLeft"]};
  for (int i = 0; i < 2; ++i) {
    const long reach = (windows.y[2 + i] - 1) * windows.strides[i] + windows.kernel[i];
    windows.padRight.push_back(std::max(0L, reach - windows.x[2 + i] - windows.padLeft[i]));
  }
  windows.algorithm = call.text("op").rfind("max", 0) == 0
                          ? dnnl::algorithm::pooling_max
                          : dnnl::algorithm::pooling_avg_include_padding;
  return windows;
}

Way tryOne(const Call& call, const Windows& w, Tag tag, Operands& operands) {
  const bool backward = call.text("op").find("Backward") != std::string::npos;
  const bool training = backward || call.text("with") == "indices";
  const auto plainX = describe(w.x, Tag::nchw), plainY = describe(w.y, Tag::nchw);
  const auto kind =
      training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const Forward::desc forwardDesc(kind, w.algorithm, describe(w.x, tag), describe(w.y, tag),
                                  w.strides, w.kernel, w.padLeft, w.padRight);
  const Forward::primitive_desc forward(forwardDesc, engine());
  const memory places = training ? memory(forward.workspace_desc(), engine()) : memory();
  Plan plan(operands);
  if (!backward) {
    plan.input(DNNL_ARG_SRC, plainX, forward.src_desc());
    plan.output(DNNL_ARG_DST, plainY, forward.dst_desc());
    if (training) plan.give(DNNL_ARG_WORKSPACE, places);
    return plan.way(Forward(forward), forward.impl_info_str());
  }
  // The places must be those of a forward pass.
  Forward(forward).execute(stream(),
                           {{DNNL_ARG_SRC, operands.get(DNNL_ARG_SRC, forward.src_desc())},
                            {DNNL_ARG_DST, operands.get(DNNL_ARG_DST, forward.dst_desc())},
                            {DNNL_ARG_WORKSPACE, places}});
  stream().wait();
  const Backward::desc desc(w.algorithm, describe(w.x, tag), describe(w.y, tag), w.strides,
                            w.kernel, w.padLeft, w.padRight);
  const Backward::primitive_desc chosen(desc, engine(), forward);
  plan.input(DNNL_ARG_DIFF_DST, plainY, chosen.diff_dst_desc());
  plan.give(DNNL_ARG_WORKSPACE, places);
  plan.output(DNNL_ARG_DIFF_SRC, plainX, chosen.diff_src_desc());
  return plan.way(Backward(chosen), chosen.impl_info_str());
}

}  // namespace

std::vector<Way> pool2d(const Call& call) {
  const Windows windows = read(call);
  Operands operands;
  return waysOf({Tag::nchw, Tag::nhwc, Tag::nChw16c},
                [&](Tag tag) { return tryOne(call, windows, tag, operands); });
}

}  // namespace bench
