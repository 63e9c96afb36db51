// Reductions of the middle dimension, [outer, count, inner] -> [outer, inner]. Sums are pairwise or
// in blocks whose totals are doubles; a long reduction is cut into pieces that depend on the shape
// only, so results do not depend on the number of threads.
#pragma once

#include "context.h"
#include "list.h"
#include "math.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t reduceGrain = 65536;  // elements worth a task
constexpr int64_t blockSteps = 64;      // vectors an accumulator takes before it goes to a double

// How many units of so many elements make a task worth `grain` elements.
inline int64_t unitsPerTask(int64_t elements, int64_t grain) {
  return elements >= grain || elements < 1 ? 1 : grain / elements;
}

// What is reduced: `term` of each element, joined; `start` changes nothing it is joined with.
struct Sum {
  static constexpr float start = 0;
  static Vec term(Vec x) { return x; }
  static Vec join(Vec a, Vec b) { return a + b; }
  static double join(double a, double b) { return a + b; }
  static float across(Vec x) { return sum(x); }
};
struct SumSquares : Sum {
  static Vec term(Vec x) { return x * x; }
};
// NaN wins over every number.
struct Max {
  static constexpr float start = -infinity;
  static Vec term(Vec x) { return x; }
  static Vec join(Vec a, Vec b) { return select(lessEqual(a, b) | isNan(b), b, a); }
  static double join(double a, double b) { return a <= b || b != b ? b : a; }
  static float across(Vec x) { return any(isNan(x)) ? notANumber : largest(x); }
};
struct Min {
  static constexpr float start = infinity;
  static Vec term(Vec x) { return x; }
  static Vec join(Vec a, Vec b) { return select(lessEqual(b, a) | isNan(b), b, a); }
  static double join(double a, double b) { return b <= a || b != b ? b : a; }
  static float across(Vec x) { return any(isNan(x)) ? notANumber : smallest(x); }
};

// Joins term(i, n) of n elements from i on, over [0, count). `term` may return anything in the
// lanes from n on.
template <class Op, class Term>
double reduceTerms(int64_t count, const Term& term) {
  constexpr int w = Vec::width;
  const Vec start = broadcast(Op::start);
  double total = Op::start;
  int64_t i = 0;
  while (i < count) {
    const int64_t left = (count - i) / w;
    const int64_t steps = left < 4 * blockSteps ? left : 4 * blockSteps;
    Vec s0 = start, s1 = start, s2 = start, s3 = start;
    int64_t step = 0;
    for (; step + 4 <= steps; step += 4, i += 4 * w) {
      s0 = Op::join(s0, term(i, w));
      s1 = Op::join(s1, term(i + w, w));
      s2 = Op::join(s2, term(i + 2 * w, w));
      s3 = Op::join(s3, term(i + 3 * w, w));
    }
    for (; step < steps; ++step, i += w) s0 = Op::join(s0, term(i, w));
    const int rest = static_cast<int>(count - i);
    if (rest < w) {  // the end
      if (rest > 0) s1 = Op::join(s1, select(firstLanes(rest), term(i, rest), start));
      i = count;
    }
    const Vec all = Op::join(Op::join(s0, s1), Op::join(s2, s3));
    total = Op::join(total, static_cast<double>(Op::across(all)));
  }
  return total;
}

// The first n elements, or all of a vector where there are more.
inline Vec loadSome(const float* p, int n) {
  return n >= Vec::width ? load(p) : loadFirst(p, n);
}
inline void storeSome(float* p, Vec x, int n) {
  if (n >= Vec::width) {
    store(p, x);
  } else {
    storeFirst(p, x, n);
  }
}

template <class Op>
double reduceRow(const float* x, int64_t count) {
  return reduceTerms<Op>(count, [x](int64_t i, int n) { return Op::term(loadSome(x + i, n)); });
}

// Four vectors of neighbouring columns, the last possibly in part.
struct Columns {
  Vec v[4];
};

