// What a correlation is, and how it is cut up: see correlate.h.
#pragma once

#include "correlate-copy.h"
#include "correlate-tile.h"
#include "correlation.h"

namespace fovea {
namespace {

// Multiply-adds per output and channel that are worth an own pass over y.
constexpr int64_t correlateDepth = 768;
constexpr int64_t correlateCopy = 131072;  // floats of x that a band copies: a part of the L2 cache

// How a correlation is cut up. Depends on the shape alone.
struct CorrelatePlan {
  static constexpr int64_t lanes = Vec::width;  // a tile is so many outputs times what `tiles` says
  Axis rows, columns;                           // windows around those of all phases
  int64_t padded;                               // outputs, in whole vectors
  int64_t positions;                            // of a tile, at most
  Split tiles;                                  // of vectors of outputs
  Split channels;      // of input channels, so that weights and windows stay in cache
  Split bands;         // of output rows of a phase
  Split outputBlocks;  // of tiles
  bool direct;         // x needs no copy
  CopyLayout layout;
  int64_t pitch, channelSize, copyLength, rowLength;
  int64_t linesAtOnce, lineLength;  // rows of y that are computed before they are transposed
  int64_t unitsPerTask, units;

  explicit CorrelatePlan(const Correlation& s)
      : rows(s.rows.cover()),
        columns(s.columns.cover()),
        padded(roundUp(s.outputs, Vec::width)),
        positions(Split::atMost(columns.count, tileRows).largest()),
        tiles(Split::atMost(padded / Vec::width, correlateVectors(positions))),
        layout(rows, columns, 1) {
    const int64_t phases = s.rows.phases() * s.columns.phases();
    const int64_t taps = larger(1, s.taps() / phases);
    channels = Split::atMost(s.inputs, larger(1, correlateDepth / taps));
    // x itself, unless its channels would be on as many pages.
    direct = rows.stride == 1 && columns.stride == 1 && rows.inside() && columns.inside() &&
             (channels.largest() <= 32 || s.plane() <= 1024);
    const int64_t items = larger(1, s.batch * s.groups);
    const int64_t rowWork = larger(1, s.outputs * s.depth() * columns.count);
    const int64_t work = rowWork * rows.count;
    const int64_t rowFloats =
        channels.largest() * layout.rowPhases * layout.columnPhases * layout.pitch;
    const int64_t fit = larger(1, correlateCopy / larger(1, rowFloats) - rows.maxShift());
    // To have enough tasks, the larger of x and the weights is divided: the other is read again.
    const int64_t wanted = smaller(ceilDiv(8, items), work / taskWork);
    const bool divideOutputs = s.outputs * s.depth() > s.inputs * s.plane();
    outputBlocks = Split::into(tiles.parts, divideOutputs ? wanted : 1);
    bands = Split::into(rows.count, larger(ceilDiv(rows.count, fit), wanted / outputBlocks.parts));
    if (!divideOutputs) outputBlocks = Split::into(tiles.parts, wanted / bands.parts);
    units = items * bands.parts * outputBlocks.parts;
    unitsPerTask = larger(1, taskWork / larger(1, work / bands.parts / outputBlocks.parts));

    layout = CopyLayout(rows, columns, bands.largest());
    pitch = direct ? columns.length : layout.pitch;
    channelSize = direct ? s.plane() : layout.size();
    copyLength = direct ? 0 : roundUp(channels.largest() * channelSize, 16);
    rowLength = direct ? 0 : roundUp(layout.rowLength(), 16);
    linesAtOnce = s.rows.outStride() == 1 ? larger(1, 64 / larger(1, s.columns.to)) : 1;
    lineLength = roundUp(linesAtOnce * s.columns.to, Vec::width) * tiles.largest() * Vec::width;
  }

  // Where tap (i, j) of a window at position 0 lies, from the copy of its channel.
  int64_t offset(const ConvPhase& row, const ConvPhase& column, int64_t i, int64_t j) const {
    const int64_t r = row.start - rows.start + i * row.step;
    const int64_t c = column.start - columns.start + j * column.step;
    return direct ? r * pitch + c : layout.offset(r, c);
  }
};

struct CorrelateMemory {
  float* weights;  // [group], and in it see packWeights
  int32_t* table;  // [phase][channel][tap]: offsets of the taps of one block of channels
  float* copies;   // per thread
  float* rows;     // per thread: see copyChannel
  float* lines;    // per thread: [position][output]
  size_t bytes;

  CorrelateMemory(const Correlation& s, const CorrelatePlan& plan, int threads, char* base,
                  bool packed) {
    Arena arena(base);
    weights = arena.floats(packed ? 0 : s.groups * plan.padded * s.depth());
    table = arena.ints(plan.channels.largest() * s.taps());
    copies = arena.floats(threads * plan.copyLength);
    rows = arena.floats(threads * plan.rowLength);
    lines = arena.floats(threads * plan.lineLength);
    bytes = arena.bytes();
  }
};

}  // namespace
}  // namespace fovea
