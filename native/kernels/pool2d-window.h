// How pooling reads windows of any kind: it folds (adds up, or keeps the larger) first along every
// row of x, copied to where padding can stand around it, then down the lines that gives. Those most
// nets have go quicker: pool2d-pairs.h.
//
//   x 0────────────0 along: line[o] = x[2 o] + x[2 o + 1] + x[2 o + 2]
//     ─ ─ ─ ─ ─ ─
//     ─ ─ ─ ─ ─ ─    down: y[o] = line 0 [o] + line 1 [o] + line 2 [o]
//     ─ ─ ─ ─ ─ ─
#pragma once

#include <type_traits>

#include "plane.h"
#include "pool2d-pairs.h"
#include "stream.h"

namespace fovea {
namespace {

// The taps of window row `row` that lie in x.
struct TapRows {
  int64_t begin, end;
  TapRows(const Axis& rows, int64_t row)
      : begin(larger(0, -(rows.start + row * rows.stride))),
        end(smaller(rows.taps, rows.length - (rows.start + row * rows.stride))) {}
};

// Floats of x that are worth a task, and those of a band: its lines stay in the L1 cache.
constexpr int64_t taskFloats = 1 << 16;
constexpr int64_t bandFloats = 2048;

struct PoolPlan {
  Axis rows, columns;
  int64_t planes;
  bool pairs;                    // straight from x, without lines
  int64_t pitch;                 // from row to row of the copy, a multiple of the stride
  int64_t windows;               // from line to line: the windows of a row, and some of no use
  int64_t bandRows, bandPlanes;  // a band is some rows of y, or some whole planes
  int64_t bandsPerPlane, bandsPerTask;
  bool streamed;  // y is larger than caches are

  template <class Shape>
  explicit PoolPlan(const Shape& s)
      : rows{s.outHeight, s.height, -s.padTop, s.strideHeight, 0, 1},
        columns{s.outWidth, s.width, -s.padLeft, s.strideWidth, 0, 1},
        planes(s.planes) {
    // Taps that no window has within x and its padding are of no use, and may be very many.
    int64_t padBottom = 0, padRight = 0;
    if constexpr (std::is_same<Shape, AvgPool2dShape>::value) {
      padBottom = s.padBottom, padRight = s.padRight;
    }
    rows.taps = smaller(s.kernelHeight, s.height + s.padTop + padBottom);
    columns.taps = smaller(s.kernelWidth, s.width + s.padLeft + padRight);
    pairs = pairsSuit(rows, columns);
    pitch = roundUp((columns.count - 1) * columns.stride + columns.taps, columns.stride);
    windows = pitch / columns.stride;
    bandRows = larger(1, smaller(rows.count, bandFloats / larger(1, pitch * rows.stride)));
    bandPlanes = bandRows < rows.count
                     ? 1
                     : larger(1, smaller(planes, bandFloats / larger(1, pitch * rows.length)));
    bandsPerPlane = ceilDiv(rows.count, bandRows);
    bandsPerTask = 1 + taskFloats / larger(1, bandPlanes * bandRows * rows.stride * pitch);
    streamed = planes * outPlane() >= streamedElements;
  }

  int64_t plane() const { return rows.length * columns.length; }
  int64_t outPlane() const { return rows.count * columns.count; }
  int64_t bands() const { return ceilDiv(planes, bandPlanes) * bandsPerPlane; }
  int64_t bandRowsOfX() const {
    return bandRows == rows.count ? bandPlanes * rows.length
                                  : smaller(rows.length, (bandRows - 1) * rows.stride + rows.taps);
  }
  // Vectors of the last windows reach beyond them.
  int64_t copyLength() const {
    return pairs ? 0 : roundUp(bandRowsOfX() * pitch + columns.taps + 2 * Vec::width, 16);
  }
  int64_t linesLength() const {
    return pairs ? 0 : roundUp(bandRowsOfX() * windows + Vec::width, 16);
  }
  int64_t stageLength() const { return bandPlanes * bandRows * columns.count; }
};

// A band: these rows of y of these planes, and where they begin and how many they are in y.
struct Band {
  int64_t plane, planes, row, rows, first, length;
  Band(const PoolPlan& plan, int64_t i)
      : plane(i / plan.bandsPerPlane * plan.bandPlanes),
        planes(smaller(plan.bandPlanes, plan.planes - plane)),
        row(i % plan.bandsPerPlane * plan.bandRows),
        rows(smaller(plan.bandRows, plan.rows.count - row)),
        first((plane * plan.rows.count + row) * plan.columns.count),
        length(planes * rows * plan.columns.count) {}
};

// What one thread works in.
struct PoolMemory {
  float* copy;
  LineMemory lines, stage;

