// rnnBackward: the gradient through time. Going back, dh = Whhᵀ dsum of the step after + gradY, and
// dsum = dh (1 - y²), or dh where ReLU let y pass.
#pragma once

#include "recurrent-backward.h"
#include "recurrent-rnn.h"

namespace fovea {
namespace {

inline size_t rnnBackwardWorkspace(const RnnBackwardShape& shape, int threads) {
  const RecurrentSizes s(shape);
  return BackwardMemory(s, s.hiddenSize, 1, 1, backwardPanels(s, 1).length(), threads,
                        Arena(nullptr))
      .bytes;
}

void rnnBackward(const RnnBackwardShape& shape, const Context& context, const float* x,
                 const float* weightIh, const float* weightHh, const float* h0,
                 const int32_t* lengths, const float* y, const float* gradY, const float* gradHN,
                 float* gradX, float* gradWeightIh, float* gradWeightHh, float* gradBias,
                 float* gradH0) {
  const RecurrentSizes s(shape);
  const int64_t hidden = s.hiddenSize;
  const bool accumulate = shape.accumulate != 0;
  if (s.batch == 0 || hidden == 0) {
    clearGradients(s, hidden, accumulate, gradWeightIh, gradWeightHh, gradX);
    if (gradBias) fillZero(gradBias, hidden);
    return;
  }
  const Panels panels = backwardPanels(s, 1);
  BackwardMemory memory(s, hidden, 1, 1, panels.length(), context.threads,
                        Arena(context.workspace));
  memory.prepare(s, lengths);
  const Rows& rows = memory.rows;
  packTransposed(panels, context, weightHh, memory.weights);

  const StepTasks tasks(s.batch * panels.k * hidden, s.batch, panels.count());
  const int64_t steps = s.steps + (gradH0 ? 1 : 0);  // the last one gives the gradient of h0
  const int64_t yStride = s.yStride, yOffset = s.yOffset, gateRow = memory.gateRow;
  const bool relu = shape.relu != 0;
  const Places sequences = rows.sequences();
  context.parallelSteps(steps, tasks.count(), [&](int64_t back, int64_t task, int) {
    const int64_t step = s.steps - 1 - back, after = rows.alive(step + 1);
    const int64_t alive = step < 0 ? s.batch : rows.alive(step);
    const Places places = step < 0 ? Places{nullptr, 0} : rows.placesOf(step);
    const int64_t first = step < 0 ? 0 : rows.first(step);
    const float* gradients = after > 0 ? memory.gates + rows.first(step + 1) * gateRow : nullptr;
    float* gateGradients = memory.gates + first * gateRow;
    // Captured by value: a vector store may change whatever has an address.
    const auto fetch = [=](int64_t j, int64_t unit, Lines& lines) {
      if (step < 0) return;
      const int64_t at = places[j] * yStride + yOffset + unit;
      lines.add(y + at);
      if (gradY) lines.add(gradY + at);
    };
    const auto finish = [=](int64_t j, int64_t unit, const float* tile) {
      const int n = lanesLeft(hidden - unit);
      const int64_t sequence = sequences[j] * hidden + unit;
      Vec dh = load(tile);
      if (gradHN && j >= after) dh = dh + loadUpTo(gradHN + sequence, n);
      if (step < 0) return storeUpTo(gradH0 + sequence, dh, n);
      const int64_t at = places[j] * yStride + yOffset + unit;
      if (gradY) dh = dh + loadUpTo(gradY + at, n);
      const Vec h = loadUpTo(y + at, n);
      const Vec passed = select(lessEqual(h, broadcast(0)), broadcast(0), dh);
      const Vec sum = relu ? passed : dh * fnma(h, h, broadcast(1));
      storeUpTo(gateGradients + j * gateRow + unit, sum, n);
    };
    multiplyPart({panels, memory.weights, gradients, gateRow, after, alive}, tasks, task, fetch,
                 finish);
  });

  const GateBlock all{0, hidden, 0, 3};
  const Entered entered[] = {
      {{x, s.inputSize, rows.places(), nullptr, 0}, s.inputSize, gradWeightIh, gradBias},
      {memory.statesBefore(s, h0, y), hidden, gradWeightHh, nullptr}};
  memory.finish(s, context, &all, 1, entered, weightIh, lengths, accumulate, gradX);
}
FOVEA_WORKSPACE(rnnBackward, RnnBackwardShape, rnnBackwardWorkspace)

}  // namespace
}  // namespace fovea
