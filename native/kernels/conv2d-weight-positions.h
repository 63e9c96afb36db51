// The weight's gradient with positions in the lanes of vectors: tiles of dot products of rows of
// gradY and of x, for few output channels.
//
// x is copied, padded, with its phases of the stride apart, so that each tap's elements are
// contiguous. Images, cut into bands of rows, are dealt into chunks; each gives a partial gradient.
#pragma once

#include "conv2d-weight-shape.h"
#include "dot.h"
#include "workspace.h"

namespace fovea {
namespace {

struct PositionsPlan : WeightShape {
  bool direct;          // windows never leave x, so it is read itself
  Split bands;          // of output rows
  Split tiles;          // of output channels
  Split chunks;         // of units: images x bands
  int64_t unitsAtOnce;  // as many as stay in the L1 cache
  int64_t pitch;        // of a row of x, or of its copy
  BandLayout layout;    // of one channel

  explicit PositionsPlan(const Conv2dBackwardShape& s)
      : WeightShape(s),
        direct(inside() && rows.stride == 1 && columns.stride == 1 && inputs * xPlane() < 1 << 30),
        tiles(Split::atMost(outputs, maxDotRows)),
        pitch(larger(1, direct ? columns.length : columns.count + columns.maxShift())),
        layout(rows, columns, 0, 0) {
    const int64_t rowFloats = pitch * inputs * rows.phases() * columns.phases();
    bands = Split::atMost(rows.count, larger(1, 16384 / larger(1, rowFloats) - rows.maxShift()));
    const int64_t units = batch * bands.parts;
    chunks = Split::into(units, smaller(ceilDiv(8, larger(1, groups)), work() / taskWork));
    layout = BandLayout(rows, columns, bands.largest(), pitch);
    // In the L1 cache: gradY of a tile and some two channels of x, unit by unit.
    const int64_t unitFloats =
        tiles.largest() * bands.largest() * columns.count + smaller(inputs, 2) * layout.size;
    unitsAtOnce = larger(1, smaller(chunks.largest(), 8192 / larger(1, unitFloats)));
  }

  int64_t unitLength() const { return inputs * layout.size; }
};

struct PositionsMemory {
  float* partial;      // [chunk][group][output][depth]
  float* partialBias;  // [chunk][group][output]
  int32_t* offsets;    // of each channel and tap
  float* copy;         // per thread: of x
  float* sums;         // per thread: a vector per element of the partial gradient
  int64_t copyLength, sumsLength;
  size_t bytes;

  PositionsMemory(const PositionsPlan& plan, int threads, char* base) {
    Arena arena(base);
    copyLength = roundUp(plan.direct ? 0 : plan.unitsAtOnce * plan.unitLength() + Vec::width, 16);
    sumsLength = plan.outputs * plan.depth * Vec::width;
    partial = arena.floats(plan.chunks.parts * plan.groups * plan.outputs * plan.depth);
    partialBias = arena.floats(plan.chunks.parts * plan.groups * plan.outputs);
    offsets = arena.ints(plan.depth);
    copy = arena.floats(threads * copyLength);
    sums = arena.floats(threads * sumsLength);
    bytes = arena.bytes();
  }
};

inline void fillOffsets(const PositionsPlan& plan, int32_t* offsets) {
  for (int64_t c = 0; c < plan.inputs; ++c) {
    for (int64_t i = 0; i < plan.rows.taps; ++i) {
      for (int64_t j = 0; j < plan.columns.taps; ++j) {
        const int64_t offset =
            plan.direct
                ? (c * plan.rows.length + i * plan.rows.step) * plan.pitch + j * plan.columns.step
                : c * plan.layout.size + plan.layout.offset(plan.rows, plan.columns, i, j);
        *offsets++ = static_cast<int32_t>(offset);
      }
    }
  }
}

// One band of one image, of one group.
struct PositionsUnit {
  int64_t row0, rows;
  const float *x, *gradY;  // of the group's first channel; gradY from the band's first row

