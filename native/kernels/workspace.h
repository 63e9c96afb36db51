// How a kernel declares the workspace it wants: a function from its shape and the thread count to
// bytes; default none.
#pragma once

#include "context.h"

namespace fovea {
namespace {

template <auto kernel>
struct WorkspaceOf {
  static size_t bytes(const void*, int) { return 0; }
};

#define FOVEA_WORKSPACE(kernel, Shape, function)                   \
  template <>                                                      \
  struct WorkspaceOf<kernel> {                                     \
    static size_t bytes(const void* shape, int threads) {          \
      return function(*static_cast<const Shape*>(shape), threads); \
    }                                                              \
  };

}  // namespace
}  // namespace fovea
