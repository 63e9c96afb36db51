// How the gradients of pooling reach x: each row of gradX collects, from lines of gradY with zeros
// around them, what every window that covers it has for it. Nothing is scattered.
//
//   line of gradY   0 a b c d 0
//   row of gradX    column 2 k (+ 1) of windows of three, two apart, no padding:
//                   even: line[k] + line[k - 1]     odd: line[k]
#pragma once

#include "plane.h"
#include "pool2d-window.h"
#include "stream.h"

namespace fovea {
namespace {

// The rows of windows that reach a row of x; none where last < first.
struct Reaching {
  int64_t first, last;
  Reaching(const Axis& rows, int64_t row) {
    const int64_t above = row - rows.start;  // >= 0: rows.start is minus the padding
    first = ceilDiv(larger(0, above - rows.taps + 1), rows.stride);
    last = smaller(rows.count - 1, above / rows.stride);
  }
  // Those of the row below, without a division.
  void goTo(const Axis& rows, int64_t row) {
    const int64_t above = row - rows.start;
    while (first * rows.stride + rows.taps <= above) ++first;
    while (last + 1 < rows.count && (last + 1) * rows.stride <= above) ++last;
  }
};

struct SpreadPlan {
  Axis rows, columns;
  int64_t planes;
  int64_t before;     // zeros before a line
  int64_t pitch;      // from line to line
  int64_t bandRows;   // rows of gradX made from the same lines
  int64_t lineCount;  // lines that can reach a band
  bool streamed;

  template <class Shape>
  explicit SpreadPlan(const Shape& s)
      : rows{s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, 1},
        columns{s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, 1},
        planes(s.planes) {
    before = (columns.taps - 1) / columns.stride;
    const int64_t reached = (columns.length + s.padLeft) / columns.stride + 1;
    pitch = roundUp(before + larger(columns.count, reached) + Vec::width, Vec::width);
    bandRows = larger(1, smaller(rows.length, 2 * bandFloats / larger(1, columns.length)));
    lineCount = smaller(rows.count, (bandRows + rows.taps - 2) / rows.stride + 1);
    streamed = planes * plane() >= streamedElements;
  }

  int64_t plane() const { return rows.length * columns.length; }
  int64_t outPlane() const { return rows.count * columns.count; }
  int64_t linesLength() const { return roundUp(lineCount * pitch + Vec::width, 16); }
  int64_t stageLength() const { return bandRows * columns.length; }
};

// A row of x from lines of windows: column u is tap j of window (u - start - j) / stride, for each
// j that leaves no remainder. With windows two apart an even column has so many taps, an odd one so
// many; 0 is for any number.
template <int lineCount, int evenTaps, int oddTaps>
inline void spreadPairs(const Axis& columns, const float* lines, int64_t pitch, float* to) {
  const auto sum = [&](auto fixed, int64_t column, int64_t k) FOVEA_INLINE_LAMBDA {
    const int64_t reach = column - columns.start;  // >= 0: columns.start is minus the padding
    const float* last = lines + reach / 2 + k;
    const int64_t taps = fixed > 0 ? fixed : (columns.taps - reach % 2 + 1) / 2;
    Vec total = broadcast(0);
    for (int64_t m = 0; m < taps; ++m) {
      for (int64_t r = 0; r < lineCount; ++r) total = total + load(last - m + r * pitch);
    }
    return total;
  };
  for (int64_t u = 0; u < columns.length; u += 2 * Vec::width) {
    const Vec even = sum(std::integral_constant<int, evenTaps>(), 0, u / 2);
    const Vec odd = sum(std::integral_constant<int, oddTaps>(), 1, u / 2);
    const int64_t left = columns.length - u;
    storeUpTo(to + u, interleaveLow(even, odd), lanesLeft(left));
    if (left <= Vec::width) break;
    storeUpTo(to + u + Vec::width, interleaveHigh(even, odd), lanesLeft(left - Vec::width));
  }
}

// Windows next to each other.
inline void spreadNeighbours(const Axis& columns, const float* line, int64_t, float* to) {
  forVectors(columns.length, [&](int64_t u, auto n) {
    Vec total = broadcast(0);
    for (int64_t j = 0; j < columns.taps; ++j) total = total + load(line + u - columns.start - j);
    storeUpTo(to + u, total, n);
  });
}

// Windows further apart, one after another.
inline void spreadNumbers(const Axis& columns, const float* line, int64_t, float* to) {
  fillRow(to, columns.length, 0);
  for (int64_t o = 0; o < columns.count; ++o) {
    const int64_t begin = columns.start + o * columns.stride;
    const int64_t end = smaller(columns.length, begin + columns.taps);
    for (int64_t u = larger(0, begin); u < end; ++u) to[u] += line[o];
  }
}

// Spreads one line, or two at once if there is a way.
using SpreadLines = void (*)(const Axis& columns, const float* lines, int64_t pitch, float* to);
struct Spread {
  SpreadLines one, two;
  explicit Spread(const Axis& columns) : one(spreadNumbers), two(nullptr) {
    if (columns.stride == 1) one = spreadNeighbours;
    if (columns.stride != 2) return;
    if (columns.taps == 2 && columns.start % 2 == 0) {
      *this = {spreadPairs<1, 1, 1>, spreadPairs<2, 1, 1>};
    } else if (columns.taps == 3 && columns.start % 2 == 0) {
      *this = {spreadPairs<1, 2, 1>, spreadPairs<2, 2, 1>};
    } else if (columns.taps == 3) {
      *this = {spreadPairs<1, 1, 2>, spreadPairs<2, 1, 2>};
    } else {
      one = spreadPairs<1, 0, 0>;
    }
  }

 private:
  Spread(SpreadLines ofOne, SpreadLines ofTwo) : one(ofOne), two(ofTwo) {}
};

// Bands of all of gradX: start(thread), at the start of a task, gives what is then called with
// (plane, first row, last row + 1) for each of its bands.
template <class Start>
void forSpreadBands(const SpreadPlan& plan, const Context& context, const Start& start) {
  const int64_t bands = ceilDiv(plan.rows.length, plan.bandRows);
  const int64_t perTask = 1 + taskFloats / larger(1, plan.bandRows * plan.columns.length);
  const int64_t all = plan.planes * bands;
  context.parallel(ceilDiv(all, perTask), [&](int64_t task, int thread) {
    const auto spread = start(thread);
    const int64_t last = smaller(all, (task + 1) * perTask);
    for (int64_t i = task * perTask; i < last; ++i) {
      const int64_t row = i % bands * plan.bandRows;
      spread(i / bands, row, smaller(plan.rows.length, row + plan.bandRows));
    }
    if (plan.streamed) streamFence();
  });
}

}  // namespace
}  // namespace fovea
