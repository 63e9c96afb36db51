// conv2dBackwardInput: each phase of the stride is a correlation of gradY with the taps that reach
// that phase, turned around. conv2dBackwardWeight is in conv2d-weight.h.
#pragma once

#include "conv2d-direct.h"
#include "conv2d-weight.h"
#include "workspace.h"

namespace fovea {
namespace {

void conv2dBackwardInput(const Conv2dBackwardShape& s, const Context& context, const float* weight,
                         const float* gradY, float* gradX) {
  directBackwardInput(s, context, weight, gradY, gradX);
}
FOVEA_WORKSPACE(conv2dBackwardInput, Conv2dBackwardShape, directBackwardInputWorkspace)
FOVEA_PACKED(conv2dBackwardInput, Conv2dBackwardShape, directBackwardInputPackedLength,
             directBackwardInputPack)

}  // namespace
}  // namespace fovea
