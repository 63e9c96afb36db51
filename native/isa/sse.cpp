// The kernels for the x86-64 baseline, SSE2.
#include "sse.h"

#include "../kernels/table.h"

namespace fovea {
extern const KernelTable sseKernels;
const KernelTable sseKernels = {"sse", Vec::width, table};
}  // namespace fovea
