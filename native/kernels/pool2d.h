// Maximum over windows, with its position, and the gradient of that. Averages are in
// pool2d-average.h.
#pragma once

#include "list.h"
#include "math.h"
#include "pool2d-average.h"
#include "pool2d-window.h"
#include "workspace.h"

namespace fovea {
namespace {

inline PoolPlan maxPoolPlan(const MaxPool2dShape& s) {
  return PoolPlan(s, {s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, 1},
                  {s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, 1});
}

// One row of y. Where all of a window is minus infinity no element is better than the start, and
// the index is that of the window's first element.
template <int stride, bool indexed>
inline void maxPoolRow(const PoolPlan& plan, const PoolMemory& memory, const float* source,
                       int64_t row, float* y, int32_t* indices) {
  const TapRows taps(plan.rows, row);
  const int64_t top = plan.rows.start + row * plan.rows.stride;
  for (int64_t column = 0; column < plan.columns.count; column += Vec::width) {
    const int64_t left = plan.columns.count - column;
    const int n = lanesLeft(left);
    Vec best = broadcast(-infinity);
    Ints index = broadcastInts(-1);
    const Ints origin = loadInts(memory.origins + column);
    for (int64_t i = taps.begin; i < taps.end; ++i) {
      const float* windows = source + (top + i) * plan.pitch + column * stride;
      forColumns<stride>(windows, memory.taps, plan.columns.taps, left, [&](Vec x, int64_t j) {
        const Mask better = ~(lessEqual(x, best) | isNan(best));  // a NaN x is
        best = select(better, x, best);
        if constexpr (indexed) {
          const int64_t tap = (top + i) * plan.columns.length + j;
          index = select(better, origin + broadcastInts(static_cast<int32_t>(tap)), index);
        }
      });
    }
    storeUpTo(y + column, best, n);
    if constexpr (indexed) {
      storeFirstInts(indices + column, index, n);
      if (!any(less(toFloats(index), broadcast(0)))) continue;
      for (int64_t c = column; c < column + n; ++c) {
        if (indices[c] >= 0) continue;
        indices[c] = static_cast<int32_t>((top + taps.begin) * plan.columns.length +
                                          larger(0, memory.origins[c]));
      }
    }
  }
}

template <int stride, bool indexed>
inline void maxPoolPlanes(const PoolPlan& plan, const PoolMemory& memory, const Context& context,
                          const float* x, float* y, int32_t* indices) {
  forPlanes(context, plan, [&](int64_t p, int thread) {
    const float* source = plan.source(memory, x + p * plan.plane(), thread, -infinity);
    for (int64_t row = 0; row < plan.rows.count; ++row) {
      const int64_t out = p * plan.outPlane() + row * plan.columns.count;
      maxPoolRow<stride, indexed>(plan, memory, source, row, y + out,
                                  indexed ? indices + out : nullptr);
    }
  });
}

void maxPool2d(const MaxPool2dShape& s, const Context& context, const float* x, float* y,
               int32_t* indices) {
  const PoolPlan plan = maxPoolPlan(s);
  const PoolMemory memory(plan, context.threads, context.workspace);
  memory.fill(plan);
  const bool apart = plan.direct && plan.columns.stride == 2;
  if (indices) {
    (apart ? maxPoolPlanes<2, true> : maxPoolPlanes<1, true>)(plan, memory, context, x, y, indices);
  } else {
    (apart ? maxPoolPlanes<2, false> : maxPoolPlanes<1, false>)(plan, memory, context, x, y,
                                                                nullptr);
  }
}

inline size_t maxPool2dWorkspace(const MaxPool2dShape& s, int threads) {
  return PoolMemory(maxPoolPlan(s), threads, nullptr).bytes;
}
FOVEA_WORKSPACE(maxPool2d, MaxPool2dShape, maxPool2dWorkspace)

// gradX[indices[i]] += gradY[i], plane by plane.
void maxPool2dBackward(const MaxPool2dShape& s, const Context& context, const float* gradY,
                       const int32_t* indices, float* gradX) {
  const PoolPlan plan = maxPoolPlan(s);
  const int64_t plane = plan.plane(), outPlane = plan.outPlane();
  forPlanes(context, plan, [&](int64_t p, int) {
    float* to = gradX + p * plane;
    fillRow(to, plane, 0);
    for (int64_t i = p * outPlane; i < (p + 1) * outPlane; ++i) to[indices[i]] += gradY[i];
  });
}

}  // namespace
}  // namespace fovea
