// A loop unrolled at compile time: arrays indexed by its counter can then live in registers.
#pragma once

#include <utility>

#if defined(_MSC_VER)
#define FOVEA_INLINE __forceinline
#define FOVEA_INLINE_LAMBDA
#else
#define FOVEA_INLINE inline __attribute__((always_inline))
#define FOVEA_INLINE_LAMBDA __attribute__((always_inline))  // after the parameters
#endif

namespace fovea {
namespace {

template <class Body, int... i>
FOVEA_INLINE void unrollOver(const Body& body, std::integer_sequence<int, i...>) {
  (body(std::integral_constant<int, i>{}), ...);
}

// body(0), body(1), …, body(count - 1), each argument a compile-time constant.
template <int count, class Body>
FOVEA_INLINE void unroll(const Body& body) {
  unrollOver(body, std::make_integer_sequence<int, count>{});
}

}  // namespace
}  // namespace fovea
