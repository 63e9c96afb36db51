// Functions of two tensors with broadcasting: dimensions are merged where memory allows, then each
// row of the innermost dimension is one loop.
#pragma once

#include "activation.h"
#include "context.h"
#include "list.h"
#include "math-wide.h"
#include "rows.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t binaryGrain = 65536;  // elements worth a task

// An operand's elements from `p` on: `step` floats apart, 0 for one that repeats.
struct BroadcastOperand {
  const float* p;
  int64_t step;
};

inline Vec loadSpread(const float* p, int64_t step, int n) {
  float lanes[Vec::width] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i * step];
  return load(lanes);
}

// y[i] = f(a[i], b[i]); the steps are template parameters where they are 0 or 1, else -1.
template <int aStep, int bStep, class F>
void binaryRow(int64_t count, BroadcastOperand a, BroadcastOperand b, float* y, bool streams,
               const F& f) {
  const Vec aOnly = broadcast(*a.p), bOnly = broadcast(*b.p);
  const auto aAt = [&](int64_t i, int n) {
    if (aStep == 0) return aOnly;
    if (aStep == 1) return loadSome(a.p + i, n);
    return loadSpread(a.p + i * a.step, a.step, n);
  };
  const auto bAt = [&](int64_t i, int n) {
    if (bStep == 0) return bOnly;
    if (bStep == 1) return loadSome(b.p + i, n);
    return loadSpread(b.p + i * b.step, b.step, n);
  };
  writeRow(count, y, streams, [&](int64_t i, int n) { return f(aAt(i, n), bAt(i, n)); });
}

template <class F>
void binaryRow(int64_t count, BroadcastOperand a, BroadcastOperand b, float* y, bool streams,
               const F& f) {
  if (a.step == 1 && b.step == 1) return binaryRow<1, 1>(count, a, b, y, streams, f);
  if (a.step == 1 && b.step == 0) return binaryRow<1, 0>(count, a, b, y, streams, f);
  if (a.step == 0 && b.step == 1) return binaryRow<0, 1>(count, a, b, y, streams, f);
  binaryRow<-1, -1>(count, a, b, y, streams, f);
}

// The output's dimensions after merging, innermost last, and what each adds to the operands.
struct MergedDimensions {
  int64_t size[4], a[4], b[4];
  int rank;
};

inline MergedDimensions mergeDimensions(const BroadcastShape& s) {
  const int64_t size[4] = {s.d0, s.d1, s.d2, s.d3};
  const int64_t a[4] = {s.a0, s.a1, s.a2, s.a3};
  const int64_t b[4] = {s.b0, s.b1, s.b2, s.b3};
  MergedDimensions m = {{1}, {0}, {0}, 1};
  bool first = true;
  for (int i = 0; i < 4; ++i) {
    if (size[i] == 1) continue;
    int k = m.rank - 1;
    if (!first && m.a[k] == a[i] * size[i] && m.b[k] == b[i] * size[i]) {
      m.size[k] *= size[i];
    } else {
      if (!first) k = m.rank++;
      m.size[k] = size[i];
    }
    m.a[k] = a[i];
    m.b[k] = b[i];
    first = false;
  }
  return m;
}

template <class F>
void broadcastElements(const BroadcastShape& s, const Context& context, const float* a,
                       const float* b, float* y, const F& f) {
  const MergedDimensions m = mergeDimensions(s);
  const int last = m.rank - 1;
  const int64_t columns = m.size[last];
  int64_t rows = 1;
  for (int k = 0; k < last; ++k) rows *= m.size[k];
  if (rows == 0 || columns == 0) return;
  // A task is a piece of one row, or several short rows.
  const int64_t piece = columns < binaryGrain ? columns : binaryGrain;
  const bool streams = streamsRows(rows * columns, piece) && y != a && y != b;
  const int64_t pieces = (columns + piece - 1) / piece;
  const int64_t rowGrain = binaryGrain / piece;
  context.parallelRange(rows * pieces, rowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t start = task % pieces * piece;
      const int64_t count = columns - start < piece ? columns - start : piece;
      int64_t aOffset = start * m.a[last], bOffset = start * m.b[last];
      int64_t row = task / pieces;
      float* out = y + row * columns + start;
      for (int k = last - 1; k >= 0; --k) {
        const int64_t index = row % m.size[k];
        row /= m.size[k];
        aOffset += index * m.a[k];
        bOffset += index * m.b[k];
      }
      binaryRow(count, {a + aOffset, m.a[last]}, {b + bOffset, m.b[last]}, out, streams, f);
    }
  });
}

#define FOVEA_BINARY_KERNEL(name, expression)                                                \
  void name(const BroadcastShape& s, const Context& context, const float* a, const float* b, \
            float* y) {                                                                      \
    broadcastElements(s, context, a, b, y, [](Vec u, Vec v) { return expression; });         \
  }

FOVEA_BINARY_KERNEL(add, u + v)
FOVEA_BINARY_KERNEL(sub, u - v)
FOVEA_BINARY_KERNEL(mul, u* v)
FOVEA_BINARY_KERNEL(div, u / v)
// NaN where either is NaN.
FOVEA_BINARY_KERNEL(maximum, select(lessEqual(u, v) | isNan(v), v, u))
FOVEA_BINARY_KERNEL(minimum, select(lessEqual(v, u) | isNan(v), v, u))
FOVEA_BINARY_KERNEL(equal, select(equal(u, v), broadcast(1), broadcast(0)))
FOVEA_BINARY_KERNEL(less, select(less(u, v), broadcast(1), broadcast(0)))

#undef FOVEA_BINARY_KERNEL

// The usual exponent, 2, is a product.
void pow(const BroadcastShape& s, const Context& context, const float* a, const float* b,
         float* y) {
  if (s.bLength == 1 && *b == 2.0f) {
    broadcastElements(s, context, a, b, y, [](Vec u, Vec) { return u * u; });
  } else {
    broadcastElements(s, context, a, b, y, [](Vec u, Vec v) { return pow(u, v); });
  }
}

}  // namespace
}  // namespace fovea
