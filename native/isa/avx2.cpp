// The kernels for AVX2 with FMA.
#include "avx2.h"

#include "../kernels/table.h"

namespace fovea {
extern const KernelTable avx2Kernels;
const KernelTable avx2Kernels = {"avx2", Vec::width, table};
}  // namespace fovea
