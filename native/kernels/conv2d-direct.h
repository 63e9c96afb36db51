// Convolutions, and their gradients by x, computed as they are defined: which engine takes which.
#pragma once

#include "conv2d-depthwise.h"
#include "correlate.h"
#include "few.h"
#include "list.h"
#include "slide.h"

namespace fovea {
namespace {

inline Correlation forwardCorrelation(const Conv2dShape& s) {
  const int64_t groups = larger(1, s.groups), taps = int64_t{s.kernelHeight} * s.kernelWidth;
  return {
      s.batch,
      s.groups,
      s.groupChannels,
      s.outChannels / groups,
      {false, s.height, s.outHeight, s.padTop, s.strideHeight, s.kernelHeight, s.dilationHeight},
      {false, s.width, s.outWidth, s.padLeft, s.strideWidth, s.kernelWidth, s.dilationWidth},
      s.groupChannels * taps,
      taps,
      s.activation == 1};
}

inline Correlation backwardCorrelation(const Conv2dBackwardShape& s) {
  const int64_t groups = larger(1, s.groups), taps = int64_t{s.kernelHeight} * s.kernelWidth;
  return {s.batch,
          s.groups,
          s.outChannels / groups,
          s.groupChannels,
          {true, s.outHeight, s.height, s.padTop, s.strideHeight, s.kernelHeight, s.dilationHeight},
          {true, s.outWidth, s.width, s.padLeft, s.strideWidth, s.kernelWidth, s.dilationWidth},
          taps,
          s.groupChannels * taps,
          false};
}

enum class DirectEngine { depthwise, channels, rows, slide };

// Vectors of output channels or of positions of a row: whichever leaves fewer lanes idle. The
// former copies less of x, which counts but beside `slide`, that reads it least often.
inline DirectEngine directEngine(const Correlation& s) {
  if (isDepthwise(s)) return slides(s) ? DirectEngine::slide : DirectEngine::depthwise;
  const int64_t count = s.columns.cover().count;
  const int64_t channelLanes = roundUp(s.outputs, Vec::width),
                rowLanes = roundUp(count, Vec::width);
  const int64_t favour = slides(s) ? 4 : 3;
  const bool channels = 4 * s.outputs * rowLanes >= favour * count * channelLanes;
  if (channels) return DirectEngine::channels;
  return slides(s) ? DirectEngine::slide : DirectEngine::rows;
}

inline void direct(const Correlation& s, const Context& context, const float* x,
                   const float* weight, const float* bias, float* y) {
  switch (directEngine(s)) {
    case DirectEngine::depthwise:
      return depthwise(s, context, x, weight, bias, y);
    case DirectEngine::channels:
      return correlate(s, context, x, weight, bias, y);
    case DirectEngine::rows:
      return few(s, context, x, weight, bias, y);
    case DirectEngine::slide:
      return slide(s, context, x, weight, bias, y);
  }
}

inline size_t directWorkspace(const Correlation& s, int threads) {
  switch (directEngine(s)) {
    case DirectEngine::depthwise:
      return depthwiseWorkspace(s, threads);
    case DirectEngine::channels:
      return correlateWorkspace(s, threads);
    case DirectEngine::rows:
      return fewWorkspace(s, threads);
    case DirectEngine::slide:
      return slideWorkspace(s, threads);
  }
  return 0;
}

inline int64_t directPackedLength(const Correlation& s) {
  switch (directEngine(s)) {
    case DirectEngine::depthwise:
      return 0;
    case DirectEngine::slide:
      return slidePackedLength(s);
    case DirectEngine::channels:
      return packedLength<CorrelatePlan>(s);
    case DirectEngine::rows:
      return packedLength<FewPlan>(s);
  }
  return 0;
}

inline void directPack(const Correlation& s, const Context& context, const float* weight,
                       float* packed) {
  switch (directEngine(s)) {
    case DirectEngine::depthwise:
      return;
    case DirectEngine::channels:
      return packAllWeights(s, CorrelatePlan(s), context, weight, packed);
    case DirectEngine::rows:
      return packAllWeights(s, FewPlan(s), context, weight, packed);
    case DirectEngine::slide:
      return packSlide(s, context, weight, packed);
  }
}

inline void directConv2d(const Conv2dShape& s, const Context& context, const float* x,
                         const float* weight, const float* bias, float* y) {
  direct(forwardCorrelation(s), context, x, weight, bias, y);
}
inline size_t directConv2dWorkspace(const Conv2dShape& s, int threads) {
  return directWorkspace(forwardCorrelation(s), threads);
}
inline int64_t directConv2dPackedLength(const Conv2dShape& s) {
  return directPackedLength(forwardCorrelation(s));
}
inline void directConv2dPack(const Conv2dShape& s, const Context& context, const float* weight,
                             float* packed) {
  directPack(forwardCorrelation(s), context, weight, packed);
}

inline void directBackwardInput(const Conv2dBackwardShape& s, const Context& context,
                                const float* weight, const float* gradY, float* gradX) {
  direct(backwardCorrelation(s), context, gradY, weight, nullptr, gradX);
}
inline size_t directBackwardInputWorkspace(const Conv2dBackwardShape& s, int threads) {
  return directWorkspace(backwardCorrelation(s), threads);
}
inline int64_t directBackwardInputPackedLength(const Conv2dBackwardShape& s) {
  return directPackedLength(backwardCorrelation(s));
}
inline void directBackwardInputPack(const Conv2dBackwardShape& s, const Context& context,
                                    const float* weight, float* packed) {
  directPack(backwardCorrelation(s), context, weight, packed);
}

}  // namespace
}  // namespace fovea
