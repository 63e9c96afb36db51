// What a correlation is, and how it is cut up: see correlate.h.
#pragma once

#include "plane.h"
#include "tile.h"

namespace fovea {
namespace {

// One dimension, with what distinguishes the two uses: which kernel element a tap is, and where in
// y an output goes.
struct FewAxis {
  Axis axis;
  int64_t firstKernel, kernelStep;  // tap j is kernel element firstKernel + j * kernelStep
  int64_t outStart, outStride;      // output q is y[outStart + q * outStride]
};

struct FewCorrelation {
  int64_t batch, groups, inputs, outputs;  // channels per group
  FewAxis rows, columns;
  int64_t outHeight, outWidth;        // of y's planes
  int64_t weightOutput, weightInput;  // strides in the weights
  int64_t weightGroup, kernelWidth;
  bool relu;
};

// How a correlation is cut up. Depends on the shape alone.
struct FewPlan {
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

  explicit FewPlan(const FewCorrelation& s)
      : taps(s.rows.axis.taps * s.columns.axis.taps),
        depth(s.inputs * taps),
        tiles(Split::atMost(s.outputs, tileRows)),
        vectors(vectorsFor(tiles.largest())) {
    const Axis &rows = s.rows.axis, &columns = s.columns.axis;
    const int64_t depthAtOnce = larger(256, 4096 / larger(1, tiles.largest()));
    channels = Split::atMost(s.inputs, larger(1, depthAtOnce / larger(1, taps)));
    const int64_t plane = rows.length * columns.length;
    const bool aliases = plane % 256 == 0 && channels.largest() > 8;  // in the L1 cache
    const bool addressable = channels.largest() * plane < 1 << 30;
    direct = rows.stride == 1 && columns.stride == 1 && rows.start == 0 && columns.start == 0 &&
             rows.inside() && columns.inside() && !aliases && addressable;
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

struct FewMemory {
  float* weights;        // [group][tile][depth][row]
  int32_t* table;        // offsets of the taps of one block of channels, in the copy
  int32_t* directTable;  // the same in x itself
  float* copies;         // per thread
  size_t bytes;

  FewMemory(const FewCorrelation& s, const FewPlan& plan, int threads, char* base) {
    Arena arena(base);
    weights = arena.floats(s.groups * s.outputs * plan.depth);
    table = arena.ints(plan.channels.largest() * plan.taps);
    directTable = arena.ints(plan.direct ? plan.channels.largest() * plan.taps : 0);
    copies = arena.floats(threads * plan.copyLength);
    bytes = arena.bytes();
  }
};

}  // namespace
}  // namespace fovea
