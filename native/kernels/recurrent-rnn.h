// rnn: h' = tanh or ReLU of Wih x + Whh h + bias (Elman 1990).
#pragma once

#include "math.h"
#include "recurrent-forward.h"
#include "workspace.h"

namespace fovea {
namespace {

inline Panels rnnPanels(const RecurrentSizes& s) {
  return {s.batch, s.hiddenSize, 1, s.hiddenSize};
}

inline size_t rnnWorkspace(const RnnShape& shape, int threads) {
  const RecurrentSizes s(shape);
  return ForwardMemory(s, 1, rnnPanels(s).length(), threads, Arena(nullptr)).bytes;
}

inline int64_t rnnPackedLength(const RnnShape& shape) {
  const RecurrentSizes s(shape);
  return s.hiddenSize * s.inputSize + rnnPanels(s).length();
}
inline void rnnPack(const RnnShape& shape, const Context& context, const float* weightIh,
                    const float* weightHh, float* packed) {
  const RecurrentSizes s(shape);
  copyFloats(context, weightIh, s.hiddenSize * s.inputSize, packed);
  packPanels(rnnPanels(s), context, weightHh, false, packed + s.hiddenSize * s.inputSize);
}

void rnn(const RnnShape& shape, const Context& context, const float* x, const float* weightIh,
         const float* weightHh, const float* biasIh, const float* biasHh, const float* h0,
         const int32_t* lengths, float* y, float* hN) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const Panels panels = rnnPanels(s);
  ForwardMemory memory(s, 1, panels.length(), context.threads, Arena(context.workspace));
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize, row = stateRow(s);
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, hidden);
  }
  const float* weights = context.packed ? context.packed + hidden * s.inputSize : memory.weights;
  if (context.packed) {
    weightIh = context.packed;
  } else {
    packPanels(panels, context, weightHh, false, memory.weights);
  }
  const float* bias = memory.sumBiases(biasIh, biasHh, hidden, hidden);
  memory.multiplyInputs(s, 1, context, x, weightIh, bias);
  readStates(s, rows, h0, memory.states[0]);

  const StepTasks tasks(s.batch * panels.k * hidden, s.batch, panels.count());
  context.parallelSteps(s.steps, tasks.count(), [&](int64_t step, int64_t task, int) {
    const int64_t alive = rows.alive(step), first = rows.first(step);
    float* after = memory.states[(step + 1) % 2];
    multiplyPart(panels, tasks, task, weights, memory.states[step % 2], row, alive, alive,
                 [&](int64_t j, int64_t unit, const float* tile) {
                   const int n = lanesLeft(hidden - unit);
                   const Vec sum =
                       load(tile) + loadUpTo(memory.inputs + (first + j) * hidden + unit, n);
                   const Vec h = shape.relu ? reluOf(sum) : tanh(sum);
                   storeUpTo(after + j * row + unit, h, n);
                   storeUpTo(y + rows.place(first + j) * s.yStride + s.yOffset + unit, h, n);
                 });
  });

  for (int64_t j = 0; hN && j < s.batch; ++j) {
    writeState(s, memory.finalState(s, lengths, j), rows.sequence(j), hN);
  }
}
FOVEA_WORKSPACE(rnn, RnnShape, rnnWorkspace)
FOVEA_PACKED(rnn, RnnShape, rnnPackedLength, rnnPack)

}  // namespace
}  // namespace fovea
