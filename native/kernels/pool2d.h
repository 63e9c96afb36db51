// Maximum over windows, with its place, and the gradient of that. Averages are in
// pool2d-average.h.
#pragma once

#include "list.h"
#include "math.h"
#include "pool2d-adaptive.h"
#include "pool2d-average.h"
#include "pool2d-window.h"
#include "workspace.h"

namespace fovea {
namespace {

// The larger of two; a NaN if there is one, where `nanWins`, else anything.
template <bool nanWins>
struct PooledLargest {
  using Line = Numbers;
  static constexpr float padding = -infinity;
  static constexpr bool watches = !nanWins;

  static Vec of(Vec a, Vec b) {
    if constexpr (nanWins) return select(lessEqual(b, a) | isNan(a), a, b);
    return max(b, a);
  }
};

// The same, and the place of the first.
template <bool nanWins>
struct PooledPlace {
  using Line = PlacedNumbers;
  static constexpr float padding = -infinity;
  static constexpr bool watches = !nanWins;

  static Placed of(const Placed& a, const Placed& b) {
    Mask above = less(a.number, b.number);
    if constexpr (nanWins) above = above | (isNan(b.number) & ~isNan(a.number));
    return {select(above, b.number, a.number), select(above, b.place, a.place)};
  }
};

// Where the windows of a row begin in it, with their padding and without.
struct Origins {
  int32_t *padded, *inside;

  Origins(const Axis& columns, Arena& arena)
      : padded(arena.ints(columns.count + Vec::width)),
        inside(arena.ints(columns.count + Vec::width)) {}
  void fill(const Axis& columns) const {
    for (int64_t c = 0; c < columns.count + Vec::width; ++c) {
      const int64_t begin = columns.start + c * columns.stride;
      padded[c] = static_cast<int32_t>(begin);
      inside[c] = static_cast<int32_t>(larger(0, begin));
    }
  }
};

void maxPool2d(const MaxPool2dShape& s, const Context& context, const float* x, float* y,
               int32_t* indices) {
  const PoolPlan plan(s);
  Arena arena(context.workspace);
  const Origins origins(plan.columns, arena);
  origins.fill(plan.columns);
  const auto pool = [&](const Band& band, const PoolMemory& memory) {
    Output<float> out(y + band.first, memory.stage.numbers);
    const auto finish = [to = out.at()](int64_t i, const PooledRow&, int64_t, Vec largest, int n) {
      storeUpTo(to + i, largest, n);
    };
    foldBand<PooledLargest<false>>(plan, memory, band, x, finish) ||
        foldBand<PooledLargest<true>>(plan, memory, band, x, finish);
    out.finish(band.length);
  };
  const auto poolPlaced = [&](const Band& band, const PoolMemory& memory) {
    Output<float> out(y + band.first, memory.stage.numbers);
    Output<int32_t> outPlaces(indices + band.first, memory.stage.places);
    const auto finish = [=, &plan, to = out.at(), places = outPlaces.at()](
                            int64_t i, const PooledRow& row, int64_t c, const Placed& largest,
                            int n) {
      // Where all of a window is minus infinity it may be padding that came first.
      const Mask nothing = equal(largest.number, broadcast(-infinity));
      const Ints inRow = select(nothing, loadInts(origins.inside + c),
                                largest.place + loadInts(origins.padded + c));
      const Ints start = broadcastInts(static_cast<int32_t>(row.firstOfX * plan.columns.length));
      storeUpTo(to + i, largest.number, n);
      storeIntsUpTo(places + i, inRow + start, n);
    };
    foldBand<PooledPlace<false>>(plan, memory, band, x, finish) ||
        foldBand<PooledPlace<true>>(plan, memory, band, x, finish);
    out.finish(band.length);
    outPlaces.finish(band.length);
  };
  char* threads = context.workspace + arena.bytes();
  if (indices) {
    forBands<PooledPlace<true>>(plan, context, threads, poolPlaced);
  } else {
    forBands<PooledLargest<true>>(plan, context, threads, pool);
  }
}

inline size_t maxPool2dWorkspace(const MaxPool2dShape& s, int threads) {
  const PoolPlan plan(s);
  Arena arena(nullptr);
  Origins(plan.columns, arena);
  return arena.bytes() + static_cast<size_t>(threads) * poolMemoryBytes(plan, true);
}
FOVEA_WORKSPACE(maxPool2d, MaxPool2dShape, maxPool2dWorkspace)

// gradX[indices[i]] += gradY[i], in a plane whose zeros are written just ahead of the windows. Any
// place in the plane is allowed: one that maxPool2d would not have chosen only takes longer.
template <bool staged>
class Scatter {
 public:
  Scatter(float* gradX, float* stage) : gradX_(gradX), out_(gradX, staged ? stage : nullptr) {}