// Joins term(row, column, n) of n columns, for rows in [begin, end), in pairs of halves; `width`
// columns, at most 4 vectors. Lanes past the width are arbitrary.
template <class Op, class Term>
Columns reduceColumns(int64_t begin, int64_t end, int width, const Term& term) {
  constexpr int w = Vec::width;
  Columns total;
  if (end - begin > blockSteps) {
    const int64_t middle = begin + (end - begin) / 2;
    total = reduceColumns<Op>(begin, middle, width, term);
    const Columns second = reduceColumns<Op>(middle, end, width, term);
    for (int k = 0; k < 4; ++k) total.v[k] = Op::join(total.v[k], second.v[k]);
    return total;
  }
  for (int k = 0; k < 4; ++k) total.v[k] = broadcast(Op::start);
  if (width == 4 * w) {
    for (int64_t row = begin; row < end; ++row) {
      for (int k = 0; k < 4; ++k) total.v[k] = Op::join(total.v[k], term(row, k * w, w));
    }
    return total;
  }
  for (int k = 0; k * w < width; ++k) {
    const int n = width - k * w < w ? width - k * w : w;
    for (int64_t row = begin; row < end; ++row) {
      total.v[k] = Op::join(total.v[k], term(row, k * w, n));
    }
  }
  return total;
}

inline void storeColumns(float* y, const Columns& x, int width) {
  for (int k = 0; k * Vec::width < width; ++k) {
    storeSome(y + k * Vec::width, x.v[k], width - k * Vec::width);
  }
}

// Pieces that the middle dimension is cut into: one, unless few outputs share a long reduction.
constexpr int64_t manyOutputs = 4096;
inline int64_t reducePieceLength(const ReduceShape& s) {
  const int64_t longest = reduceGrain / (s.inner < 1 ? 1 : s.inner);
  return longest < 4 * blockSteps ? 4 * blockSteps : longest;
}
inline int64_t reducePieces(const ReduceShape& s) {
  const int64_t length = reducePieceLength(s);
  if (static_cast<int64_t>(s.outer) * s.inner >= manyOutputs) return 1;
  return s.count > length ? (s.count + length - 1) / length : 1;
}
inline size_t reduceWorkspace(const ReduceShape& s, int) {
  const int64_t pieces = reducePieces(s);
  return pieces == 1 ? 0 : sizeof(double) * s.outer * pieces * s.inner;
}

// y = scale × the reduction.
template <class Op>
void reduce(const ReduceShape& s, const Context& context, const float* x, float* y, double scale) {
  const int64_t inner = s.inner, count = s.count;
  const int64_t pieces = reducePieces(s), length = reducePieceLength(s);
  double* partials = reinterpret_cast<double*>(context.workspace);  // [outer, pieces, inner]
  const int wide = 4 * Vec::width;
  const int64_t blocks = (inner + wide - 1) / wide;
  const auto put = [&](int64_t o, int64_t piece, int64_t i, double total) {
    if (pieces == 1) {
      y[o * inner + i] = static_cast<float>(total * scale);
    } else {
      partials[(o * pieces + piece) * inner + i] = total;
    }
  };
  // A task is some of these: one piece of one outer index and one block of columns.
  const int64_t units = s.outer * pieces * blocks;
  const int64_t elements = (pieces == 1 ? count : length) * (inner < wide ? inner : wide);
  const int64_t grain = unitsPerTask(elements, reduceGrain);
  context.parallelRange(units, grain, [&](int64_t firstUnit, int64_t lastUnit) {
    for (int64_t unit = firstUnit; unit < lastUnit; ++unit) {
      const int64_t block = unit % blocks, piece = unit / blocks % pieces;
      const int64_t o = unit / blocks / pieces;
      const int64_t begin = piece * length;
      const int64_t end = pieces == 1 || begin + length > count ? count : begin + length;
      const float* from = x + o * count * inner;
      if (inner == 1) {
        put(o, piece, 0, reduceRow<Op>(from + begin, end - begin));
        continue;
      }
      const int64_t column = block * wide;
      const int width = static_cast<int>(inner - column < wide ? inner - column : wide);
      const auto term = [=](int64_t row, int k, int n) {
        return Op::term(loadSome(from + row * inner + column + k, n));
      };
      float totals[4 * Vec::width];
      storeColumns(totals, reduceColumns<Op>(begin, end, width, term), width);
      for (int i = 0; i < width; ++i) put(o, piece, column + i, totals[i]);
    }
  });
  if (pieces == 1) return;
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      double total = Op::start;
      for (int64_t piece = 0; piece < pieces; ++piece) {
        total = Op::join(total, partials[(o * pieces + piece) * inner + i]);
      }
      y[o * inner + i] = static_cast<float>(total * scale);
    }
  }
}

