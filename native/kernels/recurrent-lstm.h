// lstm: c' = f c + i g, h' = o tanh(c'), with gates i, f, o = sigmoid and g = tanh of Wih x + Whh h
// + bias; with peepholes i and f also see c, and o sees c' (Gers and Schmidhuber 2000). Projected,
// h' = Whr (o tanh(c')).
#pragma once

#include "recurrent-forward.h"
#include "recurrent-gates.h"
#include "recurrent-projection.h"
#include "workspace.h"

namespace fovea {
namespace {

// Those of a cell, and then of the projection.
struct LstmWeights : CellWeights {
  Projection projection;

  explicit LstmWeights(const RecurrentSizes& s)
      : CellWeights(s, 4), projection(Projection::forward(s)) {}
  int64_t panelsLength() const { return panels.length() + projection.panels.length(); }
  void packPanels(const Context& context, const float* weightIh, const float* weightHh,
                  const float* weightHr, float* packed) const {
    packPanelsOf(context, weightIh, weightHh, packed);
    projection.packForward(context, weightHr, packed + panels.length());
  }
};

inline size_t lstmWorkspace(const LstmShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const LstmWeights weights(s);
  return ForwardMemory(s, 4, weights.inputs, weights.panelsLength(), threads, Arena(nullptr),
                       nullptr, 0)
      .bytes;
}

inline int64_t lstmPackedLength(const LstmShape& shape) {
  const LstmWeights weights{RecurrentSizes(shape)};
  return weights.inputs.length() + weights.panelsLength();
}
inline void lstmPack(const LstmShape& shape, const Context& context, const float* weightIh,
                     const float* weightHh, const float* weightHr, float* packed) {
  const LstmWeights weights{RecurrentSizes(shape)};
  weights.inputs.pack(context, weightIh, packed);
  weights.packPanels(context, weightIh, weightHh, weightHr, packed + weights.inputs.length());
}

void lstm(const LstmShape& shape, const Context& context, const float* x, const float* weightIh,
          const float* weightHh, const float* biasIh, const float* biasHh, const float* weightHr,
          const float* peepholes, const float* h0, const float* c0, const int32_t* lengths,
          float* y, float* hN, float* cN, float* saved) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const LstmWeights cell(s);
  const Panels& panels = cell.panels;
  ForwardMemory memory(s, 4, cell.inputs, cell.panelsLength(), context.threads,
                       Arena(context.workspace), saved, 5 * s.hiddenSize);
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize, wide = 4 * hidden, row = unitRow(s), state = s.stateSize();
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, state);
    if (saved) clearPadding(s, lengths, saved, 5 * hidden, 5 * hidden);
  }
  const float* weights = memory.weights;
  if (context.packed) {
    weights = context.packed + cell.inputs.length();
  } else {
    cell.packPanels(context, weightIh, weightHh, weightHr, memory.weights);
  }
  memory.prepareInputs(s, cell.inputs, context, x, weightIh, biasIh, biasHh, wide);
  readStates(s, rows, h0, state, memory.states[0] + memory.hiddenAt, memory.row);
  readStates(s, rows, c0, hidden, memory.cells, row);

  const StepTasks tasks(s.batch * panels.k * wide, s.batch, panels.count());
  const int64_t yStride = s.yStride, stride = memory.row;
  float *cells = memory.cells, *unprojected = memory.unprojected, *yStart = y + s.yOffset;
  const bool projects = s.projSize > 0;
  const int64_t parts = projects ? 2 : 1;
  context.parallelSteps(parts * s.steps, tasks.count(), [&](int64_t part, int64_t task, int) {
    const int64_t step = part / parts, alive = rows.alive(step);
    const Places places = rows.placesOf(step);
    const InputSums inputs = memory.inputs;
    const Places inputPlaces = memory.inputPlaces(step);
    const float* before = memory.states[step % 2];
    float* after = memory.states[(step + 1) % 2] + memory.hiddenAt;
    // Captured by value: a vector store may change whatever has an address.
    const auto fetch = [=](int64_t j, int64_t unit, Lines& lines) {
      if (!inputs.inPlaces && inputs.apart > 0) {
        lines.add(inputs.data + inputPlaces[j] * inputs.apart + unit, 4, hidden);
      }
      if (saved) lines.add(saved + places[j] * 5 * hidden + unit, 5, hidden);
    };
    const auto gates = [=](int64_t j, int64_t unit, float* tile) {
      const int n = lanesLeft(hidden - unit);
      const float* input = inputs.data + inputPlaces[j] * inputs.apart + unit;
      const auto sumOf = [=](int64_t gate) {
        return load(tile + gate * Vec::width) + loadUpTo(input + gate * hidden, n);
      };
      float* carried = cells + j * row + unit;
      const Vec c = loadUpTo(carried, n);
      Vec i = sumOf(0), f = sumOf(1), o = sumOf(3);
      if (peepholes) {
        i = fma(loadUpTo(peepholes + unit, n), c, i);
        f = fma(loadUpTo(peepholes + hidden + unit, n), c, f);
      }
      i = gateSigmoid(i), f = gateSigmoid(f);
      const Vec g = gateTanh(sumOf(2));
      const Vec next = fma(f, c, i * g);
      if (peepholes) o = fma(loadUpTo(peepholes + 2 * hidden + unit, n), next, o);
      o = gateSigmoid(o);
      storeUpTo(carried, next, n);
      store(tile, next);
      store(tile + Vec::width, o);
      if (!saved) return;
      float* keep = saved + places[j] * 5 * hidden + unit;
      storeUpTo(keep, i, n);
      storeUpTo(keep + hidden, f, n);
      storeUpTo(keep + 2 * hidden, g, n);
      storeUpTo(keep + 3 * hidden, o, n);
      storeUpTo(keep + 4 * hidden, next, n);
    };
    const auto give = [=](int64_t j, int64_t unit, Vec h) {
      const int n = lanesLeft(state - unit);
      storeUpTo(after + j * stride + unit, h, n);
      storeUpTo(yStart + places[j] * yStride + unit, h, n);
    };
    const auto output = [=](int64_t j, int64_t unit, const float* tile) {
      const Vec h = load(tile + Vec::width) * gateTanh(load(tile));
      if (!projects) return give(j, unit, h);
      storeUpTo(unprojected + j * row + unit, h, lanesLeft(hidden - unit));
    };
    if (part % parts == 1) {
      const auto fetchY = [=](int64_t j, int64_t unit, Lines& lines) {
        lines.add(yStart + places[j] * yStride + unit);
      };
      cell.projection.run(
          weights + panels.length(), unprojected, row, alive, tasks.count(), task, fetchY,
          [=](int64_t j, int64_t unit, const float* tile) { give(j, unit, load(tile)); });
      return;
    }
    memory.copyInputs(s, x, step + 1, memory.states[(step + 1) % 2], task, tasks.count());
    multiplyPart({panels, weights, before, stride, alive, alive}, tasks, task, fetch, gates,
                 output);
  });

  for (int64_t j = 0; j < s.batch; ++j) {
    if (hN) writeState(memory.finalState(s, lengths, j), state, rows.sequence(j), hN);
    if (cN) writeState(memory.cells + j * row, hidden, rows.sequence(j), cN);
  }
}
FOVEA_WORKSPACE(lstm, LstmShape, lstmWorkspace)
FOVEA_PACKED(lstm, LstmShape, lstmPackedLength, lstmPack)

}  // namespace
}  // namespace fovea
