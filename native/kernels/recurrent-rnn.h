// rnn: h' = tanh or ReLU of Wih x + Whh h + bias (Elman 1990).
#pragma once

#include "recurrent-forward.h"
#include "recurrent-gates.h"
#include "workspace.h"

namespace fovea {
namespace {

inline size_t rnnWorkspace(const RnnShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const CellWeights weights(s, 1);
  return ForwardMemory(s, 1, weights.inputs, weights.panels.length(), threads, Arena(nullptr),
                       nullptr, 0)
      .bytes;
}

inline int64_t rnnPackedLength(const RnnShape& shape) {
  return CellWeights(RecurrentSizes(shape), 1).packedLength();
}
inline void rnnPack(const RnnShape& shape, const Context& context, const float* weightIh,
                    const float* weightHh, float* packed) {
  CellWeights(RecurrentSizes(shape), 1).pack(context, weightIh, weightHh, packed);
}

void rnn(const RnnShape& shape, const Context& context, const float* x, const float* weightIh,
         const float* weightHh, const float* biasIh, const float* biasHh, const float* h0,
         const int32_t* lengths, float* y, float* hN) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const CellWeights cell(s, 1);
  const Panels& panels = cell.panels;
  ForwardMemory memory(s, 1, cell.inputs, panels.length(), context.threads,
                       Arena(context.workspace), y + s.yOffset, s.yStride);
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize;
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, hidden);
  }
  const float* weights = memory.weights;
  if (context.packed) {
    weights = context.packed + cell.inputs.length();
  } else {
    cell.packPanelsOf(context, weightIh, weightHh, memory.weights);
  }
  memory.prepareInputs(s, cell.inputs, context, x, weightIh, biasIh, biasHh, hidden);
  readStates(s, rows, h0, hidden, memory.states[0] + memory.hiddenAt, memory.row);

  const StepTasks tasks(s.batch * panels.k * hidden, s.batch, panels.count());
  const int64_t yStride = s.yStride, stride = memory.row;
  const bool relu = shape.relu != 0;
  float* yStart = y + s.yOffset;
  context.parallelSteps(s.steps, tasks.count(), [&](int64_t step, int64_t task, int) {
    const int64_t alive = rows.alive(step);
    const Places places = rows.placesOf(step);
    const InputSums inputs = memory.inputs;
    const Places inputPlaces = memory.inputPlaces(step);
    const float* before = memory.states[step % 2];
    float* after = memory.states[(step + 1) % 2] + memory.hiddenAt;
    const auto fetch = [=](int64_t j, int64_t unit, Lines& lines) {
      if (inputs.apart > 0) lines.add(inputs.data + inputPlaces[j] * inputs.apart + unit);
    };
    const auto output = [=](int64_t j, int64_t unit, const float* tile) {
      const int n = lanesLeft(hidden - unit);
      const Vec sum = load(tile) + loadUpTo(inputs.data + inputPlaces[j] * inputs.apart + unit, n);
      const Vec h = relu ? reluOf(sum) : gateTanh(sum);
      storeUpTo(after + j * stride + unit, h, n);
      storeUpTo(yStart + places[j] * yStride + unit, h, n);
    };
    memory.copyInputs(s, x, step + 1, memory.states[(step + 1) % 2], task, tasks.count());
    multiplyPart({panels, weights, before, stride, alive, alive}, tasks, task, fetch, output);
  });

  for (int64_t j = 0; hN && j < s.batch; ++j) {
    writeState(memory.finalState(s, lengths, j), hidden, rows.sequence(j), hN);
  }
}
FOVEA_WORKSPACE(rnn, RnnShape, rnnWorkspace)
FOVEA_PACKED(rnn, RnnShape, rnnPackedLength, rnnPack)

}  // namespace
}  // namespace fovea