  PositionsUnit(const PositionsPlan& plan, const WeightBuffers& buffers, int64_t group,
                int64_t unit) {
    const int64_t band = unit % plan.bands.parts;
    const int64_t item = unit / plan.bands.parts * plan.groups + group;
    row0 = plan.bands.begin(band);
    rows = plan.bands.end(band) - row0;
    x = buffers.x + item * plan.inputs * plan.xPlane();
    gradY = buffers.gradY + item * plan.outputs * plan.yPlane() + row0 * plan.columns.count;
  }
};

// sums += the products of units [u0, u1) of a group, tile by tile, a vector for each element.
inline void multiplyUnits(const PositionsPlan& plan, const PositionsMemory& memory,
                          const WeightBuffers& buffers, int64_t group, int64_t u0, int64_t u1,
                          const float* copy, float* sums) {
  const int64_t alike = plan.bands.parts == 1 ? u1 - u0 : 1;  // units in one call
  for (int64_t t = 0; t < plan.tiles.parts; ++t) {
    const int64_t o = plan.tiles.begin(t), outputs = plan.tiles.end(t) - o;
    const Split tapTiles = Split::atMost(plan.depth, dotColumnsFor(outputs));
    for (int64_t tapTile = 0; tapTile < tapTiles.parts && plan.depth > 0; ++tapTile) {
      const int64_t tap = tapTiles.begin(tapTile), taps = tapTiles.end(tapTile) - tap;
      for (int64_t u = u0; u < u1; u += alike) {
        const PositionsUnit unit(plan, buffers, group, u);
        const float* windows =
            plan.direct ? unit.x + unit.row0 * plan.pitch : copy + (u - u0) * plan.unitLength();
        DotLines lines = {alike,
                          unit.rows,
                          plan.columns.count,
                          plan.yPlane(),
                          plan.yImage(),
                          plan.columns.count,
                          plan.direct ? plan.xImage() : plan.unitLength(),
                          plan.pitch};
        if (plan.pitch == plan.columns.count) {
          lines.count *= lines.lines;
          lines.lines = 1;
        }
        dotFunction(outputs, taps)(lines, unit.gradY + o * plan.yPlane(), windows,
                                   memory.offsets + tap, sums);
      }
      sums += outputs * taps * Vec::width;
    }
  }
}

// From the order of the tiles to [output][depth].
inline void untile(const PositionsPlan& plan, const float* sums, float* gradient) {
  for (int64_t t = 0; t < plan.tiles.parts; ++t) {
    const int64_t o0 = plan.tiles.begin(t), o1 = plan.tiles.end(t);
    const Split tapTiles = Split::atMost(plan.depth, dotColumnsFor(o1 - o0));
    for (int64_t tapTile = 0; tapTile < tapTiles.parts; ++tapTile) {
      const int64_t tap = tapTiles.begin(tapTile), taps = tapTiles.end(tapTile) - tap;
      for (int64_t o = o0; o < o1; ++o, sums += taps) {
        for (int64_t j = 0; j < taps; ++j) gradient[o * plan.depth + tap + j] = sums[j];
      }
    }
  }
}

inline void accumulateChunk(const PositionsPlan& plan, const PositionsMemory& memory,
                            const WeightBuffers& buffers, int64_t chunk, int64_t group,
                            int thread) {
  const int64_t at = chunk * plan.groups + group;
  float* copy = memory.copy + thread * memory.copyLength;
  float* sums = memory.sums + thread * memory.sumsLength;
  float* bias = memory.partialBias + at * plan.outputs;
  fillRow(sums, plan.outputs * plan.depth * Vec::width, 0);
  fillRow(bias, plan.outputs, 0);
  const int64_t end = plan.chunks.end(chunk);
  for (int64_t u0 = plan.chunks.begin(chunk); u0 < end; u0 += plan.unitsAtOnce) {
    const int64_t u1 = smaller(end, u0 + plan.unitsAtOnce);
    for (int64_t u = u0; u < u1; ++u) {
      const PositionsUnit unit(plan, buffers, group, u);
      for (int64_t c = 0; c < plan.inputs && !plan.direct; ++c) {
        copyBand(unit.x + c * plan.xPlane(), plan.rows, plan.columns, plan.layout, unit.row0, 0,
                 copy + (u - u0) * plan.unitLength() + c * plan.layout.size);
      }
      for (int64_t o = 0; o < plan.outputs; ++o) {
        bias[o] += sumOf(unit.gradY + o * plan.yPlane(), unit.rows * plan.columns.count);
      }
    }
    multiplyUnits(plan, memory, buffers, group, u0, u1, copy, sums);
  }
  sumLanes(sums, plan.outputs * plan.depth);
  untile(plan, sums, memory.partial + at * plan.outputs * plan.depth);
}

// to = the sum of the chunks, in their order, of `count` floats from `at` on.
inline void addChunks(const float* partial, int64_t chunks, int64_t step, int64_t count,
                      float* to) {
  for (int64_t i = 0; i < count; i += Vec::width) {
    const int n = lanesLeft(count - i);
    Vec total = loadUpTo(partial + i, n);
    for (int64_t chunk = 1; chunk < chunks; ++chunk) {
      total = total + loadUpTo(partial + chunk * step + i, n);
    }
    storeUpTo(to + i, total, n);
  }
}

inline void weightByPositions(const PositionsPlan& plan, const Context& context,
                              const WeightBuffers& buffers) {
  const PositionsMemory memory(plan, context.threads, context.workspace);
  const int64_t chunks = plan.chunks.parts, channels = plan.groups * plan.outputs;
  const int64_t length = channels * plan.depth;
  fillOffsets(plan, memory.offsets);
  context.parallel(chunks * plan.groups, [&](int64_t task, int thread) {
    accumulateChunk(plan, memory, buffers, task / plan.groups, task % plan.groups, thread);
  });
  context.parallelRange(length, 1 + 65536 / chunks, [&](int64_t begin, int64_t end) {
    addChunks(memory.partial + begin, chunks, length, end - begin, buffers.gradWeight + begin);
  });
  if (buffers.gradBias) {
    addChunks(memory.partialBias, chunks, channels, channels, buffers.gradBias);
  }
}

}  // namespace
}  // namespace fovea
