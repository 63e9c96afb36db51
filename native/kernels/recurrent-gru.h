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

// Reset after: one product of three gates. Reset before: r and z, then n. If inputs are joined, Wih
// comes before Whh in each; reset after keeps the two parts of n apart, by the tile that splits.
struct GruWeights {
  bool joined;
  InputWeights inputs;  // begin the packed form; nothing if joined
  Panels first, second;

  GruWeights(const RecurrentSizes& s, bool resetAfter)
      : joined(joinsInputs(s, 3)),
        inputs(s, 3, joined),
        first(s.batch, s.hiddenSize + (joined ? s.inputSize : 0), resetAfter ? 3 : 2, s.hiddenSize),
        second(s.batch, resetAfter ? 0 : first.k, 1, resetAfter ? 0 : s.hiddenSize) {}
  int64_t length() const { return first.length() + second.length(); }
  int64_t packedLength() const { return inputs.length() + length(); }

  void packPanelsOf(const Context& context, const float* weightIh, const float* weightHh,
                    float* packed) const {
    const int64_t hidden = first.units, input = first.k - hidden;
    float* candidate = packed + first.length();
    if (joined) {
      packGates(first, context, weightIh, 0, input, packed);
      packGates(second, context, weightIh + 2 * hidden * input, 0, input, candidate);
    }
    packGates(first, context, weightHh, input, hidden, packed);
    packGates(second, context, weightHh + 2 * hidden * hidden, input, hidden, candidate);
  }
};
static_assert(3 * 2 * 6 > tileAccumulators,
              "rows that are joined leave room for three vectors only");

inline size_t gruWorkspace(const GruShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const GruWeights weights(s, shape.resetAfter != 0);
  return ForwardMemory(s, 3, weights.inputs, weights.length(), threads, Arena(nullptr), nullptr, 0)
      .bytes;
}

inline int64_t gruPackedLength(const GruShape& shape) {
  return GruWeights(RecurrentSizes(shape), shape.resetAfter != 0).packedLength();
}
inline void gruPack(const GruShape& shape, const Context& context, const float* weightIh,
                    const float* weightHh, float* packed) {
  const GruWeights weights(RecurrentSizes(shape), shape.resetAfter != 0);
  weights.inputs.pack(context, weightIh, packed);
  weights.packPanelsOf(context, weightIh, weightHh, packed + weights.inputs.length());
}

