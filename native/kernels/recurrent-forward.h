// What the three cells share going forward: inputs of all steps in one product, states, and what is
// written where.
#pragma once

#include "gemm.h"
#include "recurrent-panels.h"
#include "recurrent-rows-product.h"
#include "recurrent-rows.h"

namespace fovea {
namespace {

// Of rows with a number for each unit.
inline int64_t unitRow(const RecurrentSizes& s) {
  return paddedRow(s.hiddenSize);
}

inline MatmulShape productOf(int64_t m, int64_t n, int64_t k, bool transposeA, bool transposeB,
                             bool accumulate) {
  const auto size = [](int64_t length) { return static_cast<int32_t>(length); };
  return {1, 1, 1, size(m), size(n), size(k), transposeA, transposeB, accumulate, 0};
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
                         const float* a, const float* b, const float* bias, float* y,
                         const float* packed = nullptr) {
  matmul(shape, Context{context.threads, workspace, packed}, a, b, bias, y);
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

// Initial states [batch, size] (null: 0) into rows of the workspace, and final ones out.
inline void readStates(const RecurrentSizes& s, const Rows& rows, const float* from, int64_t size,
                       float* state, int64_t row) {
  for (int64_t j = 0; j < s.batch; ++j, state += row) {
    const float* source = from ? from + rows.sequence(j) * size : nullptr;
    for (int64_t i = 0; i < size; i += Vec::width) {
      const int n = lanesLeft(size - i);
      storeUpTo(state + i, source ? loadUpTo(source + i, n) : broadcast(0), n);
    }
  }
}
inline void writeState(const float* state, int64_t size, int64_t sequence, float* to) {
  for (int64_t i = 0; i < size; i += Vec::width) {
    const int n = lanesLeft(size - i);
    storeUpTo(to + sequence * size + i, loadUpTo(state + i, n), n);
  }
}

inline void copyFloats(const Context& context, const float* from, int64_t count, float* to) {
  context.parallelRange(count, 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int n = lanesLeft(end - i);
      storeUpTo(to + i, loadUpTo(from + i, n), n);
    }
  });
}

// Whether a step multiplies [x, h] at once by [Wih, Whh], instead of h alone after one product of
// all inputs: pays where all weights stay in the second-level cache beside the rest, and rows fill
// tiles.
inline bool joinsInputs(const RecurrentSizes& s, int64_t gates) {
  return s.batch >= 6 && (s.inputSize + s.stateSize()) * gates * s.hiddenSize <= 1 << 18;
}

inline MatmulShape shapeOfInputs(const RecurrentSizes& s, int64_t gates, int64_t rows) {
  return productOf(rows, gates * s.hiddenSize, s.inputSize, false, true, false);
}

// Weights of the product of all inputs, and their part of the packed form. Many rows take them in
// panels; few take weightIh as it is, for a batch of fewer rows still, then as matmul packs it.
struct InputWeights {
  bool none, manyRows;
  MatmulShape shape;
  RowsProduct product;
  int64_t plainLength = 0, packedLength = 0;

  InputWeights(const RecurrentSizes& s, int64_t gates, bool joined)
      : none(joined),
        manyRows(!joined && s.rows() > 128),
        shape(shapeOfInputs(s, gates, s.rows())),
        product(s.inputSize, gates * s.hiddenSize) {
    if (joined) return;
    if (!manyRows) plainLength = gates * s.hiddenSize * s.inputSize;
    packedLength = manyRows ? product.packedLength() : matmulPackedLength(shape);
  }
  int64_t length() const { return plainLength + packedLength; }
  // What a call without a packed form needs of memory for them.
  int64_t ownLength() const { return manyRows ? packedLength : 0; }
  void pack(const Context& context, const float* weightIh, float* packed) const {
    copyFloats(context, weightIh, plainLength, packed);
    if (manyRows) {
      product.pack(context, {weightIh, shape.k, 1}, 0, shape.k, packed);
    } else if (packedLength > 0) {
      matmulPack(shape, context, weightIh, packed + plainLength);
    }
  }
  const float* packedIn(const float* packed) const {
    return packed && packedLength > 0 ? packed + plainLength : nullptr;
  }
};

// Wih x + bias of every row, which a step adds to its product.
struct InputSums {
  float* data;
  int64_t apart;  // 0: the bias for all
  bool inPlaces;  // where the row is in x, else in the order of the steps
};

struct ForwardMemory {
  Rows rows;
  bool joined;
  int64_t row, hiddenAt;  // of states, where h begins there
  InputSums inputs;
  float *x, *bias, *inputWeights, *weights;
  float *states[2], *cells;  // [x,] h before and after a step, in turns; c, or r h
  float* unprojected;        // o tanh(c'), where it is projected to h
  char* product;
  size_t bytes;

