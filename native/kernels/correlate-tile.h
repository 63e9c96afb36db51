// The register tile of convolutions, positions x vectors of output channels, and its way into y,
// where the positions of one channel lie side by side.
#pragma once

#include "tile.h"

namespace fovea {
namespace {

constexpr int correlateMaxVectors = 4;
constexpr int64_t cacheLine = 16;  // floats

// Vectors of outputs that go best with so many positions: all sums, a vector of weights for each
// and one broadcast position must fit the registers.
constexpr int64_t correlateVectors(int64_t positions) {
  const int64_t registers = tileAccumulators + tileVectors + 2;
  return larger(1, smaller(correlateMaxVectors, (registers - 1) / (larger(1, positions) + 1)));
}

// line[p * step + v] = sum over k of x[p + table[k]] weights[k][v], p < positions, v < vectors.
// Asks for k cache lines from `ahead` on, where the weights of later tiles are.
template <int positions, int vectors>
void correlateTile(int64_t k, const float* x, const int32_t* table, const float* weights,
                   const float* ahead, float* line, int64_t step) {
  Vec sums[positions * vectors];
  unroll<positions * vectors>([&](auto i) { sums[i] = broadcast(0); });
  for (int64_t kk = 0; kk < k; ++kk, weights += vectors * Vec::width) {
    const float* window = x + table[kk];
    prefetch(ahead + kk * cacheLine);
    Vec right[vectors];
    unroll<vectors>([&](auto v) { right[v] = load(weights + v * Vec::width); });
    unroll<positions>([&](auto p) {
      const Vec left = broadcast(window[p]);
      unroll<vectors>(
          [&](auto v) { sums[p * vectors + v] = fma(left, right[v], sums[p * vectors + v]); });
    });
  }
  unroll<positions>([&](auto p) {
    unroll<vectors>(
        [&](auto v) { store(line + p * step + v * Vec::width, sums[p * vectors + v]); });
  });
}

using CorrelateTile = void (*)(int64_t k, const float* x, const int32_t* table,
                               const float* weights, const float* ahead, float* line, int64_t step);

template <int positions, int vectors>
constexpr CorrelateTile correlateTileIfFits() {
  if constexpr (vectors <= correlateVectors(positions)) {
    return correlateTile<positions, vectors>;
  } else {
    return nullptr;
  }
}
template <class Indices>
struct CorrelateTiles;
template <int... i>
struct CorrelateTiles<std::integer_sequence<int, i...>> {
  static constexpr CorrelateTile of[] = {
      correlateTileIfFits<i / correlateMaxVectors + 1, i % correlateMaxVectors + 1>()...};
};
inline CorrelateTile correlateTileOf(int64_t positions, int64_t vectors) {
  using All = CorrelateTiles<std::make_integer_sequence<int, tileRows * correlateMaxVectors>>;
  return All::of[(positions - 1) * correlateMaxVectors + vectors - 1];
}

// How sums go into y: on top of what is there, or with bias.
struct FinishLine {
  bool add, relu;
  const float* bias;  // of the first output; may be null
  int64_t outputs, outPlane;
};

template <bool add, bool relu>
inline void finishLineAs(const float* line, int64_t step, int64_t positions,
                         const FinishLine& finish, float* y) {
  Vec square[Vec::width];
  for (int64_t o = 0; o < finish.outputs; o += Vec::width) {
    const int outputs = lanesLeft(finish.outputs - o);
    for (int64_t p = 0; p < positions; p += Vec::width) {
      const int count = lanesLeft(positions - p);
      for (int i = 0; i < Vec::width; ++i) square[i] = load(line + (p + i) * step + o);
      transpose(square);
      for (int i = 0; i < outputs; ++i) {
        float* to = y + (o + i) * finish.outPlane + p;
        Vec v = square[i];
        if (add) {
          v = v + loadUpTo(to, count);
        } else if (finish.bias) {
          v = v + broadcast(finish.bias[o + i]);
        }
        storeUpTo(to, relu ? reluOf(v) : v, count);
      }
    }
  }
}

// y[output][position] from line[position * step + output]; line goes on to a whole number of
// vectors of positions.
inline void finishLine(const float* line, int64_t step, int64_t positions, const FinishLine& finish,
                       float* y) {
  if (finish.add) {
    (finish.relu ? finishLineAs<true, true> : finishLineAs<true, false>)(line, step, positions,
                                                                         finish, y);
  } else {
    (finish.relu ? finishLineAs<false, true> : finishLineAs<false, false>)(line, step, positions,
                                                                           finish, y);
  }
}

}  // namespace
}  // namespace fovea
