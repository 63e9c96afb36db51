// lstm: c' = f c + i g, h' = o tanh(c'), with gates i, f, o = sigmoid and g = tanh of Wih x + Whh h
// + bias; with peepholes i and f also see c, and o sees c' (Gers and Schmidhuber 2000).
#pragma once

#include "math.h"
#include "recurrent-forward.h"
#include "workspace.h"

namespace fovea {
namespace {

inline Panels lstmPanels(const RecurrentSizes& s) {
  return {s.batch, s.hiddenSize, 4, s.hiddenSize};
}

inline size_t lstmWorkspace(const LstmShape& shape, int threads) {
  const RecurrentSizes s(shape);
  return ForwardMemory(s, 4, lstmPanels(s).length(), threads, Arena(nullptr)).bytes;
}

inline int64_t lstmPackedLength(const LstmShape& shape) {
  const RecurrentSizes s(shape);
  return 4 * s.hiddenSize * s.inputSize + lstmPanels(s).length();
}
inline void lstmPack(const LstmShape& shape, const Context& context, const float* weightIh,
                     const float* weightHh, float* packed) {
  const RecurrentSizes s(shape);
  const int64_t inputLength = 4 * s.hiddenSize * s.inputSize;
  copyFloats(context, weightIh, inputLength, packed);
  packPanels(lstmPanels(s), context, weightHh, false, packed + inputLength);
}

void lstm(const LstmShape& shape, const Context& context, const float* x, const float* weightIh,
          const float* weightHh, const float* biasIh, const float* biasHh, const float* peepholes,
          const float* h0, const float* c0, const int32_t* lengths, float* y, float* hN, float* cN,
          float* saved) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const Panels panels = lstmPanels(s);
  ForwardMemory memory(s, 4, panels.length(), context.threads, Arena(context.workspace));
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize, row = stateRow(s);
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, hidden);
    if (saved) clearPadding(s, lengths, saved, 5 * hidden, 5 * hidden);
  }
  const float* weights =
      context.packed ? context.packed + 4 * hidden * s.inputSize : memory.weights;
  if (context.packed) {
    weightIh = context.packed;
  } else {
    packPanels(panels, context, weightHh, false, memory.weights);
  }
  const float* bias = memory.sumBiases(biasIh, biasHh, 4 * hidden, 4 * hidden);
  memory.multiplyInputs(s, 4, context, x, weightIh, bias);
  readStates(s, rows, h0, memory.states[0]);
  readStates(s, rows, c0, memory.cells);

  const StepTasks tasks(s.batch * panels.k * 4 * hidden, s.batch, panels.count());
  context.parallelSteps(s.steps, tasks.count(), [&](int64_t step, int64_t task, int) {
    const int64_t alive = rows.alive(step), first = rows.first(step);
    float* after = memory.states[(step + 1) % 2];
    multiplyPart(panels, tasks, task, weights, memory.states[step % 2], row, alive, alive,
                 [&](int64_t j, int64_t unit, const float* tile) {
                   const int n = lanesLeft(hidden - unit);
                   const float* input = memory.inputs + (first + j) * 4 * hidden + unit;
                   const auto sumOf = [&](int64_t gate) {
                     return load(tile + gate * Vec::width) + loadUpTo(input + gate * hidden, n);
                   };
                   float* cell = memory.cells + j * row + unit;
                   const Vec c = loadUpTo(cell, n);
                   Vec i = sumOf(0), f = sumOf(1), o = sumOf(3);
                   if (peepholes) {
                     i = fma(loadUpTo(peepholes + unit, n), c, i);
                     f = fma(loadUpTo(peepholes + hidden + unit, n), c, f);
                   }
                   i = sigmoid(i), f = sigmoid(f);
                   const Vec g = tanh(sumOf(2));
                   const Vec next = fma(f, c, i * g);
                   if (peepholes) o = fma(loadUpTo(peepholes + 2 * hidden + unit, n), next, o);
                   o = sigmoid(o);
                   const Vec h = o * tanh(next);
                   const int64_t place = rows.place(first + j);
                   storeUpTo(cell, next, n);
                   storeUpTo(after + j * row + unit, h, n);
                   storeUpTo(y + place * s.yStride + s.yOffset + unit, h, n);
                   if (!saved) return;
                   float* keep = saved + place * 5 * hidden + unit;
                   storeUpTo(keep, i, n);
                   storeUpTo(keep + hidden, f, n);
                   storeUpTo(keep + 2 * hidden, g, n);
                   storeUpTo(keep + 3 * hidden, o, n);
                   storeUpTo(keep + 4 * hidden, next, n);
                 });
  });

  for (int64_t j = 0; j < s.batch; ++j) {
    if (hN) writeState(s, memory.finalState(s, lengths, j), rows.sequence(j), hN);
    if (cN) writeState(s, memory.cells + j * row, rows.sequence(j), cN);
  }
}
FOVEA_WORKSPACE(lstm, LstmShape, lstmWorkspace)
FOVEA_PACKED(lstm, LstmShape, lstmPackedLength, lstmPack)

}  // namespace
}  // namespace fovea
