// The instruction sets compiled in that this processor and its operating system can run.
#pragma once

#include "../kernels/context.h"

namespace fovea {

constexpr int maxTargets = 4;

// Best first; the last is always scalar. Fills `tables` and returns how many there are.
int supportedTargets(const KernelTable* tables[maxTargets]);

}  // namespace fovea
