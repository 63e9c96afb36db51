// Layer normalization and its gradient: each row has its own mean and variance.
#pragma once

#include <cmath>

#include "context.h"
#include "list.h"
#include "math.h"
#include "normalize.h"
#include "reduce.h"
#include "softmax.h"
#include "workspace.h"

namespace fovea {
namespace {

void layerNorm(const LayerNormShape& s, const Context& context, const float* x, const float* weight,
               const float* bias, float* y, float* mean, float* inverseStd) {
  const int64_t columns = s.columns;
  const double size = static_cast<double>(columns < 1 ? 1 : columns);
  context.parallelRange(
      s.rows, unitsPerTask(columns, normalizeGrain), [&](int64_t first, int64_t last) {
        for (int64_t row = first; row < last; ++row) {
          const float* from = x + row * columns;
          const Moments m = momentsOf(from, 1, columns, columns);
          const float inverse =
              static_cast<float>(1 / ::sqrt(m.squares / size + static_cast<double>(s.eps)));
          mean[row] = m.high + m.low;
          inverseStd[row] = inverse;
          const Vec center = broadcast(m.high), scale = broadcast(inverse);
          const Vec shift = broadcast(-m.low * inverse);
          fillRow(columns, y + row * columns, [=](int64_t i, int n) {
            const Vec normal = fma(loadSome(from + i, n) - center, scale, shift);
            return fma(normal, loadOr(weight, i, n, 1), loadOr(bias, i, n, 0));
          });
        }
      });
}

// Rows are summed into gradWeight and gradBias in pieces of this many.
inline int64_t layerNormPiece(const LayerNormBackwardShape& s) {
  const int64_t rows = reduceGrain / (s.columns < 1 ? 1 : s.columns);
  return rows < 4 * blockSteps ? 4 * blockSteps : rows;
}
inline int64_t layerNormPieces(const LayerNormBackwardShape& s) {
  const int64_t piece = layerNormPiece(s);
  return s.rows == 0 ? 1 : (s.rows + piece - 1) / piece;
}
inline size_t layerNormWorkspace(const LayerNormBackwardShape& s, int) {
  return sizeof(float) * 2 * layerNormPieces(s) * s.columns;
}

// With g = gradY weight and n = (x - mean) inverseStd: gradX = inverseStd (g - mean of g - n × mean
// of g n), per row.
void layerNormBackward(const LayerNormBackwardShape& s, const Context& context, const float* x,
                       const float* gradY, const float* weight, const float* mean,
                       const float* inverseStd, float* gradX, float* gradWeight, float* gradBias) {
  const int64_t rows = s.rows, columns = s.columns;
  const double size = static_cast<double>(columns < 1 ? 1 : columns);
  context.parallelRange(
      rows, unitsPerTask(columns, normalizeGrain), [&](int64_t first, int64_t last) {
        for (int64_t row = first; row < last; ++row) {
          const int64_t at = row * columns;
          const Vec center = broadcast(mean[row]), inverse = broadcast(inverseStd[row]);
          const auto gAt = [=](int64_t i, int n) {
            return loadSome(gradY + at + i, n) * loadOr(weight, i, n, 1);
          };
          const auto normalAt = [=](int64_t i, int n) {
            return (loadSome(x + at + i, n) - center) * inverse;
          };
          const Sums sums = sumRows(1, columns, [&](int64_t, int64_t i, int n) -> Terms {
            const Vec g = gAt(i, n);
            return {g, g * normalAt(i, n)};
          });
          const Vec average = broadcast(static_cast<float>(sums.first / size));
          const Vec slope = broadcast(static_cast<float>(sums.second / size));
          fillRow(columns, gradX + at, [&](int64_t i, int n) {
            return inverse * fnma(normalAt(i, n), slope, gAt(i, n) - average);
          });
        }
      });
  // Column sums: each piece of rows and block of columns is a task, then the pieces are added.
  const int64_t wide = 4 * Vec::width, blocks = (columns + wide - 1) / wide;
  const int64_t piece = layerNormPiece(s), pieces = layerNormPieces(s);
  float* partials = reinterpret_cast<float*>(context.workspace);  // [2, pieces, columns]
  const int64_t elements = (rows < piece ? rows : piece) * wide;
  context.parallelRange(
      pieces * blocks, unitsPerTask(elements, normalizeGrain), [&](int64_t from, int64_t to) {
        for (int64_t unit = from; unit < to; ++unit) {
          const int64_t begin = unit / blocks * piece, at = unit % blocks * wide;
          const int64_t end = begin + piece < rows ? begin + piece : rows;
          const int width = static_cast<int>(columns - at < wide ? columns - at : wide);
          const auto gAt = [=](int64_t row, int column, int n) {
            return loadSome(gradY + row * columns + at + column, n);
          };
          const Columns total = reduceColumns<Sum>(begin, end, width, gAt);
          const Columns product =
              reduceColumns<Sum>(begin, end, width, [&](int64_t row, int column, int n) {
                const Vec d = loadSome(x + row * columns + at + column, n) - broadcast(mean[row]);
                return gAt(row, column, n) * (d * broadcast(inverseStd[row]));
              });
          float* out = partials + unit / blocks * columns + at;
          storeColumns(out, product, width);
          storeColumns(out + pieces * columns, total, width);
        }
      });
  for (int64_t c = 0; c < columns; ++c) {
    double product = 0, total = 0;
    for (int64_t i = 0; i < pieces; ++i) {
      product += partials[i * columns + c];
      total += partials[(pieces + i) * columns + c];
    }
    gradWeight[c] = static_cast<float>(product);
    gradBias[c] = static_cast<float>(total);
  }
}
FOVEA_WORKSPACE(layerNormBackward, LayerNormBackwardShape, layerNormWorkspace)

}  // namespace
}  // namespace fovea
