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

// One row of windows' worth of x, in phases `phaseSize` apart; beyond x is `padding`.
inline void copyPhases(const float* row, const Axis& axis, int64_t phaseSize, float padding,
                       float* to) {
  const int64_t wanted = axis.count + axis.maxShift();
  for (int64_t phase = 0; phase < axis.phases(); ++phase, to += phaseSize) {
    const int64_t start = axis.start + phase;
    const int64_t first = smaller(wanted, start < 0 ? ceilDiv(-start, axis.stride) : 0);
    const int64_t last =
        start < axis.length
            ? larger(first, smaller(wanted, ceilDiv(axis.length - start, axis.stride)))
            : first;
    fillRow(to, first, padding);
    copyRow(row + start + first * axis.stride, axis.stride, last - first, to + first);
    fillRow(to + last, wanted - last, padding);
  }
}

// The band of windows' rows [firstRow, firstRow + bandRows) of one plane.
inline void copyBand(const float* plane, const Axis& rowAxis, const Axis& columnAxis,
                     const BandLayout& layout, int64_t firstRow, float padding, float* to) {
  for (int64_t phase = 0; phase < rowAxis.phases(); ++phase) {
    float* phaseStart = to + phase * layout.columnPhases * layout.phaseSize;
    for (int64_t row = 0; row < layout.rows; ++row) {
      const int64_t from = rowAxis.start + (firstRow + row) * rowAxis.stride + phase;
      float* rowStart = phaseStart + row * layout.pitch;
      if (from >= 0 && from < rowAxis.length) {
        copyPhases(plane + from * columnAxis.length, columnAxis, layout.phaseSize, padding,
                   rowStart);
      } else {
        const int64_t wanted = columnAxis.count + columnAxis.maxShift();
        for (int64_t p = 0; p < layout.columnPhases; ++p) {
          fillRow(rowStart + p * layout.phaseSize, wanted, padding);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fovea
