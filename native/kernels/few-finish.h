// From the register tiles of all column phases into y, where the phases are interleaved.
#pragma once

#include "few-plan.h"

namespace fovea {
namespace {

struct FewFinish {
  bool add, relu;
  const float* bias;  // of the tile's first output; may be null
  int64_t outputs, outPlane;
  int64_t width;   // of y
  int64_t phases;  // of columns

  // Adds what belongs to `sum` at y[0, count), of output o.
  Vec operator()(Vec sum, int64_t o, const float* y, int count) const {
    if (add) {
      sum = sum + loadUpTo(y, count);
    } else if (bias) {
      sum = sum + broadcast(bias[o]);
    }
    return relu ? reluOf(sum) : sum;
  }
};

// One vector of positions of every column phase, [phase] at `step` apart, into y from `column` on.
inline void finishVector(const float* sums, int64_t step, int64_t o, int64_t column,
                         const FewFinish& finish, float* y) {
  const int64_t left = finish.width - column;
  const auto put = [&](Vec sum, int64_t at) {
    if (at >= left) return;
    const int count = lanesLeft(left - at);
    storeUpTo(y + at, finish(sum, o, y + at, count), count);
  };
  if (finish.phases == 1) return put(load(sums), 0);
  if (finish.phases == 2) {
    const Vec a = load(sums), b = load(sums + step);
    put(interleaveLow(a, b), 0);
    put(interleaveHigh(a, b), Vec::width);
    return;
  }
  if (finish.phases == 4) {
    const Vec a = load(sums), b = load(sums + step);
    const Vec c = load(sums + 2 * step), d = load(sums + 3 * step);
    const Vec low0 = interleaveLow(a, c), low1 = interleaveLow(b, d);
    const Vec high0 = interleaveHigh(a, c), high1 = interleaveHigh(b, d);
    put(interleaveLow(low0, low1), 0);
    put(interleaveHigh(low0, low1), Vec::width);
    put(interleaveLow(high0, high1), 2 * Vec::width);
    put(interleaveHigh(high0, high1), 3 * Vec::width);
    return;
  }
  alignas(64) float line[Vec::width];
  for (int64_t at = 0; at < smaller(left, finish.phases * Vec::width); at += Vec::width) {
    for (int64_t i = 0; i < Vec::width; ++i) {
      line[i] = sums[(at + i) % finish.phases * step + (at + i) / finish.phases];
    }
    put(load(line), at);
  }
}

}  // namespace
}  // namespace fovea
