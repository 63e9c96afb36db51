// The register tile every product is made of: rows x (vectors * width) sums of a[k] b[k], kept in
// registers over the whole of k.
#pragma once

#include <cstddef>

#include "context.h"
#include "pack.h"
#include "split.h"
#include "unroll.h"

namespace fovea {
namespace {

// A tile may be any rows x vectors of at most this many accumulators.
constexpr int tileAccumulators = tileRows * tileVectors;
constexpr int maxTileVectors = 8;
constexpr int maxTileFloats = tileAccumulators * Vec::width;

// Vectors that go best with so many rows.
constexpr int vectorsFor(int64_t rows) {
  return rows * maxTileVectors <= tileAccumulators
             ? maxTileVectors
             : static_cast<int>(larger(1, tileAccumulators / larger(1, rows)));
}

// Where row k of b begins: at equal steps, or wherever a table says.
struct Steps {
  int64_t step;
  int64_t operator[](int64_t k) const { return k * step; }
};
struct Table {
  const int32_t* offsets;
  int64_t operator[](int64_t k) const { return offsets[k]; }
};

// tile[r][v] = sum over k of a[k * aStep + r] b[rowsOfB[k] + v * width ...], r < rows, v < vectors.
template <int rows, int vectors, class RowsOfB>
void multiplyTile(int64_t k, const float* a, int64_t aStep, const float* b, RowsOfB rowsOfB,
                  float* tile) {
  Vec sums[rows * vectors];
  unroll<rows * vectors>([&](auto i) { sums[i] = broadcast(0); });
  for (int64_t kk = 0; kk < k; ++kk, a += aStep) {
    const float* row = b + rowsOfB[kk];
    if constexpr (rows >= vectors) {
      Vec right[vectors];
      unroll<vectors>([&](auto v) { right[v] = load(row + v * Vec::width); });
      unroll<rows>([&](auto r) {
        const Vec left = broadcast(a[r]);
        unroll<vectors>(
            [&](auto v) { sums[r * vectors + v] = fma(left, right[v], sums[r * vectors + v]); });
      });
    } else {
      Vec left[rows];
      unroll<rows>([&](auto r) { left[r] = broadcast(a[r]); });
      unroll<vectors>([&](auto v) {
        const Vec right = loadHeld(row + v * Vec::width);
        unroll<rows>(
            [&](auto r) { sums[r * vectors + v] = fma(left[r], right, sums[r * vectors + v]); });
      });
    }
  }
  unroll<rows * vectors>([&](auto i) { store(tile + i * Vec::width, sums[i]); });
}

template <class RowsOfB>
using MultiplyTile = void (*)(int64_t k, const float* a, int64_t aStep, const float* b,
                              RowsOfB rowsOfB, float* tile);

template <class RowsOfB, int rows, int vectors>
constexpr MultiplyTile<RowsOfB> tileIfFits() {
  if constexpr (rows * vectors <= tileAccumulators) {
    return multiplyTile<rows, vectors, RowsOfB>;
  } else {
    return nullptr;
  }
}
template <class RowsOfB, class Indices>
struct Tiles;
template <class RowsOfB, int... i>
struct Tiles<RowsOfB, std::integer_sequence<int, i...>> {
  static constexpr MultiplyTile<RowsOfB> of[] = {
      tileIfFits<RowsOfB, i / maxTileVectors + 1, i % maxTileVectors + 1>()...};
};

template <class RowsOfB>
inline MultiplyTile<RowsOfB> tileFunction(int64_t rows, int64_t vectors) {
  using All = Tiles<RowsOfB, std::make_integer_sequence<int, tileRows * maxTileVectors>>;
  return All::of[(rows - 1) * maxTileVectors + vectors - 1];
}

inline Vec reluOf(Vec x) {
  return select(less(x, broadcast(0)), broadcast(0), x);  // NaN stays
}

// How a tile goes into y: on top of what is there or not, with bias per column and ReLU or not.
struct Finish {
  bool add;
  const float* bias;  // of the tile's first column; may be null
  bool relu;
};

inline void finishTile(const float* tile, int64_t rows, int64_t tileWidth, float* y, int64_t yRow,
                       int64_t columns, const Finish& finish) {
  for (int64_t r = 0; r < rows; ++r, tile += tileWidth, y += yRow) {
    for (int64_t j = 0; j < columns; j += Vec::width) {
      const int count = lanesLeft(columns - j);
      Vec sum = load(tile + j);
      if (finish.add) sum = sum + loadUpTo(y + j, count);
      if (finish.bias) sum = sum + loadUpTo(finish.bias + j, count);
      if (finish.relu) sum = reluOf(sum);
      storeUpTo(y + j, sum, count);
    }
  }
}

}  // namespace
}  // namespace fovea
