// The engine of conv2d and of its gradient by x: y[o] = sum over channels and taps of w x, windows
// sliding over planes.
//
// Output positions of a band of rows are taken as one line over the padded copy of x (a few
// positions between two rows are computed and thrown away). So a tap is an offset into that copy,
// and the whole is a product of weights [outputs][channels * taps] with rows of the copy that a
// table points to: no patch is ever unfolded. x itself serves as the copy where no window leaves
// it.
#pragma once

#include "plane.h"
#include "tile.h"

namespace fovea {
namespace {

// One dimension, with what distinguishes the two uses: which kernel element a tap is, and where in
// y an output goes.
struct CorrelateAxis {
  Axis axis;
  int64_t firstKernel, kernelStep;  // tap j is kernel element firstKernel + j * kernelStep
  int64_t outStart, outStride;      // output q is y[outStart + q * outStride]
};

struct Correlation {
  int64_t batch, groups, inputs, outputs;  // channels per group
  CorrelateAxis rows, columns;
  int64_t outHeight, outWidth;        // of y's planes
  int64_t weightOutput, weightInput;  // strides in the weights
  int64_t weightGroup, kernelWidth;
  bool relu;
};

// How a correlation is cut up. Depends on the shape alone.
struct CorrelatePlan {
  int64_t taps, depth;  // per channel, per group
  Split tiles;          // of output channels
  int64_t vectors;      // of a tile
  Split channels;       // of input channels, so that weights and windows stay in cache
  Split bands;          // of output rows
  Split outputBlocks;   // of tiles
  int64_t pitch;
  bool direct;          // x needs no copy, but where vectors would run past its end
  int64_t channelSize;  // of the copy
  int64_t copyLength;   // per thread
  int64_t unitsPerTask, units;

  explicit CorrelatePlan(const Correlation& s)
      : taps(s.rows.axis.taps * s.columns.axis.taps),
        depth(s.inputs * taps),
        tiles(Split::atMost(s.outputs, tileRows)),
        vectors(vectorsFor(tiles.largest())) {
    const Axis &rows = s.rows.axis, &columns = s.columns.axis;
    const int64_t depthAtOnce = larger(256, 4096 / larger(1, tiles.largest()));
    channels = Split::atMost(s.inputs, larger(1, depthAtOnce / larger(1, taps)));
    const int64_t plane = rows.length * columns.length;
    const bool aliases = plane % 256 == 0 && channels.largest() > 8;  // in the L1 cache
    direct = rows.stride == 1 && columns.stride == 1 && rows.start == 0 && columns.start == 0 &&
             rows.inside() && columns.inside() && !aliases;
    pitch = direct ? columns.length : bestPitch(rows, columns);

    const int64_t items = larger(1, s.batch * s.groups);
    const int64_t rowWork = larger(1, s.outputs * depth * columns.count);
    const int64_t work = rowWork * rows.count;
    const int64_t rowFloats = channels.largest() * rows.phases() * columns.phases() * pitch;
    const int64_t fit = larger(1, 65536 / larger(1, rowFloats) - rows.maxShift());
    const int64_t wanted = smaller(ceilDiv(8, items), work / taskWork);
    bands = Split::into(rows.count, larger(ceilDiv(rows.count, fit), wanted));
    const int64_t blocks = ceilDiv(8, items * bands.parts);
    outputBlocks = Split::into(tiles.parts, smaller(blocks, work / bands.parts / taskWork));
    units = items * bands.parts * outputBlocks.parts;
    unitsPerTask = larger(1, taskWork / larger(1, work / bands.parts / outputBlocks.parts));
    const BandLayout layout(rows, columns, bands.largest(), pitch);
    channelSize = layout.size + (layout.size % 256 == 0 ? 16 : 0);
    copyLength = roundUp(channels.largest() * channelSize + Vec::width, 16);
  }

  // Whichever takes fewer vectors: rows one after another, or each row a whole number of vectors.
  int64_t bestPitch(const Axis& rows, const Axis& columns) const {
    const int64_t dense = columns.count + columns.maxShift();
    const int64_t aligned = roundUp(columns.count, Vec::width);
    const int64_t denseVectors = ceilDiv((rows.count - 1) * dense + columns.count, Vec::width);
    const bool align = aligned >= dense && rows.count * aligned / Vec::width <= denseVectors;
    return align ? aligned : dense;
  }
};

struct CorrelateMemory {
  float* weights;        // [group][tile][depth][row]
  int32_t* table;        // offsets of the taps of one block of channels, in the copy
  int32_t* directTable;  // the same in x itself
  float* copies;         // per thread
  size_t bytes;

