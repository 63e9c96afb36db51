// Softmax over the middle dimension of [outer, count, inner], its logarithm, cross-entropy, and
// their gradients. Rows (inner 1) go vector by vector along the row, columns side by side.
#pragma once

#include "context.h"
#include "list.h"
#include "math.h"
#include "reduce.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t softmaxGrain = 16384;  // elements worth a task

// y[i] = f(i, n) for n elements from i on, over [0, count).
template <class F>
void fillRow(int64_t count, float* y, const F& f) {
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) store(y + i, f(i, Vec::width));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) storeFirst(y + i, f(i, rest), rest);
}

// y = exp(x - largest); returns the sum.
inline double exponentials(int64_t count, const float* x, float largest, float* y) {
  const Vec shift = broadcast(largest);
  return reduceTerms<Sum>(count, [=](int64_t i, int n) {
    const Vec e = exp(loadSome(x + i, n) - shift);
    storeSome(y + i, e, n);
    return e;
  });
}

// row(offset) for each row, or columns(offset, width) for each block of neighbouring columns.
template <class Row, class Block>
void forRowsOrColumns(const ReduceShape& s, const Context& context, const Row& row,
                      const Block& columns) {
  const int64_t inner = s.inner, count = s.count;
  if (count == 0 || inner == 0) return;
  const int wide = inner == 1 ? 1 : 4 * Vec::width;
  const int64_t blocks = (inner + wide - 1) / wide;
  const int64_t elements = count * (inner < wide ? inner : wide);
  const int64_t grain = unitsPerTask(elements, softmaxGrain);
  context.parallelRange(s.outer * blocks, grain, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t start = unit / blocks * count * inner;
      const int64_t column = unit % blocks * wide;
      if (inner == 1) {
        row(start);
      } else {
        columns(start + column, static_cast<int>(inner - column < wide ? inner - column : wide));
      }
    }
  });
}

// y[row, column] = f(row, column, k) for a block of columns, k the vector within the block.
template <class F>
void fillColumns(int64_t count, int64_t stride, int width, float* y, const F& f) {
  for (int64_t row = 0; row < count; ++row) {
    for (int k = 0; k * Vec::width < width; ++k) {
      const int column = k * Vec::width;
      storeSome(y + row * stride + column, f(row, column, k), width - column);
    }
  }
}

void softmax(const ReduceShape& s, const Context& context, const float* x, float* y) {
  const int64_t count = s.count, inner = s.inner;
  forRowsOrColumns(
      s, context,
      [=](int64_t at) {
        const float largest = static_cast<float>(reduceRow<Max>(x + at, count));
        const double total = exponentials(count, x + at, largest, y + at);
        const Vec divisor = broadcast(static_cast<float>(total));
        fillRow(count, y + at, [=](int64_t i, int n) { return loadSome(y + at + i, n) / divisor; });
      },
      [=](int64_t at, int width) {
        const auto xAt = [=](int64_t row, int column, int n) {
          return loadSome(x + at + row * inner + column, n);
        };
        const auto yAt = [=](int64_t row, int column, int n) {
          return loadSome(y + at + row * inner + column, n);
        };
        const Columns largest = reduceColumns<Max>(0, count, width, xAt);
        fillColumns(count, inner, width, y + at, [&](int64_t row, int column, int k) {
          return exp(xAt(row, column, width - column) - largest.v[k]);
        });
        const Columns total = reduceColumns<Sum>(0, count, width, yAt);
        fillColumns(count, inner, width, y + at, [&](int64_t row, int column, int k) {
          return yAt(row, column, width - column) / total.v[k];
        });
      });
}

void logSoftmax(const ReduceShape& s, const Context& context, const float* x, float* y) {
  const int64_t count = s.count, inner = s.inner;
  forRowsOrColumns(
      s, context,
      [=](int64_t at) {
        const float largest = static_cast<float>(reduceRow<Max>(x + at, count));
        const Vec shift = broadcast(largest);
        const double total = reduceTerms<Sum>(
            count, [=](int64_t i, int n) { return exp(loadSome(x + at + i, n) - shift); });
        const Vec logTotal = broadcast(static_cast<float>(::log(total)));
        fillRow(count, y + at,
                [=](int64_t i, int n) { return loadSome(x + at + i, n) - shift - logTotal; });
      },
      [=](int64_t at, int width) {
        const auto xAt = [=](int64_t row, int column, int n) {
          return loadSome(x + at + row * inner + column, n);
        };
        const Columns largest = reduceColumns<Max>(0, count, width, xAt);
        Columns total = reduceColumns<Sum>(0, count, width, [&](int64_t row, int column, int n) {
          return exp(xAt(row, column, n) - largest.v[column / Vec::width]);
        });
        for (int k = 0; k < 4; ++k) total.v[k] = log(total.v[k]);
        fillColumns(count, inner, width, y + at, [&](int64_t row, int column, int k) {
          return xAt(row, column, width - column) - largest.v[k] - total.v[k];
        });
      });
}

