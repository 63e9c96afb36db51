// Asks the processor which instruction sets it can run; an ordered list, best first.
#include "targets.h"

#if defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace fovea {

#if defined(__x86_64__) || defined(_M_X64)
extern const KernelTable avx512Kernels, avx2Kernels, sseKernels;
#else
extern const KernelTable neonKernels;
#endif
extern const KernelTable scalarKernels;

namespace {

bool always() {
  return true;
}

#if defined(_M_X64)
// Bits of XCR0 that the operating system must save for the registers to be usable.
constexpr unsigned avxState = 0x06, avx512State = 0xe6;

struct Features {
  int basic[4] = {}, extended[4] = {};
  unsigned long long state = 0;
  Features() {
    __cpuid(basic, 0);
    const bool hasExtended = basic[0] >= 7;
    __cpuid(basic, 1);
    if (hasExtended) __cpuidex(extended, 7, 0);
    if (basic[2] & (1 << 27)) state = _xgetbv(0);
  }
  bool saves(unsigned registers) const { return (state & registers) == registers; }
  bool has(unsigned bits) const { return (static_cast<unsigned>(extended[1]) & bits) == bits; }
};
bool hasAvx2() {
  const Features cpu;
  const bool fma = (cpu.basic[2] >> 12) & 1;
  return cpu.saves(avxState) && fma && cpu.has(1u << 5 | 1u << 8);  // AVX2, BMI2
}
bool hasAvx512() {
  const Features cpu;
  return hasAvx2() && cpu.saves(avx512State) &&
         cpu.has(1u << 16 | 1u << 17 | 1u << 30 | 1u << 31);  // F, DQ, BW, VL
}
#elif defined(__x86_64__)
// The compiler's own detection includes what the operating system saves.
bool hasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2");
}
bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

struct Target {
  const KernelTable* table;
  bool (*supported)();
};

constexpr Target targets[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {&avx512Kernels, hasAvx512},
    {&avx2Kernels, hasAvx2},
    {&sseKernels, always},
#else
    {&neonKernels, always},
#endif
    {&scalarKernels, always},
};

}  // namespace

int supportedTargets(const KernelTable* tables[maxTargets]) {
  int count = 0;
  for (const Target& target : targets) {
    if (target.supported()) tables[count++] = target.table;
  }
  return count;
}

}  // namespace fovea
