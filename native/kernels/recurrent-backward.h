// What the three cells share going backward: after the loop over time, which leaves the gradient of
// every gate of every row, the gradients of weights, biases and x are products over all rows.
#pragma once

#include "recurrent-forward.h"
#include "recurrent-weight-gradients.h"

namespace fovea {
namespace {

struct BackwardMemory {
  Rows rows;
  int64_t gateRow;         // of gradients of gates
  int32_t* previous;       // of every row: where h before it is in y, or -1 - its sequence
  float* gates;            // gradients of sums of gates
  float *weights, *carry;  // packed weightHh; gradient of a state on its way back
  WeightGradients weightGradients;
  RowsProduct inputProduct;
  float* inputWeights;  // packed weightIh
  size_t bytes;

  // gateLength: of a row of gradients; x enters `inputGates` of each unit. states: kinds of h that
  // enter gates, o tanh(c') among them where it is projected.
  BackwardMemory(const RecurrentSizes& s, int64_t gateLength, int64_t inputGates, int states,
                 int64_t packedLength, int threads, Arena arena)
      : rows(s, arena),
        gateRow(paddedRow(gateLength)),
        previous(arena.ints(s.rows())),
        gates(arena.floats(s.rows() * gateRow)),
        weights(arena.floats(packedLength)),
        carry(arena.floats(s.batch * unitRow(s))),
        weightGradients(s.rows(), Columns(s).of, 1 + states, threads, arena),
        inputProduct(inputGates * s.hiddenSize, s.inputSize),
        inputWeights(arena.floats(inputProduct.packedLength())),
        bytes(arena.bytes()) {}

  void prepare(const RecurrentSizes& s, const int32_t* lengths) {
    if (lengths) rows.sort(s, lengths);
    for (int64_t step = 0; step < s.steps; ++step) {
      for (int64_t j = 0; j < rows.alive(step); ++j) {
        const int64_t place =
            step > 0 ? rows.place(rows.first(step - 1) + j) : -1 - rows.sequence(j);
        previous[rows.first(step) + j] = static_cast<int32_t>(place);
      }
    }
  }

  EnteredRows statesBefore(const RecurrentSizes& s, const float* h0, const float* y) const {
    return {y + s.yOffset, s.yStride, previous, h0, s.stateSize()};
  }

  // entered: x, then states.
  void finish(const RecurrentSizes& s, const Context& context, const GateBlock* blocks,
              int blockCount, const Entered* entered, const float* weightIh, const int32_t* lengths,
              bool accumulate, float* gradX) const {
    weightGradients.run(context, rows.total(), gates, gateRow, blocks, blockCount, entered);
    if (!gradX) return;
    if (lengths && !accumulate) clearPadding(s, lengths, gradX, s.inputSize, s.inputSize);
    for (int i = 0; i < blockCount; ++i) {
      if (!(blocks[i].factors & 1)) continue;
      const float* from = weightIh + blocks[i].weightRow * s.inputSize;
      inputProduct.pack(context, {from, 1, s.inputSize}, blocks[i].first, blocks[i].count,
                        inputWeights);
    }
    inputProduct.run(context, rows.total(), gates, gateRow, inputWeights,
                     {gradX, s.inputSize, rows.places(), nullptr, accumulate});
  }

 private:
  struct Columns {
    int64_t of[maxEntered];
    explicit Columns(const RecurrentSizes& s) : of{s.inputSize, s.stateSize(), s.hiddenSize} {}
  };
};

// Gradients of a call in which no unit takes part.
inline void clearGradients(const RecurrentSizes& s, int64_t wide, bool accumulate,
                           float* gradWeightIh, float* gradWeightHh, float* gradX) {
  fillZero(gradWeightIh, wide * s.inputSize);
  fillZero(gradWeightHh, wide * s.stateSize());
  if (gradX && !accumulate) fillZero(gradX, s.rows() * s.inputSize);
}

inline Panels backwardPanels(const RecurrentSizes& s, int64_t gates) {
  return {s.batch, gates * s.hiddenSize, 1, s.stateSize()};
}

inline Vec loadOrZero(const float* p, int64_t offset, int n) {
  return p ? loadUpTo(p + offset, n) : broadcast(0);
}

}  // namespace
}  // namespace fovea
