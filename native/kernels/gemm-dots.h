// matmul by dot products, where both factors are contiguous along k and packing would not pay.
#pragma once

#include "dot.h"
#include "gemm-plan.h"

namespace fovea {
namespace {

inline void matmulDots(const MatmulPlan& plan, const Context& context, const MatmulShape& s,
                       const float* a, const float* b, const float* bias, float* y) {
  const int64_t m = plan.m, n = plan.n, k = plan.k;
  const int64_t rowsAtOnce = Split::atMost(m, maxDotRows).largest();
  const int64_t columnsAtOnce = smaller(8, dotColumnsFor(rowsAtOnce));
  const int64_t grain = columnsAtOnce * larger(1, taskWork / 8 / larger(1, m * k * columnsAtOnce));
  const int64_t tasksPerItem = ceilDiv(n, grain);
  context.parallel(plan.batch * tasksPerItem, [&](int64_t task, int) {
    const int64_t item = task / tasksPerItem;
    const float* itemA = plan.operandA(a, item).data;
    const float* itemB = plan.operandB(b, item).data;
    float* itemY = y + item * m * n;
    alignas(64) float sums[maxTileFloats];
    int32_t offsets[maxDotColumns];
    const int64_t first = task % tasksPerItem * grain, last = smaller(n, first + grain);
    for (int64_t j = first; j < last; j += columnsAtOnce) {
      const int64_t columns = smaller(columnsAtOnce, last - j);
      for (int64_t c = 0; c < columns; ++c) offsets[c] = static_cast<int32_t>(c * k);
      for (int64_t i = 0; i < m; i += rowsAtOnce) {
        const int64_t rows = smaller(rowsAtOnce, m - i);
        for (int64_t e = 0; e < rows * columns; ++e) store(sums + e * Vec::width, broadcast(0));
        dotFunction(rows, columns)({1, 1, k, k, 0, 0, 0, 0}, itemA + i * k, itemB + j * k, offsets,
                                   sums);
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t c = 0; c < columns; ++c) {
            float* out = itemY + (i + r) * n + j + c;
            float total = sum(load(sums + (r * columns + c) * Vec::width));
            if (s.accumulate) total += *out;
            if (bias) total += bias[j + c];
            *out = s.activation == 1 && total < 0 ? 0 : total;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace fovea
