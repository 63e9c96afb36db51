// conv2d: cross-correlation with stride, padding, dilation and groups, plus bias, then the
// activation.
#pragma once

#include "correlate.h"
#include "list.h"
#include "workspace.h"

namespace fovea {
namespace {

// One dimension of conv2d.
inline Axis convAxis(int64_t count, int64_t length, int64_t pad, int64_t stride, int64_t taps,
                     int64_t dilation) {
  return {count, length, -pad, stride, taps, dilation};
}

inline Correlation forwardCorrelation(const Conv2dShape& s) {
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

void conv2d(const Conv2dShape& s, const Context& context, const float* x, const float* weight,
            const float* bias, float* y) {
  correlate(forwardCorrelation(s), context, x, weight, bias, y);
}

inline size_t conv2dWorkspace(const Conv2dShape& s, int threads) {
  return correlateWorkspace(forwardCorrelation(s), threads);
}
FOVEA_WORKSPACE(conv2d, Conv2dShape, conv2dWorkspace)

}  // namespace
}  // namespace fovea