  // keep: rows of results that begin with the gates, keepRow apart, and so can hold their sums
  // until then; or null.
  ForwardMemory(const RecurrentSizes& s, int64_t gates, const InputWeights& input,
                int64_t packedLength, int threads, Arena arena, float* keep, int64_t keepRow)
      : rows(s, arena),
        joined(input.none),
        row(paddedRow(s.stateSize() + (joined ? s.inputSize : 0))),
        hiddenAt(joined ? s.inputSize : 0) {
    const int64_t apart = joined ? 0 : s.rows();
    x = arena.floats(apart * s.inputSize);
    bias = arena.floats(gates * s.hiddenSize);
    inputs = {bias, 0, false};
    float* const sums = arena.floats(apart * gates * s.hiddenSize);
    if (!joined) inputs = {sums, gates * s.hiddenSize, false};
    if (input.manyRows && keep) inputs = {keep, keepRow, true};
    inputWeights = arena.floats(input.ownLength());
    weights = arena.floats(packedLength);
    for (float*& state : states) state = arena.floats(s.batch * row);
    cells = arena.floats(s.batch * larger(row, unitRow(s)));
    unprojected = arena.floats(s.projSize > 0 ? s.batch * unitRow(s) : 0);
    bytes = arena.bytes();
    product = reinterpret_cast<char*>(arena.floats(0));
    if (product || joined || input.manyRows) return;
    bytes += productBytes(s, threads, [&](int64_t m) { return shapeOfInputs(s, gates, m); });
  }

  Places inputPlaces(int64_t step) const {
    if (inputs.apart == 0) return {nullptr, 0};
    return inputs.inPlaces ? rows.placesOf(step) : Places{nullptr, rows.first(step)};
  }

  // What of the inputs comes before the loop over time. The bias of h counts up to `split`.
  void prepareInputs(const RecurrentSizes& s, const InputWeights& input, const Context& context,
                     const float* from, const float* weightIh, const float* biasIh,
                     const float* biasHh, int64_t split) {
    const int64_t wide = input.shape.n;
    const bool any = joined || biasIh || biasHh;
    for (int64_t i = 0; any && i < wide; ++i) {
      bias[i] = (biasIh ? biasIh[i] : 0) + (biasHh && i < split ? biasHh[i] : 0);
    }
    if (joined) {
      copyInputs(s, from, 0, states[0], 0, 1);
      return;
    }
    if (rows.sorted()) gatherRows(rows, context, from, s.inputSize, s.inputSize, x);
    const float* const ordered = rows.sorted() ? x : from;
    const float* packed = input.packedIn(context.packed);
    if (input.manyRows) {
      if (!packed) input.pack(context, weightIh, inputWeights);
      input.product.run(context, rows.total(), ordered, s.inputSize, packed ? packed : inputWeights,
                        {inputs.data, inputs.apart, inputs.inPlaces ? rows.places() : nullptr,
                         any ? bias : nullptr, false});
      return;
    }
    MatmulShape shape = input.shape;
    shape.m = static_cast<int32_t>(rows.padded());
    multiplyWith(context, product, shape, ordered, context.packed ? context.packed : weightIh,
                 any ? bias : nullptr, inputs.data, rows.padded() == s.rows() ? packed : nullptr);
  }

  // Joined: x of a step into rows of states, beside h; one of so many parts of the rows.
  void copyInputs(const RecurrentSizes& s, const float* from, int64_t step, float* state,
                  int64_t part, int64_t parts) const {
    if (!joined || step >= s.steps) return;
    const Split split{rows.alive(step), parts};
    const Places places = rows.placesOf(step);
    for (int64_t j = split.begin(part); j < split.end(part); ++j) {
      const float* source = from + places[j] * s.inputSize;
      float* to = state + j * row;
      for (int64_t i = 0; i < s.inputSize; i += Vec::width) {
        const int n = lanesLeft(s.inputSize - i);
        storeUpTo(to + i, loadUpTo(source + i, n), n);
      }
    }
  }

  // h after the last step of sequence j: states take turns.
  const float* finalState(const RecurrentSizes& s, const int32_t* lengths, int64_t j) const {
    const int64_t steps = lengths ? lengths[rows.sequence(j)] : s.steps;
    return states[steps % 2] + j * row + hiddenAt;
  }
};

// The weights of a cell whose gates are one product, lstm and rnn: panels of Whh or of [Wih, Whh].
struct CellWeights {
  bool joined;
  InputWeights inputs;  // begin the packed form; nothing if joined
  Panels panels;

  CellWeights(const RecurrentSizes& s, int64_t gates)
      : joined(joinsInputs(s, gates)),
        inputs(s, gates, joined),
        panels(s.batch, s.stateSize() + (joined ? s.inputSize : 0), gates, s.hiddenSize) {}
  int64_t packedLength() const { return inputs.length() + panels.length(); }

  void packPanelsOf(const Context& context, const float* weightIh, const float* weightHh,
                    float* packed) const {
    const int64_t first = joined ? inputs.shape.k : 0;
    if (joined) packGates(panels, context, weightIh, 0, first, packed);
    packGates(panels, context, weightHh, first, panels.k - first, packed);
  }
  void pack(const Context& context, const float* weightIh, const float* weightHh,
            float* packed) const {
    inputs.pack(context, weightIh, packed);
    packPanelsOf(context, weightIh, weightHh, packed + inputs.length());
  }
};

}  // namespace
}  // namespace fovea
