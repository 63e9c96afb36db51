// conv2dBackwardWeight: gradWeight[o][c][tap] = sum over images and positions p of gradY[o][p]
// x[c][p + tap]; gradBias[o] = sum of gradY[o].
//
// Images, cut into bands of rows, are dealt into chunks; each chunk gives one partial gradient, and
// these are added in order. Few channels per group: tiles of dot products along rows of x. Many:
// x is transposed to [position][channel], so that vectors hold channels and the product runs over
// positions.
#pragma once

#include "dot.h"
#include "list.h"
#include "plane.h"
#include "tile.h"
#include "workspace.h"

namespace fovea {
namespace {

struct WeightPlan {
  int64_t batch, groups, inputs, outputs, taps, depth;  // per group: channels, channels x taps
  Axis rows, columns;
  bool byRows;          // the form for few channels
  bool direct;          // by rows: windows never leave x, so it is read itself
  Split bands;          // of output rows
  int64_t units;        // images x bands
  Split chunks;         // of units
  Split tiles;          // of output channels
  Split outputBlocks;   // of tiles
  BandLayout layout;    // by rows: the copy of one channel
  int64_t unitsAtOnce;  // by rows: as many as stay in the L1 cache
  int64_t pitch;        // by positions: elements of x in a row of the copy
  int64_t padded;       // by positions: channels, rounded up to whole vectors
  int64_t vectors;      // by positions: of a tile

  explicit WeightPlan(const Conv2dBackwardShape& s)
      : batch(s.batch),
        groups(s.groups),
        inputs(s.groupChannels),
        outputs(s.outChannels / larger(1, s.groups)),
        taps(static_cast<int64_t>(s.kernelHeight) * s.kernelWidth),
        depth(inputs * taps),
        rows{s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, s.dilationHeight},
        columns{s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, s.dilationWidth},
        layout(rows, columns, 0, 0) {
    byRows = inputs < 16 && outputs * depth * Vec::width <= 1 << 20;
    tiles = Split::atMost(outputs, byRows ? maxDotRows : tileRows);
    pitch = larger(1, byRows ? columns.count + columns.maxShift()
                             : (columns.count - 1) * columns.stride + columns.reach() + 1);
    direct = byRows && rows.stride == 1 && columns.stride == 1 && rows.inside() &&
             columns.inside() && inputs * rows.length * columns.length < 1 << 30;
    if (direct) pitch = columns.length;
    padded = roundUp(inputs, Vec::width);
    vectors = smaller(vectorsFor(tiles.largest()), larger(1, padded / Vec::width));
    const int64_t rowFloats =
        larger(1, pitch * inputs * (byRows ? rows.phases() * columns.phases() : 1));
    const int64_t fit =
        byRows ? 16384 / rowFloats - rows.maxShift() : 256 / larger(1, columns.count);
    bands = Split::atMost(rows.count, larger(1, fit));
    units = batch * bands.parts;
    const int64_t work = outputs * depth * rows.count * columns.count * batch;  // of a group
    chunks = Split::into(units, larger(1, smaller(ceilDiv(8, larger(1, groups)), work / taskWork)));
    const int64_t blocks = ceilDiv(8, larger(1, groups) * chunks.parts);
    outputBlocks = Split::into(tiles.parts, smaller(blocks, work / chunks.parts / taskWork));
    layout = BandLayout(rows, columns, bands.largest(), pitch);
    // In the L1 cache: gradY of a tile and some two channels of x, unit by unit.
    const int64_t unitFloats =
        tiles.largest() * bands.largest() * columns.count + smaller(inputs, 2) * layout.size;
    unitsAtOnce = larger(1, smaller(chunks.largest(), 8192 / larger(1, unitFloats)));
  }

