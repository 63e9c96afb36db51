// The engine of conv2d and of its gradient by x: y[o] = sum over channels and taps of w x, windows
// sliding over planes.
//
// A tile is a few positions of one row by a few vectors of output channels. The weights of a tap
// are vectors; its x is broadcast from a padded copy of a band of x, where a table says how far
// apart the taps lie: no patch is ever unfolded, whatever the stride and the width of a row, and x
// itself serves as the copy where no window leaves it.
#pragma once

#include "correlate-pack.h"
#include "correlate-plan.h"

namespace fovea {
namespace {

struct CorrelateBuffers {
  const float *x, *weights, *bias;  // weights are packed; bias may be null
  float* y;
};

// A tile of outputs over a band of rows, channels [c0, c1).
struct CorrelateTask {
  int64_t group, tile, row0, row1, c0, c1;
};

inline void correlateBand(const Correlation& s, const CorrelatePlan& plan, const int32_t* table,
                          const CorrelateTask& task, const float* source, const float* weights,
                          float* line, const FinishLine& finish, float* y) {
  const int64_t vectors = plan.tiles.end(task.tile) - plan.tiles.begin(task.tile);
  const int64_t step = vectors * Vec::width, channels = task.c1 - task.c0;
  const int64_t outStep = s.columns.outStride() * step;
  int64_t tapsBefore = 0, pass = 0;
  for (int64_t a = 0; a < s.rows.phases(); ++a) {
    const ConvPhase row = s.rows.phase(a);
    const int64_t end = smaller(task.row1, row.count);
    for (int64_t r0 = task.row0; r0 < end; r0 += plan.linesAtOnce) {
      const int64_t lines = smaller(plan.linesAtOnce, end - r0);
      int64_t before = tapsBefore;
      for (int64_t b = 0; b < s.columns.phases(); ++b) {
        const ConvPhase column = s.columns.phase(b);
        const int64_t taps = row.taps * column.taps, depth = channels * taps;
        const Split tiles = Split::atMost(column.count, plan.positions);
        const float* tileWeights =
            weights + packedTile(s, plan, before, taps, task.tile) + task.c0 * taps * step;
        const int32_t* offsets = table + before * plan.channels.largest();
        before += taps;
        for (int64_t r = 0; r < lines; ++r) {
          const float* windows = source + (r0 + r - task.row0) * plan.pitch;
          float* to = line + (r * s.columns.to + column.outStart) * step;
          for (int64_t t = 0; t < tiles.parts && column.count > 0; ++t, ++pass) {
            const int64_t p = tiles.begin(t);
            // The first passes ask for the weights of the next tile.
            const bool asks = pass * cacheLine < step;
            const float* ahead = tileWeights + (asks ? depth * (step + pass * cacheLine) : 0);
            correlateTileOf(tiles.end(t) - p, vectors)(depth, windows + p, offsets, tileWeights,
                                                       ahead, to + p * outStep, outStep);
          }
        }
      }
      finishLine(line, step, lines * s.columns.to, finish,
                 y + (row.outStart + r0 * s.rows.outStride()) * s.columns.to);
    }
    tapsBefore += row.taps * s.columns.kernel;
  }
}

// One band of rows of one image and group.
inline void correlateUnit(const Correlation& s, const CorrelatePlan& plan, const int32_t* table,
                          const CorrelateBuffers& buffers, int64_t unit, float* copy, float* row,
                          float* line) {
  const int64_t outputBlock = unit % plan.outputBlocks.parts;
  const int64_t band = unit / plan.outputBlocks.parts % plan.bands.parts;
  const int64_t item = unit / plan.outputBlocks.parts / plan.bands.parts;
  const int64_t group = item % s.groups;
  const int64_t row0 = plan.bands.begin(band), row1 = plan.bands.end(band);
  const float* x = buffers.x + item * s.inputs * s.plane();
  float* y = buffers.y + item * s.outputs * s.outPlane();
  const float* weights = buffers.weights + group * plan.padded * s.depth();
  const float* bias = buffers.bias ? buffers.bias + group * s.outputs : nullptr;

  for (int64_t block = 0; block < plan.channels.parts; ++block) {
    const int64_t c0 = plan.channels.begin(block), c1 = plan.channels.end(block);
    const bool last = block + 1 == plan.channels.parts;
    const float* source = copy;
    if (plan.direct) {
      source = x + c0 * s.plane() + (plan.rows.start + row0) * plan.pitch + plan.columns.start;
    } else {
      for (int64_t c = c0; c < c1; ++c) {
        prefetchRows(x + (c + 1) * s.plane(), plan.rows, plan.columns.length, plan.layout, row0);
        copyChannel(x + c * s.plane(), plan.rows, plan.columns, plan.layout, row0, row,
                    copy + (c - c0) * plan.channelSize);
      }
    }
    for (int64_t t = plan.outputBlocks.begin(outputBlock); t < plan.outputBlocks.end(outputBlock);
         ++t) {
      const int64_t o = plan.tiles.begin(t) * Vec::width;
      const int64_t outputs = smaller(s.outputs, plan.tiles.end(t) * Vec::width) - o;
      correlateBand(s, plan, table, {group, t, row0, row1, c0, c1}, source, weights, line,
                    {block > 0, s.relu && last, bias ? bias + o : nullptr, outputs, s.outPlane()},
                    y + o * s.outPlane());
    }
  }
}

inline void correlate(const Correlation& s, const Context& context, const float* x,
                      const float* weight, const float* bias, float* y) {
  const float* packed = context.packed;
  if (s.batch * s.groups * s.outputs * s.outPlane() == 0) return;
  const CorrelatePlan plan(s);
  const CorrelateMemory memory(s, plan, context.threads, context.workspace, packed != nullptr);
  if (!packed) packAllWeights(s, plan, context, weight, memory.weights);
  fillTable(s, plan, memory.table);
  const CorrelateBuffers buffers = {x, packed ? packed : memory.weights, bias, y};
  const int64_t tasks = ceilDiv(plan.units, plan.unitsPerTask);
  context.parallel(tasks, [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.units, (task + 1) * plan.unitsPerTask);
    for (int64_t unit = task * plan.unitsPerTask; unit < end; ++unit) {
      correlateUnit(s, plan, memory.table, buffers, unit, memory.copies + thread * plan.copyLength,
                    memory.rows + thread * plan.rowLength, memory.lines + thread * plan.lineLength);
    }
  });
}

inline size_t correlateWorkspace(const Correlation& s, int threads) {
  return CorrelateMemory(s, CorrelatePlan(s), threads, nullptr, false).bytes;
}

}  // namespace
}  // namespace fovea
