// Pooling over windows: maximum (with its position), and its gradient; averages are in
// pool2d-average.h. Planes are independent, so they are what threads share.
#pragma once

#include "list.h"
#include "math.h"
#include "plane.h"
#include "pool2d-average.h"
#include "workspace.h"

namespace fovea {
namespace {

// Planes in bands of rows whose copy stays in the L1 cache.
struct MaxPoolPlan {
  Axis rows, columns;
  int64_t planes, pitch;
  Split bands;
  BandLayout layout;
  bool oneLine;  // windows of a band lie one after another in the copy as they do in y
  int64_t planesPerTask;

  explicit MaxPoolPlan(const MaxPool2dShape& s)
      : rows{s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, 1},
        columns{s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, 1},
        planes(s.planes),
        pitch(columns.count + columns.maxShift()),
        layout(rows, columns, 0, 0) {
    const int64_t rowFloats = larger(1, pitch * rows.phases() * columns.phases());
    bands = Split::atMost(rows.count, larger(1, 8192 / rowFloats - rows.maxShift()));
    layout = BandLayout(rows, columns, bands.largest(), pitch);
    oneLine = pitch == columns.count;
    planesPerTask = 1 + 32768 / larger(1, rows.count * columns.count * rows.taps * columns.taps);
  }

  int64_t copyLength() const { return roundUp(layout.size + Vec::width, 16); }
  int64_t lines(int64_t bandRows) const { return oneLine ? 1 : bandRows; }
  int64_t lineLength(int64_t bandRows) const {
    return oneLine ? bandRows * columns.count : columns.count;
  }
  // The first element of x in a window: what indices name where all are minus infinity.
  int64_t firstIndex(int64_t row, int64_t column) const {
    return larger(0, rows.start + row * rows.stride) * columns.length +
           larger(0, columns.start + column * columns.stride);
  }
};

struct MaxPoolMemory {
  float* copies;     // per thread
  int32_t* origins;  // of a band's windows: row * stride * width + column * stride
  size_t bytes;

  MaxPoolMemory(const MaxPoolPlan& plan, int threads, char* base) {
    Arena arena(base);
    copies = arena.floats(threads * plan.copyLength());
    origins = arena.ints(plan.bands.largest() * plan.columns.count + Vec::width);
    bytes = arena.bytes();
  }
};

struct MaxOfWindows {
  Vec value;
  Ints index;
};

// Windows at `at` of the copy and on; `origin` is where they begin in x.
template <bool indexed>
inline MaxOfWindows maxOfWindows(const MaxPoolPlan& plan, const float* at, Ints origin) {
  MaxOfWindows best = {broadcast(-infinity), broadcastInts(-1)};
  for (int64_t i = 0; i < plan.rows.taps; ++i) {
    for (int64_t j = 0; j < plan.columns.taps; ++j) {
      const Vec x = load(at + plan.layout.offset(plan.rows, plan.columns, i, j));
      const Mask better = less(best.value, x) | (isNan(x) & ~isNan(best.value));
      best.value = select(better, x, best.value);
      if constexpr (indexed) {
        const int64_t offset = i * plan.columns.length + j;
        best.index =
            select(better, origin + broadcastInts(static_cast<int32_t>(offset)), best.index);
      }
    }
  }
  return best;
}

template <bool indexed>
inline void maxPoolPlane(const MaxPoolPlan& plan, const MaxPoolMemory& memory, const float* x,
                         float* copy, float* y, int32_t* indices) {
  for (int64_t band = 0; band < plan.bands.parts; ++band) {
    const int64_t row0 = plan.bands.begin(band), bandRows = plan.bands.end(band) - row0;
    copyBand(x, plan.rows, plan.columns, plan.layout, row0, -infinity, copy);
    const int64_t first =
        (plan.rows.start + row0 * plan.rows.stride) * plan.columns.length + plan.columns.start;
    const Ints bandOrigin = broadcastInts(static_cast<int32_t>(first));
    const int64_t count = plan.lineLength(bandRows);
    for (int64_t line = 0; line < plan.lines(bandRows); ++line) {
      for (int64_t i = 0; i < count; i += Vec::width) {
        const int n = lanesLeft(count - i);
        const int64_t out = line * plan.columns.count + i;
        const MaxOfWindows best = maxOfWindows<indexed>(
            plan, copy + line * plan.pitch + i, bandOrigin + loadInts(memory.origins + out));
        storeUpTo(y + row0 * plan.columns.count + out, best.value, n);
        if constexpr (indexed) {
          int32_t* to = indices + row0 * plan.columns.count + out;
          storeFirstInts(to, best.index, n);
          if (!any(less(toFloats(best.index), broadcast(0)))) continue;
          for (int lane = 0; lane < n; ++lane) {
            const int64_t window = out + lane;
            if (to[lane] < 0) {
              to[lane] = static_cast<int32_t>(
                  plan.firstIndex(row0 + window / plan.columns.count, window % plan.columns.count));
            }
          }
        }
      }
    }
  }
}

void maxPool2d(const MaxPool2dShape& s, const Context& context, const float* x, float* y,
               int32_t* indices) {
  const MaxPoolPlan plan(s);
  const int64_t outPlane = plan.rows.count * plan.columns.count;
  if (outPlane == 0) return;
  const MaxPoolMemory memory(plan, context.threads, context.workspace);
  for (int64_t row = 0; row < plan.bands.largest(); ++row) {
    for (int64_t column = 0; column < plan.columns.count; ++column) {
      memory.origins[row * plan.columns.count + column] = static_cast<int32_t>(
          row * plan.rows.stride * plan.columns.length + column * plan.columns.stride);
    }
  }
  for (int lane = 0; lane < Vec::width; ++lane) {
    memory.origins[plan.bands.largest() * plan.columns.count + lane] = 0;
  }
  const int64_t plane = plan.rows.length * plan.columns.length;
  context.parallel(ceilDiv(plan.planes, plan.planesPerTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.planes, (task + 1) * plan.planesPerTask);
    float* copy = memory.copies + thread * plan.copyLength();
    for (int64_t p = task * plan.planesPerTask; p < end; ++p) {
      if (indices) {
        maxPoolPlane<true>(plan, memory, x + p * plane, copy, y + p * outPlane,
                           indices + p * outPlane);
      } else {
        maxPoolPlane<false>(plan, memory, x + p * plane, copy, y + p * outPlane, nullptr);
      }
    }
  });
}

inline size_t maxPool2dWorkspace(const MaxPool2dShape& s, int threads) {
  return MaxPoolMemory(MaxPoolPlan(s), threads, nullptr).bytes;
}
FOVEA_WORKSPACE(maxPool2d, MaxPool2dShape, maxPool2dWorkspace)

// gradX[indices[i]] += gradY[i], plane by plane.
void maxPool2dBackward(const MaxPool2dShape& s, const Context& context, const float* gradY,
                       const int32_t* indices, float* gradX) {
  const int64_t plane = static_cast<int64_t>(s.height) * s.width;
  const int64_t outPlane = static_cast<int64_t>(s.outHeight) * s.outWidth;
  context.parallelRange(s.planes, 1 + 32768 / larger(1, plane), [&](int64_t begin, int64_t end) {
    fillRow(gradX + begin * plane, (end - begin) * plane, 0);
    for (int64_t p = begin; p < end; ++p) {
      float* to = gradX + p * plane;
      for (int64_t i = p * outPlane; i < (p + 1) * outPlane; ++i) to[indices[i]] += gradY[i];
    }
  });
}

}  // namespace
}  // namespace fovea
