// conv2d: cross-correlation with stride, padding, dilation and groups, plus bias, then the
// activation.
#pragma once

#include "conv2d-direct.h"
#include "workspace.h"

namespace fovea {
namespace {

void conv2d(const Conv2dShape& s, const Context& context, const float* x, const float* weight,
            const float* bias, float* y) {
  directConv2d(s, context, x, weight, bias, y);
}
FOVEA_WORKSPACE(conv2d, Conv2dShape, directConv2dWorkspace)
FOVEA_PACKED(conv2d, Conv2dShape, directConv2dPackedLength, directConv2dPack)

}  // namespace
}  // namespace fovea
