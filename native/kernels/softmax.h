// Softmax over the middle dimension of [outer, count, inner], its logarithm, cross-entropy, and
// their gradients. Rows (inner 1) go vector by vector along the row, columns side by side.
#pragma once

#include "context.h"
#include "fold.h"
#include "list.h"
#include "math.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t softmaxGrain = 16384;  // elements worth a task

// What a softmax knows of each of n rows, rowsAtOnce of them.
struct RowSums {
  float largest[Vec::width];
  float total[Vec::width];  // of exp(x - largest); NaN where there is a NaN in the row
};

// put(row, i, e, n) receives the exponentials.
template <class Put>
RowSums sumExponentials(int rows, int64_t count, const float* x, const Put& put) {
  RowSums sums;
  const auto xAt = [=](int row, int64_t i, int n) { return loadSome(x + row * count + i, n); };
  foldRows<MaxOfNumbers>(rows, count, sums.largest, xAt);
  foldRows<Sum>(rows, count, sums.total, [&](int row, int64_t i, int n) {
    const Vec e = exp(xAt(row, i, n) - broadcast(sums.largest[row]));
    put(row, i, e, n);
    return e;
  });
  return sums;
}

// y = softmax of rows of x. Exponentials wait beside, in whole vectors, where the row is short
// (read soon after it was written, a part of a vector costs many times more) or y goes past the
// caches.
inline RowSums softmaxRows(int rows, int64_t count, const float* x, float* y, bool streams) {
  constexpr int w = Vec::width;
  constexpr int64_t most = 4096 + 16 * w;
  float held[most];
  const int64_t stride = (count + w - 1) / w * w;
  if (rows * stride > most || (rowsAtOnce(count) == 1 && !streams)) {
    const RowSums sums =
        sumExponentials(1, count, x, [=](int, int64_t i, Vec e, int n) { storeSome(y + i, e, n); });
    const Vec factor = broadcast(1 / sums.total[0]);
    fillRow(count, y, [=](int64_t i, int n) { return loadSome(y + i, n) * factor; });
    return sums;
  }
  const RowSums sums = sumExponentials(
      rows, count, x, [&](int row, int64_t i, Vec e, int) { store(held + row * stride + i, e); });
  for (int row = 0; row < rows; ++row) {
    const Vec factor = broadcast(1 / sums.total[row]);
    // The end of a streamed row may begin within a vector that was held.
    writeRow(count, y + row * count, streams,
             [&](int64_t i, int n) { return loadSome(held + row * stride + i, n) * factor; });
  }
  return sums;
}

// columns(offset, width) for each block of neighbouring columns, inner > 1.
template <class Block>
void forColumnBlocks(const ReduceShape& s, const Context& context, const Block& columns) {
  const int64_t inner = s.inner, count = s.count;
  if (count == 0 || inner == 0) return;
  const int wide = 4 * Vec::width;
  const int64_t blocks = (inner + wide - 1) / wide;
  const int64_t elements = count * (inner < wide ? inner : wide);
  const int64_t grain = unitsPerTask(elements, softmaxGrain);
  context.parallelRange(s.outer * blocks, grain, [&](int64_t first, int64_t last) {
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t column = unit % blocks * wide;
      columns(unit / blocks * count * inner + column,
              static_cast<int>(inner - column < wide ? inner - column : wide));
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
  if (inner == 1) {
    const bool streams = y != x && streamsRows(s.outer * count, count);
    forRowGroups(s.outer, count, softmaxGrain, context, [&](int64_t first, int rows) {
      const int64_t at = first * count;
      softmaxRows(rows, count, x + at, y + at, streams);
    });
    return;
  }
  forColumnBlocks(s, context, [=](int64_t at, int width) {
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
  if (inner == 1) {
    const bool streams = y != x && streamsRows(s.outer * count, count);
    forRowGroups(s.outer, count, softmaxGrain, context, [&](int64_t first, int rows) {
      const int64_t at = first * count;
      RowSums sums = sumExponentials(rows, count, x + at, [](int, int64_t, Vec, int) {});
      storeSome(sums.total, log(loadSome(sums.total, rows)), rows);
      for (int row = 0; row < rows; ++row) {
        const Vec largest = broadcast(sums.largest[row]), logTotal = broadcast(sums.total[row]);
        const float* from = x + at + row * count;
        writeRow(count, y + at + row * count, streams,
                 [=](int64_t i, int n) { return loadSome(from + i, n) - largest - logTotal; });
      }
    });
    return;
  }
  forColumnBlocks(s, context, [=](int64_t at, int width) {
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
  if (inner == 1) {
    const bool streams = gradX != gradY && streamsRows(s.outer * count, count);
    forRowGroups(s.outer, count, softmaxGrain, context, [&](int64_t first, int rows) {
      const int64_t at = first * count;
      float totals[Vec::width];
      foldRows<Sum>(rows, count, totals, [=](int row, int64_t i, int n) {
        const int64_t p = at + row * count + i;
        return loadSome(gradY + p, n) * loadSome(y + p, n);
      });
      for (int row = 0; row < rows; ++row) {
        const Vec total = broadcast(totals[row]);
        const int64_t start = at + row * count;
        writeRow(count, gradX + start, streams, [=](int64_t i, int n) {
          return loadSome(y + start + i, n) * (loadSome(gradY + start + i, n) - total);
        });
      }
    });
    return;
  }
  forColumnBlocks(s, context, [=](int64_t at, int width) {
    const auto yAt = [=](int64_t row, int column, int n) {
      return loadSome(y + at + row * inner + column, n);
    };
    const auto gAt = [=](int64_t row, int column, int n) {
      return loadSome(gradY + at + row * inner + column, n);
    };
    const Columns total = reduceColumns<Sum>(0, count, width, [&](int64_t row, int column, int n) {
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
  if (inner == 1) {
    const bool streams = gradX != gradY && streamsRows(s.outer * count, count);
    forRowGroups(s.outer, count, softmaxGrain, context, [&](int64_t first, int rows) {
      const int64_t at = first * count;
      float totals[Vec::width];
      foldRows<Sum>(rows, count, totals, [=](int row, int64_t i, int n) {
        return loadSome(gradY + at + row * count + i, n);
      });
      for (int row = 0; row < rows; ++row) {
        const Vec total = broadcast(totals[row]);
        const int64_t start = at + row * count;
        writeRow(count, gradX + start, streams, [=](int64_t i, int n) {
          return fnma(exp(loadSome(y + start + i, n)), total, loadSome(gradY + start + i, n));
        });
      }
    });
    return;
  }
  forColumnBlocks(s, context, [=](int64_t at, int width) {
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
  const bool streams = streamsRows(s.rows * classes, classes);
  forRowGroups(s.rows, classes, softmaxGrain, context, [&](int64_t first, int rows) {
    float* p = probabilities + first * classes;
    const RowSums sums = softmaxRows(rows, classes, x + first * classes, p, streams);
    float logs[Vec::width];
    storeSome(logs, log(loadSome(sums.total, rows)), rows);
    for (int row = 0; row < rows; ++row) {
      const int64_t i = first + row;
      const bool counts = target[i] != s.ignoreIndex;
      const double shift = static_cast<double>(logs[row]) + sums.largest[row];
      losses[i] = counts ? lossOf(x + i * classes, target[i], shift) : 0;
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
