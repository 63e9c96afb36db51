// Tiles of outer products: one factor spread from memory where it lies, element by element, over
// the lanes of the other. Neither a window's stride nor its taps need a copy of their own.
#pragma once

#include "pack.h"
#include "tile.h"

namespace fovea {
namespace {

// Two factors summed over `items` times `lines` lines of `count` positions, at these steps.
struct OuterLines {
  int64_t items, lines, count;
  int64_t aStep, aLine, aItem, bStep, bLine, bItem;
  bool add;  // to what is there
};

// sums[r][v] = (add ? sums[r][v] : 0) + sum over positions of a[offsets[r] + position]
// b[position][v * width ...], r < rows = groups * run, where the offsets of a group are
// consecutive.
template <int groups, int run, int vectors>
void outerTile(const OuterLines& s, const float* a, const int32_t* offsets, const float* b,
               float* sums) {
  constexpr int rows = groups * run;
  Vec total[rows * vectors];
  unroll<rows * vectors>(
      [&](auto i) { total[i] = s.add ? load(sums + i * Vec::width) : broadcast(0); });
  const float* start[groups];
  unroll<groups>([&](auto g) { start[g] = a + offsets[g * run]; });
  const int64_t aStep = s.aStep, bStep = s.bStep, bCount = s.count * s.bStep;
  for (int64_t item = 0; item < s.items; ++item) {
    for (int64_t line = 0; line < s.lines; ++line) {
      int64_t i = item * s.aItem + line * s.aLine;
      const float* row = b + item * s.bItem + line * s.bLine;
      for (const float* end = row + bCount; row != end; row += bStep, i += aStep) {
        Vec right[vectors];
        unroll<vectors>([&](auto v) { right[v] = load(row + v * Vec::width); });
        unroll<rows>([&](auto r) {
          const Vec left = broadcast(start[r / run][i + r % run]);
          unroll<vectors>([&](auto v) {
            total[r * vectors + v] = fma(left, right[v], total[r * vectors + v]);
          });
        });
      }
    }
  }
  unroll<rows * vectors>([&](auto i) { store(sums + i * Vec::width, total[i]); });
}

using OuterTile = void (*)(const OuterLines& s, const float* a, const int32_t* offsets,
                           const float* b, float* sums);

constexpr int maxOuterVectors = tileAccumulators >= 28 ? 4 : 2;
constexpr int outerRowsFor(int64_t vectors) {
  return vectors == 4 ? 6 : static_cast<int>(tileAccumulators / larger(1, vectors));
}

template <int rows, int vectors>
constexpr OuterTile outerTileIfFits() {
  if constexpr (rows * vectors <= tileAccumulators) {
    return outerTile<rows, 1, vectors>;
  } else {
    return nullptr;
  }
}
template <class Indices>
struct OuterTiles;
template <int... i>
struct OuterTiles<std::integer_sequence<int, i...>> {
  static constexpr OuterTile of[] = {
      outerTileIfFits<i / maxOuterVectors + 1, i % maxOuterVectors + 1>()...};
};

inline OuterTile outerFunction(int64_t rows, int64_t vectors) {
  using All = OuterTiles<std::make_integer_sequence<int, tileAccumulators * maxOuterVectors>>;
  return All::of[(rows - 1) * maxOuterVectors + vectors - 1];
}

}  // namespace
}  // namespace fovea