void sum(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<Sum>(s, context, x, y, 1);
}
void mean(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<Sum>(s, context, x, y, s.count == 0 ? static_cast<double>(notANumber) : 1.0 / s.count);
}
void sumSquares(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<SumSquares>(s, context, x, y, 1);
}
void max(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<Max>(s, context, x, y, 1);
}
void min(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<Min>(s, context, x, y, 1);
}
FOVEA_WORKSPACE(sum, ReduceShape, reduceWorkspace)
FOVEA_WORKSPACE(mean, ReduceShape, reduceWorkspace)
FOVEA_WORKSPACE(sumSquares, ReduceShape, reduceWorkspace)
FOVEA_WORKSPACE(max, ReduceShape, reduceWorkspace)
FOVEA_WORKSPACE(min, ReduceShape, reduceWorkspace)

// Which of two is ahead for argmax and argmin; a NaN is ahead of every number.
struct Largest {
  static Mask ahead(Vec x, Vec best) { return less(best, x) | (isNan(x) & ~isNan(best)); }
  static bool ahead(float x, float best) { return x > best || (x != x && best == best); }
};
struct Smallest {
  static Mask ahead(Vec x, Vec best) { return less(x, best) | (isNan(x) & ~isNan(best)); }
  static bool ahead(float x, float best) { return x < best || (x != x && best == best); }
};

// The first index of [begin, end) that none is ahead of; begin < end.
template <class Op>
int32_t indexInRow(const float* x, int64_t begin, int64_t end) {
  constexpr int w = Vec::width;
  int64_t i = begin, best = begin;
  if (end - begin >= 2 * w) {
    Vec value = load(x + begin);
    Ints index = broadcastInts(static_cast<int32_t>(begin)) + iota();
    Ints current = index;
    for (i = begin + w; i + w <= end; i += w) {
      const Vec v = load(x + i);
      const Mask ahead = Op::ahead(v, value);
      current = current + broadcastInts(w);
      value = select(ahead, v, value);
      index = select(ahead, current, index);
    }
    int32_t lanes[w];
    storeInts(lanes, index);
    best = lanes[0];
    for (int lane = 1; lane < w; ++lane) {
      const bool tied = !Op::ahead(x[best], x[lanes[lane]]);
      if (Op::ahead(x[lanes[lane]], x[best]) || (tied && lanes[lane] < best)) best = lanes[lane];
    }
  }
  for (; i < end; ++i) {
    if (Op::ahead(x[i], x[best])) best = i;
  }
  return static_cast<int32_t>(best);
}

inline size_t indexWorkspace(const ReduceShape& s, int) {
  const int64_t pieces = reducePieces(s);
  return pieces == 1 || s.inner != 1 ? 0 : sizeof(int32_t) * s.outer * pieces;
}

template <class Op>
void indexOfRows(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  const int64_t count = s.count, pieces = reducePieces(s), length = reducePieceLength(s);
  int32_t* partials = pieces == 1 ? y : reinterpret_cast<int32_t*>(context.workspace);
  const int64_t grain = pieces > 1 ? 1 : unitsPerTask(count, reduceGrain);
  context.parallelRange(s.outer * pieces, grain, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t begin = unit % pieces * length;
      const int64_t end = pieces == 1 || begin + length > count ? count : begin + length;
      partials[unit] = indexInRow<Op>(x + unit / pieces * count, begin, end);
    }
  });
  if (pieces == 1) return;
  for (int64_t o = 0; o < s.outer; ++o) {
    const float* row = x + o * count;
    const int32_t* found = partials + o * pieces;
    y[o] = found[0];
    for (int64_t piece = 1; piece < pieces; ++piece) {
      if (Op::ahead(row[found[piece]], row[y[o]])) y[o] = found[piece];
    }
  }
}

template <class Op>
void indexOfColumns(const ReduceShape& s, const Context& context, const float* x, int32_t* y) {
  constexpr int w = Vec::width;
  const int64_t inner = s.inner, blocks = (inner + w - 1) / w;
  const int64_t elements = s.count * (inner < w ? inner : w);
  const int64_t grain = unitsPerTask(elements, reduceGrain);
  context.parallelRange(s.outer * blocks, grain, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t o = unit / blocks, column = unit % blocks * w;
      const int n = static_cast<int>(inner - column < w ? inner - column : w);
      const float* from = x + o * s.count * inner + column;
      Vec value = loadSome(from, n);
      Ints index = broadcastInts(0);
      for (int32_t c = 1; c < s.count; ++c) {
        const Vec v = loadSome(from + c * inner, n);
        const Mask ahead = Op::ahead(v, value);
        value = select(ahead, v, value);
        index = select(ahead, broadcastInts(c), index);
      }
      storeFirstInts(y + o * inner + column, index, n);
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
