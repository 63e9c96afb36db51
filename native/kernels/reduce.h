// Reductions of the middle dimension, [outer, count, inner] -> [outer, inner]. A long reduction is
// cut into pieces that depend on the shape only, so results do not depend on the number of threads.
#pragma once

#include "context.h"
#include "fold.h"
#include "list.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t reduceGrain = 65536;  // elements worth a task

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

// Columns swept side by side, so that whole pieces of rows are read in the order they lie in.
constexpr int sweepWidth = 512;

// total[i] = the join of rows [begin, end) of x at column i < width <= sweepWidth, in pairs of
// halves.
template <class Op>
void sweepColumns(int64_t begin, int64_t end, int width, const float* x, int64_t stride,
                  float* total) {
  if (end - begin > blockSteps) {
    const int64_t middle = begin + (end - begin) / 2;
    float second[sweepWidth];
    sweepColumns<Op>(begin, middle, width, x, stride, total);
    sweepColumns<Op>(middle, end, width, x, stride, second);
    fillRow(width, total, [&](int64_t i, int n) {
      return Op::join(loadSome(total + i, n), loadSome(second + i, n));
    });
    return;
  }
  fillRow(width, total, [](int64_t, int) { return broadcast(Op::start); });
  const auto term = [=](int64_t row, int64_t i, int n) {
    return Op::term(loadSome(x + row * stride + i, n));
  };
  int64_t row = begin;
  for (; row + 4 <= end; row += 4) {
    fillRow(width, total, [&](int64_t i, int n) {
      const Vec a = Op::join(term(row, i, n), term(row + 1, i, n));
      const Vec b = Op::join(term(row + 2, i, n), term(row + 3, i, n));
      return Op::join(loadSome(total + i, n), Op::join(a, b));
    });
  }
  for (; row < end; ++row) {
    fillRow(width, total,
            [&](int64_t i, int n) { return Op::join(loadSome(total + i, n), term(row, i, n)); });
  }
}

// The rows of one piece folded in a block of columns, a few of them in registers.
template <class Op>
void foldColumns(int64_t begin, int64_t end, int width, const float* x, int64_t stride,
                 float* total) {
  if (width > 4 * Vec::width) return sweepColumns<Op>(begin, end, width, x, stride, total);
  const auto term = [=](int64_t row, int i, int n) {
    return Op::term(loadSome(x + row * stride + i, n));
  };
  storeColumns(total, reduceColumns<Op>(begin, end, width, term), width);
}

// y = the reduction / divisor.
template <class Op>
void reduce(const ReduceShape& s, const Context& context, const float* x, float* y,
            double divisor) {
  const int64_t inner = s.inner, count = s.count;
  const int64_t pieces = reducePieces(s), length = reducePieceLength(s);
  const Vec divisors = broadcast(static_cast<float>(divisor));
  if (inner == 1 && pieces == 1) {
    forRowGroups(s.outer, count, reduceGrain, context, [&](int64_t first, int rows) {
      float totals[Vec::width];
      foldRows<Op>(rows, count, totals, [=](int row, int64_t i, int n) {
        return Op::term(loadSome(x + (first + row) * count + i, n));
      });
      storeSome(y + first, loadSome(totals, rows) / divisors, rows);
    });
    return;
  }
  double* partials = reinterpret_cast<double*>(context.workspace);  // [outer, pieces, inner]
  const int64_t blocks = (inner + sweepWidth - 1) / sweepWidth;
  // A task is some of these: one piece of one outer index and one block of columns.
  const int64_t units = s.outer * pieces * blocks;
  const int64_t elements =
      (pieces == 1 ? count : length) * (inner < sweepWidth ? inner : sweepWidth);
  const int64_t grain = unitsPerTask(elements, reduceGrain);
  context.parallelRange(units, grain, [&](int64_t firstUnit, int64_t lastUnit) {
    for (int64_t unit = firstUnit; unit < lastUnit; ++unit) {
      const int64_t column = unit % blocks * sweepWidth, piece = unit / blocks % pieces;
      const int64_t o = unit / blocks / pieces;
      const int64_t begin = piece * length;
      const int64_t end = pieces == 1 || begin + length > count ? count : begin + length;
      const float* from = x + o * count * inner + column;
      double* put = partials + (o * pieces + piece) * inner + column;
      if (inner == 1) {
        *put = reduceRow<Op>(from + begin, end - begin);
        continue;
      }
      const int width = static_cast<int>(inner - column < sweepWidth ? inner - column : sweepWidth);
      float totals[sweepWidth] = {};
      foldColumns<Op>(begin, end, width, from, inner, totals);
      if (pieces == 1) {
        fillRow(width, y + o * inner + column,
                [&](int64_t i, int n) { return loadSome(totals + i, n) / divisors; });
      } else {
        for (int i = 0; i < width; ++i) put[i] = static_cast<double>(totals[i]);
      }
    }
  });
  if (pieces == 1) return;
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      double total = Op::start;
      for (int64_t piece = 0; piece < pieces; ++piece) {
        total = Op::join(total, partials[(o * pieces + piece) * inner + i]);
      }
      y[o * inner + i] = static_cast<float>(total / divisor);
    }
  }
}

void sum(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<Sum>(s, context, x, y, 1);
}
void mean(const ReduceShape& s, const Context& context, const float* x, float* y) {
  reduce<Sum>(s, context, x, y, s.count);  // NaN of none
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

}  // namespace
}  // namespace fovea