// y (gradY - sum of gradY y).
void softmaxBackward(const ReduceShape& s, const Context& context, const float* y,
                     const float* gradY, float* gradX) {
  const int64_t count = s.count, inner = s.inner;
  forRowsOrColumns(
      s, context,
      [=](int64_t at) {
        const Vec total =
            broadcast(static_cast<float>(reduceTerms<Sum>(count, [=](int64_t i, int n) {
              return loadSome(gradY + at + i, n) * loadSome(y + at + i, n);
            })));
        fillRow(count, gradX + at, [=](int64_t i, int n) {
          return loadSome(y + at + i, n) * (loadSome(gradY + at + i, n) - total);
        });
      },
      [=](int64_t at, int width) {
        const auto yAt = [=](int64_t row, int column, int n) {
          return loadSome(y + at + row * inner + column, n);
        };
        const auto gAt = [=](int64_t row, int column, int n) {
          return loadSome(gradY + at + row * inner + column, n);
        };
        const Columns total =
            reduceColumns<Sum>(0, count, width, [&](int64_t row, int column, int n) {
              return gAt(row, column, n) * yAt(row, column, n);
            });
        fillColumns(count, inner, width, gradX + at, [&](int64_t row, int column, int k) {
          const int n = width - column;
          return yAt(row, column, n) * (gAt(row, column, n) - total.v[k]);
        });
      });
}

// gradY - exp(y) sum of gradY.
void logSoftmaxBackward(const ReduceShape& s, const Context& context, const float* y,
                        const float* gradY, float* gradX) {
  const int64_t count = s.count, inner = s.inner;
  forRowsOrColumns(
      s, context,
      [=](int64_t at) {
        const Vec total = broadcast(static_cast<float>(reduceRow<Sum>(gradY + at, count)));
        fillRow(count, gradX + at, [=](int64_t i, int n) {
          return fnma(exp(loadSome(y + at + i, n)), total, loadSome(gradY + at + i, n));
        });
      },
      [=](int64_t at, int width) {
        const auto gAt = [=](int64_t row, int column, int n) {
          return loadSome(gradY + at + row * inner + column, n);
        };
        const Columns total = reduceColumns<Sum>(0, count, width, gAt);
        fillColumns(count, inner, width, gradX + at, [&](int64_t row, int column, int k) {
          const int n = width - column;
          const Vec p = exp(loadSome(y + at + row * inner + column, n));
          return fnma(p, total.v[k], gAt(row, column, n));
        });
      });
}

// loss = -(1 - smoothing) weight[target] log p[target] - smoothing / classes × the sum over c of
// weight[c] log p[c]; log p = x - largest - log total.
void crossEntropy(const CrossEntropyShape& s, const Context& context, const float* x,
                  const int32_t* target, const float* weight, float* losses, float* rowWeights,
                  float* probabilities) {
  const int64_t classes = s.classes;
  const double smoothing = s.smoothing;
  const auto lossOf = [&](const float* row, int32_t label, double shift) {
    const double sure = (1 - smoothing) * (weight == nullptr ? 1 : weight[label]);
    double loss = sure * (shift - row[label]);
    if (smoothing > 0) {
      double uniform = 0;
      for (int64_t c = 0; c < classes; ++c) {
        uniform += (weight == nullptr ? 1 : weight[c]) * (shift - row[c]);
      }
      loss += smoothing / static_cast<double>(classes) * uniform;
    }
    return static_cast<float>(loss);
  };
  context.parallelRange(
      s.rows, unitsPerTask(classes, softmaxGrain), [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const float* row = x + i * classes;
          float* p = probabilities + i * classes;
          const float largest = static_cast<float>(reduceRow<Max>(row, classes));
          const double total = exponentials(classes, row, largest, p);
          const Vec divisor = broadcast(static_cast<float>(total));
          fillRow(classes, p, [=](int64_t c, int n) { return loadSome(p + c, n) / divisor; });
          const bool counts = target[i] != s.ignoreIndex;
          losses[i] = counts ? lossOf(row, target[i], ::log(total) + largest) : 0;
          rowWeights[i] = !counts ? 0 : weight == nullptr ? 1 : weight[target[i]];
        }
      });
}

// With q[c] = weight[c] ((1 - smoothing) [c = target] + smoothing / classes):
// gradLosses (p[c] × the sum of q - q[c]).
void crossEntropyBackward(const CrossEntropyShape& s, const Context& context,
                          const float* probabilities, const int32_t* target, const float* weight,
                          const float* gradLosses, float* gradX) {
  const int64_t classes = s.classes;
  if (classes == 0) return;
  const double uniform = static_cast<double>(s.smoothing) / static_cast<double>(classes);
  const double weights =
      weight == nullptr ? static_cast<double>(classes) : reduceRow<Sum>(weight, classes);
  const Vec each = broadcast(static_cast<float>(uniform));
  context.parallelRange(
      s.rows, unitsPerTask(classes, softmaxGrain), [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const float* p = probabilities + i * classes;
          float* out = gradX + i * classes;
          const int32_t label = target[i];
          if (label == s.ignoreIndex) {
            fillRow(classes, out, [](int64_t, int) { return broadcast(0); });
            continue;
          }
          const double sure = (1.0 - s.smoothing) * (weight == nullptr ? 1 : weight[label]);
          const double total = sure + uniform * weights;
          const double q = uniform * (weight == nullptr ? 1 : weight[label]) + sure;
          const float atLabel = static_cast<float>(gradLosses[i] * (p[label] * total - q));
          const Vec gradient = broadcast(gradLosses[i]), all = broadcast(static_cast<float>(total));
          fillRow(classes, out, [=](int64_t c, int n) {
            const Vec share = weight == nullptr ? each : each * loadSome(weight + c, n);
            return gradient * (loadSome(p + c, n) * all - share);
          });
          out[label] = atLabel;
        }
      });
}

}  // namespace
}  // namespace fovea
