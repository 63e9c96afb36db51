// What the three cells share going forward: inputs of all steps in one product, states, and what is
// written where.
#pragma once

#include "gemm.h"
#include "recurrent-panels.h"
#include "recurrent-rows.h"

namespace fovea {
namespace {

// Of states in the workspace: not a power of two, so that rows spread over the cache.
inline int64_t stateRow(const RecurrentSizes& s) {
  return roundUp(s.hiddenSize, 16) + 16;
}

// The product shapeOf(rows) for any number of rows that may come.
template <class ShapeOf>
size_t productBytes(const RecurrentSizes& s, int threads, const ShapeOf& shapeOf) {
  size_t most = matmulWorkspace(shapeOf(s.rows()), threads);
  for (int64_t rows = rowGrain(s); rows < s.rows(); rows += rowGrain(s)) {
    const size_t bytes = matmulWorkspace(shapeOf(rows), threads);
    if (bytes > most) most = bytes;
  }
  return most;
}

inline void multiplyWith(const Context& context, char* workspace, const MatmulShape& shape,
                         const float* a, const float* b, const float* bias, float* y) {
  matmul(shape, Context{context.threads, workspace}, a, b, bias, y);
}

// to[row] = from[place of row], rows of so many floats that begin `stride` apart, and 0 for the
// empty rows at the end.
inline void gatherRows(const Rows& rows, const Context& context, const float* from, int64_t stride,
                       int64_t columns, float* to) {
  context.parallelRange(
      rows.padded(), larger(1, 16384 / larger(1, columns)), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
          const float* source = row < rows.total() ? from + rows.place(row) * stride : nullptr;
          for (int64_t i = 0; i < columns; i += Vec::width) {
            const int n = lanesLeft(columns - i);
            storeUpTo(to + row * columns + i, source ? loadUpTo(source + i, n) : broadcast(0), n);
          }
        }
      });
}

inline void fillZero(float* y, int64_t count) {
  for (int64_t i = 0; i < count; i += Vec::width) {
    storeUpTo(y + i, broadcast(0), lanesLeft(count - i));
  }
}

// y = 0 in rows of x and y beyond the length of their sequence.
inline void clearPadding(const RecurrentSizes& s, const int32_t* lengths, float* y, int64_t stride,
                         int64_t columns) {
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t time = lengths[b]; time < s.steps; ++time) {
      fillZero(y + (time * s.batch + b) * stride, columns);
    }
  }
}

// Initial states [batch, hiddenSize] (null: 0) into rows of the workspace, and final ones out.
inline void readStates(const RecurrentSizes& s, const Rows& rows, const float* from, float* state) {
  for (int64_t j = 0; j < s.batch; ++j, state += stateRow(s)) {
    const float* source = from ? from + rows.sequence(j) * s.hiddenSize : nullptr;
    for (int64_t i = 0; i < s.hiddenSize; i += Vec::width) {
      const int n = lanesLeft(s.hiddenSize - i);
      storeUpTo(state + i, source ? loadUpTo(source + i, n) : broadcast(0), n);
    }
  }
}
inline void writeState(const RecurrentSizes& s, const float* state, int64_t sequence, float* to) {
  for (int64_t i = 0; i < s.hiddenSize; i += Vec::width) {
    const int n = lanesLeft(s.hiddenSize - i);
    storeUpTo(to + sequence * s.hiddenSize + i, loadUpTo(state + i, n), n);
  }
}

struct ForwardMemory {
  Rows rows;
  float *x, *inputs, *bias, *weights;  // inputs: Wih x + bias of all rows, [rows, gates, hidden]
  float *states[2], *cells;            // before and after a step, in turns; c, or r h
  char* product;
  size_t bytes;

  static MatmulShape shapeOfInputs(const RecurrentSizes& s, int64_t gates, int64_t rows) {
    return {1,
            1,
            1,
            static_cast<int32_t>(rows),
            static_cast<int32_t>(gates * s.hiddenSize),
            static_cast<int32_t>(s.inputSize),
            0,
            1,
            0,
            0};
  }

  ForwardMemory(const RecurrentSizes& s, int64_t gates, int64_t packedLength, int threads,
                Arena arena)
      : rows(s, arena) {
    x = arena.floats(s.rows() * s.inputSize);
    inputs = arena.floats(s.rows() * gates * s.hiddenSize);
    bias = arena.floats(gates * s.hiddenSize);
    weights = arena.floats(packedLength);
    for (float*& state : states) state = arena.floats(s.batch * stateRow(s));
    cells = arena.floats(s.batch * stateRow(s));
    bytes = arena.bytes();
    product = reinterpret_cast<char*>(arena.floats(0));
    if (product) return;
    bytes += productBytes(s, threads, [&](int64_t m) { return shapeOfInputs(s, gates, m); });
  }

  // The two biases together; from `split` on only that of the input.
  const float* sumBiases(const float* biasIh, const float* biasHh, int64_t count, int64_t split) {
    if (!biasIh && !biasHh) return nullptr;
    for (int64_t i = 0; i < count; ++i) {
      bias[i] = (biasIh ? biasIh[i] : 0) + (biasHh && i < split ? biasHh[i] : 0);
    }
    return bias;
  }

  void multiplyInputs(const RecurrentSizes& s, int64_t gates, const Context& context,
                      const float* from, const float* weightIh, const float* sum) {
    if (rows.sorted()) gatherRows(rows, context, from, s.inputSize, s.inputSize, x);
    multiplyWith(context, product, shapeOfInputs(s, gates, rows.padded()), rows.sorted() ? x : from,
                 weightIh, sum, inputs);
  }

  // h after the last step of sequence j: states take turns.
  const float* finalState(const RecurrentSizes& s, const int32_t* lengths, int64_t j) const {
    const int64_t steps = lengths ? lengths[rows.sequence(j)] : s.steps;
    return states[steps % 2] + j * stateRow(s);
  }
};

// The packed form: weightIh as it is, then the panels of weightHh.
inline void copyFloats(const Context& context, const float* from, int64_t count, float* to) {
  context.parallelRange(count, 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int n = lanesLeft(end - i);
      storeUpTo(to + i, loadUpTo(from + i, n), n);
    }
  });
}

}  // namespace
}  // namespace fovea
