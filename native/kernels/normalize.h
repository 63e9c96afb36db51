// Batch normalization and its gradient. A mean is kept in two floats, high + low, where it matters.
#pragma once

#include <cmath>

#include "context.h"
#include "fold.h"
#include "list.h"
#include "math.h"
#include "softmax.h"
#include "unroll.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t normalizeGrain = 16384;  // elements worth a task

// Two sums over one walk.
struct Sums {
  double first, second;
};
struct Terms {
  Vec first, second;
};

// The sums of term(row, i, n) over [0, rows) × [0, count): as reduceTerms, but short rows share the
// accumulators.
template <class Term>
Sums sumRows(int64_t rows, int64_t count, const Term& term) {
  constexpr int w = Vec::width;
  const Vec zero = broadcast(0);
  const int rest = static_cast<int>(count % w);
  const Mask inside = firstLanes(rest);
  Sums total = {0, 0};
  Terms s[4] = {{zero, zero}, {zero, zero}, {zero, zero}, {zero, zero}};
  int64_t steps = 0;
  const auto flush = [&] {
    total.first += sum((s[0].first + s[1].first) + (s[2].first + s[3].first));
    total.second += sum((s[0].second + s[1].second) + (s[2].second + s[3].second));
    unroll<4>([&](auto k) { s[k] = {zero, zero}; });
    steps = 0;
  };
  const auto add = [](Terms& to, Terms t) { to = {to.first + t.first, to.second + t.second}; };
  for (int64_t row = 0; row < rows; ++row) {
    int64_t i = 0;
    for (; i + 4 * w <= count; i += 4 * w) {
      unroll<4>([&](auto k) { add(s[k], term(row, i + k * w, w)); });
      if (++steps >= blockSteps) flush();
    }
    for (; i + w <= count; i += w) add(s[0], term(row, i, w));
    if (rest > 0) {
      const Terms t = term(row, i, rest);
      add(s[1], {select(inside, t.first, zero), select(inside, t.second, zero)});
    }
    if ((steps += 3) >= blockSteps) flush();
  }
  flush();
  return total;
}

// What normalization knows of one channel or row.
struct Moments {
  float high, low;  // the mean is high + low
  double squares;   // the sum of (x - mean)²
};

// Of x[row · stride + i] over [0, rows) × [0, count), in one walk: sums of what differs from a
// first mean, that of the first eighth. A part of so many has a mean so near that at most three
// binary digits of the squares' sum cancel.
inline Moments momentsOf(const float* x, int64_t rows, int64_t stride, int64_t count) {
  const int64_t firstRows = rows > 1 ? (rows + 7) / 8 : 1;
  const int64_t firstCount = rows > 1 ? count : (count + 7) / 8;
  const auto sizeOf = [](int64_t n) { return static_cast<double>(n < 1 ? 1 : n); };
  const Sums part = sumRows(firstRows, firstCount, [=](int64_t row, int64_t i, int n) -> Terms {
    return {loadSome(x + row * stride + i, n), broadcast(0)};
  });
  const double first = static_cast<float>(part.first / sizeOf(firstRows * firstCount));
  const Vec center = broadcast(static_cast<float>(first));
  const Sums around = sumRows(rows, count, [=](int64_t row, int64_t i, int n) -> Terms {
    const Vec d = loadSome(x + row * stride + i, n) - center;
    return {d, d * d};
  });
  const double shift = around.first / sizeOf(rows * count), mean = first + shift;
  const double squares = around.second - around.first * shift;
  const float high = static_cast<float>(mean);
  return {high, static_cast<float>(mean - high), squares < 0 ? 0 : squares};
}

// Writes a channel's statistics and moves its running ones; returns inverseStd.
inline float recordMoments(const BatchNormShape& s, int64_t channel, const Moments& m,
                           float* runningMean, float* runningVar, float* mean, float* inverseStd) {
  const double size = static_cast<double>(s.batch) * s.inner;
  const double center = static_cast<double>(m.high) + m.low;
  const double unbiased = m.squares / (size > 2 ? size - 1 : 1);
  const double momentum = s.momentum;
  mean[channel] = static_cast<float>(center);
  inverseStd[channel] = static_cast<float>(
      1 / ::sqrt(m.squares / (size < 1 ? 1 : size) + static_cast<double>(s.eps)));
  if (runningMean != nullptr) {
    const double before = runningMean[channel];
    runningMean[channel] = static_cast<float>(before + momentum * (center - before));
  }
  if (runningVar != nullptr) {
    const double before = runningVar[channel];
    runningVar[channel] = static_cast<float>(before + momentum * (unbiased - before));
  }
  return inverseStd[channel];
}

