// conv2d: cross-correlation with stride, padding, dilation and groups, plus bias, then the
// activation.
#pragma once

#include "conv2d-algorithm.h"
#include "conv2d-direct.h"
#include "workspace.h"

namespace fovea {
namespace {

void conv2d(const Conv2dShape& s, const Context& context, const float* x, const float* weight,
            const float* bias, float* y) {
  if (usesWinograd(s, context.packed)) return winograd(s, context, x, weight, bias, y);
  directConv2d(s, context, x, weight, bias, y);
}

inline size_t conv2dWorkspace(const Conv2dShape& s, int threads) {
  return largerWorkspace(s, threads, directConv2dWorkspace(s, threads));
}
FOVEA_WORKSPACE(conv2d, Conv2dShape, conv2dWorkspace)

inline int64_t conv2dPackedLength(const Conv2dShape& s) {
  return usesWinograd(s, true) ? winogradPackedLength(s) : directConv2dPackedLength(s);
}
inline void conv2dPack(const Conv2dShape& s, const Context& context, const float* weight,
                       float* packed) {
  (usesWinograd(s, true) ? winogradPack<Conv2dShape> : directConv2dPack)(s, context, weight,
                                                                         packed);
}
FOVEA_PACKED(conv2d, Conv2dShape, conv2dPackedLength, conv2dPack)

}  // namespace
}  // namespace fovea
