// gruBackward: the gradient through time. Going back, with dh the gradient of h',
//   dn = dh (1 - z) (1 - n²), dz = dh (h - n) z (1 - z), and dh z goes on to the step before.
// Reset after the product q = Whn h + bhn: dr = dn q r (1 - r), and h sees dn r. Reset before it:
// with e = Whnᵀ dn, dr = e h r (1 - r), and e r goes on too; then a step has two parts.
#pragma once

#include "recurrent-backward.h"
#include "recurrent-gru.h"

namespace fovea {
namespace {

// Reset after: one product of three gates. Reset before: r and z, then n.
struct GruBackwardPanels {
  Panels first, second;
  GruBackwardPanels(const RecurrentSizes& s, bool resetAfter)
      : first(backwardPanels(s, resetAfter ? 3 : 2)),
        second(backwardPanels(s, resetAfter ? 0 : 1)) {}
  int64_t length() const { return first.length() + second.length(); }
};

inline size_t gruBackwardWorkspace(const GruBackwardShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const int64_t length = GruBackwardPanels(s, shape.resetAfter != 0).length();
  return BackwardMemory(s, 3, true, length, threads, Arena(nullptr)).bytes;
}

void gruBackward(const GruBackwardShape& shape, const Context& context, const float* x,
                 const float* weightIh, const float* weightHh, const float* h0,
                 const int32_t* lengths, const float* y, const float* saved, const float* gradY,
                 const float* gradHN, float* gradX, float* gradWeightIh, float* gradWeightHh,
                 float* gradBiasIh, float* gradBiasHh, float* gradH0) {
  const RecurrentSizes s(shape);
  const int64_t hidden = s.hiddenSize, wide = 3 * hidden, row = stateRow(s);
  const bool accumulate = shape.accumulate != 0, resetAfter = shape.resetAfter != 0;
  if (s.batch == 0 || hidden == 0) {
    clearGradients(s, wide, accumulate, gradWeightIh, gradWeightHh, gradX);
    if (gradBiasIh) fillZero(gradBiasIh, wide);
    if (gradBiasHh) fillZero(gradBiasHh, wide);
    return;
  }
  const GruBackwardPanels panels(s, resetAfter);
  BackwardMemory memory(s, 3, true, panels.length(), context.threads, Arena(context.workspace));
  Rows& rows = memory.rows;
  if (lengths) rows.sort(s, lengths);
  packTransposed(panels.first, context, weightHh, memory.weights);
  packTransposed(panels.second, context, weightHh + 2 * hidden * hidden,
                 memory.weights + panels.first.length());
  readStates(s, rows, gradHN, memory.carry, row);
  memory.gatherBefore(s, context, h0, y);
  // What h enters: [rows, r z n] or, reset before, [rows, r z] and then [rows, n].
  const int64_t hiddenWide = resetAfter ? wide : 2 * hidden;
  float* candidates = memory.hiddenGates + rows.padded() * 2 * hidden;
  const int64_t empty = rows.padded() - rows.total();
  fillZero(memory.gates + rows.total() * wide, empty * wide);
  fillZero(memory.hiddenGates + rows.total() * hiddenWide, empty * hiddenWide);
  if (!resetAfter) fillZero(candidates + rows.total() * hidden, empty * hidden);

  const Vec one = broadcast(1);
  const int64_t parts = resetAfter ? 1 : 2;
  const int64_t steps = parts * s.steps + (gradH0 ? 1 : 0);  // the last gives the gradient of h0
  const StepTasks tasks(s.batch * panels.first.k * hidden, s.batch, panels.first.count());
  const int64_t yStride = s.yStride, yOffset = s.yOffset;
  float* const carries = memory.carry;
  const Places sequences = rows.sequences();
  context.parallelSteps(steps, tasks.count(), [&](int64_t back, int64_t task, int) {
    const int64_t step = s.steps - 1 - back / parts, after = rows.alive(step + 1);
    const int64_t alive = step < 0 ? s.batch : rows.alive(step);
    const Places places = step < 0 ? Places{nullptr, 0} : rows.placesOf(step);
    const int64_t first = step < 0 ? 0 : rows.first(step);
    float* gateGradients = memory.gates + first * wide;
    float* hiddenGradients = memory.hiddenGates + first * hiddenWide;
    float* candidateGradients = candidates + first * hidden;
    const float* before = memory.before + first * hidden;
    // Captured by value: a vector store may change whatever has an address.
    const auto fetch = [=](int64_t j, int64_t unit) {
      if (step < 0) return;
      const int64_t place = places[j];
      prefetchParts(saved + place * 4 * hidden + unit, 4, hidden);
      prefetchParts(gateGradients + j * wide + unit, 3, hidden);
      prefetchParts(hiddenGradients + j * hiddenWide + unit, parts == 1 ? 3 : 2, hidden);
      prefetch(before + j * hidden + unit);
      if (gradY) prefetch(gradY + place * yStride + yOffset + unit);
    };
    const auto finish = [=](int64_t j, int64_t unit, const float* tile) {
      const int n = lanesLeft(hidden - unit);
      float* carry = carries + j * row + unit;
      Vec dh = load(tile) + loadUpTo(carry, n);
      if (step < 0) return storeUpTo(gradH0 + sequences[j] * hidden + unit, dh, n);
      const int64_t place = places[j];
      if (gradY) dh = dh + loadUpTo(gradY + place * yStride + yOffset + unit, n);
      const float* kept = saved + place * 4 * hidden + unit;
      const Vec z = loadUpTo(kept + hidden, n), candidate = loadUpTo(kept + 2 * hidden, n);
      const Vec h = loadUpTo(before + j * hidden + unit, n);
      const Vec dn = dh * (one - z) * fnma(candidate, candidate, one);
      const Vec dz = dh * (h - candidate) * (z * (one - z));
      storeUpTo(carry, dh * z, n);
      float* gate = gateGradients + j * wide + unit;
      float* hiddenGate = hiddenGradients + j * hiddenWide + unit;
      storeUpTo(gate + hidden, dz, n);
      storeUpTo(gate + 2 * hidden, dn, n);
      storeUpTo(hiddenGate + hidden, dz, n);
      if (resetAfter) {
        const Vec r = loadUpTo(kept, n);
        const Vec dr = dn * loadUpTo(kept + 3 * hidden, n) * (r * (one - r));
        storeUpTo(gate, dr, n);
        storeUpTo(hiddenGate, dr, n);
        storeUpTo(hiddenGate + 2 * hidden, dn * r, n);
      } else {
        storeUpTo(candidateGradients + j * hidden + unit, dn, n);
      }
    };
    // Reset before, second part: through Whn to r and to r h.
    const auto finishReset = [=](int64_t j, int64_t unit, const float* tile) {
      const int n = lanesLeft(hidden - unit);
      const Vec r = loadUpTo(saved + places[j] * 4 * hidden + unit, n), e = load(tile);
      const Vec h = loadUpTo(before + j * hidden + unit, n);
      const Vec dr = e * h * (r * (one - r));
      float* carry = carries + j * row + unit;
      storeUpTo(carry, fma(e, r, loadUpTo(carry, n)), n);
      storeUpTo(gateGradients + j * wide + unit, dr, n);
      storeUpTo(hiddenGradients + j * hiddenWide + unit, dr, n);
    };
    if (back % parts == 0) {
      const float* gradients =
          after > 0 ? memory.hiddenGates + rows.first(step + 1) * hiddenWide : nullptr;
      multiplyPart({panels.first, memory.weights, gradients, hiddenWide, after, alive}, tasks, task,
                   fetch, finish);
    } else {
      multiplyPart({panels.second, memory.weights + panels.first.length(), candidateGradients,
                    hidden, alive, alive},
                   tasks, task, fetch, finishReset);
    }
  });

  memory.weightGradient(context, memory.hiddenGates, hiddenWide, memory.before, hidden,
                        gradWeightHh);
  if (!resetAfter) {
    // The factor of Whn was r h, which was saved.
    gatherRows(rows, context, saved + 3 * hidden, 4 * hidden, hidden, memory.before);
    memory.weightGradient(context, candidates, hidden, memory.before, hidden,
                          gradWeightHh + 2 * hidden * hidden);
  }
  memory.inputGradients(s, context, wide, accumulate, x, weightIh, lengths, gradWeightIh, gradX);
  memory.biasGradient(context, memory.gates, wide, gradBiasIh);
  memory.biasGradient(context, resetAfter ? memory.hiddenGates : memory.gates, wide, gradBiasHh);
}
FOVEA_WORKSPACE(gruBackward, GruBackwardShape, gruBackwardWorkspace)

}  // namespace
}  // namespace fovea