  int64_t positions() const { return bands.largest() * columns.count; }
  int64_t rowsOfX() const {  // by positions: in the copy
    return (bands.largest() - 1) * rows.stride + rows.reach() + 1;
  }
  int64_t partialLength() const { return outputs * (byRows ? depth : taps * padded); }
  bool empty() const { return units * rows.count * columns.count == 0; }
};

struct WeightMemory {
  float* partial;      // [chunk][group], by rows [output][depth], else [tap][output][padded]
  float* partialBias;  // [chunk][group][output]
  int32_t* table;      // by rows: offset of each tap; else of each position
  float* copy;         // per thread: of x
  float* sums;         // per thread, by rows: a vector per element of the partial gradient
  float* packed;       // per thread, else: gradY as [tile][position][row]
  int64_t copyLength, sumsLength, packedLength;
  size_t bytes;

  WeightMemory(const WeightPlan& plan, int threads, char* base) {
    Arena arena(base);
    partial = arena.floats(plan.chunks.parts * plan.groups * plan.partialLength());
    partialBias = arena.floats(plan.chunks.parts * plan.groups * plan.outputs);
    table = arena.ints(plan.byRows ? plan.depth : plan.positions());
    copyLength = plan.direct   ? 0
                 : plan.byRows ? plan.unitsAtOnce * plan.inputs * plan.layout.size + Vec::width
                               : plan.rowsOfX() * plan.pitch * plan.padded;
    sumsLength = plan.byRows ? plan.outputs * plan.depth * Vec::width : 0;
    packedLength = plan.byRows ? 0 : plan.outputs * plan.positions();
    copyLength = roundUp(copyLength, 16);
    packedLength = roundUp(packedLength, 16);
    copy = arena.floats(threads * copyLength);
    sums = arena.floats(threads * sumsLength);
    packed = arena.floats(threads * packedLength);
    bytes = plan.empty() ? 0 : arena.bytes();
  }
};

struct WeightBuffers {
  const float *x, *gradY;
  float *gradWeight, *gradBias;  // gradBias may be null
};

// One band of one image, of one group.
struct WeightUnit {
  int64_t row0, rows;
  const float *x, *gradY;  // of the group's first channel; gradY from the band's first row