void gru(const GruShape& shape, const Context& context, const float* x, const float* weightIh,
         const float* weightHh, const float* biasIh, const float* biasHh, const float* h0,
         const int32_t* lengths, float* y, float* hN, float* saved) {
  const RecurrentSizes s(shape);
  if (s.batch == 0 || s.hiddenSize == 0) return;
  const bool resetAfter = shape.resetAfter != 0;
  const GruWeights cell(s, resetAfter);
  const bool joined = cell.joined;
  ForwardMemory memory(s, 3, cell.inputs, cell.length(), context.threads, Arena(context.workspace),
                       saved, 4 * s.hiddenSize);
  Rows& rows = memory.rows;
  const int64_t hidden = s.hiddenSize;
  if (lengths) {
    rows.sort(s, lengths);
    clearPadding(s, lengths, y + s.yOffset, s.yStride, hidden);
    if (saved) clearPadding(s, lengths, saved, 4 * hidden, 4 * hidden);
  }
  const float* weights = memory.weights;
  if (context.packed) {
    weights = context.packed + cell.inputs.length();
  } else {
    cell.packPanelsOf(context, weightIh, weightHh, memory.weights);
  }
  memory.prepareInputs(s, cell.inputs, context, x, weightIh, biasIh, biasHh,
                       (resetAfter ? 2 : 3) * hidden);
  const int64_t row = memory.row, hiddenAt = memory.hiddenAt;
  readStates(s, rows, h0, hidden, memory.states[0] + hiddenAt, row);

  const int64_t parts = resetAfter ? 1 : 2, yStride = s.yStride;
  const StepTasks tasks(s.batch * cell.first.k * cell.first.gates * hidden, s.batch,
                        cell.first.count());
  float *resets = memory.cells, *yStart = y + s.yOffset;
  context.parallelSteps(parts * s.steps, tasks.count(), [&](int64_t part, int64_t task, int) {
    const int64_t step = part / parts, alive = rows.alive(step);
    const Places places = rows.placesOf(step);
    const InputSums inputs = memory.inputs;
    const Places inputPlaces = memory.inputPlaces(step);
    const float* states = memory.states[step % 2];
    const float* before = states + hiddenAt;
    float* after = memory.states[(step + 1) % 2] + hiddenAt;
    // Captured by value: a vector store may change whatever has an address.
    const auto fetch = [=](int64_t j, int64_t unit, Lines& lines) {
      if (!inputs.inPlaces && inputs.apart > 0) {
        lines.add(inputs.data + inputPlaces[j] * inputs.apart + unit, 3, hidden);
      }
      if (saved) lines.add(saved + places[j] * 4 * hidden + unit, 4, hidden);
    };
    const auto gateOf = [=](int64_t j, int64_t unit, const float* tile, int64_t gate) {
      const float* input = inputs.data + inputPlaces[j] * inputs.apart + gate * hidden + unit;
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
        Vec sum = loadUpTo(inputs.data + inputPlaces[j] * inputs.apart + 2 * hidden + unit, n);
        if (joined) sum = sum + load(tile + 2 * Vec::width);
        Vec product = load(tile + (joined ? 3 : 2) * Vec::width);
        if (biasHh) product = product + loadUpTo(biasHh + 2 * hidden + unit, n);
        store(tile, z);
        store(tile + Vec::width, fma(r, product, sum));
        keep(j, unit, 0, r), keep(j, unit, 1, z), keep(j, unit, 3, product);
      };
      const auto output = [=](int64_t j, int64_t unit, const float* tile) {
        finish(j, unit, load(tile), gateTanh(load(tile + Vec::width)));
      };
      const int64_t split = joined ? hiddenAt : -1;
      multiplyPart({cell.first, weights, states, row, alive, alive, split}, tasks, task, fetch,
                   gates, output);
      memory.copyInputs(s, x, step + 1, after - hiddenAt, task, tasks.count());
    } else if (part % 2 == 0) {
      const auto output = [=](int64_t j, int64_t unit, const float* tile) {
        const int n = lanesLeft(hidden - unit);
        const Vec r = gateOf(j, unit, tile, 0), z = gateOf(j, unit, tile, 1);
        const Vec reset = r * loadUpTo(before + j * row + unit, n);
        storeUpTo(resets + hiddenAt + j * row + unit, reset, n);
        storeUpTo(after + j * row + unit, z, n);  // until h' takes its place
        keep(j, unit, 0, r), keep(j, unit, 1, z), keep(j, unit, 3, reset);
      };
      multiplyPart({cell.first, weights, states, row, alive, alive}, tasks, task, fetch, output);
      memory.copyInputs(s, x, step, resets, task, tasks.count());
    } else {
      const auto output = [=](int64_t j, int64_t unit, const float* tile) {
        const int n = lanesLeft(hidden - unit);
        const Vec sum =
            load(tile) +
            loadUpTo(inputs.data + inputPlaces[j] * inputs.apart + 2 * hidden + unit, n);
        finish(j, unit, loadUpTo(after + j * row + unit, n), gateTanh(sum));
      };
      multiplyPart({cell.second, weights + cell.first.length(), resets, row, alive, alive}, tasks,
                   task, fetch, output);
      memory.copyInputs(s, x, step + 1, after - hiddenAt, task, tasks.count());
    }
  });

  for (int64_t j = 0; hN && j < s.batch; ++j) {
    writeState(memory.finalState(s, lengths, j), hidden, rows.sequence(j), hN);
  }
}
FOVEA_WORKSPACE(gru, GruShape, gruWorkspace)
FOVEA_PACKED(gru, GruShape, gruPackedLength, gruPack)

}  // namespace
}  // namespace fovea
