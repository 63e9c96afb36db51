// How a correlation with few output channels is cut up: see few.h.
#pragma once

#include "correlate-copy.h"
#include "correlation.h"
#include "tile.h"

namespace fovea {
namespace {

constexpr int64_t fewDepth = 1024;  // multiply-adds per output that are worth an own pass over y
constexpr int64_t fewCopy = 65536;  // floats of x that a band copies

// The copy of one channel of a band: [shift][rowPhase][row][column], where shift j begins with what
// tap j of the first window reads, and rows are whole vectors, so that no load is unaligned.
struct FewPlan {
  static constexpr int64_t lanes = 1;
  Axis rows, columns;  // windows around those of all phases
  int64_t padded;      // outputs
  Split tiles;         // of outputs
  int64_t vectors;     // of a tile, at most
  Split channels;      // of input channels
  Split bands;         // of output rows of a phase
  int64_t shifts, step, pitch;
  int64_t phaseRows, shiftSize, channelSize;  // of the copy
  int64_t copyLength, rowLength, sumsLength;
  int64_t unitsPerTask, units;

  explicit FewPlan(const Correlation& s)
      : rows(s.rows.cover()),
        columns(s.columns.cover()),
        padded(s.outputs),
        tiles(Split::atMost(s.outputs, tileRows)),
        vectors(vectorsFor(tiles.largest())),
        shifts(s.columns.backward ? columns.reach() + 1 : s.columns.kernel),
        step(s.columns.backward ? 1 : s.columns.dilation),
        pitch(roundUp(columns.count, Vec::width)) {
    const int64_t taps = larger(1, s.taps() / (s.rows.phases() * s.columns.phases()));
    channels = Split::atMost(s.inputs, larger(1, fewDepth / taps));
    const int64_t items = larger(1, s.batch * s.groups);
    const int64_t work = larger(1, s.outputs * s.depth() * columns.count) * rows.count;
    const int64_t rowFloats = channels.largest() * shifts * rows.phases() * pitch;
    const int64_t fit = larger(1, fewCopy / larger(1, rowFloats) - rows.maxShift());
    const int64_t wanted = smaller(ceilDiv(8, items), work / taskWork);
    bands = Split::into(rows.count, larger(ceilDiv(rows.count, fit), wanted));
    units = items * bands.parts;
    unitsPerTask = larger(1, taskWork / larger(1, work / bands.parts));
    phaseRows = bands.largest() + rows.maxShift();
    shiftSize = rows.phases() * phaseRows * pitch;
    channelSize = shifts * shiftSize;
    copyLength = channels.largest() * channelSize + roundUp(Vec::width, 16);
    rowLength =
        roundUp(columns.count * columns.stride + columns.reach(), 16) + Vec::width * columns.stride;
    sumsLength = s.columns.phases() * maxTileFloats;
  }

  // Where tap (i, j) of a window at position 0 lies, from the copy of its channel.
  int64_t offset(const ConvPhase& row, const ConvPhase& column, int64_t i, int64_t j) const {
    const int64_t r = row.start - rows.start + i * row.step;
    const int64_t c = column.start - columns.start + j * column.step;
    return c / step * shiftSize + (r % rows.stride * phaseRows + r / rows.stride) * pitch;
  }
};

struct FewMemory {
  float* weights;  // [group], and in it see packWeights
  int32_t* table;  // [phase][channel][tap]: offsets of the taps of one block of channels
  float* copies;   // per thread
  float* rows;     // per thread: one padded row of x
  float* sums;     // per thread: [column phase][output][position]
  size_t bytes;

  FewMemory(const Correlation& s, const FewPlan& plan, int threads, char* base, bool packed) {
    Arena arena(base);
    weights = arena.floats(packed ? 0 : s.groups * plan.padded * s.depth());
    table = arena.ints(plan.channels.largest() * s.taps());
    copies = arena.floats(threads * plan.copyLength);
    rows = arena.floats(threads * plan.rowLength);
    sums = arena.floats(threads * plan.sumsLength);
    bytes = arena.bytes();
  }
};

}  // namespace
}  // namespace fovea