  CorrelateMemory(const Correlation& s, const CorrelatePlan& plan, int threads, char* base) {
    Arena arena(base);
    weights = arena.floats(s.groups * s.outputs * plan.depth);
    table = arena.ints(plan.channels.largest() * plan.taps);
    directTable = arena.ints(plan.direct ? plan.channels.largest() * plan.taps : 0);
    copies = arena.floats(threads * plan.copyLength);
    bytes = arena.bytes();
  }
};

// Weights of one tile of outputs, [depth][row].
inline void packWeights(const Correlation& s, const CorrelatePlan& plan, int64_t group,
                        int64_t tile, const float* weight, float* packed) {
  const int64_t begin = plan.tiles.begin(tile), rows = plan.tiles.end(tile) - begin;
  const float* from = weight + group * s.weightGroup + begin * s.weightOutput;
  float* to = packed + (group * s.outputs + begin) * plan.depth;
  const bool inOrder = s.rows.kernelStep == 1 && s.columns.kernelStep == 1 &&
                       s.weightInput == plan.taps && s.weightOutput == plan.depth;
  if (inOrder) return pack({from, s.weightOutput, 1}, rows, plan.depth, to, rows, rows);
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

inline void fillTables(const Correlation& s, const CorrelatePlan& plan,
                       const CorrelateMemory& memory) {
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

// At most a vector of a tile's positions, contiguous in a row of y.
struct Run {
  int64_t at, out;
  int count;
};
constexpr int maxRuns = maxTileVectors * Vec::width;

// Cuts positions [first, first + count) of a band into runs; y's rows start at `out`.
inline int cutRuns(const Correlation& s, const CorrelatePlan& plan, int64_t first, int64_t count,
                   int64_t bandRows, int64_t out, Run* runs) {
  int64_t width = s.columns.axis.count, pitch = plan.pitch, rows = bandRows;
  const int64_t rowStep = s.rows.outStride * s.outWidth;
  if (pitch == width && rowStep == width && s.columns.outStride == 1) {
    width = pitch = bandRows * width;  // one long row
    rows = 1;
  }
  int found = 0;
  int64_t row = first / pitch, column = first % pitch;
  for (int64_t at = 0; at < count && row < rows; ++row, column = 0) {
    const int64_t end = smaller(width - column, count - at);
    for (int64_t i = 0; i < end; i += Vec::width) {
      runs[found++] = {at + i, out + row * rowStep + (column + i) * s.columns.outStride,
                       lanesLeft(end - i)};
    }
    at += pitch - column;
  }
  return found;
}

// How a row of a tile goes into a plane of y.
struct FinishRow {
  bool add, relu;
  float bias;  // where it is not added to what is there
};

inline void finishRow(const float* sums, const Run* runs, int count, int64_t outStride,
                      const FinishRow& finish, float* y) {
  if (outStride != 1) {
    for (const Run* run = runs; run < runs + count; ++run) {
      for (int i = 0; i < run->count; ++i) {
        float* to = y + run->out + i * outStride;
        const float v = sums[run->at + i] + (finish.add ? *to : finish.bias);
        *to = finish.relu && v < 0 ? 0 : v;
      }
    }
    return;
  }
  const Vec bias = broadcast(finish.bias);
  for (const Run* run = runs; run < runs + count; ++run) {
    float* to = y + run->out;
    Vec v = load(sums + run->at);
    v = v + (finish.add ? loadUpTo(to, run->count) : bias);
    storeUpTo(to, finish.relu ? reluOf(v) : v, run->count);
  }
}

// One band of rows of one image and group.
inline void correlateUnit(const Correlation& s, const CorrelatePlan& plan,
                          const CorrelateMemory& memory, int64_t unit, float* copy, const float* x,
                          const float* bias, float* y) {
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

  alignas(64) float sums[maxTileFloats + Vec::width];
  Run runs[maxRuns];
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
    const bool last = block + 1 == plan.channels.parts;
    for (int64_t columnTile = 0; columnTile < columnTiles.parts; ++columnTile) {
      const int64_t v0 = columnTiles.begin(columnTile), vectors = columnTiles.end(columnTile) - v0;
      const int64_t first = v0 * Vec::width;
      const int runCount = cutRuns(s, plan, first, vectors * Vec::width, bandRows, out, runs);
      for (int64_t t = plan.outputBlocks.begin(outputBlock); t < plan.outputBlocks.end(outputBlock);
           ++t) {
        const int64_t o0 = plan.tiles.begin(t), tileRowCount = plan.tiles.end(t) - o0;
        const float* weights =
            memory.weights + (group * s.outputs + o0) * plan.depth + c0 * plan.taps * tileRowCount;
        tileFunction<Table>(tileRowCount, vectors)(
            depth, weights, tileRowCount, source + first,
            Table{direct ? memory.directTable : memory.table}, sums);
        for (int64_t r = 0; r < tileRowCount; ++r) {
          const FinishRow finish = {block > 0, last && s.relu,
                                    bias ? bias[group * s.outputs + o0 + r] : 0};
          finishRow(sums + r * vectors * Vec::width, runs, runCount, s.columns.outStride, finish,
                    output + (o0 + r) * outPlane);
        }
      }
    }
  }
}

inline void correlate(const Correlation& s, const Context& context, const float* x,
                      const float* weight, const float* bias, float* y) {
  if (s.batch * s.groups * s.outputs * s.rows.axis.count * s.columns.axis.count == 0) return;
  const CorrelatePlan plan(s);
  const CorrelateMemory memory(s, plan, context.threads, context.workspace);
  context.parallelRange(s.groups * plan.tiles.parts, 1 + 65536 / (1 + tileRows * plan.depth),
                        [&](int64_t begin, int64_t end) {
                          for (int64_t t = begin; t < end; ++t) {
                            packWeights(s, plan, t / plan.tiles.parts, t % plan.tiles.parts, weight,
                                        memory.weights);
                          }
                        });
  fillTables(s, plan, memory);
  const int64_t tasks = ceilDiv(plan.units, plan.unitsPerTask);
  context.parallel(tasks, [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.units, (task + 1) * plan.unitsPerTask);
    for (int64_t unit = task * plan.unitsPerTask; unit < end; ++unit) {
      correlateUnit(s, plan, memory, unit, memory.copies + thread * plan.copyLength, x, bias, y);
    }
  });
}

inline size_t correlateWorkspace(const Correlation& s, int threads) {
  return CorrelateMemory(s, CorrelatePlan(s), threads, nullptr).bytes;
}

}  // namespace
}  // namespace fovea
