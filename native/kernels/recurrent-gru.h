// gru: h' = (1 - z) n + z h, with gates r, z = sigmoid of Wih x + Whh h + bias. The candidate n =
// tanh(Win x + bin + r (Whn h + bhn)), reset after the product as in cuDNN and PyTorch, or
// tanh(Win x + bin + Whn (r h) + bhn), reset before it (Cho et al. 2014): then a step has two
// parts.
#pragma once

#include "recurrent-forward.h"
#include "recurrent-gates.h"
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
    packGates(first, context, weightHh, 0, first.k, packed);
    packGates(second, context, weightHh + 2 * first.units * first.k, 0, second.k,
              packed + first.length());
  }
};

inline size_t gruWorkspace(const GruShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const int64_t length = GruPanels(s, shape.resetAfter != 0).length();
  return ForwardMemory(s, 3, false, length, threads, Arena(nullptr)).bytes;
}

inline int64_t gruPackedLength(const GruShape& shape) {
  const RecurrentSizes s(shape);
  return InputWeights(s, 3, false).length() + GruPanels(s, shape.resetAfter != 0).length();
}
inline void gruPack(const GruShape& shape, const Context& context, const float* weightIh,
                    const float* weightHh, float* packed) {
  const RecurrentSizes s(shape);
  const InputWeights inputs(s, 3, false);
  inputs.pack(context, weightIh, packed);
  GruPanels(s, shape.resetAfter != 0).pack(context, weightHh, packed + inputs.length());
}

void gru(const GruShape& shape, const Context& context, const float* x, const float* weightIh,
         const float* weightHh, const float* biasIh, const float* biasHh, const float* h0,
         const int32_t* lengths, float* y, float* hN, float* saved) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const bool resetAfter = shape.resetAfter != 0;
  const GruPanels panels(s, resetAfter);
  ForwardMemory memory(s, 3, false, panels.length(), context.threads, Arena(context.workspace));
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize, wide = 3 * hidden, row = stateRow(s);
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, hidden);
    if (saved) clearPadding(s, lengths, saved, 4 * hidden, 4 * hidden);
  }
  const InputWeights inputWeights(s, 3, false);
  const float* weights = memory.weights;
  if (context.packed) {
    weightIh = context.packed;
    weights = context.packed + inputWeights.length();
  } else {
    panels.pack(context, weightHh, memory.weights);
  }
  memory.prepareInputs(s, 3, context, x, weightIh, inputWeights.packedIn(context.packed), biasIh,
                       biasHh, (resetAfter ? 2 : 3) * hidden);
  readStates(s, rows, h0, memory.states[0], row);

  const int64_t parts = resetAfter ? 1 : 2, yStride = s.yStride;
  const StepTasks tasks(s.batch * hidden * panels.first.gates * hidden, s.batch,
                        panels.first.count());
  float *resets = memory.cells, *yStart = y + s.yOffset;
  context.parallelSteps(parts * s.steps, tasks.count(), [&](int64_t part, int64_t task, int) {
    const int64_t step = part / parts, alive = rows.alive(step);
    const Places places = rows.placesOf(step);
    const float* before = memory.states[step % 2];
    float *inputs = memory.inputsOf(step), *after = memory.states[(step + 1) % 2];
    // Captured by value: a vector store may change whatever has an address.
    const auto fetch = [=](int64_t j, int64_t unit) {
      prefetchParts(inputs + j * wide + unit, 3, hidden);
      if (saved) prefetchParts(saved + places[j] * 4 * hidden + unit, 4, hidden);
    };
    const auto gateOf = [=](int64_t j, int64_t unit, const float* tile, int64_t gate) {
      const float* input = inputs + j * wide + gate * hidden + unit;
      return gateSigmoid(load(tile + gate * Vec::width) +
                         loadUpTo(input, lanesLeft(hidden - unit)));
    };
    const auto keep = [=](int64_t j, int64_t unit, int64_t gate, Vec value) {
      if (!saved) return;
      storeUpTo(saved + (places[j] * 4 + gate) * hidden + unit, value, lanesLeft(hidden - unit));
    };
    const auto finish = [=](int64_t j, int64_t unit, Vec z, Vec n) {
      const int count = lanesLeft(hidden - unit);
      const Vec h = fma(z, loadUpTo(before + j * row + unit, count) - n, n);
      storeUpTo(after + j * row + unit, h, count);
      storeUpTo(yStart + places[j] * yStride + unit, h, count);
      keep(j, unit, 2, n);
    };
    if (resetAfter) {
      const auto gates = [=](int64_t j, int64_t unit, float* tile) {
        const int n = lanesLeft(hidden - unit);
        const Vec r = gateOf(j, unit, tile, 0), z = gateOf(j, unit, tile, 1);
        Vec product = load(tile + 2 * Vec::width);
        if (biasHh) product = product + loadUpTo(biasHh + 2 * hidden + unit, n);
        store(tile, z);
        store(tile + Vec::width,
              fma(r, product, loadUpTo(inputs + j * wide + 2 * hidden + unit, n)));
        keep(j, unit, 0, r), keep(j, unit, 1, z), keep(j, unit, 3, product);
      };
      const auto output = [=](int64_t j, int64_t unit, const float* tile) {
        finish(j, unit, load(tile), gateTanh(load(tile + Vec::width)));
      };
      multiplyPart({panels.first, weights, before, row, alive, alive}, tasks, task, fetch, gates,
                   output);
    } else if (part % 2 == 0) {
      const auto output = [=](int64_t j, int64_t unit, const float* tile) {
        const int n = lanesLeft(hidden - unit);
        const Vec r = gateOf(j, unit, tile, 0), z = gateOf(j, unit, tile, 1);
        const Vec reset = r * loadUpTo(before + j * row + unit, n);
        storeUpTo(resets + j * row + unit, reset, n);
        storeUpTo(inputs + j * wide + hidden + unit, z, n);  // in the place of its input
        keep(j, unit, 0, r), keep(j, unit, 1, z), keep(j, unit, 3, reset);
      };
      multiplyPart({panels.first, weights, before, row, alive, alive}, tasks, task, fetch, output);
    } else {
      const auto output = [=](int64_t j, int64_t unit, const float* tile) {
        const int n = lanesLeft(hidden - unit);
        const float* input = inputs + j * wide + unit;
        const Vec sum = load(tile) + loadUpTo(input + 2 * hidden, n);
        finish(j, unit, loadUpTo(input + hidden, n), gateTanh(sum));
      };
      multiplyPart({panels.second, weights + panels.first.length(), resets, row, alive, alive},
                   tasks, task, fetch, output);
    }
  });

  for (int64_t j = 0; hN && j < s.batch; ++j) {
    writeState(s, memory.finalState(s, lengths, j), rows.sequence(j), hN);
  }
}
FOVEA_WORKSPACE(gru, GruShape, gruWorkspace)
FOVEA_PACKED(gru, GruShape, gruPackedLength, gruPack)

}  // namespace
}  // namespace fovea
