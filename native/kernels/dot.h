// Tiles of dot products, vectors running along the summed dimension: for products whose factors are
// both contiguous along it, and too small elsewhere for packing to pay.
#pragma once

#include "pack.h"
#include "tile.h"

namespace fovea {
namespace {

constexpr int maxDotRows = tileAccumulators >= 24 ? 6 : 3;
constexpr int maxDotColumns = 12;
constexpr int dotColumnsFor(int64_t rows) {
  return static_cast<int>(smaller(maxDotColumns, tileAccumulators / larger(1, rows)));
}

// Two factors, each `items` times `lines` lines of `count` contiguous elements: row r of the first
// at a[r * aRow + item * aItem + line * aLine], column c of the second at
// b[offsets[c] + item * bItem + line * bLine].
struct DotLines {
  int64_t items, lines, count;
  int64_t aRow, aItem, aLine, bItem, bLine;
};

// sums[r][c] (a vector each, to be added up across its lanes at the end) += a_r · b_c.
template <int rows, int columns>
void dotTile(const DotLines& s, const float* a, const float* b, const int32_t* offsets,
             float* sums) {
  Vec total[rows * columns];
  unroll<rows * columns>([&](auto i) { total[i] = load(sums + i * Vec::width); });
  const float *rowStart[rows], *columnStart[columns];
  unroll<rows>([&](auto r) { rowStart[r] = a + r * s.aRow; });
  unroll<columns>([&](auto c) { columnStart[c] = b + offsets[c]; });
  const auto step = [&](int64_t i, int64_t j, auto read) {
    Vec left[rows];
    unroll<rows>([&](auto r) { left[r] = read(rowStart[r] + i); });
    unroll<columns>([&](auto c) {
      const Vec right = read(columnStart[c] + j);
      unroll<rows>(
          [&](auto r) { total[r * columns + c] = fma(left[r], right, total[r * columns + c]); });
    });
  };
  const int rest = static_cast<int>(s.count % Vec::width);
  const int64_t whole = s.count - rest, aLine = s.aLine, bLine = s.bLine;
  const auto readAll = [](const float* p) { return load(p); };
  const auto readRest = [=](const float* p) { return loadFirst(p, rest); };
  for (int64_t item = 0; item < s.items; ++item) {
    int64_t i = item * s.aItem, j = item * s.bItem;
    if (whole == 0) {
      for (int64_t line = 0; line < s.lines; ++line, i += aLine, j += bLine) step(i, j, readRest);
      continue;
    }
    for (int64_t line = 0; line < s.lines; ++line, i += aLine, j += bLine) {
      for (int64_t k = 0; k < whole; k += Vec::width) step(i + k, j + k, readAll);
      if (rest > 0) step(i + whole, j + whole, readRest);
    }
  }
  unroll<rows * columns>([&](auto i) { store(sums + i * Vec::width, total[i]); });
}

// The sums of the lanes of `width` vectors, as one vector.
inline Vec sumsOfLanes(Vec* square) {
  transpose(square);
  for (int step = 1; step < Vec::width; step *= 2) {
    for (int j = 0; j < Vec::width; j += 2 * step) square[j] = square[j] + square[j + step];
  }
  return square[0];
}

// In place: count vectors become count floats, the sum of the lanes of each.
inline void sumLanes(float* vectors, int64_t count) {
  Vec square[Vec::width];
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) {
    unroll<Vec::width>([&](auto j) { square[j] = load(vectors + (i + j) * Vec::width); });
    store(vectors + i, sumsOfLanes(square));
  }
  for (; i < count; ++i) vectors[i] = sum(load(vectors + i * Vec::width));
}

using DotTile = void (*)(const DotLines& s, const float* a, const float* b, const int32_t* offsets,
                         float* sums);

template <int rows, int columns>
constexpr DotTile dotTileIfFits() {
  if constexpr (rows * columns <= tileAccumulators) {
    return dotTile<rows, columns>;
  } else {
    return nullptr;
  }
}
template <class Indices>
struct DotTiles;
template <int... i>
struct DotTiles<std::integer_sequence<int, i...>> {
  static constexpr DotTile of[] = {
      dotTileIfFits<i / maxDotColumns + 1, i % maxDotColumns + 1>()...};
};

inline DotTile dotFunction(int64_t rows, int64_t columns) {
  using Tiles = DotTiles<std::make_integer_sequence<int, maxDotRows * maxDotColumns>>;
  return Tiles::of[(rows - 1) * maxDotColumns + columns - 1];
}

}  // namespace
}  // namespace fovea
