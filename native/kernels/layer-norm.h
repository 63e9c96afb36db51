// Layer normalization and its gradient: each row has its own mean and variance.
#pragma once

#include <cmath>

#include "context.h"
#include "fold.h"
#include "list.h"
#include "math.h"
#include "normalize.h"
#include "reduce.h"
#include "split.h"
#include "workspace.h"

namespace fovea {
namespace {

// What layer normalization knows of each of n rows, rowsAtOnce of them: the mean is high + low.
struct RowMoments {
  float high[Vec::width], low[Vec::width], inverseStd[Vec::width];
};
inline RowMoments rowMoments(int rows, int64_t columns, float eps, const float* x) {
  RowMoments m;
  const double size = static_cast<double>(columns < 1 ? 1 : columns);
  if (rowsAtOnce(columns) == 1) {
    const Moments one = momentsOf(x, 1, columns, columns);
    m.high[0] = one.high;
    m.low[0] = one.low;
    m.inverseStd[0] = static_cast<float>(1 / ::sqrt(one.squares / size + static_cast<double>(eps)));
    return m;
  }
  const Vec sizes = broadcast(static_cast<float>(size));
  const auto xAt = [=](int row, int64_t i, int n) { return loadSome(x + row * columns + i, n); };
  foldRows<Sum>(rows, columns, m.high, xAt);
  store(m.high, load(m.high) / sizes);
  const auto difference = [&](int row, int64_t i, int n) {
    return xAt(row, i, n) - broadcast(m.high[row]);
  };
  float squares[Vec::width];
  foldRows<Sum>(rows, columns, m.low, difference);
  foldRows<SumSquares>(rows, columns, squares, [&](int row, int64_t i, int n) {
    return SumSquares::term(difference(row, i, n));
  });
  const Vec low = load(m.low) / sizes;
  const Vec variance = max(broadcast(0), fnma(low, low, load(squares) / sizes));
  store(m.low, low);
  store(m.inverseStd, broadcast(1) / sqrt(variance + broadcast(eps)));
  return m;
}

void layerNorm(const LayerNormShape& s, const Context& context, const float* x, const float* weight,
               const float* bias, float* y, float* mean, float* inverseStd) {
  const int64_t columns = s.columns;
  const bool streams = streamsRows(s.rows * columns, columns);
  forRowGroups(s.rows, columns, normalizeGrain, context, [&](int64_t first, int rows) {
    const float* from = x + first * columns;
    const RowMoments m = rowMoments(rows, columns, s.eps, from);
    for (int row = 0; row < rows; ++row) {
      mean[first + row] = m.high[row] + m.low[row];
      inverseStd[first + row] = m.inverseStd[row];
      const Vec center = broadcast(m.high[row]), scale = broadcast(m.inverseStd[row]);
      const Vec shift = broadcast(-m.low[row] * m.inverseStd[row]);
      writeRow(columns, y + (first + row) * columns, streams, [=](int64_t i, int n) {
        const Vec normal = fma(loadSome(from + row * columns + i, n) - center, scale, shift);
        return fma(normal, loadOr(weight, i, n, 1), loadOr(bias, i, n, 0));
      });
    }
  });
}

// Rows are summed into gradWeight and gradBias in pieces of this many, the pieces in pairs of
// halves.
constexpr int64_t layerNormPiece = 64;
inline int64_t layerNormPieces(const LayerNormBackwardShape& s) {
  return s.rows == 0 ? 1 : (s.rows + layerNormPiece - 1) / layerNormPiece;
}
inline size_t layerNormWorkspace(const LayerNormBackwardShape& s, int) {
  return sizeof(float) * 2 * layerNormPieces(s) * s.columns;
}

// With g = gradY weight and n = (x - mean) inverseStd: gradX = inverseStd (g - mean of g - n × mean
// of g n), per row; gradWeight is the sum of gradY n, gradBias that of gradY, per column.
void layerNormBackward(const LayerNormBackwardShape& s, const Context& context, const float* x,
                       const float* gradY, const float* weight, const float* mean,
                       const float* inverseStd, float* gradX, float* gradWeight, float* gradBias) {
  const int64_t rows = s.rows, columns = s.columns, pieces = layerNormPieces(s);
  const double size = static_cast<double>(columns < 1 ? 1 : columns);
  const bool streams = streamsRows(rows * columns, columns);
  float* products = reinterpret_cast<float*>(context.workspace);  // [pieces, columns]
  float* totals = products + pieces * columns;                    // [pieces, columns]
  const auto rowBackward = [=](int64_t row, float* product, float* total) {
    const int64_t at = row * columns;
    const Vec center = broadcast(mean[row]), inverse = broadcast(inverseStd[row]);
    const auto normalAt = [=](int64_t i, int n) {
      return (loadSome(x + at + i, n) - center) * inverse;
    };
    const Sums sums = sumRows(1, columns, [&](int64_t, int64_t i, int n) -> Terms {
      const Vec g = loadSome(gradY + at + i, n) * loadOr(weight, i, n, 1);
      return {g, g * normalAt(i, n)};
    });
    const Vec average = broadcast(static_cast<float>(sums.first / size));
    const Vec slope = broadcast(static_cast<float>(sums.second / size));
    writeRow(columns, gradX + at, streams, [&](int64_t i, int n) {
      const Vec raw = loadSome(gradY + at + i, n), normal = normalAt(i, n);
      storeSome(product + i, fma(raw, normal, loadSome(product + i, n)), n);
      storeSome(total + i, loadSome(total + i, n) + raw, n);
      return inverse * fnma(normal, slope, raw * loadOr(weight, i, n, 1) - average);
    });
  };
  const int64_t grain = unitsPerTask(layerNormPiece * columns, normalizeGrain);
  context.parallelRange(pieces, grain, [&](int64_t from, int64_t to) {
    for (int64_t piece = from; piece < to; ++piece) {
      float* product = products + piece * columns;
      float* total = totals + piece * columns;
      const auto zero = [](int64_t, int) { return broadcast(0); };
      fillRow(columns, product, zero);
      fillRow(columns, total, zero);
      const int64_t end = smaller((piece + 1) * layerNormPiece, rows);
      for (int64_t row = piece * layerNormPiece; row < end; ++row) {
        rowBackward(row, product, total);
      }
    }
  });
  for (int64_t c = 0; c < columns; c += sweepWidth) {
    const int width = static_cast<int>(smaller(columns - c, sweepWidth));
    foldColumns<Sum>(0, pieces, width, products + c, columns, gradWeight + c);
    foldColumns<Sum>(0, pieces, width, totals + c, columns, gradBias + c);
  }
}
FOVEA_WORKSPACE(layerNormBackward, LayerNormBackwardShape, layerNormWorkspace)

}  // namespace
}  // namespace fovea
