// A band of x as the tiles of a correlation read it: padded with zeros, and split by stride into
// phases, so that what a tap of neighbouring windows reads lies side by side.
#pragma once

#include "plane.h"

namespace fovea {
namespace {

// [rowPhase][columnPhase][row][column]: element (i, j) of the padded band is at phases (i % stride,
// j % stride), row i / stride, column j / stride. Whole vectors are written, hence the room beyond
// each phase.
struct CopyLayout {
  int64_t rows, pitch;  // of one phase
  int64_t rowStride, columnStride;
  int64_t rowPhases, columnPhases, phaseSize;

  CopyLayout(const Axis& rowAxis, const Axis& columnAxis, int64_t bandRows, int64_t aligned = 1)
      : rows(bandRows + rowAxis.maxShift()),
        pitch(roundUp(columnAxis.count + columnAxis.maxShift(), aligned)),
        rowStride(rowAxis.stride),
        columnStride(columnAxis.stride),
        rowPhases(rowAxis.phases()),
        columnPhases(columnAxis.phases()),
        phaseSize(rows * pitch + Vec::width) {}

  int64_t size() const { return rowPhases * columnPhases * phaseSize; }
  int64_t offset(int64_t i, int64_t j) const {
    return (i % rowStride * columnPhases + j % columnStride) * phaseSize + i / rowStride * pitch +
           j / columnStride;
  }
  // Of a padded row before it is split.
  int64_t rowLength() const { return columnStride > 1 ? (pitch + Vec::width) * columnStride : 0; }
};

// to[0, length) is zero but for from[0, count) at `first`; up to a vector beyond is written.
inline void writeRow(const float* from, int64_t first, int64_t count, int64_t length, float* to) {
  store(to, broadcast(0));
  for (int64_t i = Vec::width; i < first; i += Vec::width) store(to + i, broadcast(0));
  to += first;
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) store(to + i, load(from + i));
  if (i < length - first) store(to + i, loadFirst(from + i, lanesLeft(larger(0, count - i))));
  for (i += Vec::width; i < length - first; i += Vec::width) store(to + i, broadcast(0));
}

// to[p * phaseSize + i] = row[i * stride + p]
inline void splitRow(const float* row, const CopyLayout& layout, float* to) {
  constexpr int64_t w = Vec::width;
  const int64_t stride = layout.columnStride, phases = layout.columnPhases;
  for (int64_t i = 0; i < layout.pitch; i += w, row += w * stride) {
    if (stride == 2) {
      const Vec a = load(row), b = load(row + w);
      store(to + i, evens(a, b));
      if (phases > 1) store(to + layout.phaseSize + i, odds(a, b));
    } else if (stride == 4) {
      const Vec a = load(row), b = load(row + w), c = load(row + 2 * w), d = load(row + 3 * w);
      const Vec even0 = evens(a, b), even1 = evens(c, d), odd0 = odds(a, b), odd1 = odds(c, d);
      store(to + i, evens(even0, even1));
      if (phases > 1) store(to + layout.phaseSize + i, evens(odd0, odd1));
      if (phases > 2) store(to + 2 * layout.phaseSize + i, odds(even0, even1));
      if (phases > 3) store(to + 3 * layout.phaseSize + i, odds(odd0, odd1));
    } else {
      for (int64_t p = 0; p < phases; ++p) {
        for (int64_t j = 0; j < w; ++j) to[p * layout.phaseSize + i + j] = row[j * stride + p];
      }
    }
  }
}

// Asks for the rows that copyChannel will read.
inline void prefetchRows(const float* plane, const Axis& rowAxis, int64_t width,
                         const CopyLayout& layout, int64_t firstRow) {
  const int64_t top = rowAxis.start + firstRow * rowAxis.stride;
  const int64_t bottom = top + (layout.rows - 1) * rowAxis.stride + layout.rowPhases;
  const float* end = plane + smaller(bottom, rowAxis.length) * width;
  for (const float* p = plane + larger(top, 0) * width; p < end; p += 16) prefetch(p);
}

// The band of windows' rows from firstRow on of one plane of x. `row` is room for one padded row.
inline void copyChannel(const float* plane, const Axis& rowAxis, const Axis& columnAxis,
                        const CopyLayout& layout, int64_t firstRow, float* row, float* to) {
  const int64_t wanted = layout.pitch * layout.columnStride;
  const int64_t first = smaller(wanted, larger(0, -columnAxis.start));
  const int64_t begin = larger(0, columnAxis.start);
  const int64_t count = larger(0, smaller(columnAxis.length - begin, wanted - first));
  for (int64_t rowPhase = 0; rowPhase < layout.rowPhases; ++rowPhase) {
    float* phase = to + rowPhase * layout.columnPhases * layout.phaseSize;
    for (int64_t i = 0; i < layout.rows; ++i, phase += layout.pitch) {
      const int64_t r = rowAxis.start + (firstRow + i) * rowAxis.stride + rowPhase;
      const bool present = r >= 0 && r < rowAxis.length;
      const float* from = plane + (present ? r * columnAxis.length + begin : 0);
      if (layout.columnStride == 1) {
        writeRow(from, present ? first : 0, present ? count : 0, layout.pitch, phase);
      } else {
        writeRow(from, present ? first : 0, present ? count : 0, wanted, row);
        splitRow(row, layout, phase);
      }
    }
  }
}

}  // namespace
}  // namespace fovea
