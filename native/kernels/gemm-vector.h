// matmul of one row: y += a[k] b[k], rows of b read once in the order of memory, y in the L1 cache.
#pragma once

#include "gemm-plan.h"

namespace fovea {
namespace {

// y[j] += sum over r of a[r] b[r][j]
template <int rows>
void addRows(int64_t columns, const float* a, const float* b, int64_t bRow, float* y) {
  Vec s[rows];
  unroll<rows>([&](auto r) { s[r] = broadcast(a[r]); });
  for (int64_t j = 0; j < columns; j += Vec::width) {
    const int count = lanesLeft(columns - j);
    Vec even = loadUpTo(y + j, count), odd = broadcast(0);  // two chains are shorter than one
    unroll<rows>([&](auto r) {
      const Vec x = loadUpTo(b + r * bRow + j, count);
      if constexpr (r % 2 == 0) {
        even = fma(s[r], x, even);
      } else {
        odd = fma(s[r], x, odd);
      }
    });
    storeUpTo(y + j, even + odd, count);
  }
}

inline void matmulVector(const MatmulPlan& plan, const Context& context, const MatmulShape& s,
                         const float* a, const float* b, const float* bias, float* y) {
  const int64_t n = plan.n, k = plan.k;
  // Long runs of memory, and y in the L1 cache.
  const int64_t wanted = smaller(n / 2048, n * k / taskWork);
  const Split blocks = Split::into(n, larger(wanted, ceilDiv(n, 4096)));
  context.parallel(plan.batch * blocks.parts, [&](int64_t task, int) {
    const int64_t item = task / blocks.parts, block = task % blocks.parts;
    const int64_t column = blocks.begin(block), columns = blocks.end(block) - column;
    const float* row = plan.operandA(a, item).data;
    const Operand from = plan.operandB(b, item).from(column, 0);
    float* to = y + item * n + column;
    if (!s.accumulate) {
      for (int64_t j = 0; j < columns; j += Vec::width) {
        storeUpTo(to + j, broadcast(0), lanesLeft(columns - j));
      }
    }
    int64_t kk = 0;
    for (; kk + 8 <= k; kk += 8) addRows<8>(columns, row + kk, from.data + kk * n, n, to);
    for (; kk < k; ++kk) addRows<1>(columns, row + kk, from.data + kk * n, n, to);
    if (!bias && s.activation == 0) return;
    for (int64_t j = 0; j < columns; j += Vec::width) {
      const int count = lanesLeft(columns - j);
      Vec sum = loadUpTo(to + j, count);
      if (bias) sum = sum + loadUpTo(bias + column + j, count);
      if (s.activation == 1) sum = reluOf(sum);
      storeUpTo(to + j, sum, count);
    }
  });
}

}  // namespace
}  // namespace fovea
