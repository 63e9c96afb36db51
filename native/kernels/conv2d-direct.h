// Convolutions, and their gradients by x, computed as they are defined: which engine takes which.
#pragma once

#include "conv2d-depthwise.h"
#include "correlate.h"
#include "few.h"
#include "list.h"

namespace fovea {
namespace {

// One dimension of conv2d.
inline Axis convAxis(int64_t count, int64_t length, int64_t pad, int64_t stride, int64_t taps,
                     int64_t dilation) {
  return {count, length, -pad, stride, taps, dilation};
}

inline FewCorrelation forwardFew(const Conv2dShape& s) {
  const Axis rows =
      convAxis(s.outHeight, s.height, s.padTop, s.strideHeight, s.kernelHeight, s.dilationHeight);
  const Axis columns =
      convAxis(s.outWidth, s.width, s.padLeft, s.strideWidth, s.kernelWidth, s.dilationWidth);
  const int64_t outputs = s.outChannels / larger(1, s.groups);
  const int64_t taps = static_cast<int64_t>(s.kernelHeight) * s.kernelWidth;
  const int64_t depth = s.groupChannels * taps;
  return {s.batch,
          s.groups,
          s.groupChannels,
          outputs,
          {rows, 0, 1, 0, 1},
          {columns, 0, 1, 0, 1},
          s.outHeight,
          s.outWidth,
          depth,
          taps,
          outputs * depth,
          s.kernelWidth,
          s.activation == 1};
}

// The positions p of x with (p + pad) % stride == phase, and the taps that reach them: tap t of
// output o meets position o * stride + t * dilation - pad.
inline FewAxis backwardAxis(int64_t phase, int64_t length, int64_t outLength, int64_t pad,
                            int64_t stride, int64_t kernel, int64_t dilation) {
  int64_t first = -1, second = -1, last = -1, taps = 0;
  for (int64_t t = 0; t < kernel; ++t) {
    if (t * dilation % stride != phase) continue;
    if (taps == 0) first = t;
    if (taps == 1) second = t;
    last = t;
    ++taps;
  }
  const int64_t begin = pad > phase ? ceilDiv(pad - phase, stride) : 0;
  const int64_t end = length + pad > phase ? (length - 1 + pad - phase) / stride + 1 : 0;
  const int64_t apart = taps > 1 ? second - first : 1;
  const int64_t start = taps > 0 ? begin - (last * dilation - phase) / stride : 0;
  return {{larger(0, end - begin), outLength, start, 1, taps, larger(1, apart * dilation / stride)},
          last,
          -apart,
          begin * stride + phase - pad,
          stride};
}

inline FewCorrelation backwardFew(const Conv2dBackwardShape& s, int64_t rowPhase,
                                  int64_t columnPhase) {
  const int64_t outputs = s.outChannels / larger(1, s.groups);
  const int64_t taps = static_cast<int64_t>(s.kernelHeight) * s.kernelWidth;
  const int64_t depth = s.groupChannels * taps;
  return {s.batch,
          s.groups,
          outputs,
          s.groupChannels,
          backwardAxis(rowPhase, s.height, s.outHeight, s.padTop, s.strideHeight, s.kernelHeight,
                       s.dilationHeight),
          backwardAxis(columnPhase, s.width, s.outWidth, s.padLeft, s.strideWidth, s.kernelWidth,
                       s.dilationWidth),
          s.height,
          s.width,
          taps,
          depth,
          outputs * depth,
          s.kernelWidth,
          false};
}

template <class Body>
void forEachFew(const Conv2dBackwardShape& s, const Body& body) {
  for (int64_t i = 0; i < s.strideHeight; ++i) {
    for (int64_t j = 0; j < s.strideWidth; ++j) body(backwardFew(s, i, j));
  }
}

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

// Vectors of output channels pay where most of their lanes are in use.
inline bool fillsVectors(int64_t outputs) {
  return 3 * outputs >= 2 * roundUp(outputs, Vec::width);
}
inline bool fillsVectors(const Conv2dShape& s) {
  return fillsVectors(s.outChannels / larger(1, s.groups));
}
inline bool fillsVectors(const Conv2dBackwardShape& s) {
  return fillsVectors(s.groupChannels);
}

inline void directConv2d(const Conv2dShape& s, const Context& context, const float* x,
                         const float* weight, const float* bias, float* y) {
  if (isDepthwise(forwardCorrelation(s))) {
    depthwise(forwardCorrelation(s), context, x, weight, bias, y);
  } else if (fillsVectors(s)) {
    correlate(forwardCorrelation(s), context, x, weight, bias, y);
  } else {
    few(forwardFew(s), context, x, weight, bias, y);
  }
}

inline size_t directConv2dWorkspace(const Conv2dShape& s, int threads) {
  if (isDepthwise(forwardCorrelation(s))) return depthwiseWorkspace(forwardCorrelation(s), threads);
  return fillsVectors(s) ? correlateWorkspace(forwardCorrelation(s), threads)
                         : fewWorkspace(forwardFew(s), threads);
}

inline int64_t directConv2dPackedLength(const Conv2dShape& s) {
  return fillsVectors(s) ? correlatePackedLength(forwardCorrelation(s)) : 0;
}

inline void directConv2dPack(const Conv2dShape& s, const Context& context, const float* weight,
                             float* packed) {
  correlatePack(forwardCorrelation(s), context, weight, packed);
}

inline void directBackwardInput(const Conv2dBackwardShape& s, const Context& context,
                                const float* weight, const float* gradY, float* gradX) {
  const Correlation whole = backwardCorrelation(s);
  if (isDepthwise(whole)) return depthwise(whole, context, gradY, weight, nullptr, gradX);
  if (fillsVectors(s)) return correlate(whole, context, gradY, weight, nullptr, gradX);
  forEachFew(
      s, [&](const FewCorrelation& phase) { few(phase, context, gradY, weight, nullptr, gradX); });
}

inline size_t directBackwardInputWorkspace(const Conv2dBackwardShape& s, int threads) {
  const Correlation whole = backwardCorrelation(s);
  if (isDepthwise(whole)) return depthwiseWorkspace(whole, threads);
  if (fillsVectors(s)) return correlateWorkspace(whole, threads);
  size_t bytes = 0;
  forEachFew(s, [&](const FewCorrelation& phase) {
    const size_t wanted = fewWorkspace(phase, threads);
    if (wanted > bytes) bytes = wanted;
  });
  return bytes;
}

inline int64_t directBackwardInputPackedLength(const Conv2dBackwardShape& s) {
  return fillsVectors(s) ? correlatePackedLength(backwardCorrelation(s)) : 0;
}

inline void directBackwardInputPack(const Conv2dBackwardShape& s, const Context& context,
                                    const float* weight, float* packed) {
  correlatePack(backwardCorrelation(s), context, weight, packed);
}

}  // namespace
}  // namespace fovea
