// Folding many elements into one: what a reduction joins, along a row, along several rows at once,
// and down columns. Sums are pairwise or in blocks whose totals are doubles.
#pragma once

#include "context.h"
#include "math.h"
#include "rows.h"

namespace fovea {
namespace {

constexpr int64_t blockSteps = 64;  // vectors an accumulator takes before it goes to a double

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
  static Vec join(Vec a, Vec b) { return select(isNan(a), a, max(a, b)); }
  static double join(double a, double b) { return a <= b || b != b ? b : a; }
  static float across(Vec x) { return any(isNan(x)) ? notANumber : largest(x); }
};
// A maximum that a NaN may be missing from, where it comes to light anyway.
struct MaxOfNumbers : Max {
  static Vec join(Vec a, Vec b) { return max(b, a); }
  static double join(double a, double b) { return a < b ? b : a; }
  static float across(Vec x) { return largest(x); }
};
struct Min {
  static constexpr float start = infinity;
  static Vec term(Vec x) { return x; }
  static Vec join(Vec a, Vec b) { return select(isNan(a), a, min(a, b)); }
  static double join(double a, double b) { return b <= a || b != b ? b : a; }
  static float across(Vec x) { return any(isNan(x)) ? notANumber : smallest(x); }
};

// The most elements whose fold stays in floats.
constexpr int64_t blockElements = 4 * blockSteps * Vec::width;

// Joins term(i, n) of n elements from i on, over [begin, end), at most blockElements, lane by lane.
// `term` may return anything in the lanes from n on.
template <class Op, class Term>
Vec foldBlock(int64_t begin, int64_t end, const Term& term) {
  constexpr int w = Vec::width;
  const Vec start = broadcast(Op::start);
  Vec s0 = start, s1 = start, s2 = start, s3 = start;
  int64_t i = begin;
  for (; i + 4 * w <= end; i += 4 * w) {
    s0 = Op::join(s0, term(i, w));
    s1 = Op::join(s1, term(i + w, w));
    s2 = Op::join(s2, term(i + 2 * w, w));
    s3 = Op::join(s3, term(i + 3 * w, w));
  }
  for (; i + w <= end; i += w) s0 = Op::join(s0, term(i, w));
  const int rest = static_cast<int>(end - i);
  if (rest > 0) s1 = Op::join(s1, select(firstLanes(rest), term(i, rest), start));
  return Op::join(Op::join(s0, s1), Op::join(s2, s3));
}

// Joins term(i, n) over [0, count), however many.
template <class Op, class Term>
double reduceTerms(int64_t count, const Term& term) {
  double total = Op::start;
  for (int64_t i = 0; i < count; i += blockElements) {
    const int64_t end = i + blockElements < count ? i + blockElements : count;
    total = Op::join(total, static_cast<double>(Op::across(foldBlock<Op>(i, end, term))));
  }
  return total;
}

template <class Op>
double reduceRow(const float* x, int64_t count) {
  return reduceTerms<Op>(count, [x](int64_t i, int n) { return Op::term(loadSome(x + i, n)); });
}

// The fold across the lanes of each of `width` vectors, one a lane; changes x.
template <class Op>
Vec acrossEach(Vec* x) {
  transpose(x);
  for (int half = Vec::width / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) x[i] = Op::join(x[i], x[i + half]);
  }
  return x[0];
}

// Short rows are folded as many at once as a vector has lanes: across them costs little more than
// across one. Longer ones come one by one.
constexpr int64_t shortRow = 256;
inline int rowsAtOnce(int64_t count) {
  return count <= shortRow ? Vec::width : 1;
}

// totals[row] = the join of term(row, i, n) over [0, count), for n rows: at most rowsAtOnce. Writes
// a whole vector of totals.
template <class Op, class Term>
void foldRows(int rows, int64_t count, float* totals, const Term& term) {
  if (rows == 1) {
    totals[0] =
        static_cast<float>(reduceTerms<Op>(count, [&](int64_t i, int n) { return term(0, i, n); }));
    return;
  }
  Vec x[Vec::width];
  for (int row = 0; row < Vec::width; ++row) {
    x[row] = row >= rows
                 ? broadcast(Op::start)
                 : foldBlock<Op>(0, count, [&](int64_t i, int n) { return term(row, i, n); });
  }
  store(totals, acrossEach<Op>(x));
}

// body(first row, n) for groups of rows of `count` elements, spread over tasks worth `grain`.
template <class Body>
void forRowGroups(int64_t rows, int64_t count, int64_t grain, const Context& context,
                  const Body& body) {
  const int most = rowsAtOnce(count);
  const int64_t groups = (rows + most - 1) / most;
  context.parallelRange(groups, unitsPerTask(count * most, grain), [&](int64_t from, int64_t to) {
    for (int64_t group = from; group < to; ++group) {
      const int64_t first = group * most, left = rows - first;
      body(first, static_cast<int>(left < most ? left : most));
    }
  });
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

}  // namespace
}  // namespace fovea
