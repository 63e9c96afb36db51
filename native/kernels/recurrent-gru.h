// gru: h' = (1 - z) n + z h, with gates r, z = sigmoid of Wih x + Whh h + bias. The candidate n =
// tanh(Win x + bin + r (Whn h + bhn)), reset after the product as in cuDNN and PyTorch, or
// tanh(Win x + bin + Whn (r h) + bhn), reset before it (Cho et al. 2014): then a step has two
// parts.
#pragma once

#include "math.h"
#include "recurrent-forward.h"
#include "workspace.h"

namespace fovea {
namespace {

// Reset after: one product of three gates. Reset before: r and z, then n.
struct GruPanels {
  Panels first, second;
  GruPanels(const RecurrentSizes& s, bool resetAfter)
      : first(s.batch, s.hiddenSize, resetAfter ? 3 : 2, s.hiddenSize),
        second(s.batch, s.hiddenSize, 1, resetAfter ? 0 : s.hiddenSize) {}
  int64_t length() const { return first.length() + second.length(); }
  void pack(const Context& context, const float* weightHh, float* packed) const {
    packPanels(first, context, weightHh, false, packed);
    packPanels(second, context, weightHh + 2 * first.units * first.k, false,
               packed + first.length());
  }
};

inline size_t gruWorkspace(const GruShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const int64_t length = GruPanels(s, shape.resetAfter != 0).length();
  return ForwardMemory(s, 3, length, threads, Arena(nullptr)).bytes;
}

inline int64_t gruPackedLength(const GruShape& shape) {
  const RecurrentSizes s(shape);
  return 3 * s.hiddenSize * s.inputSize + GruPanels(s, shape.resetAfter != 0).length();
}
inline void gruPack(const GruShape& shape, const Context& context, const float* weightIh,
                    const float* weightHh, float* packed) {
  const RecurrentSizes s(shape);
  const int64_t inputLength = 3 * s.hiddenSize * s.inputSize;
  copyFloats(context, weightIh, inputLength, packed);
  GruPanels(s, shape.resetAfter != 0).pack(context, weightHh, packed + inputLength);
}

void gru(const GruShape& shape, const Context& context, const float* x, const float* weightIh,
         const float* weightHh, const float* biasIh, const float* biasHh, const float* h0,
         const int32_t* lengths, float* y, float* hN, float* saved) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const bool resetAfter = shape.resetAfter != 0;
  const GruPanels panels(s, resetAfter);
  ForwardMemory memory(s, 3, panels.length(), context.threads, Arena(context.workspace));
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize, row = stateRow(s);
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, hidden);
    if (saved) clearPadding(s, lengths, saved, 4 * hidden, 4 * hidden);
  }
  const float* weights =
      context.packed ? context.packed + 3 * hidden * s.inputSize : memory.weights;
  if (context.packed) {
    weightIh = context.packed;
  } else {
    panels.pack(context, weightHh, memory.weights);
  }
  const float* bias = memory.sumBiases(biasIh, biasHh, 3 * hidden, (resetAfter ? 2 : 3) * hidden);
  memory.multiplyInputs(s, 3, context, x, weightIh, bias);
  readStates(s, rows, h0, memory.states[0]);

  struct Place {
    int n;
    const float *h, *input;
    float *after, *y, *saved, *reset;
  };
  const auto placeOf = [&](int64_t step, int64_t j, int64_t unit) -> Place {
    const int64_t at = rows.first(step) + j, place = rows.place(at), state = j * row + unit;
    return {lanesLeft(hidden - unit),
            memory.states[step % 2] + state,
            memory.inputs + at * 3 * hidden + unit,
            memory.states[(step + 1) % 2] + state,
            y + place * s.yStride + s.yOffset + unit,
            saved ? saved + place * 4 * hidden + unit : nullptr,
            memory.cells + state};
  };
  const auto sumOf = [=](const Place& at, const float* tile, int64_t gate) {
    return load(tile + gate * Vec::width) + loadUpTo(at.input + gate * hidden, at.n);
  };
  const auto finish = [=](const Place& at, Vec z, Vec n) {
    const Vec h = fma(z, loadUpTo(at.h, at.n) - n, n);
    storeUpTo(at.after, h, at.n);
    storeUpTo(at.y, h, at.n);
  };
  const auto keep = [=](const Place& at, int64_t part, Vec value) {
    if (at.saved) storeUpTo(at.saved + part * hidden, value, at.n);
  };

  if (resetAfter) {
    const StepTasks tasks(s.batch * hidden * 3 * hidden, s.batch, panels.first.count());
    context.parallelSteps(s.steps, tasks.count(), [&](int64_t step, int64_t task, int) {
      const int64_t alive = rows.alive(step);
      multiplyPart(panels.first, tasks, task, weights, memory.states[step % 2], row, alive, alive,
                   [&](int64_t j, int64_t unit, const float* tile) {
                     const Place at = placeOf(step, j, unit);
                     const Vec r = sigmoid(sumOf(at, tile, 0)), z = sigmoid(sumOf(at, tile, 1));
                     Vec product = load(tile + 2 * Vec::width);
                     if (biasHh) product = product + loadUpTo(biasHh + 2 * hidden + unit, at.n);
                     const Vec n = tanh(fma(r, product, loadUpTo(at.input + 2 * hidden, at.n)));
                     finish(at, z, n);
                     keep(at, 0, r), keep(at, 1, z), keep(at, 2, n), keep(at, 3, product);
                   });
    });
  } else {
    float* update = memory.inputs;  // z takes the place of its input
    const StepTasks tasks(s.batch * hidden * 2 * hidden, s.batch, panels.first.count());
    context.parallelSteps(2 * s.steps, tasks.count(), [&](int64_t half, int64_t task, int) {
      const int64_t step = half / 2, alive = rows.alive(step);
      if (half % 2 == 0) {
        multiplyPart(panels.first, tasks, task, weights, memory.states[step % 2], row, alive, alive,
                     [&](int64_t j, int64_t unit, const float* tile) {
                       const Place at = placeOf(step, j, unit);
                       const Vec r = sigmoid(sumOf(at, tile, 0)), z = sigmoid(sumOf(at, tile, 1));
                       const Vec reset = r * loadUpTo(at.h, at.n);
                       storeUpTo(at.reset, reset, at.n);
                       storeUpTo(update + (at.input - update) + hidden, z, at.n);
                       keep(at, 0, r), keep(at, 1, z), keep(at, 3, reset);
                     });
      } else {
        multiplyPart(panels.second, tasks, task, weights + panels.first.length(), memory.cells, row,
                     alive, alive, [&](int64_t j, int64_t unit, const float* tile) {
                       const Place at = placeOf(step, j, unit);
                       const Vec n = tanh(load(tile) + loadUpTo(at.input + 2 * hidden, at.n));
                       finish(at, loadUpTo(at.input + hidden, at.n), n);
                       keep(at, 2, n);
                     });
      }
    });
  }

  for (int64_t j = 0; hN && j < s.batch; ++j) {
    writeState(s, memory.finalState(s, lengths, j), rows.sequence(j), hN);
  }
}
FOVEA_WORKSPACE(gru, GruShape, gruWorkspace)
FOVEA_PACKED(gru, GruShape, gruPackedLength, gruPack)

}  // namespace
}  // namespace fovea
