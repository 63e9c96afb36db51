// Depthwise convolution, and its gradient by x, for windows that do not slide as in slide.h.
// Vectors run along rows of y.
#pragma once

#include "context.h"
#include "correlate-copy.h"
#include "correlation.h"
#include "tile.h"

namespace fovea {
namespace {

inline bool isDepthwise(const Correlation& s) {
  return s.inputs == 1 && s.outputs == 1 && s.rows.phases() == 1 && s.columns.phases() == 1;
}

constexpr int64_t depthwiseCopy = 6144;  // floats of x that a band copies: half of an L1 cache
constexpr int depthwiseVectors = 4;      // of a row that are computed together

struct DepthwisePlan {
  ConvPhase row, column;
  Axis rows, columns;
  Split bands;   // of rows of y
  int64_t lead;  // floats before the copy, so that x is aligned in it
  int64_t taps, copyLength, rowLength, unitsPerTask, units;

  explicit DepthwisePlan(const Correlation& s)
      : row(s.rows.phase(0)),
        column(s.columns.phase(0)),
        rows(s.rows.cover()),
        columns(s.columns.cover()),
        taps(s.taps()) {
    const CopyLayout oneRow(rows, columns, 1, Vec::width);
    const int64_t rowFloats = oneRow.rowPhases * oneRow.columnPhases * oneRow.pitch;
    const int64_t fit = depthwiseCopy / larger(1, rowFloats) - rows.maxShift();
    bands = Split::atMost(rows.count, larger(1, fit));
    lead = columns.stride == 1 ? roundUp(larger(0, -columns.start), Vec::width) + columns.start : 0;
    copyLength = roundUp(lead + layout().size() + depthwiseVectors * Vec::width, 16);
    rowLength = roundUp(layout().rowLength() + Vec::width, 16);
    units = s.batch * s.groups * bands.parts;
    unitsPerTask = larger(1, taskWork / larger(1, bands.largest() * columns.count * taps));
  }
  CopyLayout layout() const { return {rows, columns, bands.largest(), Vec::width}; }
};

struct DepthwiseMemory {
  int32_t* table;   // offsets of the taps in the copy
  float* copies;    // per thread
  float* paddings;  // per thread: see copyChannel
  size_t bytes;

  DepthwiseMemory(const DepthwisePlan& plan, int threads, char* base) {
    Arena arena(base);
    table = arena.ints(plan.taps);
    copies = arena.floats(threads * plan.copyLength);
    paddings = arena.floats(threads * plan.rowLength);
    bytes = arena.bytes();
  }
};

struct DepthwiseFinish {
  float bias;
  bool hasBias, relu;
  void operator()(Vec sum, float* y, int count) const {
    if (hasBias) sum = sum + broadcast(bias);
    storeUpTo(y, relu ? reluOf(sum) : sum, count);
  }
};

// Any window: taps are where the table says.
inline void depthwiseBand(const float* x, int64_t pitch, const float* weights, int64_t turn,
                          const int32_t* table, int64_t taps, int64_t rows, int64_t count,
                          const DepthwiseFinish& finish, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += pitch, y += count) {
    for (int64_t c = 0; c < count; c += depthwiseVectors * Vec::width) {
      Vec sums[depthwiseVectors];
      unroll<depthwiseVectors>([&](auto v) { sums[v] = broadcast(0); });
      for (int64_t t = 0; t < taps; ++t) {
        const Vec w = broadcast(weights[t * turn]);
        const float* from = x + c + table[t];
        unroll<depthwiseVectors>(
            [&](auto v) { sums[v] = fma(w, load(from + v * Vec::width), sums[v]); });
      }
      unroll<depthwiseVectors>([&](auto v) {
        const int64_t at = c + v * Vec::width;
        if (at < count) finish(sums[v], y + at, lanesLeft(count - at));
      });
    }
  }
}

// One band of rows of one plane.
inline void depthwiseUnit(const Correlation& s, const DepthwisePlan& plan, const int32_t* table,
                          int64_t unit, float* copy, float* padding, const float* x,
                          const float* weight, const float* bias, float* y) {
  const int64_t item = unit / plan.bands.parts, band = unit % plan.bands.parts;
  const int64_t group = item % s.groups, count = plan.columns.count;
  const int64_t row0 = plan.bands.begin(band), rows = plan.bands.end(band) - row0;
  const CopyLayout layout = plan.layout();
  copy += plan.lead;
  copyChannel(x + item * s.plane(), plan.rows, plan.columns, layout, row0, padding, copy);
  // Backward the taps are turned around.
  const float* weights = weight + group * plan.taps + (s.rows.backward ? plan.taps - 1 : 0);
  const int64_t turn = s.rows.backward ? -1 : 1;
  const DepthwiseFinish finish = {bias ? bias[group] : 0, bias != nullptr, s.relu};
  float* to = y + item * s.outPlane() + row0 * count;
  depthwiseBand(copy, layout.pitch, weights, turn, table, plan.taps, rows, count, finish, to);
}

inline void depthwise(const Correlation& s, const Context& context, const float* x,
                      const float* weight, const float* bias, float* y) {
  const DepthwisePlan plan(s);
  const DepthwiseMemory memory(plan, context.threads, context.workspace);
  const CopyLayout layout = plan.layout();
  for (int64_t t = 0; t < plan.taps; ++t) {
    const int64_t i = t / plan.column.taps, j = t % plan.column.taps;
    memory.table[t] = static_cast<int32_t>(layout.offset(i * plan.row.step, j * plan.column.step));
  }
  context.parallel(ceilDiv(plan.units, plan.unitsPerTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.units, (task + 1) * plan.unitsPerTask);
    for (int64_t unit = task * plan.unitsPerTask; unit < end; ++unit) {
      depthwiseUnit(s, plan, memory.table, unit, memory.copies + thread * plan.copyLength,
                    memory.paddings + thread * plan.rowLength, x, weight, bias, y);
    }
  });
}

inline size_t depthwiseWorkspace(const Correlation& s, int threads) {
  return DepthwiseMemory(DepthwisePlan(s), threads, nullptr).bytes;
}

}  // namespace
}  // namespace fovea
