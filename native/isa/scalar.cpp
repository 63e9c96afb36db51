// The kernels for one float at a time.
#include "scalar.h"

#include "../kernels/table.h"

namespace fovea {
extern const KernelTable scalarKernels;
const KernelTable scalarKernels = {"scalar", Vec::width, table};
}  // namespace fovea
