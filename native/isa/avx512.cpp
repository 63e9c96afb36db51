// The kernels for AVX-512.
#include "avx512.h"

#include "../kernels/table.h"

namespace fovea {
extern const KernelTable avx512Kernels;
const KernelTable avx512Kernels = {"avx512", Vec::width, table};
}  // namespace fovea
