// What a correlation is, and how it is cut up: see correlate.h.
#pragma once

#include "correlate-copy.h"
#include "correlate-tile.h"

namespace fovea {
namespace {

// One dimension of one phase: tap j of output q reads x[start + q * stride + j * step], is kernel
// element firstKernel + j * kernelStep, and adds to y[outStart + q * outStride].
struct ConvPhase {
  int64_t count;  // of outputs
  int64_t start, taps, step;
  int64_t firstKernel, kernelStep;
  int64_t outStart;
  int64_t reach() const { return taps > 0 ? (taps - 1) * step : 0; }
};

// One dimension of a convolution, forward, or backward from y to x: there the outputs of each phase
// of the stride are reached by the same taps, turned around.
struct ConvDimension {
  bool backward;
  int64_t from, to;  // lengths of what is read and of what is written
  int64_t pad, convStride, kernel, dilation;

  int64_t stride() const { return backward ? 1 : convStride; }
  int64_t outStride() const { return backward ? convStride : 1; }
  int64_t phases() const { return outStride(); }

  ConvPhase phase(int64_t phase) const {
    if (!backward) return {to, -pad, kernel, dilation, 0, 1, 0};
    // Positions p with (p + pad) % stride == phase; tap t of output o meets o * stride + t *
    // dilation - pad.
    int64_t first = 0, last = 0, apart = 1, taps = 0;
    for (int64_t t = 0; t < kernel; ++t) {
      if (t * dilation % convStride != phase) continue;
      if (taps == 0) first = t;
      if (taps == 1) apart = t - first;
      last = t;
      ++taps;
    }
    const int64_t begin = pad > phase ? ceilDiv(pad - phase, convStride) : 0;
    const int64_t end = to + pad > phase ? (to - 1 + pad - phase) / convStride + 1 : 0;
    return {larger(0, end - begin),
            begin - (last * dilation - phase) / convStride,
            taps,
            apart * dilation / convStride,
            last,
            -apart,
            begin * convStride + phase - pad};
  }

  // One window around those of all phases.
  Axis cover() const {
    int64_t count = 0, low = 0, high = 0;
    bool found = false;
    for (int64_t i = 0; i < phases(); ++i) {
      const ConvPhase p = phase(i);
      count = larger(count, p.count);
      if (p.taps == 0 || p.count == 0) continue;
      low = found ? smaller(low, p.start) : p.start;
      high = found ? larger(high, p.start + p.reach()) : p.start + p.reach();
      found = true;
    }
    return {count, from, low, stride(), high - low + 1, 1};
  }
};

struct Correlation {
  int64_t batch, groups, inputs, outputs;  // channels per group
  ConvDimension rows, columns;
  int64_t weightOutput, weightInput;  // strides in the weights
  bool relu;

  int64_t taps() const { return rows.kernel * columns.kernel; }
  int64_t depth() const { return inputs * taps(); }
  int64_t plane() const { return rows.from * columns.from; }
  int64_t outPlane() const { return rows.to * columns.to; }
  int64_t weightGroup() const { return outputs * depth(); }
};

// Multiply-adds per output and channel that are worth an own pass over y.
constexpr int64_t correlateDepth = 768;
constexpr int64_t correlateCopy = 131072;  // floats of x that a band copies: a part of the L2 cache

// How a correlation is cut up. Depends on the shape alone.
struct CorrelatePlan {
  Axis rows, columns;  // windows around those of all phases
  int64_t padded;      // outputs, in whole vectors
  int64_t positions;   // of a tile, at most
  Split tiles;         // of vectors of outputs
  Split channels;      // of input channels, so that weights and windows stay in cache
  Split bands;         // of output rows of a phase
  Split outputBlocks;  // of tiles
  bool direct;         // x needs no copy
  int64_t pitch, channelSize, copyLength, rowLength;
  int64_t linesAtOnce, lineLength;  // rows of y that are computed before they are transposed
  int64_t unitsPerTask, units;

  explicit CorrelatePlan(const Correlation& s)
      : rows(s.rows.cover()),
        columns(s.columns.cover()),
        padded(roundUp(s.outputs, Vec::width)),
        positions(Split::atMost(columns.count, tileRows).largest()),
        tiles(Split::atMost(padded / Vec::width, correlateVectors(positions))) {
    const int64_t phases = s.rows.phases() * s.columns.phases();
    const int64_t taps = larger(1, s.taps() / phases);
    channels = Split::atMost(s.inputs, larger(1, correlateDepth / taps));
    // x itself, unless its channels would be on as many pages.
    direct = rows.stride == 1 && columns.stride == 1 && rows.inside() && columns.inside() &&
             (channels.largest() <= 32 || s.plane() <= 1024);
    const int64_t items = larger(1, s.batch * s.groups);
    const int64_t rowWork = larger(1, s.outputs * s.depth() * columns.count);
    const int64_t work = rowWork * rows.count;
    const CopyLayout oneRow(rows, columns, 1);
    const int64_t rowFloats =
        channels.largest() * oneRow.rowPhases * oneRow.columnPhases * oneRow.pitch;
    const int64_t fit = larger(1, correlateCopy / larger(1, rowFloats) - rows.maxShift());
    // To have enough tasks, the larger of x and the weights is divided: the other is read again.
    const int64_t wanted = smaller(ceilDiv(8, items), work / taskWork);
    const bool divideOutputs = s.outputs * s.depth() > s.inputs * s.plane();
    outputBlocks = Split::into(tiles.parts, divideOutputs ? wanted : 1);
    bands = Split::into(rows.count, larger(ceilDiv(rows.count, fit), wanted / outputBlocks.parts));
    if (!divideOutputs) outputBlocks = Split::into(tiles.parts, wanted / bands.parts);
    units = items * bands.parts * outputBlocks.parts;
    unitsPerTask = larger(1, taskWork / larger(1, work / bands.parts / outputBlocks.parts));

    const CopyLayout layout(rows, columns, bands.largest());
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
    return direct ? r * pitch + c : CopyLayout(rows, columns, bands.largest()).offset(r, c);
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

// Every pair of a row phase and a column phase, with the kernel's taps that come before its own.
template <class Body>
inline void forEachPhase(const Correlation& s, const Body& body) {
  int64_t tapsBefore = 0;
  for (int64_t a = 0; a < s.rows.phases(); ++a) {
    const ConvPhase row = s.rows.phase(a);
    for (int64_t b = 0; b < s.columns.phases(); ++b) {
      const ConvPhase column = s.columns.phase(b);
      body(row, column, tapsBefore);
      tapsBefore += row.taps * column.taps;
    }
  }
}

}  // namespace
}  // namespace fovea
