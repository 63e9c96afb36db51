// Packing a matrix into panels: for each k the lanes of one panel side by side, so that the
// register tile reads memory in order. Either orientation of the source is absorbed here.
#pragma once

#include "context.h"
#include "split.h"

namespace fovea {
namespace {

// A matrix of lanes x k: element (i, kk) at data[i * lane + kk * k]. One of the strides is 1.
struct Operand {
  const float* data;
  int64_t lane;
  int64_t k;
  Operand from(int64_t firstLane, int64_t firstK) const {
    return {data + firstLane * lane + firstK * k, lane, k};
  }
};

inline int lanesLeft(int64_t n) {
  return static_cast<int>(smaller(n, Vec::width));
}
inline Vec loadUpTo(const float* p, int n) {
  return n == Vec::width ? load(p) : loadFirst(p, n);
}
inline void storeUpTo(float* p, Vec x, int n) {
  if (n == Vec::width) {
    store(p, x);
  } else {
    storeFirst(p, x, n);
  }
}

// panel[kk * step + i] = x(i, kk) for i < lanes, and 0 for lanes <= i < padded.
inline void packRows(Operand x, int64_t lanes, int64_t k, float* panel, int64_t step,
                     int64_t padded) {
  for (int64_t kk = 0; kk < k; ++kk) {
    const float* from = x.data + kk * x.k;
    float* to = panel + kk * step;
    int64_t i = 0;
    for (; i + Vec::width <= lanes; i += Vec::width) store(to + i, load(from + i));
    for (; i < padded; i += Vec::width) {
      storeUpTo(to + i, loadFirst(from + i, lanesLeft(larger(0, lanes - i))),
                lanesLeft(padded - i));
    }
  }
}

inline void packColumns(Operand x, int64_t lanes, int64_t k, float* panel, int64_t step,
                        int64_t padded) {
  Vec square[Vec::width];
  for (int64_t i = 0; i < padded; i += Vec::width) {
    const int present = lanesLeft(larger(0, lanes - i));
    const int wanted = lanesLeft(padded - i);
    for (int64_t kk = 0; kk < k; kk += Vec::width) {
      const int count = lanesLeft(k - kk);
      const float* from = x.data + i * x.lane + kk;
      float* to = panel + kk * step + i;
      if (present == Vec::width && count == Vec::width) {
        for (int j = 0; j < Vec::width; ++j) square[j] = load(from + j * x.lane);
      } else {
        for (int j = 0; j < Vec::width; ++j) {
          square[j] = j < present ? loadFirst(from + j * x.lane, count) : broadcast(0);
        }
      }
      transpose(square);
      if (wanted == Vec::width && count == Vec::width) {
        for (int j = 0; j < Vec::width; ++j) store(to + j * step, square[j]);
      } else {
        for (int j = 0; j < count; ++j) storeFirst(to + j * step, square[j], wanted);
      }
    }
  }
}

inline void pack(Operand x, int64_t lanes, int64_t k, float* panel, int64_t step, int64_t padded) {
  if (x.lane == 1) {
    packRows(x, lanes, k, panel, step, padded);
  } else {
    packColumns(x, lanes, k, panel, step, padded);
  }
}

}  // namespace
}  // namespace fovea