  // Everything before `end` has its zeros.
  void fillTo(int64_t end) {
    if (end <= filled_) return;
    fillRow(out_.at() + filled_, end - filled_, 0);
    filled_ = end;
  }
  void add(int64_t place, float gradient) {
    if (place >= filled_) fillTo(place + 1);
    (staged && place < out_.left() ? gradX_ : out_.at())[place] += gradient;
  }
  // Windows to come are not over anything before `end`.
  void leaveTo(int64_t end) {
    if (!staged) return;
    fillTo(end);
    out_.advance(end);
  }
  void finish(int64_t end) {
    fillTo(end);
    out_.finish(end);
  }

 private:
  float* gradX_;
  Output<float> out_;
  int64_t filled_ = 0;
};

// gradX of one plane; windows go by bands, whose part of it stays in the L1 cache.
template <bool staged>
inline void scatterPlane(const PoolPlan& plan, const float* gradY, const int32_t* indices,
                         float* stage, float* gradX) {
  const Axis& rows = plan.rows;
  const int64_t width = plan.columns.length, count = plan.columns.count;
  const int64_t bandRows = 1 + (staged ? 256 : bandFloats) / larger(1, rows.stride * width);
  Scatter<staged> to(gradX, stage);
  for (int64_t row = 0; row < rows.count; row += bandRows) {
    const int64_t last = smaller(rows.count, row + bandRows) - 1;
    to.leaveTo((rows.start + row * rows.stride) * width);
    to.fillTo(smaller(rows.length, rows.start + last * rows.stride + rows.taps) * width);
    for (int64_t i = row * count; i < (last + 1) * count; ++i) to.add(indices[i], gradY[i]);
  }
  to.finish(plan.plane());
}

void maxPool2dBackward(const MaxPool2dShape& s, const Context& context, const float* gradY,
                       const int32_t* indices, float* gradX) {
  const PoolPlan plan(s);
  const int64_t plane = plan.plane(), outPlane = plan.outPlane();
  const bool staged = plan.planes * plane >= streamedElements;
  const auto scatter = staged ? scatterPlane<true> : scatterPlane<false>;
  const int64_t planesPerTask = 1 + taskFloats / larger(1, plane);
  forPlanes(context, plan.planes, planesPerTask, [&](int64_t p, int thread) {
    float* stage = reinterpret_cast<float*>(context.workspace) + thread * roundUp(plane, 16);
    scatter(plan, gradY + p * outPlane, indices + p * outPlane, stage, gradX + p * plane);
    if (staged) streamFence();
  });
}

inline size_t maxPool2dBackwardWorkspace(const MaxPool2dShape& s, int threads) {
  const int64_t plane = static_cast<int64_t>(s.height) * s.width;
  if (s.planes * plane < streamedElements) return 0;
  return static_cast<size_t>(threads * roundUp(plane, 16)) * sizeof(float);
}
FOVEA_WORKSPACE(maxPool2dBackward, MaxPool2dShape, maxPool2dBackwardWorkspace)

}  // namespace
}  // namespace fovea
