// The register tile of matmul: rows x (vectors * width) sums of scalars of one factor times vectors
// of the other, both read where they lie, and kept in registers until they are y.
#pragma once

#include "pack.h"
#include "tile.h"

namespace fovea {
namespace {

// Element (r, kk) at data[r * row + kk * step].
struct ScalarSide {
  const float* data;
  int64_t row, step;
};

// Row kk at data + kk * step. Where the reading says so, the lines of ahead + kk * aheadStep, which
// will be wanted soon, are fetched meanwhile, and a copy is left at copy + kk * vectors * width.
struct VectorSide {
  const float* data;
  int64_t step;
  const float* ahead;
  int64_t aheadStep;
  float* copy;
};

// Row r at data + r * row; the last vector has `last` elements.
struct TileOutput {
  float* data;
  int64_t row;
  int last;
  Finish finish;
};

// How the vectors are read: all whole, and with lines fetched ahead; the last one in part; and with
// a copy left behind.
enum class Reading { whole, ahead, partial, copying };

template <int rows, int vectors, Reading reading>
void productTile(int64_t k, const ScalarSide& left, const VectorSide& right,
                 const TileOutput& out) {
  const int64_t aRow = left.row, aStep = left.step, bStep = right.step;
  const int last = out.last;
  const float* b = right.data;
  [[maybe_unused]] const int64_t aheadStep = right.aheadStep;
  [[maybe_unused]] const float* ahead = right.ahead;
  [[maybe_unused]] float* copy = right.copy;
  constexpr int bases = (rows + 2) / 3;  // one pointer reaches three rows: p, p + row, p + 2 row
  const float* a[bases];
  unroll<bases>([&](auto i) { a[i] = left.data + 3 * i * aRow; });

  Vec sums[rows * vectors];
  unroll<rows * vectors>([&](auto i) { sums[i] = broadcast(0); });
  const auto scalar = [&](auto r) { return broadcast(a[r / 3][r % 3 * aRow]); };
  const auto vector = [&](auto v) {
    constexpr bool whole =
        reading == Reading::whole || reading == Reading::ahead || v + 1 < vectors;
    const Vec x = whole ? load(b + v * Vec::width) : loadFirst(b + v * Vec::width, last);
    if constexpr (reading == Reading::copying) store(copy + v * Vec::width, x);
    return x;
  };
  for (int64_t kk = 0; kk < k; ++kk) {
    if constexpr (reading != Reading::whole) prefetchFar(ahead);
    if constexpr (rows >= vectors) {
      Vec x[vectors];
      unroll<vectors>([&](auto v) { x[v] = vector(v); });
      unroll<rows>([&](auto r) {
        const Vec s = scalar(r);
        unroll<vectors>(
            [&](auto v) { sums[r * vectors + v] = fma(s, x[v], sums[r * vectors + v]); });
      });
    } else {
      Vec s[rows];
      unroll<rows>([&](auto r) { s[r] = scalar(r); });
      unroll<vectors>([&](auto v) {
        const Vec x = vector(v);
        unroll<rows>([&](auto r) { sums[r * vectors + v] = fma(s[r], x, sums[r * vectors + v]); });
      });
    }
    unroll<bases>([&](auto i) { a[i] += aStep; });
    b += bStep;
    if constexpr (reading != Reading::whole) ahead += aheadStep;
    if constexpr (reading == Reading::copying) copy += vectors * Vec::width;
  }

  // The loops over rows step a pointer: so many addresses at once would not fit in registers.
  const bool partial = last < Vec::width;
  const auto read = [&](const float* p, auto v) {
    return v + 1 == vectors && partial ? loadFirst(p + v * Vec::width, last)
                                       : load(p + v * Vec::width);
  };
  float* y = out.data;
  if (out.finish.add) {
    unroll<rows>([&](auto r) {
      unroll<vectors>([&](auto v) { sums[r * vectors + v] = sums[r * vectors + v] + read(y, v); });
      y += out.row;
    });
  }
  if (out.finish.bias) {
    unroll<vectors>([&](auto v) {
      const Vec bias = read(out.finish.bias, v);
      unroll<rows>([&](auto r) { sums[r * vectors + v] = sums[r * vectors + v] + bias; });
    });
  }
  if (out.finish.relu) {
    unroll<rows * vectors>([&](auto i) { sums[i] = reluOf(sums[i]); });
  }
  y = out.data;
  unroll<rows>([&](auto r) {
    unroll<vectors - 1>([&](auto v) { store(y + v * Vec::width, sums[r * vectors + v]); });
    storeUpTo(y + (vectors - 1) * Vec::width, sums[r * vectors + vectors - 1], last);
    y += out.row;
  });
}

using ProductTile = void (*)(int64_t k, const ScalarSide& left, const VectorSide& right,
                             const TileOutput& out);

template <Reading reading, int rows, int vectors>
constexpr ProductTile productTileIfFits() {
  if constexpr (rows * vectors <= tileAccumulators) {
    return productTile<rows, vectors, reading>;
  } else {
    return nullptr;
  }
}
template <Reading reading, class Indices>
struct ProductTiles;
template <Reading reading, int... i>
struct ProductTiles<reading, std::integer_sequence<int, i...>> {
  static constexpr ProductTile of[] = {
      productTileIfFits<reading, i / maxTileVectors + 1, i % maxTileVectors + 1>()...};
};

template <Reading reading>
inline ProductTile productTileFunction(int64_t rows, int64_t vectors) {
  using All = ProductTiles<reading, std::make_integer_sequence<int, tileRows * maxTileVectors>>;
  return All::of[(rows - 1) * maxTileVectors + vectors - 1];
}

// A tile whose rows are columns of y: tile[r][c], rows of tileWidth, goes to y[c * yRow + r].
inline void finishTurned(const float* tile, int64_t rows, int64_t tileWidth, int64_t columns,
                         float* y, int64_t yRow, const Finish& finish) {
  Vec square[Vec::width];
  for (int64_t r0 = 0; r0 < rows; r0 += Vec::width) {
    const int count = lanesLeft(rows - r0);
    const Vec bias = finish.bias ? loadFirst(finish.bias + r0, count) : broadcast(0);
    for (int64_t c0 = 0; c0 < columns; c0 += Vec::width) {
      for (int r = 0; r < Vec::width; ++r) {
        square[r] = r < count ? load(tile + (r0 + r) * tileWidth + c0) : broadcast(0);
      }
      transpose(square);
      for (int c = 0; c < lanesLeft(columns - c0); ++c) {
        float* to = y + (c0 + c) * yRow + r0;
        Vec sum = square[c];
        if (finish.add) sum = sum + loadUpTo(to, count);
        if (finish.bias) sum = sum + bias;
        if (finish.relu) sum = reluOf(sum);
        storeUpTo(to, sum, count);
      }
    }
  }
}

}  // namespace
}  // namespace fovea
