// The kernels for NEON.
#include "neon.h"

#include "../kernels/table.h"

namespace fovea {
extern const KernelTable neonKernels;
const KernelTable neonKernels = {"neon", Vec::width, table};
}  // namespace fovea
