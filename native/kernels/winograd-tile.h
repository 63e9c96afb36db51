// The register tile of Winograd's products: like multiplyTile of tile.h, but its left factor may
// lie in blocks of channels, and it may add to what is there.
#pragma once

#include "pack.h"
#include "unroll.h"

namespace fovea {
namespace {

// Element (r, k) of the left factor, k = outer * inner count + inner.
struct LeftSteps {
  int64_t count;  // of k
  int64_t inner;  // k to a block
  int64_t outerStep, innerStep;
};

// out[r][v] (+)= sum over k of left(r, k) right[k * rightStep + v * width], r < rows, v < vectors.
// Meanwhile asks for what is `ahead` of the right factor, a cache line for each k.
template <int rows, int vectors, int rowStep>
void winogradTile(const LeftSteps& steps, const float* left, const float* right, int64_t rightStep,
                  int64_t ahead, bool add, float* out, int64_t outStep) {
  Vec sums[rows * vectors];
  unroll<rows * vectors>([&](auto i) {
    sums[i] = add ? load(out + i / vectors * outStep + i % vectors * Vec::width) : broadcast(0);
  });
  for (int64_t k = 0; k < steps.count; k += steps.inner, left += steps.outerStep) {
    const float* a = left;
    const int64_t count = smaller(steps.inner, steps.count - k);
    for (int64_t i = 0; i < count; ++i, a += steps.innerStep, right += rightStep) {
      Vec b[vectors];
      unroll<vectors>([&](auto v) { b[v] = load(right + v * Vec::width); });
      prefetchFar(right + ahead);
      unroll<rows>([&](auto r) {
        const Vec x = broadcast(a[r * rowStep]);
        unroll<vectors>(
            [&](auto v) { sums[r * vectors + v] = fma(x, b[v], sums[r * vectors + v]); });
      });
    }
  }
  unroll<rows * vectors>(
      [&](auto i) { store(out + i / vectors * outStep + i % vectors * Vec::width, sums[i]); });
}

using WinogradTile = void (*)(const LeftSteps& steps, const float* left, const float* right,
                              int64_t rightStep, int64_t ahead, bool add, float* out,
                              int64_t outStep);

template <int rowStep, class Indices>
struct WinogradTiles;
template <int rowStep, int... i>
struct WinogradTiles<rowStep, std::integer_sequence<int, i...>> {
  static constexpr WinogradTile of[] = {
      winogradTile<i / tileVectors + 1, i % tileVectors + 1, rowStep>...};
};

// The rows of the left factor are rowStep floats apart.
template <int rowStep>
inline WinogradTile winogradTileFunction(int64_t rows, int64_t vectors) {
  using All = WinogradTiles<rowStep, std::make_integer_sequence<int, tileRows * tileVectors>>;
  return All::of[(rows - 1) * tileVectors + vectors - 1];
}

}  // namespace
}  // namespace fovea