// Channels of planes: x is [batch, channels, inner], inner > 1. Calls body(channel, offset).
template <class Body>
void forChannels(int64_t batch, int64_t channels, int64_t inner, const Context& context,
                 const Body& body) {
  context.parallelRange(channels, unitsPerTask(batch * inner, normalizeGrain),
                        [&](int64_t first, int64_t last) {
                          for (int64_t channel = first; channel < last; ++channel)
                            body(channel, channel * inner);
                        });
}

// Channels side by side: x is [batch, channels]. Calls body(first channel, width) for each block.
template <class Body>
void forChannelBlocks(int64_t batch, int64_t channels, const Context& context, const Body& body) {
  const int64_t wide = 4 * Vec::width;
  const int64_t blocks = (channels + wide - 1) / wide;
  context.parallelRange(blocks, unitsPerTask(batch * wide, normalizeGrain),
                        [&](int64_t first, int64_t last) {
                          for (int64_t block = first; block < last; ++block) {
                            const int64_t left = channels - block * wide;
                            body(block * wide, static_cast<int>(left < wide ? left : wide));
                          }
                        });
}

inline Vec loadOr(const float* p, int64_t i, int n, float otherwise) {
  return p == nullptr ? broadcast(otherwise) : loadSome(p + i, n);
}
inline float valueOr(const float* p, int64_t i, float otherwise) {
  return p == nullptr ? otherwise : p[i];
}

void batchNorm(const BatchNormShape& s, const Context& context, const float* x, const float* weight,
               const float* bias, float* runningMean, float* runningVar, float* y, float* mean,
               float* inverseStd) {
  const int64_t batch = s.batch, channels = s.channels, inner = s.inner;
  const int64_t stride = channels * inner;
  const bool streams = streamsRows(batch * stride, inner);
  if (inner != 1) {
    forChannels(batch, channels, inner, context, [&](int64_t channel, int64_t at) {
      const Moments m = momentsOf(x + at, batch, stride, inner);
      const float inverse = recordMoments(s, channel, m, runningMean, runningVar, mean, inverseStd);
      const float scale = inverse * valueOr(weight, channel, 1);
      const Vec center = broadcast(m.high), slope = broadcast(scale);
      const Vec shift = broadcast(valueOr(bias, channel, 0) - m.low * scale);
      for (int64_t image = 0; image < batch; ++image) {
        const float* from = x + at + image * stride;
        writeRow(inner, y + at + image * stride, streams, [=](int64_t i, int n) {
          return fma(loadSome(from + i, n) - center, slope, shift);
        });
      }
    });
    return;
  }
  forChannelBlocks(batch, channels, context, [&](int64_t at, int width) {
    constexpr int w = Vec::width;
    const auto xAt = [=](int64_t row, int column, int n) {
      return loadSome(x + at + row * channels + column, n);
    };
    const Vec size = broadcast(static_cast<float>(batch < 1 ? 1 : batch));
    Columns center = reduceColumns<Sum>(0, batch, width, xAt);
    for (int k = 0; k < 4; ++k) center.v[k] = center.v[k] / size;
    const auto differenceAt = [&](int64_t row, int column, int n) {
      return xAt(row, column, n) - center.v[column / w];
    };
    Columns low = reduceColumns<Sum>(0, batch, width, differenceAt);
    for (int k = 0; k < 4; ++k) low.v[k] = low.v[k] / size;
    const Columns squares =
        reduceColumns<Sum>(0, batch, width, [&](int64_t row, int column, int n) {
          const Vec d = differenceAt(row, column, n) - low.v[column / w];
          return d * d;
        });
    float highs[4 * w], lows[4 * w], totals[4 * w];
    storeColumns(highs, center, width);
    storeColumns(lows, low, width);
    storeColumns(totals, squares, width);
    for (int c = 0; c < width; ++c) {
      recordMoments(s, at + c, {highs[c], lows[c], totals[c]}, runningMean, runningVar, mean,
                    inverseStd);
    }
    fillColumns(batch, channels, width, y + at, [&](int64_t row, int column, int k) {
      const int n = width - column;
      const Vec scale = loadSome(inverseStd + at + column, n) * loadOr(weight, at + column, n, 1);
      const Vec d = differenceAt(row, column, n) - low.v[k];
      return fma(d, scale, loadOr(bias, at + column, n, 0));
    });
  });
}

