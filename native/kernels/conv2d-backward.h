// conv2dBackwardInput: each phase of the stride is a correlation of gradY with the taps that reach
// that phase, turned around. conv2dBackwardWeight is in conv2d-weight.h.
#pragma once

#include "conv2d-algorithm.h"
#include "conv2d-direct.h"
#include "conv2d-weight.h"
#include "workspace.h"

namespace fovea {
namespace {

void conv2dBackwardInput(const Conv2dBackwardShape& s, const Context& context, const float* weight,
                         const float* gradY, float* gradX) {
  if (usesWinograd(s, context.packed)) return winograd(s, context, gradY, weight, nullptr, gradX);
  directBackwardInput(s, context, weight, gradY, gradX);
}

inline size_t conv2dBackwardInputWorkspace(const Conv2dBackwardShape& s, int threads) {
  return largerWorkspace(s, threads, directBackwardInputWorkspace(s, threads));
}
FOVEA_WORKSPACE(conv2dBackwardInput, Conv2dBackwardShape, conv2dBackwardInputWorkspace)

inline int64_t conv2dBackwardInputPackedLength(const Conv2dBackwardShape& s) {
  return usesWinograd(s, true) ? winogradPackedLength(s) : directBackwardInputPackedLength(s);
}
inline void conv2dBackwardInputPack(const Conv2dBackwardShape& s, const Context& context,
                                    const float* weight, float* packed) {
  (usesWinograd(s, true) ? winogradPack<Conv2dBackwardShape> : directBackwardInputPack)(
      s, context, weight, packed);
}
FOVEA_PACKED(conv2dBackwardInput, Conv2dBackwardShape, conv2dBackwardInputPackedLength,
             conv2dBackwardInputPack)

}  // namespace
}  // namespace fovea