  WeightUnit(const WeightPlan& plan, const WeightBuffers& buffers, int64_t group, int64_t unit) {
    const int64_t band = unit % plan.bands.parts;
    const int64_t item = unit / plan.bands.parts * plan.groups + group;
    row0 = plan.bands.begin(band);
    rows = plan.bands.end(band) - row0;
    x = buffers.x + item * plan.inputs * plan.rows.length * plan.columns.length;
    gradY = buffers.gradY + (item * plan.outputs * plan.rows.count + row0) * plan.columns.count;
  }
};

inline float sumOf(const float* p, int64_t count) {
  Vec totals[4] = {broadcast(0), broadcast(0), broadcast(0), broadcast(0)};
  int64_t i = 0;
  for (; i + 4 * Vec::width <= count; i += 4 * Vec::width) {
    unroll<4>([&](auto v) { totals[v] = totals[v] + load(p + i + v * Vec::width); });
  }
  for (; i < count; i += Vec::width) {
    totals[0] = totals[0] + loadUpTo(p + i, lanesLeft(count - i));
  }
  return sum((totals[0] + totals[1]) + (totals[2] + totals[3]));
}

// What a task works on: output channels [first, last) of one group, over one chunk.
struct WeightTask {
  int64_t group, chunk, tile0, tile1;
  int thread;
};

inline void addBias(const WeightPlan& plan, const WeightUnit& unit, int64_t first, int64_t last,
                    float* bias) {
  const int64_t outPlane = plan.rows.count * plan.columns.count;
  for (int64_t o = first; o < last; ++o) {
    bias[o] += sumOf(unit.gradY + o * outPlane, unit.rows * plan.columns.count);
  }
}

// Few channels: vectors run along rows of x and gradY.
inline void weightByRows(const WeightPlan& plan, const WeightMemory& memory,
                         const WeightBuffers& buffers, const WeightTask& task, float* partial,
                         float* bias) {
  const int64_t plane = plan.rows.length * plan.columns.length;
  const int64_t outPlane = plan.rows.count * plan.columns.count;
  const int64_t first = plan.tiles.begin(task.tile0), last = plan.tiles.end(task.tile1 - 1);
  const int64_t unitLength = plan.inputs * plan.layout.size;
  const int64_t unitStep = plan.direct ? plan.groups * plan.inputs * plane : unitLength;
  const int64_t imageStep = plan.groups * plan.outputs * outPlane;
  const int64_t alike = plan.bands.parts == 1 ? plan.unitsAtOnce : 1;  // units in one call
  float* copy = memory.copy + task.thread * memory.copyLength;
  float* sums = memory.sums + task.thread * memory.sumsLength;
  fillRow(sums, (last - first) * plan.depth * Vec::width, 0);
  const int64_t end = plan.chunks.end(task.chunk);
  for (int64_t u0 = plan.chunks.begin(task.chunk); u0 < end; u0 += plan.unitsAtOnce) {
    const int64_t u1 = smaller(end, u0 + plan.unitsAtOnce);
    for (int64_t u = u0; u < u1; ++u) {
      const WeightUnit unit(plan, buffers, task.group, u);
      for (int64_t c = 0; c < plan.inputs && !plan.direct; ++c) {
        copyBand(unit.x + c * plane, plan.rows, plan.columns, plan.layout, unit.row0, 0,
                 copy + (u - u0) * unitLength + c * plan.layout.size);
      }
      addBias(plan, unit, first, last, bias);
    }
    for (int64_t t = task.tile0; t < task.tile1; ++t) {
      const int64_t o = plan.tiles.begin(t), rows = plan.tiles.end(t) - o;
      const Split tapTiles = Split::atMost(plan.depth, dotColumnsFor(rows));
      for (int64_t tapTile = 0; tapTile < tapTiles.parts && plan.depth > 0; ++tapTile) {
        const int64_t tap = tapTiles.begin(tapTile), taps = tapTiles.end(tapTile) - tap;
        float* tile = sums + ((o - first) * plan.depth + tap * rows) * Vec::width;
        for (int64_t u = u0; u < u1; u += alike) {
          const WeightUnit unit(plan, buffers, task.group, u);
          const float* windows =
              plan.direct ? unit.x + unit.row0 * plan.pitch : copy + (u - u0) * unitLength;
          DotLines lines = {
              smaller(alike, u1 - u), unit.rows, plan.columns.count, outPlane, imageStep,
              plan.columns.count,     unitStep,  plan.pitch};
          if (plan.pitch == plan.columns.count) {
            lines.count *= lines.lines;
            lines.lines = 1;
          }
          dotFunction(rows, taps)(lines, unit.gradY + o * outPlane, windows, memory.table + tap,
                                  tile);
        }
      }
    }
  }
  sumLanes(sums, (last - first) * plan.depth);
  for (int64_t t = task.tile0; t < task.tile1; ++t) {
    const int64_t o = plan.tiles.begin(t), rows = plan.tiles.end(t) - o;
    const Split tapTiles = Split::atMost(plan.depth, dotColumnsFor(rows));
    const float* from = sums + (o - first) * plan.depth;
    for (int64_t tapTile = 0; tapTile < tapTiles.parts; ++tapTile) {
      const int64_t tap = tapTiles.begin(tapTile), taps = tapTiles.end(tapTile) - tap;
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t j = 0; j < taps; ++j) partial[(o + r) * plan.depth + tap + j] = *from++;
      }
    }
  }
}

