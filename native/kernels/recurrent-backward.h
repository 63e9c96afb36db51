// What the three cells share going backward: after the loop over time, which leaves the gradient of
// every gate of every row, the gradients of weights, biases and x are one product or sum each.
#pragma once

#include "recurrent-forward.h"
#include "reduce.h"

namespace fovea {
namespace {

struct BackwardMemory {
  Rows rows;
  float *x, *before;           // x, and h before the step, of every row
  float *gates, *hiddenGates;  // gradients of sums of gates, as the input and as h entered them
  float *weights, *carry;      // packed weightHh; gradient of a state on its way back
  char* product;
  size_t bytes;

  // hiddenGates: whether h enters gates in another way than x does.
  BackwardMemory(const RecurrentSizes& s, int64_t gateCount, bool separateHidden,
                 int64_t packedLength, int threads, Arena arena)
      : rows(s, arena) {
    const int64_t wide = gateCount * s.hiddenSize;
    x = arena.floats(s.rows() * s.inputSize);
    before = arena.floats(s.rows() * s.hiddenSize);
    gates = arena.floats(s.rows() * wide);
    hiddenGates = separateHidden ? arena.floats(s.rows() * wide) : gates;
    weights = arena.floats(packedLength);
    carry = arena.floats(s.batch * stateRow(s));
    bytes = arena.bytes();
    product = reinterpret_cast<char*>(arena.floats(0));
    if (product) return;
    size_t most = 0;
    const auto need = [&](const auto& shapeOf) {
      const size_t wanted = productBytes(s, threads, shapeOf);
      if (wanted > most) most = wanted;
    };
    need([&](int64_t n) { return shapeOfWeight(wide, s.inputSize, n); });
    // Weights of h may come gate by gate.
    for (int64_t gate = 1; gate <= gateCount; ++gate) {
      need([&](int64_t n) { return shapeOfWeight(gate * s.hiddenSize, s.hiddenSize, n); });
    }
    need([&](int64_t n) { return shapeOfInput(s, wide, n, false); });
    bytes += most;
  }

  static MatmulShape shapeOfWeight(int64_t gates, int64_t inputs, int64_t rows) {
    return productOf(gates, inputs, rows, true, false, false);
  }
  static MatmulShape shapeOfInput(const RecurrentSizes& s, int64_t gates, int64_t rows,
                                  bool accumulate) {
    return productOf(rows, s.inputSize, gates, false, false, accumulate);
  }

  // h before each step: h0, or y of the step before.
  void gatherBefore(const RecurrentSizes& s, const Context& context, const float* h0,
                    const float* y) {
    const int64_t hidden = s.hiddenSize;
    context.parallel(s.steps, [&](int64_t step, int) {
      const int64_t first = rows.first(step);
      for (int64_t j = 0; j < rows.alive(step); ++j) {
        float* to = before + (first + j) * hidden;
        const float* from = nullptr;
        if (step > 0) {
          from = y + rows.place(rows.first(step - 1) + j) * s.yStride + s.yOffset;
        } else if (h0) {
          from = h0 + rows.sequence(j) * hidden;
        }
        for (int64_t i = 0; i < hidden; i += Vec::width) {
          const int n = lanesLeft(hidden - i);
          storeUpTo(to + i, from ? loadUpTo(from + i, n) : broadcast(0), n);
        }
      }
    });
    fillZero(before + rows.total() * hidden, (rows.padded() - rows.total()) * hidden);
  }

  // gradWeight = gradientsᵀ inputs over all rows.
  void weightGradient(const Context& context, const float* gradients, int64_t wide,
                      const float* inputs, int64_t columns, float* gradWeight) const {
    multiplyWith(context, product, shapeOfWeight(wide, columns, rows.padded()), gradients, inputs,
                 nullptr, gradWeight);
  }

  // From the gradients of the gates: those of weightIh and x.
  void inputGradients(const RecurrentSizes& s, const Context& context, int64_t wide,
                      bool accumulate, const float* from, const float* weightIh,
                      const int32_t* lengths, float* gradWeightIh, float* gradX) {
    const int64_t columns = s.inputSize;
    if (!rows.sorted()) {
      weightGradient(context, gates, wide, from, columns, gradWeightIh);
      if (!gradX) return;
      multiplyWith(context, product, shapeOfInput(s, wide, rows.padded(), accumulate), gates,
                   weightIh, nullptr, gradX);
      return;
    }
    gatherRows(rows, context, from, columns, columns, x);
    weightGradient(context, gates, wide, x, columns, gradWeightIh);
    if (!gradX) return;
    multiplyWith(context, product, shapeOfInput(s, wide, rows.padded(), false), gates, weightIh,
                 nullptr, x);
    if (!accumulate) clearPadding(s, lengths, gradX, columns, columns);
    for (int64_t row = 0; row < rows.total(); ++row) {
      float* to = gradX + rows.place(row) * columns;
      for (int64_t i = 0; i < columns; i += Vec::width) {
        const int n = lanesLeft(columns - i);
        const Vec value = loadUpTo(x + row * columns + i, n);
        storeUpTo(to + i, accumulate ? loadUpTo(to + i, n) + value : value, n);
      }
    }
  }

  // gradBias = the sum of the gradients over all rows; nothing where it is null.
  void biasGradient(const Context& context, const float* gradients, int64_t wide,
                    float* gradBias) const {
    if (!gradBias) return;
    constexpr int64_t block = 4 * Vec::width;
    context.parallelRange(wide, block, [&](int64_t begin, int64_t end) {
      const int width = static_cast<int>(end - begin);
      storeColumns(gradBias + begin,
                   reduceColumns<Sum>(0, rows.total(), width,
                                      [=](int64_t row, int column, int n) {
                                        return loadSome(gradients + row * wide + begin + column, n);
                                      }),
                   width);
    });
  }
};

// Gradients of a call in which no unit takes part.
inline void clearGradients(const RecurrentSizes& s, int64_t wide, bool accumulate,
                           float* gradWeightIh, float* gradWeightHh, float* gradX) {
  fillZero(gradWeightIh, wide * s.inputSize);
  fillZero(gradWeightHh, wide * s.hiddenSize);
  if (gradX && !accumulate) fillZero(gradX, s.rows() * s.inputSize);
}

inline Panels backwardPanels(const RecurrentSizes& s, int64_t gates) {
  return {s.batch, gates * s.hiddenSize, 1, s.hiddenSize};
}

inline Vec loadOrZero(const float* p, int64_t offset, int n) {
  return p ? loadUpTo(p + offset, n) : broadcast(0);
}

}  // namespace
}  // namespace fovea
