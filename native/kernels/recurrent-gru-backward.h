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

// Gradients of a row: of n, r and z as x enters them; reset after, also of n as h enters it.
inline int64_t gruGradients(bool resetAfter) {
  return resetAfter ? 4 : 3;
}

inline size_t gruBackwardWorkspace(const GruBackwardShape& shape, int threads) {
  const RecurrentSizes s(shape);
  const bool resetAfter = shape.resetAfter != 0;
  const int64_t length = GruBackwardPanels(s, resetAfter).length();
  return BackwardMemory(s, gruGradients(resetAfter) * s.hiddenSize, 3, resetAfter ? 1 : 2, length,
                        threads, Arena(nullptr))
      .bytes;
}

void gruBackward(const GruBackwardShape& shape, const Context& context, const float* x,
                 const float* weightIh, const float* weightHh, const float* h0,
                 const int32_t* lengths, const float* y, const float* saved, const float* gradY,
                 const float* gradHN, float* gradX, float* gradWeightIh, float* gradWeightHh,
                 float* gradBiasIh, float* gradBiasHh, float* gradH0) {
  const RecurrentSizes s(shape);
  const int64_t hidden = s.hiddenSize, row = unitRow(s);
  const bool accumulate = shape.accumulate != 0, resetAfter = shape.resetAfter != 0;
  if (s.batch == 0 || hidden == 0) {
    clearGradients(s, 3 * hidden, accumulate, gradWeightIh, gradWeightHh, gradX);
    if (gradBiasIh) fillZero(gradBiasIh, 3 * hidden);
    if (gradBiasHh) fillZero(gradBiasHh, 3 * hidden);
    return;
  }
  const GruBackwardPanels panels(s, resetAfter);
  BackwardMemory memory(s, gruGradients(resetAfter) * hidden, 3, resetAfter ? 1 : 2,
                        panels.length(), context.threads, Arena(context.workspace));
  memory.prepare(s, lengths);
  const Rows& rows = memory.rows;
  packTransposed(panels.first, context, weightHh, memory.weights);
  packTransposed(panels.second, context, weightHh + 2 * hidden * hidden,
                 memory.weights + panels.first.length());
  readStates(s, rows, gradHN, hidden, memory.carry, row);

  const Vec one = broadcast(1);
  const int64_t parts = resetAfter ? 1 : 2;
  const int64_t steps = parts * s.steps + (gradH0 ? 1 : 0);  // the last gives the gradient of h0
  const StepTasks tasks(s.batch * panels.first.k * hidden, s.batch, panels.first.count());
  const int64_t yStride = s.yStride, yOffset = s.yOffset, gateRow = memory.gateRow;
  float* const carries = memory.carry;
  const Places sequences = rows.sequences();
  const EnteredRows statesBefore = memory.statesBefore(s, h0, y);
  context.parallelSteps(steps, tasks.count(), [&](int64_t back, int64_t task, int) {
    const int64_t step = s.steps - 1 - back / parts, after = rows.alive(step + 1);
    const int64_t alive = step < 0 ? s.batch : rows.alive(step);
    const Places places = step < 0 ? Places{nullptr, 0} : rows.placesOf(step);
    const int64_t first = step < 0 ? 0 : rows.first(step);
    float* gateGradients = memory.gates + first * gateRow;
    // Captured by value: a vector store may change whatever has an address.
    const auto fetch = [=](int64_t j, int64_t unit, Lines& lines) {
      if (step < 0) return;
      const int64_t place = places[j];
      lines.add(saved + place * 4 * hidden + unit, 4, hidden);
      lines.add(gateGradients + j * gateRow + unit, gruGradients(resetAfter), hidden);
      if (const float* h = statesBefore.of(first + j)) lines.add(h + unit);
      if (gradY) lines.add(gradY + place * yStride + yOffset + unit);
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
      const Vec h = loadOrZero(statesBefore.of(first + j), unit, n);
      const Vec dn = dh * (one - z) * fnma(candidate, candidate, one);
      const Vec dz = dh * (h - candidate) * (z * (one - z));
      storeUpTo(carry, dh * z, n);
      float* gate = gateGradients + j * gateRow + unit;
      storeUpTo(gate, dn, n);
      storeUpTo(gate + 2 * hidden, dz, n);
      if (!resetAfter) return;
      const Vec r = loadUpTo(kept, n);
      storeUpTo(gate + hidden, dn * loadUpTo(kept + 3 * hidden, n) * (r * (one - r)), n);
      storeUpTo(gate + 3 * hidden, dn * r, n);
    };
    // Reset before, second part: through Whn to r and to r h.
    const auto finishReset = [=](int64_t j, int64_t unit, const float* tile) {
      const int n = lanesLeft(hidden - unit);
      const Vec r = loadUpTo(saved + places[j] * 4 * hidden + unit, n), e = load(tile);
      const Vec h = loadOrZero(statesBefore.of(first + j), unit, n);
      float* carry = carries + j * row + unit;
      storeUpTo(carry, fma(e, r, loadUpTo(carry, n)), n);
      storeUpTo(gateGradients + j * gateRow + hidden + unit, e * h * (r * (one - r)), n);
    };
    if (back % parts == 0) {
      const float* gradients =
          after > 0 ? memory.gates + rows.first(step + 1) * gateRow + hidden : nullptr;
      multiplyPart({panels.first, memory.weights, gradients, gateRow, after, alive}, tasks, task,
                   fetch, finish);
    } else {
      multiplyPart({panels.second, memory.weights + panels.first.length(), gateGradients, gateRow,
                    alive, alive},
                   tasks, task, fetch, finishReset);
    }
  });

  const Entered entered[] = {
      {{x, s.inputSize, rows.places(), nullptr, 0}, s.inputSize, gradWeightIh, gradBiasIh},
      {statesBefore, hidden, gradWeightHh, gradBiasHh},
      // The factor of Whn, reset before, was r h, which was saved.
      {{saved + 3 * hidden, 4 * hidden, rows.places(), nullptr, 0},
       hidden,
       gradWeightHh,
       gradBiasHh}};
  constexpr unsigned byX = 1, byH = 2, byResetH = 4;
  const GateBlock afterBlocks[] = {{0, hidden, 2 * hidden, byX},
                                   {hidden, 2 * hidden, 0, byX | byH},
                                   {3 * hidden, hidden, 2 * hidden, byH}};
  const GateBlock beforeBlocks[] = {{0, hidden, 2 * hidden, byX | byResetH},
                                    {hidden, 2 * hidden, 0, byX | byH}};
  memory.finish(s, context, resetAfter ? afterBlocks : beforeBlocks, resetAfter ? 3 : 2, entered,
                weightIh, lengths, accumulate, gradX);
}
FOVEA_WORKSPACE(gruBackward, GruBackwardShape, gruBackwardWorkspace)

}  // namespace
}  // namespace fovea
