// Runs the tests of every instruction set's Vec that this machine supports.
#include <cstring>

#include "../isa/targets.h"
#include "test.h"

namespace fovea {
#if defined(__x86_64__) || defined(_M_X64)
void testVectors_avx512();
void testVectors_avx2();
void testVectors_sse();
#else
void testVectors_neon();
#endif
void testVectors_scalar();
}  // namespace fovea

int main() {
  using namespace fovea;
  const struct {
    const char* isa;
    void (*test)();
  } tests[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {"avx512", testVectors_avx512},
    {"avx2", testVectors_avx2},
    {"sse", testVectors_sse},
#else
    {"neon", testVectors_neon},
#endif
    {"scalar", testVectors_scalar},
  };
  const KernelTable* tables[maxTargets];
  const int count = supportedTargets(tables);
  for (const auto& test : tests) {
    bool supported = false;
    for (int i = 0; i < count; ++i) supported |= std::strcmp(tables[i]->isa, test.isa) == 0;
    const int before = test::checks;
    if (supported) test.test();
    std::printf(supported ? "%s: %d checks\n" : "SKIPPED %s: this machine has none (%d checks)\n",
                test.isa, test::checks.load() - before);
  }
  return test::report("vectors");
}