  PoolMemory(const PoolPlan& plan, bool placed, Arena& arena) {
    const auto take = [&](int64_t count) -> LineMemory {
      return {arena.floats(count), placed ? arena.ints(count) : nullptr};
    };
    copy = arena.floats(plan.copyLength());
    lines = take(plan.linesLength());
    stage = plan.streamed ? take(plan.stageLength()) : LineMemory{nullptr, nullptr};
  }
};
inline size_t poolMemoryBytes(const PoolPlan& plan, bool placed) {
  Arena arena(nullptr);
  PoolMemory(plan, placed, arena);
  return arena.bytes();
}

// to[o] = the fold of window o of x, its taps side by side; places count from the window on. The
// result has the lanes where x is NaN.
template <class Fold, int stride>
inline Mask foldAlong(const float* x, const Axis& columns, int64_t windows,
                      const typename Fold::Line& to) {
  using Line = typename Fold::Line;
  Mask strange = isNan(broadcast(0));
  forVectors(windows, [&](int64_t o, auto n) FOVEA_INLINE_LAMBDA {
    const auto tap = [&](int64_t j) FOVEA_INLINE_LAMBDA {
      const float* from = x + o * columns.stride + j;
      Vec next;
      if constexpr (stride == 1) {
        next = load(from);
      } else if constexpr (stride == 2) {
        next = evens(load(from), load(from + Vec::width));
      } else {
        float lanes[Vec::width] = {};
        for (int i = 0; i < n; ++i) lanes[i] = from[i * columns.stride];
        next = load(lanes);
      }
      if (Fold::watches) strange = strange | isNan(next);
      return Line::item(next, j);
    };
    auto total = tap(0);
    for (int64_t j = 1; j < columns.taps; ++j) total = Fold::of(total, tap(j));
    to.put(o, total, n);
  });
  return strange;
}

// finish(i, row, column, fold, lanes) for the windows of one row of y; i counts them from `first`.
template <class Fold, class Finish>
inline void foldDown(const PoolPlan& plan, const typename Fold::Line& lines, int64_t line,
                     int64_t count, int64_t first, const PooledRow& row, const Finish& finish) {
  using Line = typename Fold::Line;
  forVectors(plan.columns.count, [&](int64_t c, auto n) {
    auto total = lines.at(line * plan.windows + c);
    for (int64_t i = 1; i < count; ++i) {
      const auto next = lines.at((line + i) * plan.windows + c);
      total = Fold::of(total, Line::further(next, i * plan.columns.length));
    }
    finish(first + c, row, c, total, n);
  });
}

// `count` rows of x as lines of folded windows. False where x is strange to the fold.
template <class Fold>
inline bool foldRows(const PoolPlan& plan, const PoolMemory& memory, const float* x,
                     int64_t count) {
  const Axis& columns = plan.columns;
  const int64_t present = smaller(columns.length, plan.pitch + columns.start);
  float* to = memory.copy - columns.start;
  for (int64_t i = 0; i < count; ++i, x += columns.length, to += plan.pitch) {
    copyRow(x, 1, present, to);
  }
  const auto along = columns.stride == 1   ? foldAlong<Fold, 1>
                     : columns.stride == 2 ? foldAlong<Fold, 2>
                                           : foldAlong<Fold, 0>;
  return !any(along(memory.copy, columns, count * plan.windows, Fold::Line::in(memory.lines)));
}

// All rows of y of a band. False where x is strange to the fold: what was done is worth nothing.
template <class Fold, class Finish>
inline bool foldBand(const PoolPlan& plan, const PoolMemory& memory, const Band& band,
                     const float* x, const Finish& finish) {
  const Axis &rows = plan.rows, &columns = plan.columns;
  const bool whole = band.rows == rows.count;
  const int64_t end = rows.start + (band.row + band.rows - 1) * rows.stride + rows.taps;
  const int64_t top = whole ? 0 : larger(0, rows.start + band.row * rows.stride);
  const int64_t rowsOfX = (whole ? rows.length : smaller(rows.length, end)) - top;  // of a plane
  x += band.plane * plan.plane() + top * columns.length;
  if (!plan.pairs && !foldRows<Fold>(plan, memory, x, band.planes * rowsOfX)) return false;
  const auto lines = Fold::Line::in(memory.lines);
  Mask strange = isNan(broadcast(0));
  int64_t first = 0;
  for (int64_t p = 0; p < band.planes; ++p) {
    for (int64_t row = band.row; row < band.row + band.rows; ++row, first += columns.count) {
      const TapRows taps(rows, row);
      const PooledRow at{row, rows.start + row * rows.stride + taps.begin};
      const int64_t line = p * rowsOfX + at.firstOfX - top, count = taps.end - taps.begin;
      if (plan.pairs) {
        const float* from = x + p * plan.plane() + (at.firstOfX - top) * columns.length;
        strange = strange | foldPairs<Fold>(from, count, columns, first, at, finish);
      } else {
        foldDown<Fold>(plan, lines, line, count, first, at, finish);
      }
    }
  }
  return !any(strange);
}

// body(band, memory) for all bands of y. `threads` is memory for each thread.
template <class Fold, class Body>
void forBands(const PoolPlan& plan, const Context& context, char* threads, const Body& body) {
  const int64_t bands = plan.bands();
  context.parallel(ceilDiv(bands, plan.bandsPerTask), [&](int64_t task, int thread) {
    const bool placed = Fold::Line::placed;
    Arena arena(threads + static_cast<size_t>(thread) * poolMemoryBytes(plan, placed));
    const PoolMemory memory(plan, placed, arena);
    fillRow(memory.copy, plan.copyLength(), Fold::padding);
    const int64_t end = smaller(bands, (task + 1) * plan.bandsPerTask);
    for (int64_t i = task * plan.bandsPerTask; i < end; ++i) body(Band(plan, i), memory);
    if (plan.streamed) streamFence();
  });
}

// body(plane, thread) for every plane, several to a task.
template <class Body>
void forPlanes(const Context& context, int64_t planes, int64_t perTask, const Body& body) {
  context.parallel(ceilDiv(planes, perTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(planes, (task + 1) * perTask);
    for (int64_t p = task * perTask; p < end; ++p) body(p, thread);
  });
}

}  // namespace
}  // namespace fovea
