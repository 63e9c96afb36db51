// matmul by dot products, where both factors are contiguous along k and packing would not pay.
#pragma once

#include "dot.h"
#include "gemm-plan.h"

namespace fovea {
namespace {

// A few rows by some columns of y, their sums kept as vectors over all of k.
struct DotBlock {
  static constexpr int64_t columns = 48;
  int64_t row, rows, column, count;
};

inline void matmulDotBlock(const MatmulPlan& plan, const MatmulShape& s, const DotBlock& block,
                           const float* a, const float* b, const float* bias, float* y) {
  const int64_t n = plan.n, k = plan.k, rows = block.rows;
  alignas(64) float sums[maxDotRows * DotBlock::columns * Vec::width];
  for (int64_t i = 0; i < rows * block.count; ++i) store(sums + i * Vec::width, broadcast(0));
  // Parts of the rows that stay in the L1 cache while the columns pass.
  const Split depths = Split::atMost(k, larger(1024, 8192 / rows));
  const int64_t atOnce = smaller(8, dotColumnsFor(rows));
  int32_t offsets[maxDotColumns];
  for (int64_t c = 0; c < atOnce; ++c) offsets[c] = static_cast<int32_t>(c * k);
  for (int64_t depth = 0; depth < depths.parts; ++depth) {
    const int64_t k0 = depths.begin(depth), length = depths.end(depth) - k0;
    for (int64_t j = 0; j < block.count; j += atOnce) {
      const int64_t columns = smaller(atOnce, block.count - j);
      dotFunction(rows, columns)({1, 1, length, k, 0, 0, 0, 0}, a + block.row * k + k0,
                                 b + (block.column + j) * k + k0, offsets,
                                 sums + j * rows * Vec::width);
    }
  }
  sumLanes(sums, rows * block.count);
  for (int64_t j = 0; j < block.count; j += atOnce) {
    const int64_t columns = smaller(atOnce, block.count - j);
    for (int64_t r = 0; r < rows; ++r) {
      const float* dots = sums + j * rows + r * columns;
      float* to = y + (block.row + r) * n + block.column + j;
      for (int64_t c = 0; c < columns; ++c) {
        float total = dots[c];
        if (s.accumulate) total += to[c];
        if (bias) total += bias[block.column + j + c];
        to[c] = s.activation == 1 && total < 0 ? 0 : total;
      }
    }
  }
}

inline void matmulDots(const MatmulPlan& plan, const Context& context, const MatmulShape& s,
                       const float* a, const float* b, const float* bias, float* y) {
  const int64_t m = plan.m, n = plan.n;
  const Split stripes = Split::atMost(m, maxDotRows);
  const Split blocks = Split::atMost(n, DotBlock::columns);
  const int64_t perItem = stripes.parts * blocks.parts;
  const int64_t work = larger(1, stripes.largest() * blocks.largest() * plan.k);
  context.parallelRange(
      plan.batch * perItem, larger(1, taskWork / work), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t item = i / perItem, stripe = i % perItem / blocks.parts;
          const int64_t row = stripes.begin(stripe), column = blocks.begin(i % blocks.parts);
          const DotBlock block{row, stripes.end(stripe) - row, column,
                               blocks.end(i % blocks.parts) - column};
          matmulDotBlock(plan, s, block, plan.operandA(a, item).data, plan.operandB(b, item).data,
                         bias, y + item * m * n);
        }
      });
}

}  // namespace
}  // namespace fovea
