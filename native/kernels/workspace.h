// How a kernel declares the workspace it wants: a function from its shape and the thread count to
// bytes; default none.
#pragma once

#include "context.h"

namespace fovea {
namespace {

// The kernel among the functions of that name: abs, sum and others are functions of a Vec too.
template <class Shape, class... Buffers>
constexpr auto kernelOf(void (*kernel)(const Shape&, const Context&, Buffers...)) {
  return kernel;
}

template <auto kernel>
struct WorkspaceOf {
  static size_t bytes(const void*, int) { return 0; }
};

#define FOVEA_WORKSPACE(kernel, Shape, function)                   \
  template <>                                                      \
  struct WorkspaceOf<kernelOf(kernel)> {                           \
    static size_t bytes(const void* shape, int threads) {          \
      return function(*static_cast<const Shape*>(shape), threads); \
    }                                                              \
  };

}  // namespace
}  // namespace fovea
