// The weight's gradient where each channel has a window of its own (depthwise): positions in the
// lanes of vectors, and a row of x, once loaded, meets every row of gradY whose windows reach it.
//
// Row q of x (of one phase of the stride) meets gradY's rows q - shift for the taps' shifts: tiles
// of dot products whose rows are kernel rows and whose columns are kernel columns.
#pragma once

#include "conv2d-weight-shape.h"
#include "correlate-copy.h"
#include "dot.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t copiedFloats = 2048;  // of x at once: with gradY, half of the L1 cache

struct DepthwiseWeightPlan : WeightShape {
  int64_t period;      // kernel rows so far apart are of the same phase
  Split bands;         // of the rows q
  int64_t rowsAtOnce;  // of a band, between two prefetches of the next
  Split tasks;         // of channels
  CopyLayout layout;   // of a band of one channel, its rows aligned

  explicit DepthwiseWeightPlan(const Conv2dBackwardShape& s)
      : WeightShape(s), period(1), layout(rows, columns, 0) {
    while (period * rows.step % rows.stride > 0) ++period;
    layout.pitch = roundUp(layout.pitch, 16);
    const int64_t rowFloats = layout.pitch * layout.rowPhases * layout.columnPhases;
    bands =
        Split::atMost(rows.count + rows.maxShift(), larger(1, copiedFloats / larger(1, rowFloats)));
    rowsAtOnce = bands.parts > 1 ? 4 : bands.total;
    tasks = Split::into(groups, smaller(64, groups * work() / taskWork));
    layout.rows = bands.largest();
    layout.phaseSize = layout.rows * layout.pitch + Vec::width;
  }

  static bool fits(const WeightShape& s) { return s.inputs == 1 && s.outputs == 1; }
};

struct DepthwiseWeightMemory {
  float* copy;       // per thread: of x
  float* row;        // per thread: one padded row
  float* sums;       // per thread: [tap] a vector
  int32_t* offsets;  // of kernel columns
  int64_t copyLength, rowLength, sumsLength;
  size_t bytes;

  DepthwiseWeightMemory(const DepthwiseWeightPlan& plan, int threads, char* base) {
    Arena arena(base);
    copyLength = roundUp(plan.layout.size() + 16, 16);
    rowLength = roundUp(plan.layout.rowLength(), 16);
    sumsLength = plan.taps * Vec::width;
    copy = arena.floats(threads * copyLength);
    row = arena.floats(threads * rowLength);
    sums = arena.floats(threads * sumsLength);
    offsets = arena.ints(plan.columns.taps);
    bytes = arena.bytes();
  }
};

// A tile of taps: kernel rows `row`, row + period, … (their shifts `step` apart) and the columns
// from `column` on.
struct TapTile {
  int64_t row, rows, column, columns, step;
};

// sums[tap row][tap column] += their products over rows [q0, q1) of x, of which copy holds the
// band's from `first` on.
inline void addTapTile(const DepthwiseWeightPlan& plan, const TapTile& tile, int64_t first,
                       int64_t q0, int64_t q1, const float* gradY, const float* copy,
                       const int32_t* offsets, float* sums) {
  const Axis& rows = plan.rows;
  const int64_t width = plan.columns.count, pitch = plan.layout.pitch;
  const int64_t shift0 = rows.shift(tile.row), shift1 = shift0 + (tile.rows - 1) * tile.step;
  const float* phase =
      copy + rows.phase(tile.row) * plan.layout.columnPhases * plan.layout.phaseSize;
  const int64_t end = smaller(q1, rows.count + shift1);
  for (int64_t q = larger(q0, shift0); q < end;) {
    // Tap rows [t0, t1) of the tile meet row q: their rows of gradY exist.
    const int64_t t0 = q - shift0 < rows.count ? 0 : (q - shift0 - rows.count) / tile.step + 1;
    const int64_t t1 = smaller(tile.rows, (q - shift0) / larger(1, tile.step) + 1);
    const int64_t whole = smaller(end, rows.count + shift0);  // up to there t0 = 0
    const int64_t next = q >= shift1 && q < whole ? whole : q + 1;
    if (t1 > t0) {
      const DotLines lines = {1, next - q, width, -tile.step * width, 0, width, 0, pitch};
      dotFunction(t1 - t0, tile.columns)(lines, gradY + (q - shift0 - t0 * tile.step) * width,
                                         phase + (q - first) * pitch, offsets + tile.column,
                                         sums + t0 * tile.columns * Vec::width);
    }
    q = next;
  }
}

