// conv2dBackwardInput: each phase of the stride is a correlation of gradY with the taps that reach
// that phase, turned around. conv2dBackwardWeight is in conv2d-weight.h.
#pragma once

#include "conv2d-weight.h"
#include "conv2d.h"

namespace fovea {
namespace {

// The positions p of x with (p + pad) % stride == phase, and the taps that reach them: tap t of
// output o meets position o * stride + t * dilation - pad.
inline CorrelateAxis backwardAxis(int64_t phase, int64_t length, int64_t outLength, int64_t pad,
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

inline Correlation backwardCorrelation(const Conv2dBackwardShape& s, int64_t rowPhase,
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
void forEachPhase(const Conv2dBackwardShape& s, const Body& body) {
  for (int64_t i = 0; i < s.strideHeight; ++i) {
    for (int64_t j = 0; j < s.strideWidth; ++j) body(backwardCorrelation(s, i, j));
  }
}

void conv2dBackwardInput(const Conv2dBackwardShape& s, const Context& context, const float* weight,
                         const float* gradY, float* gradX) {
  forEachPhase(s, [&](const Correlation& phase) {
    correlate(phase, context, gradY, weight, nullptr, gradX);
  });
}

inline size_t conv2dBackwardInputWorkspace(const Conv2dBackwardShape& s, int threads) {
  size_t bytes = 0;
  forEachPhase(s, [&](const Correlation& phase) {
    const size_t wanted = correlateWorkspace(phase, threads);
    if (wanted > bytes) bytes = wanted;
  });
  return bytes;
}
FOVEA_WORKSPACE(conv2dBackwardInput, Conv2dBackwardShape, conv2dBackwardInputWorkspace)

}  // namespace
}  // namespace fovea
