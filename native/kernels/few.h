// The engine of conv2d and of its gradient by x: y[o] = sum over channels and taps of w x, windows
// sliding over planes.
//
// Output positions of a band of rows are taken as one line over the padded copy of x (a few
// positions between two rows are computed and thrown away). So a tap is an offset into that copy,
// and the whole is a product of weights [outputs][channels * taps] with rows of the copy that a
// table points to: no patch is ever unfolded. x itself serves as the copy where no window leaves
// it.
#pragma once

#include "few-finish.h"
#include "few-plan.h"

namespace fovea {
namespace {

// Weights of one tile of outputs, [depth][row].
inline void fewPackWeights(const FewCorrelation& s, const FewPlan& plan, int64_t group,
                           int64_t tile, const float* weight, float* packed) {
  const int64_t begin = plan.tiles.begin(tile), rows = plan.tiles.end(tile) - begin;
  const float* from = weight + group * s.weightGroup + begin * s.weightOutput;
  float* to = packed + (group * s.outputs + begin) * plan.depth;
  const bool inOrder = s.rows.kernelStep == 1 && s.columns.kernelStep == 1 &&
                       s.weightInput == plan.taps && s.weightOutput == plan.depth;
  if (inOrder) return pack({from, s.weightOutput, 1}, rows, plan.depth, to, rows, rows);
  const bool turned = s.rows.kernelStep == -1 && s.columns.kernelStep == -1 &&
                      s.weightOutput == plan.taps && plan.taps > 1;
  if (turned) {  // all taps of the kernel, last first
    for (int64_t c = 0; c < s.inputs; ++c) {
      pack({from + c * s.weightInput, s.weightOutput, 1}, rows, plan.taps,
           to + ((c + 1) * plan.taps - 1) * rows, -rows, rows);
    }
    return;
  }
  for (int64_t c = 0; c < s.inputs; ++c) {
    for (int64_t i = 0; i < s.rows.axis.taps; ++i) {
      for (int64_t j = 0; j < s.columns.axis.taps; ++j) {
        const float* tap = from + c * s.weightInput +
                           (s.rows.firstKernel + i * s.rows.kernelStep) * s.kernelWidth +
                           s.columns.firstKernel + j * s.columns.kernelStep;
        for (int64_t r = 0; r < rows; ++r) *to++ = tap[r * s.weightOutput];
      }
    }
  }
}

inline void fewFillTables(const FewCorrelation& s, const FewPlan& plan, const FewMemory& memory) {
  const Axis &rows = s.rows.axis, &columns = s.columns.axis;
  const BandLayout layout(rows, columns, plan.bands.largest(), plan.pitch);
  const int64_t plane = rows.length * columns.length;
  int64_t entry = 0;
  for (int64_t c = 0; c < plan.channels.largest(); ++c) {
    for (int64_t i = 0; i < rows.taps; ++i) {
      for (int64_t j = 0; j < columns.taps; ++j, ++entry) {
        const int64_t inCopy = c * plan.channelSize + layout.offset(rows, columns, i, j);
        const int64_t inX = c * plane + i * rows.step * plan.pitch + j * columns.step;
        memory.table[entry] = static_cast<int32_t>(inCopy);
        if (plan.direct) memory.directTable[entry] = static_cast<int32_t>(inX);
      }
    }
  }
}

// One band of rows of one image and group.
inline void fewUnit(const FewCorrelation& s, const FewPlan& plan, const FewMemory& memory,
                    int64_t unit, float* copy, const float* x, const float* bias, float* y) {
  const int64_t outputBlock = unit % plan.outputBlocks.parts;
  const int64_t band = unit / plan.outputBlocks.parts % plan.bands.parts;
  const int64_t item = unit / plan.outputBlocks.parts / plan.bands.parts;
  const int64_t group = item % s.groups;
  const Axis &rows = s.rows.axis, &columns = s.columns.axis;
  const int64_t plane = rows.length * columns.length, outPlane = s.outHeight * s.outWidth;
  const float* input = x + item * s.inputs * plane;
  float* output = y + item * s.outputs * outPlane;
  const int64_t row0 = plan.bands.begin(band), bandRows = plan.bands.end(band) - row0;
  const int64_t positions = (bandRows - 1) * plan.pitch + columns.count;
  const Split columnTiles = Split::atMost(ceilDiv(positions, Vec::width), plan.vectors);
  const int64_t out = (s.rows.outStart + row0 * s.rows.outStride) * s.outWidth + s.columns.outStart;
  const BandLayout layout(rows, columns, plan.bands.largest(), plan.pitch);
  // Where vectors over x itself would end, from the start of x, must lie within x.
  const int64_t reading = (item * s.inputs + s.inputs - 1) * plane +
                          (row0 + rows.reach()) * plan.pitch + columns.reach() +
                          roundUp(positions, Vec::width);
  const bool direct = plan.direct && reading <= s.batch * s.groups * s.inputs * plane;

  const int64_t tile0 = plan.outputBlocks.begin(outputBlock);
  const int64_t tile1 = plan.outputBlocks.end(outputBlock);
  const int64_t output0 = plan.tiles.begin(tile0);
  alignas(64) float sums[maxTileFloats + Vec::width];
  for (int64_t block = 0; block < plan.channels.parts; ++block) {
    const int64_t c0 = plan.channels.begin(block), c1 = plan.channels.end(block);
    const int64_t depth = (c1 - c0) * plan.taps;
    const float* source = input + c0 * plane + row0 * plan.pitch;
    if (!direct && depth > 0) {
      for (int64_t c = c0; c < c1; ++c) {
        copyBand(input + c * plane, rows, columns, layout, row0, 0,
                 copy + (c - c0) * plan.channelSize);
      }
      source = copy;
    }
    RunCutter cut(s, plan, bandRows, out);
    const bool relu = s.relu && block + 1 == plan.channels.parts;
    for (int64_t columnTile = 0, v0 = 0, v1 = 0; columnTile < columnTiles.parts; ++columnTile) {
      v0 = v1;
      v1 = columnTiles.end(columnTile);
      const int64_t vectors = v1 - v0;
      cut.next(vectors * Vec::width);
      for (int64_t t = tile0, o0 = 0, o1 = output0; t < tile1; ++t) {
        o0 = o1;
        o1 = plan.tiles.end(t);
        const int64_t tileRowCount = o1 - o0;
        const float* weights =
            memory.weights + (group * s.outputs + o0) * plan.depth + c0 * plan.taps * tileRowCount;
        tileFunction<Table>(tileRowCount, vectors)(
            depth, weights, tileRowCount, source + v0 * Vec::width,
            Table{direct ? memory.directTable : memory.table}, sums);
        const float* tileBias = bias ? bias + group * s.outputs + o0 : nullptr;
        finishTileRuns(sums, cut,
                       {block > 0, relu, tileBias, tileRowCount, vectors * Vec::width, outPlane},
                       output + o0 * outPlane);
      }
    }
  }
}

inline void few(const FewCorrelation& s, const Context& context, const float* x,
                const float* weight, const float* bias, float* y) {
  if (s.batch * s.groups * s.outputs * s.rows.axis.count * s.columns.axis.count == 0) return;
  const FewPlan plan(s);
  const FewMemory memory(s, plan, context.threads, context.workspace);
  context.parallelRange(s.groups * plan.tiles.parts, 1 + 65536 / (1 + tileRows * plan.depth),
                        [&](int64_t begin, int64_t end) {
                          for (int64_t t = begin; t < end; ++t) {
                            fewPackWeights(s, plan, t / plan.tiles.parts, t % plan.tiles.parts,
                                           weight, memory.weights);
                          }
                        });
  fewFillTables(s, plan, memory);
  const int64_t tasks = ceilDiv(plan.units, plan.unitsPerTask);
  context.parallel(tasks, [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.units, (task + 1) * plan.unitsPerTask);
    for (int64_t unit = task * plan.unitsPerTask; unit < end; ++unit) {
      fewUnit(s, plan, memory, unit, memory.copies + thread * plan.copyLength, x, bias, y);
    }
  });
}

inline size_t fewWorkspace(const FewCorrelation& s, int threads) {
  return FewMemory(s, FewPlan(s), threads, nullptr).bytes;
}

}  // namespace
}  // namespace fovea
