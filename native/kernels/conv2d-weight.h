// conv2dBackwardWeight: gradWeight[o][c][tap] = sum over images and positions p of gradY[o][p]
// x[c][p + tap]; gradBias[o] = sum of gradY[o]. What the lanes of a vector hold is chosen by shape:
// output channels, or positions where there are few of those.
#pragma once

#include "conv2d-algorithm.h"
#include "conv2d-weight-depthwise.h"
#include "conv2d-weight-outputs.h"
#include "conv2d-weight-positions.h"

namespace fovea {
namespace {

inline bool positionsInLanes(const WeightShape& s) {
  return 2 * s.outputs <= Vec::width && s.outputs * s.depth * Vec::width <= 1 << 20;
}

void conv2dBackwardWeight(const Conv2dBackwardShape& s, const Context& context, const float* x,
                          const float* gradY, float* gradWeight, float* gradBias) {
  if (usesWinogradGradient(s)) {
    return winogradGradient(s, context, x, gradY, gradWeight, gradBias);
  }
  const WeightShape shape(s);
  const WeightBuffers buffers = {x, gradY, gradWeight, gradBias};
  if (shape.empty()) {
    fillRow(gradWeight, s.outChannels * shape.depth, 0);
    if (gradBias) fillRow(gradBias, s.outChannels, 0);
  } else if (DepthwiseWeightPlan::fits(shape)) {
    weightDepthwise(DepthwiseWeightPlan(s), context, buffers);
  } else if (positionsInLanes(shape)) {
    weightByPositions(PositionsPlan(s), context, buffers);
  } else {
    weightByOutputs(OutputsPlan(s), context, buffers);
  }
}

inline size_t conv2dBackwardWeightWorkspace(const Conv2dBackwardShape& s, int threads) {
  if (usesWinogradGradient(s)) return winogradGradientWorkspace(s, threads);
  const WeightShape shape(s);
  if (shape.empty()) return 0;
  if (DepthwiseWeightPlan::fits(shape))
    return DepthwiseWeightMemory(DepthwiseWeightPlan(s), threads, nullptr).bytes;
  return positionsInLanes(shape) ? PositionsMemory(PositionsPlan(s), threads, nullptr).bytes
                                 : OutputsMemory(OutputsPlan(s), threads, nullptr).bytes;
}
FOVEA_WORKSPACE(conv2dBackwardWeight, Conv2dBackwardShape, conv2dBackwardWeightWorkspace)

}  // namespace
}  // namespace fovea