// x of a band as [row][column][channel], zero beyond x and in channels beyond the last.
inline void transposeBand(const WeightPlan& plan, const WeightUnit& unit, float* copy) {
  const Axis& columns = plan.columns;
  const int64_t plane = plan.rows.length * columns.length, padded = plan.padded;
  const int64_t rowsWanted = (unit.rows - 1) * plan.rows.stride + plan.rows.reach() + 1;
  const int64_t before = smaller(plan.pitch, larger(0, -columns.start));
  const int64_t from = larger(0, columns.start);
  const int64_t present = larger(0, smaller(plan.pitch - before, columns.length - from));
  for (int64_t i = 0; i < rowsWanted; ++i, copy += plan.pitch * padded) {
    const int64_t row = plan.rows.start + unit.row0 * plan.rows.stride + i;
    if (row < 0 || row >= plan.rows.length) {
      fillRow(copy, plan.pitch * padded, 0);
      continue;
    }
    fillRow(copy, before * padded, 0);
    if (present > 0) {
      pack({unit.x + row * columns.length + from, plane, 1}, plan.inputs, present,
           copy + before * padded, padded, padded);
    }
    fillRow(copy + (before + present) * padded, (plan.pitch - before - present) * padded, 0);
  }
}

// Many channels: vectors hold channels.
inline void weightByPositions(const WeightPlan& plan, const WeightMemory& memory,
                              const WeightBuffers& buffers, const WeightTask& task, float* partial,
                              float* bias) {
  const Axis &rows = plan.rows, &columns = plan.columns;
  const int64_t outPlane = rows.count * columns.count;
  const int64_t first = plan.tiles.begin(task.tile0), last = plan.tiles.end(task.tile1 - 1);
  const Split channelTiles = Split::atMost(plan.padded / Vec::width, plan.vectors);
  float* copy = memory.copy + task.thread * memory.copyLength;
  float* packed = memory.packed + task.thread * memory.packedLength;
  alignas(64) float sums[maxTileFloats];
  bool add = false;
  for (int64_t u = plan.chunks.begin(task.chunk); u < plan.chunks.end(task.chunk); ++u) {
    const WeightUnit unit(plan, buffers, task.group, u);
    const int64_t positions = unit.rows * columns.count;
    addBias(plan, unit, first, last, bias);
    transposeBand(plan, unit, copy);
    for (int64_t t = task.tile0; t < task.tile1; ++t) {
      const int64_t o = plan.tiles.begin(t), count = plan.tiles.end(t) - o;
      pack({unit.gradY + o * outPlane, outPlane, 1}, count, positions,
           packed + (o - first) * positions, count, count);
    }
    for (int64_t tap = 0; tap < plan.taps; ++tap) {
      const int64_t i = tap / columns.taps, j = tap % columns.taps;
      const float* shifted = copy + (i * rows.step * plan.pitch + j * columns.step) * plan.padded;
      for (int64_t channelTile = 0; channelTile < channelTiles.parts; ++channelTile) {
        const int64_t v = channelTiles.begin(channelTile);
        const int64_t vectors = channelTiles.end(channelTile) - v;
        for (int64_t t = task.tile0; t < task.tile1; ++t) {
          const int64_t o = plan.tiles.begin(t), count = plan.tiles.end(t) - o;
          tileFunction<Table>(count, vectors)(positions, packed + (o - first) * positions, count,
                                              shifted + v * Vec::width, Table{memory.table}, sums);
          finishTile(sums, count, vectors * Vec::width,
                     partial + (tap * plan.outputs + o) * plan.padded + v * Vec::width, plan.padded,
                     vectors * Vec::width, {add, nullptr, false});
        }
      }
    }
    add = true;
  }
}

// Adds the partial gradients of one output channel, in the order of the chunks.
inline void addChunks(const WeightPlan& plan, const WeightMemory& memory,
                      const WeightBuffers& buffers, int64_t channel) {
  const int64_t group = channel / plan.outputs, o = channel % plan.outputs;
  float* gradWeight = buffers.gradWeight + channel * plan.depth;
  float bias = 0;
  for (int64_t chunk = 0; chunk < plan.chunks.parts; ++chunk) {
    const int64_t at = chunk * plan.groups + group;
    const float* partial = memory.partial + at * plan.partialLength();
    bias += memory.partialBias[at * plan.outputs + o];
    if (plan.byRows) {
      for (int64_t i = 0; i < plan.depth; i += Vec::width) {
        const int n = lanesLeft(plan.depth - i);
        const Vec part = loadUpTo(partial + o * plan.depth + i, n);
        storeUpTo(gradWeight + i, chunk > 0 ? loadUpTo(gradWeight + i, n) + part : part, n);
      }
      continue;
    }
    for (int64_t tap = 0; tap < plan.taps; ++tap) {
      const float* from = partial + (tap * plan.outputs + o) * plan.padded;
      for (int64_t c = 0; c < plan.inputs; ++c) {
        float* to = gradWeight + c * plan.taps + tap;
        *to = chunk > 0 ? *to + from[c] : from[c];
      }
    }
  }
  if (buffers.gradBias) buffers.gradBias[channel] = bias;
}

