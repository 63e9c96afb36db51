// A band of an image as windows want it: padded, and split by stride into phases, so that what a
// tap of every window reads lies contiguous.
#pragma once

#include "pack.h"

namespace fovea {
namespace {

// One dimension of a sliding window: output position q, tap j read x[start + q * stride + j *
// step].
struct Axis {
  int64_t count;   // of outputs
  int64_t length;  // of x
  int64_t start;   // minus the padding
  int64_t stride;
  int64_t taps;
  int64_t step;  // between taps: the dilation

  int64_t reach() const { return taps > 0 ? (taps - 1) * step : 0; }
  int64_t phases() const { return smaller(stride, reach() + 1); }
  int64_t phase(int64_t tap) const { return tap * step % stride; }
  int64_t shift(int64_t tap) const { return tap * step / stride; }
  int64_t maxShift() const { return reach() / stride; }
  bool inside() const {  // no window reaches beyond x
    return count == 0 || (start >= 0 && start + (count - 1) * stride + reach() < length);
  }
};

// Layout of a band: [rowPhase][columnPhase][row][column], where window (r, c), tap (i, j) is at
// phase (rows.phase(i), columns.phase(j)), row r + rows.shift(i), column c + columns.shift(j).
struct BandLayout {
  int64_t rows, pitch;  // of one phase; columns beyond those a window reads are not written
  int64_t columnPhases, phaseSize, size;

  BandLayout(const Axis& rowAxis, const Axis& columnAxis, int64_t bandRows, int64_t rowPitch)
      : rows(bandRows + rowAxis.maxShift()),
        pitch(rowPitch),
        columnPhases(columnAxis.phases()),
        phaseSize(rows * rowPitch),
        size(rowAxis.phases() * columnPhases * phaseSize) {}

  int64_t offset(const Axis& rowAxis, const Axis& columnAxis, int64_t i, int64_t j) const {
    return (rowAxis.phase(i) * columnPhases + columnAxis.phase(j)) * phaseSize +
           rowAxis.shift(i) * pitch + columnAxis.shift(j);
  }
};

inline void fillRow(float* to, int64_t count, float value) {
  const Vec v = broadcast(value);
  for (int64_t i = 0; i < count; i += Vec::width) storeUpTo(to + i, v, lanesLeft(count - i));
}

// to[i] = from[i * stride]
inline void copyRow(const float* from, int64_t stride, int64_t count, float* to) {
  int64_t i = 0;
  if (stride == 1) {
    for (; i < count; i += Vec::width) {
      const int n = lanesLeft(count - i);
      storeUpTo(to + i, loadUpTo(from + i, n), n);
    }
  } else if (stride == 2) {
    for (; i < count; i += Vec::width) {
      const int n = lanesLeft(count - i);
      const int64_t readable = 2 * n - 1;  // the last odd element may lie beyond x
      const Vec low = loadUpTo(from + 2 * i, lanesLeft(readable));
      const int above = lanesLeft(larger(0, readable - Vec::width));
      storeUpTo(to + i, evens(low, above > 0 ? loadUpTo(from + 2 * i + Vec::width, above) : low),
                n);
    }
  } else {
    for (; i < count; ++i) to[i] = from[i * stride];
  }
}

// The part of a row of windows that lies in x: for one phase, outputs [first, last) of `wanted`.
struct Present {
  int64_t first, last;
  Present(const Axis& axis, int64_t phase, int64_t wanted) {
    const int64_t start = axis.start + phase;
    first = smaller(wanted, start < 0 ? ceilDiv(-start, axis.stride) : 0);
    last = axis.length > start ? smaller(wanted, ceilDiv(axis.length - start, axis.stride)) : 0;
    last = larger(first, last);
  }
};

// The band of windows' rows from firstRow on of one plane; beyond x is `padding`.
inline void copyBand(const float* plane, const Axis& rowAxis, const Axis& columnAxis,
                     const BandLayout& layout, int64_t firstRow, float padding, float* to) {
  const int64_t top = rowAxis.start + firstRow * rowAxis.stride;
  const int64_t bottom = top + (layout.rows - 1) * rowAxis.stride + rowAxis.phases();
  if (top < 0 || bottom > rowAxis.length || !columnAxis.inside()) {
    fillRow(to, layout.size, padding);
  }
  for (int64_t columnPhase = 0; columnPhase < layout.columnPhases; ++columnPhase) {
    const Present present(columnAxis, columnPhase, columnAxis.count + columnAxis.maxShift());
    const int64_t count = present.last - present.first;
    if (count == 0) continue;
    const float* from = plane + columnAxis.start + columnPhase + present.first * columnAxis.stride;
    for (int64_t rowPhase = 0; rowPhase < rowAxis.phases(); ++rowPhase) {
      float* phase =
          to + (rowPhase * layout.columnPhases + columnPhase) * layout.phaseSize + present.first;
      for (int64_t i = 0; i < layout.rows; ++i) {
        const int64_t row = top + i * rowAxis.stride + rowPhase;
        if (row < 0 || row >= rowAxis.length) continue;
        copyRow(from + row * columnAxis.length, columnAxis.stride, count, phase + i * layout.pitch);
      }
    }
  }
}

}  // namespace
}  // namespace fovea
