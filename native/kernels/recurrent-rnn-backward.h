// rnnBackward: the gradient through time. Going back, dh = Whhᵀ dsum of the step after + gradY, and
// dsum = dh (1 - y²), or dh where ReLU let y pass.
#pragma once

#include "recurrent-backward.h"
#include "recurrent-rnn.h"

namespace fovea {
namespace {

inline size_t rnnBackwardWorkspace(const RnnBackwardShape& shape, int threads) {
  const RecurrentSizes s(shape);
  return BackwardMemory(s, 1, false, backwardPanels(s, 1).length(), threads, Arena(nullptr)).bytes;
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
  BackwardMemory memory(s, 1, false, panels.length(), context.threads, Arena(context.workspace));
  Rows& rows = memory.rows;
  if (lengths) rows.sort(s, lengths);
  packPanels(panels, context, weightHh, true, memory.weights);
  fillZero(memory.gates + rows.total() * hidden, (rows.padded() - rows.total()) * hidden);

  const StepTasks tasks(s.batch * panels.k * hidden, s.batch, panels.count());
  const int64_t last = s.steps - 1;
  context.parallelSteps(
      s.steps + (gradH0 ? 1 : 0), tasks.count(), [&](int64_t back, int64_t task, int) {
        const int64_t step = last - back, after = rows.alive(step + 1);
        const int64_t first = step < 0 ? 0 : rows.first(step);
        const float* gradients = after > 0 ? memory.gates + rows.first(step + 1) * hidden : nullptr;
        multiplyPart(panels, tasks, task, memory.weights, gradients, hidden, after,
                     step < 0 ? s.batch : rows.alive(step),
                     [&](int64_t j, int64_t unit, const float* tile) {
                       const int n = lanesLeft(hidden - unit);
                       const int64_t sequence = rows.sequence(j) * hidden + unit;
                       Vec dh = load(tile);
                       if (gradHN && j >= after) dh = dh + loadUpTo(gradHN + sequence, n);
                       if (step < 0) return storeUpTo(gradH0 + sequence, dh, n);
                       const int64_t place = rows.place(first + j);
                       dh = dh + loadOrZero(gradYOf(s, gradY, place), unit, n);
                       const Vec h = loadUpTo(y + place * s.yStride + s.yOffset + unit, n);
                       const Vec passed = select(lessEqual(h, broadcast(0)), broadcast(0), dh);
                       const Vec sum = shape.relu ? passed : dh * fnma(h, h, broadcast(1));
                       storeUpTo(memory.gates + (first + j) * hidden + unit, sum, n);
                     });
      });

  memory.gatherBefore(s, context, h0, y);
  memory.weightGradient(context, memory.gates, hidden, memory.before, hidden, gradWeightHh);
  memory.inputGradients(s, context, hidden, accumulate, x, weightIh, lengths, gradWeightIh, gradX);
  memory.biasGradient(context, memory.gates, hidden, gradBias);
}
FOVEA_WORKSPACE(rnnBackward, RnnBackwardShape, rnnBackwardWorkspace)

}  // namespace
}  // namespace fovea