inline void fillWeightTable(const WeightPlan& plan, int32_t* table) {
  if (plan.byRows) {
    for (int64_t c = 0; c < plan.inputs; ++c) {
      for (int64_t i = 0; i < plan.rows.taps; ++i) {
        for (int64_t j = 0; j < plan.columns.taps; ++j) {
          const int64_t offset =
              plan.direct
                  ? (c * plan.rows.length + i * plan.rows.step) * plan.pitch + j * plan.columns.step
                  : c * plan.layout.size + plan.layout.offset(plan.rows, plan.columns, i, j);
          *table++ = static_cast<int32_t>(offset);
        }
      }
    }
    return;
  }
  for (int64_t r = 0; r < plan.bands.largest(); ++r) {
    for (int64_t c = 0; c < plan.columns.count; ++c) {
      *table++ = static_cast<int32_t>(
          (r * plan.rows.stride * plan.pitch + c * plan.columns.stride) * plan.padded);
    }
  }
}

void conv2dBackwardWeight(const Conv2dBackwardShape& s, const Context& context, const float* x,
                          const float* gradY, float* gradWeight, float* gradBias) {
  const WeightPlan plan(s);
  const WeightBuffers buffers = {x, gradY, gradWeight, gradBias};
  if (plan.empty()) {
    fillRow(gradWeight, s.outChannels * plan.depth, 0);
    if (gradBias) fillRow(gradBias, s.outChannels, 0);
    return;
  }
  const WeightMemory memory(plan, context.threads, context.workspace);
  fillWeightTable(plan, memory.table);
  const int64_t perGroup = plan.chunks.parts * plan.outputBlocks.parts;
  context.parallel(plan.groups * perGroup, [&](int64_t index, int thread) {
    const int64_t group = index / perGroup, chunk = index % perGroup / plan.outputBlocks.parts;
    const int64_t block = index % plan.outputBlocks.parts;
    const WeightTask task = {group, chunk, plan.outputBlocks.begin(block),
                             plan.outputBlocks.end(block), thread};
    const int64_t at = chunk * plan.groups + group;
    float* partial = memory.partial + at * plan.partialLength();
    float* bias = memory.partialBias + at * plan.outputs;
    const int64_t first = plan.tiles.begin(task.tile0), last = plan.tiles.end(task.tile1 - 1);
    if (first == last) return;
    fillRow(bias + first, last - first, 0);
    if (plan.byRows) {
      weightByRows(plan, memory, buffers, task, partial, bias);
    } else {
      weightByPositions(plan, memory, buffers, task, partial, bias);
    }
  });
  context.parallelRange(s.outChannels, 1 + 65536 / (1 + plan.chunks.parts * plan.depth),
                        [&](int64_t begin, int64_t end) {
                          for (int64_t o = begin; o < end; ++o) addChunks(plan, memory, buffers, o);
                        });
}

inline size_t conv2dBackwardWeightWorkspace(const Conv2dBackwardShape& s, int threads) {
  return WeightMemory(WeightPlan(s), threads, nullptr).bytes;
}
FOVEA_WORKSPACE(conv2dBackwardWeight, Conv2dBackwardShape, conv2dBackwardWeightWorkspace)

}  // namespace
}  // namespace fovea