void batchNormInference(const BatchNormInferenceShape& s, const Context& context, const float* x,
                        const float* mean, const float* variance, const float* weight,
                        const float* bias, float* y) {
  const int64_t batch = s.batch, channels = s.channels, inner = s.inner;
  const Vec eps = broadcast(s.eps);
  const bool streams = y != x && streamsRows(batch * channels * inner, inner);
  if (inner != 1) {
    context.parallelRange(
        batch * channels, unitsPerTask(inner, normalizeGrain), [&](int64_t first, int64_t last) {
          for (int64_t plane = first; plane < last; ++plane) {
            const int64_t channel = plane % channels;
            const Vec center = broadcast(mean[channel]);
            const Vec scale =
                broadcast(valueOr(weight, channel, 1)) / sqrt(broadcast(variance[channel]) + eps);
            const Vec shift = broadcast(valueOr(bias, channel, 0));
            const float* from = x + plane * inner;
            writeRow(inner, y + plane * inner, streams, [=](int64_t i, int n) {
              return fma(loadSome(from + i, n) - center, scale, shift);
            });
          }
        });
    return;
  }
  forChannelBlocks(batch, channels, context, [&](int64_t at, int width) {
    Columns scale, center, shift;
    for (int k = 0; k * Vec::width < width; ++k) {
      const int64_t c = at + k * Vec::width;
      const int n = width - k * Vec::width;
      center.v[k] = loadSome(mean + c, n);
      scale.v[k] = loadOr(weight, c, n, 1) / sqrt(loadSome(variance + c, n) + eps);
      shift.v[k] = loadOr(bias, c, n, 0);
    }
    fillColumns(batch, channels, width, y + at, [&](int64_t row, int column, int k) {
      const Vec v = loadSome(x + at + row * channels + column, width - column);
      return fma(v - center.v[k], scale.v[k], shift.v[k]);
    });
  });
}

// With n = (x - mean) inverseStd: gradX = inverseStd weight (gradY - mean of gradY - n × mean of
// gradY n); gradWeight is the sum of gradY n, gradBias that of gradY.
void batchNormBackward(const BatchNormBackwardShape& s, const Context& context, const float* x,
                       const float* gradY, const float* weight, const float* mean,
                       const float* inverseStd, float* gradX, float* gradWeight, float* gradBias) {
  const int64_t batch = s.batch, channels = s.channels, inner = s.inner;
  const int64_t stride = channels * inner;
  const double size = static_cast<double>(batch * inner < 1 ? 1 : batch * inner);
  const bool streams = streamsRows(batch * stride, inner);
  if (inner != 1) {
    forChannels(batch, channels, inner, context, [&](int64_t channel, int64_t at) {
      const Vec center = broadcast(mean[channel]);
      const Sums sums = sumRows(batch, inner, [=](int64_t row, int64_t i, int n) -> Terms {
        const int64_t p = at + row * stride + i;
        const Vec g = loadSome(gradY + p, n);
        return {g, g * (loadSome(x + p, n) - center)};
      });
      const double total = sums.first, product = sums.second;
      const double inverse = inverseStd[channel];
      gradWeight[channel] = static_cast<float>(product * inverse);
      gradBias[channel] = static_cast<float>(total);
      const Vec scale = broadcast(static_cast<float>(inverse * valueOr(weight, channel, 1)));
      const Vec average = broadcast(static_cast<float>(total / size));
      const Vec slope = broadcast(static_cast<float>(product / size * inverse * inverse));
      for (int64_t image = 0; image < batch; ++image) {
        const int64_t p = at + image * stride;
        writeRow(inner, gradX + p, streams, [=](int64_t i, int n) {
          const Vec g = loadSome(gradY + p + i, n) - average;
          return scale * fnma(loadSome(x + p + i, n) - center, slope, g);
        });
      }
    });
    return;
  }
  forChannelBlocks(batch, channels, context, [&](int64_t at, int width) {
    constexpr int w = Vec::width;
    const auto gAt = [=](int64_t row, int column, int n) {
      return loadSome(gradY + at + row * channels + column, n);
    };
    const auto normalAt = [=](int64_t row, int column, int n) {
      return (loadSome(x + at + row * channels + column, n) - loadSome(mean + at + column, n)) *
             loadSome(inverseStd + at + column, n);
    };
    const Columns total = reduceColumns<Sum>(0, batch, width, gAt);
    const Columns product =
        reduceColumns<Sum>(0, batch, width, [&](int64_t row, int column, int n) {
          return gAt(row, column, n) * normalAt(row, column, n);
        });
    storeColumns(gradBias + at, total, width);
    storeColumns(gradWeight + at, product, width);
    const Vec share = broadcast(static_cast<float>(1 / size));
    fillColumns(batch, channels, width, gradX + at, [&](int64_t row, int column, int k) {
      const int n = width - column;
      const Vec scale = loadSome(inverseStd + at + column, n) * loadOr(weight, at + column, n, 1);
      const Vec g = fnma(total.v[column / w], share, gAt(row, column, n));
      return scale * fnma(normalAt(row, column, n), product.v[k] * share, g);
    });
  });
}

}  // namespace
}  // namespace fovea
