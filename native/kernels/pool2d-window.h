// How pooling reads windows: rows of x are clipped to those that exist; columns are read from x
// itself, or, with padding or a long stride, from a copy of its rows, padded and split by phase.
#pragma once

#include "plane.h"

namespace fovea {
namespace {

// The taps of window row `row` that lie in x.
struct TapRows {
  int64_t begin, end;
  TapRows(const Axis& rows, int64_t row)
      : begin(larger(0, -(rows.start + row * rows.stride))),
        end(smaller(rows.taps, rows.length - (rows.start + row * rows.stride))) {}
};

// Two neighbouring columns of `left` windows: first in p[0], p[stride], …, second one further on.
// `pair` says that windows have that second column; lanes beyond `left` hold anything.
struct WindowColumns {
  Vec first, second;
};

template <int stride>
inline WindowColumns loadColumns(const float* p, int64_t left, bool pair) {
  static_assert(stride == 2, "evens and odds are two apart");
  if (left > Vec::width) {
    const Vec low = load(p), high = load(p + Vec::width);
    return {evens(low, high), odds(low, high)};
  }
  const int readable = static_cast<int>(2 * left - (pair ? 0 : 1));
  const int above = readable > Vec::width ? readable - Vec::width : 0;
  const Vec low = loadUpTo(p, readable - above);
  const Vec high = loadFirst(p + (above > 0 ? Vec::width : 0), above);
  return {evens(low, high), odds(low, high)};
}

// body(column j of the windows at p as lanes, j) for every column of the row of windows.
template <int stride, class Body>
inline void forColumns(const float* p, const int32_t* taps, int64_t count, int64_t left,
                       const Body& body) {
  if constexpr (stride == 1) {
    for (int64_t j = 0; j < count; ++j) body(loadUpTo(p + taps[j], lanesLeft(left)), j);
  } else {
    for (int64_t j = 0; j < count; j += 2) {
      const bool pair = j + 1 < count;
      const WindowColumns columns = loadColumns<stride>(p + taps[j], left, pair);
      body(columns.first, j);
      if (pair) body(columns.second, j + 1);
    }
  }
}

struct PoolMemory;

struct PoolPlan {
  Axis rows, columns;
  int64_t planes;
  bool direct;    // from x itself, columns one or two apart
  int64_t pitch;  // between rows of what is read
  int64_t phaseSize;
  int64_t planesPerTask;

  template <class Shape>
  PoolPlan(const Shape& s, const Axis& rowAxis, const Axis& columnAxis)
      : rows(rowAxis), columns(columnAxis), planes(s.planes) {
    direct = columns.inside() && columns.stride <= 2;
    phaseSize = columns.count + columns.maxShift();
    pitch = direct ? columns.length : phaseSize * columns.phases();
    planesPerTask = 1 + 32768 / larger(1, outPlane() * rows.taps * columns.taps);
  }

  int64_t plane() const { return rows.length * columns.length; }
  int64_t outPlane() const { return rows.count * columns.count; }
  int64_t copyLength() const { return direct ? 0 : roundUp(rows.length * pitch, 16); }
  // What windows of this plane are read from.
  const float* source(const PoolMemory& memory, const float* x, int thread, float padding) const;
};

struct PoolMemory {
  int32_t* taps;     // where column j of a window is
  int32_t* origins;  // the first column of each window, in x
  float* copies;     // per thread
  size_t bytes;

  PoolMemory(const PoolPlan& plan, int threads, char* base) {
    Arena arena(base);
    taps = arena.ints(plan.columns.taps);
    origins = arena.ints(plan.columns.count + Vec::width);
    copies = arena.floats(threads * plan.copyLength());
    bytes = arena.bytes();
  }

  void fill(const PoolPlan& plan) const {
    for (int64_t j = 0; j < plan.columns.taps; ++j) {
      taps[j] = static_cast<int32_t>(plan.direct ? plan.columns.start + j
                                                 : plan.columns.phase(j) * plan.phaseSize +
                                                       plan.columns.shift(j));
    }
    for (int64_t c = 0; c < plan.columns.count + Vec::width; ++c) {
      origins[c] = static_cast<int32_t>(plan.columns.start + c * plan.columns.stride);
    }
  }
};

inline const float* PoolPlan::source(const PoolMemory& memory, const float* x, int thread,
                                     float padding) const {
  if (direct) return x;
  float* copy = memory.copies + thread * copyLength();
  if (!columns.inside()) fillRow(copy, rows.length * pitch, padding);
  for (int64_t phase = 0; phase < columns.phases(); ++phase) {
    const Present present(columns, phase, phaseSize);
    const int64_t count = present.last - present.first;
    if (count == 0) continue;
    const float* from = x + columns.start + phase + present.first * columns.stride;
    float* to = copy + phase * phaseSize + present.first;
    for (int64_t row = 0; row < rows.length; ++row) {
      copyRow(from + row * columns.length, columns.stride, count, to + row * pitch);
    }
  }
  return copy;
}

// body(plane, thread) for every plane, several to a task.
template <class Body>
void forPlanes(const Context& context, int64_t planes, int64_t perTask, const Body& body) {
  context.parallel(ceilDiv(planes, perTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(planes, (task + 1) * perTask);
    for (int64_t p = task * perTask; p < end; ++p) body(p, thread);
  });
}
template <class Body>
void forPlanes(const Context& context, const PoolPlan& plan, const Body& body) {
  forPlanes(context, plan.planes, plan.planesPerTask, body);
}

}  // namespace
}  // namespace fovea
