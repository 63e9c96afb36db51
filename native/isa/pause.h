// Tells the processor that a loop is only waiting.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#endif

namespace fovea {

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

}  // namespace fovea
