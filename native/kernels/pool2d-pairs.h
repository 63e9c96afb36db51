// Windows of two or three columns, two apart: their columns are the evens and the odds of pairs of
// vectors, so a row of y comes straight from the rows of x, in registers.
//
//   x       a b│c d│e f│g h      evens a c e g, odds b d f h
//   2       [a b][c d]           evens, odds
//   3       [a b c]              evens, odds, evens from two further on
//   3, pad  0 a b][b c d]        odds shifted by one lane, evens, odds
#pragma once

#include "plane.h"
#include "unroll.h"

namespace fovea {
namespace {

// body(i, lanes) for vectors that cover [0, count). Where one would be part empty it reaches back
// over the one before it, if there is one: what body does to an element twice must do no harm.
struct AllLanes {
  constexpr operator int() const { return Vec::width; }
};
template <class Body>
FOVEA_INLINE void forVectors(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) body(i, AllLanes());
  if (i == count) return;
  if (count > Vec::width) {
    body(count - Vec::width, AllLanes());
  } else {
    body(0, static_cast<int>(count));
  }
}

inline void storeIntsUpTo(int32_t* p, Ints x, int n) {
  if (n == Vec::width) {
    storeInts(p, x);
  } else {
    storeFirstInts(p, x, n);
  }
}

// Memory for numbers and, if they are wanted, for where each of them comes from.
struct LineMemory {
  float* numbers;
  int32_t* places;
};

// A line of numbers. What a fold carries of it is a vector.
struct Numbers {
  using Item = Vec;
  static constexpr bool placed = false;
  float* numbers;

  static Numbers in(const LineMemory& memory) { return {memory.numbers}; }
  static Item item(Vec x, int64_t) { return x; }
  static Item further(Item item, int64_t) { return item; }
  Item at(int64_t i) const { return load(numbers + i); }
  void put(int64_t i, Item item, int n) const { storeUpTo(numbers + i, item, n); }
};

// A line of numbers that know their places.
struct Placed {
  Vec number;
  Ints place;
};
struct PlacedNumbers {
  using Item = Placed;
  static constexpr bool placed = true;
  float* numbers;
  int32_t* places;

  static PlacedNumbers in(const LineMemory& memory) { return {memory.numbers, memory.places}; }
  static Item item(Vec x, int64_t place) { return {x, broadcastInts(static_cast<int32_t>(place))}; }
  static Item further(Item item, int64_t places) {
    return {item.number, item.place + broadcastInts(static_cast<int32_t>(places))};
  }
  Item at(int64_t i) const { return {load(numbers + i), loadInts(places + i)}; }
  void put(int64_t i, Item item, int n) const {
    storeUpTo(numbers + i, item.number, n);
    storeIntsUpTo(places + i, item.place, n);
  }
};

// A row of y in its plane, and the first row of x in its windows.
struct PooledRow {
  int64_t row, firstOfX;
};

// Evens and odds of the `left` elements from p on, and `padding` beyond them.
struct ColumnPair {
  Vec even, odd;
};
FOVEA_INLINE ColumnPair loadColumns(const float* p, int64_t left, float padding) {
  if (left >= 2 * Vec::width) {
    const Vec low = load(p), high = load(p + Vec::width);
    return {evens(low, high), odds(low, high)};
  }
  const auto loadPadded = [&](const float* from, int64_t n) FOVEA_INLINE_LAMBDA {
    const int lanes = lanesLeft(larger(0, n));
    if (lanes == 0) return broadcast(padding);
    if (lanes == Vec::width) return load(from);
    const Vec x = loadFirst(from, lanes);
    return padding == 0 ? x : select(less(iota(), broadcastInts(lanes)), x, broadcast(padding));
  };
  const Vec low = loadPadded(p, left), high = loadPadded(p + Vec::width, left - Vec::width);
  return {evens(low, high), odds(low, high)};
}

inline bool pairsSuit(const Axis& rows, const Axis& columns) {
  const bool two = columns.taps == 2 && columns.start == 0;
  const bool three = columns.taps == 3 && columns.start >= -1;
  return columns.stride == 2 && (two || three) && rows.taps <= 3;
}

// finish(i, row, column, fold, lanes) for a row of y over so many rows of x; i counts from `first`.
// The result has the lanes where x is NaN.
template <class Fold, int rows, int taps, int before, class Finish>
inline Mask foldPairs(const float* x, const Axis& columns, int64_t first, const PooledRow& row,
                      const Finish& finish) {
  using Line = typename Fold::Line;
  const int64_t width = columns.length;
  Mask strange = isNan(broadcast(0));
  Vec odds[rows];  // of the columns before
  unroll<rows>([&](auto r) { odds[r] = broadcast(Fold::padding); });
  for (int64_t o = 0; o < columns.count; o += Vec::width) {
    typename Line::Item total;
    unroll<rows>([&](auto r) FOVEA_INLINE_LAMBDA {
      const float* from = x + r * width + 2 * o;
      const int64_t left = width - 2 * o;
      const ColumnPair pair = loadColumns(from, left, Fold::padding);
      if (Fold::watches) strange = strange | unordered(pair.even, pair.odd);
      auto window = Line::item(pair.even, before);
      if constexpr (before > 0) {
        window = Fold::of(Line::item(shiftIn(odds[r], pair.odd), 0), window);
        odds[r] = pair.odd;
      }
      window = Fold::of(window, Line::item(pair.odd, before + 1));
      if constexpr (before + 2 < taps) {
        const Vec last = loadColumns(from + 2, left - 2, Fold::padding).even;
        if (Fold::watches) strange = strange | isNan(last);
        window = Fold::of(window, Line::item(last, 2));
      }
      if constexpr (r == 0) {
        total = window;
      } else {
        total = Fold::of(total, Line::further(window, r * width));
      }
    });
    finish(first + o, row, o, total, lanesLeft(columns.count - o));
  }
  return strange;
}

template <class Fold, int rows, class Finish>
inline Mask foldPairsOf(const float* x, const Axis& columns, int64_t first, const PooledRow& row,
                        const Finish& finish) {
  if (columns.taps == 2) return foldPairs<Fold, rows, 2, 0>(x, columns, first, row, finish);
  if (columns.start == 0) return foldPairs<Fold, rows, 3, 0>(x, columns, first, row, finish);
  return foldPairs<Fold, rows, 3, 1>(x, columns, first, row, finish);
}

template <class Fold, class Finish>
inline Mask foldPairs(const float* x, int64_t rows, const Axis& columns, int64_t first,
                      const PooledRow& row, const Finish& finish) {
  if (rows == 1) return foldPairsOf<Fold, 1>(x, columns, first, row, finish);
  if (rows == 2) return foldPairsOf<Fold, 2>(x, columns, first, row, finish);
  return foldPairsOf<Fold, 3>(x, columns, first, row, finish);
}

}  // namespace
}  // namespace fovea