// visit(tile) for every tile of the kernel's taps.
template <class Visit>
inline void eachTapTile(const DepthwiseWeightPlan& plan, const Visit& visit) {
  for (int64_t start = 0; start < smaller(plan.period, plan.rows.taps); ++start) {
    const int64_t alike = ceilDiv(plan.rows.taps - start, plan.period);
    const Split rowTiles = Split::atMost(alike, maxDotRows);
    for (int64_t i = 0; i < rowTiles.parts; ++i) {
      const int64_t row = rowTiles.begin(i), rows = rowTiles.end(i) - row;
      const Split columnTiles = Split::atMost(plan.columns.taps, dotColumnsFor(rows));
      for (int64_t j = 0; j < columnTiles.parts; ++j) {
        const int64_t column = columnTiles.begin(j);
        visit(TapTile{start + row * plan.period, rows, column, columnTiles.end(j) - column,
                      plan.period * plan.rows.step / plan.rows.stride});
      }
    }
  }
}

// Asks for what the next band will read where this one reads rows [q, end).
inline void prefetchNext(const float* plane, int64_t rowStep, int64_t bandRows, int64_t q,
                         int64_t end) {
  const float* to = plane + (end + bandRows) * rowStep;
  for (const float* p = plane + (q + bandRows) * rowStep; p < to; p += 16) prefetch(p);
}

inline void depthwiseChannel(const DepthwiseWeightPlan& plan, const DepthwiseWeightMemory& memory,
                             const WeightBuffers& buffers, int64_t channel, int thread) {
  const int64_t lead = larger(0, -plan.columns.start);
  float* sums = memory.sums + thread * memory.sumsLength;
  float* row = memory.row + thread * memory.rowLength;
  // Where its first element of x, after the padding, is aligned.
  float* copy = memory.copy + thread * memory.copyLength + (roundUp(lead, 16) - lead) % 16;
  float bias = 0;
  fillRow(sums, plan.taps * Vec::width, 0);
  for (int64_t image = 0; image < plan.batch; ++image) {
    const float* x = buffers.x + (image * plan.groups + channel) * plan.xPlane();
    const float* gradY = buffers.gradY + (image * plan.groups + channel) * plan.yPlane();
    for (int64_t band = 0; band < plan.bands.parts; ++band) {
      const int64_t first = plan.bands.begin(band), last = plan.bands.end(band);
      copyChannel(x, plan.rows, plan.columns, plan.layout, first, row, copy);
      const int64_t gradRows = smaller(last, plan.rows.count) - first;
      if (buffers.gradBias && gradRows > 0) {
        bias += sumOf(gradY + first * plan.columns.count, gradRows * plan.columns.count);
      }
      for (int64_t q = first; q < last; q += plan.rowsAtOnce) {
        const int64_t end = smaller(last, q + plan.rowsAtOnce);
        if (plan.bands.parts > 1) {
          const int64_t ahead = plan.bands.largest();
          prefetchNext(x, plan.rows.stride * plan.columns.length, ahead, q, end);
          prefetchNext(gradY, plan.columns.count, ahead, q, end);
        }
        float* to = sums;
        eachTapTile(plan, [&](const TapTile& tile) {
          addTapTile(plan, tile, first, q, end, gradY, copy, memory.offsets, to);
          to += tile.rows * tile.columns * Vec::width;
        });
      }
    }
  }
  sumLanes(sums, plan.taps);
  eachTapTile(plan, [&](const TapTile& tile) {
    for (int64_t i = 0; i < tile.rows; ++i, sums += tile.columns) {
      const int64_t tap = (tile.row + i * plan.period) * plan.columns.taps + tile.column;
      copyRow(sums, 1, tile.columns, buffers.gradWeight + channel * plan.taps + tap);
    }
  });
  if (buffers.gradBias) buffers.gradBias[channel] = bias;
}

inline void weightDepthwise(const DepthwiseWeightPlan& plan, const Context& context,
                            const WeightBuffers& buffers) {
  const DepthwiseWeightMemory memory(plan, context.threads, context.workspace);
  for (int64_t j = 0; j < plan.columns.taps; ++j) {
    memory.offsets[j] =
        static_cast<int32_t>(plan.columns.phase(j) * plan.layout.phaseSize + plan.columns.shift(j));
  }
  context.parallel(plan.tasks.parts, [&](int64_t task, int thread) {
    for (int64_t c = plan.tasks.begin(task); c < plan.tasks.end(task); ++c) {
      depthwiseChannel(plan, memory, buffers, c, thread);
    }
  });
}

}  // namespace
}  // namespace fovea
