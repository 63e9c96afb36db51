// Where the largest or smallest element of the middle dimension is, [outer, count, inner] ->
// [outer, inner]: the first of equals; a NaN is ahead of every number.
#pragma once

#include "context.h"
#include "fold.h"
#include "list.h"
#include "reduce.h"
#include "unroll.h"
#include "workspace.h"

namespace fovea {
namespace {

// Which of two is ahead for argmax and argmin, and the fold that finds the one ahead of all.
struct Largest {
  using Fold = Max;
  static Mask behind(Vec x, Vec best) { return lessEqual(x, best); }
  static bool ahead(float x, float best) { return x > best || (x != x && best == best); }
};
struct Smallest {
  using Fold = Min;
  static Mask behind(Vec x, Vec best) { return lessEqual(best, x); }
  static bool ahead(float x, float best) { return x < best || (x != x && best == best); }
};

// Where x is the fold of all it is among: there are NaNs only where the fold is NaN.
inline Mask isBest(Vec x, Vec best) {
  return equal(x, best) | isNan(x);
}

// y[row] = the first index of the best of each of n rows, rowsAtOnce of them: their folds, then the
// smallest index that has them.
template <class Op>
void indexInRows(int rows, int64_t count, const float* x, int32_t* y) {
  const auto at = [=](int row, int64_t i, int n) { return loadSome(x + row * count + i, n); };
  float best[Vec::width], index[Vec::width];
  foldRows<typename Op::Fold>(rows, count, best, at);
  foldRows<Min>(rows, count, index, [&](int row, int64_t i, int n) {
    const Vec here = toFloats(iota() + broadcastInts(static_cast<int32_t>(i)));
    return select(isBest(at(row, i, n), broadcast(best[row])), here, broadcast(infinity));
  });
  for (int row = 0; row < rows; ++row) y[row] = static_cast<int32_t>(index[row]);
}

// The first index of [begin, end) that none is ahead of; begin < end. Finds the block it is in by
// the blocks' folds.
template <class Op>
int32_t indexInRow(const float* x, int64_t begin, int64_t end) {
  using Fold = typename Op::Fold;
  const auto at = [x](int64_t i, int n) { return loadSome(x + i, n); };
  float best = Fold::start;
  int64_t block = begin;
  for (int64_t i = begin; i < end; i += blockElements) {
    const int64_t stop = i + blockElements < end ? i + blockElements : end;
    const float here = Fold::across(foldBlock<Fold>(i, stop, at));
    if (!Op::ahead(here, best)) continue;
    best = here;
    block = i;
  }
  while (block + Vec::width < end && !any(isBest(load(x + block), broadcast(best)))) {
    block += Vec::width;
  }
  while (x[block] != best && x[block] == x[block]) ++block;
  return static_cast<int32_t>(block);
}

inline size_t indexWorkspace(const ReduceShape& s, int) {
  const int64_t pieces = reducePieces(s);
  return pieces == 1 || s.inner != 1 ? 0 : sizeof(int32_t) * s.outer * pieces;
}

template <class Op>
void indexOfRows(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  const int64_t count = s.count, pieces = reducePieces(s), length = reducePieceLength(s);
  if (pieces == 1) {
    forRowGroups(s.outer, count, reduceGrain, context, [&](int64_t first, int rows) {
      if (rowsAtOnce(count) > 1) {
        indexInRows<Op>(rows, count, x + first * count, y + first);
      } else {
        y[first] = indexInRow<Op>(x + first * count, 0, count);
      }
    });
    return;
  }
  int32_t* partials = reinterpret_cast<int32_t*>(context.workspace);  // [outer, pieces]
  context.parallel(s.outer * pieces, [&](int64_t unit, int) {
    const int64_t begin = unit % pieces * length;
    const int64_t end = begin + length > count ? count : begin + length;
    partials[unit] = indexInRow<Op>(x + unit / pieces * count, begin, end);
  });
  for (int64_t o = 0; o < s.outer; ++o) {
    const float* row = x + o * count;
    const int32_t* found = partials + o * pieces;
    y[o] = found[0];
    for (int64_t piece = 1; piece < pieces; ++piece) {
      if (Op::ahead(row[found[piece]], row[y[o]])) y[o] = found[piece];
    }
  }
}

// Of 4 vectors of neighbouring columns, the last possibly in part.
template <class Op>
void indexInColumns(int64_t count, int width, const float* x, int64_t stride, int32_t* y) {
  constexpr int w = Vec::width;
  Vec value[4];
  Ints index[4];
  const int vectors = (width + w - 1) / w;
  for (int k = 0; k < vectors; ++k) {
    value[k] = loadSome(x + k * w, width - k * w);
    index[k] = broadcastInts(0);
  }
  const auto visit = [&](int32_t row, int k, int n) {
    const Vec v = loadSome(x + row * stride + k * w, n);
    const Mask stays = Op::behind(v, value[k]) | isNan(value[k]);
    value[k] = select(stays, value[k], v);
    index[k] = select(stays, index[k], broadcastInts(row));
  };
  for (int32_t row = 1; row < count; ++row) {
    if (width == 4 * w) {
      unroll<4>([&](auto k) { visit(row, k, w); });
    } else {
      for (int k = 0; k < vectors; ++k) visit(row, k, width - k * w);
    }
  }
  for (int k = 0; k < vectors; ++k) {
    const int left = width - k * w;
    storeFirstInts(y + k * w, index[k], left < w ? left : w);
  }
}

template <class Op>
void indexOfColumns(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  const int64_t inner = s.inner, wide = 4 * Vec::width, blocks = (inner + wide - 1) / wide;
  const int64_t elements = s.count * (inner < wide ? inner : wide);
  const int64_t grain = unitsPerTask(elements, reduceGrain);
  context.parallelRange(s.outer * blocks, grain, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t o = unit / blocks, column = unit % blocks * wide;
      const auto width = static_cast<int>(inner - column < wide ? inner - column : wide);
      indexInColumns<Op>(s.count, width, x + o * s.count * inner + column, inner,
                         y + o * inner + column);
    }
  });
}

// 0 where there are no elements.
template <class Op>
void reduceToIndex(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  if (s.count == 0) {
    for (int64_t i = 0; i < static_cast<int64_t>(s.outer) * s.inner; ++i) y[i] = 0;
  } else if (s.inner == 1) {
    indexOfRows<Op>(s, context, x, y);
  } else {
    indexOfColumns<Op>(s, context, x, y);
  }
}

void argmax(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  reduceToIndex<Largest>(s, context, x, y);
}
void argmin(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  reduceToIndex<Smallest>(s, context, x, y);
}
FOVEA_WORKSPACE(argmax, ReduceShape, indexWorkspace)
FOVEA_WORKSPACE(argmin, ReduceShape, indexWorkspace)

}  // namespace
}  // namespace fovea
