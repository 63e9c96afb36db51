// What a kernel declares beside itself: the workspace it wants, and the packed form of its constant
// operands; by default none.
#pragma once

#include <utility>

#include "context.h"

namespace fovea {
namespace {

// The kernel among the functions of that name: abs, sum and others are functions of a Vec too.
template <class Shape, class... Buffers>
constexpr auto kernelOf(void (*kernel)(const Shape&, const Context&, Buffers...)) {
  return kernel;
}

// Unpacks the untyped buffers of a call into the typed arguments of a function.
template <auto function>
struct Call;

template <class Shape, class... Buffers, void (*function)(const Shape&, const Context&, Buffers...)>
struct Call<function> {
  static void run(const void* shape, const Context& context, void* const* buffers) {
    unpack(*static_cast<const Shape*>(shape), context, buffers,
           std::index_sequence_for<Buffers...>{});
  }

 private:
  template <size_t... I>
  static void unpack(const Shape& shape, const Context& context, void* const* buffers,
                     std::index_sequence<I...>) {
    function(shape, context, static_cast<Buffers>(buffers[I])...);
  }
};

template <auto kernel>
struct WorkspaceOf {
  static size_t bytes(const void*, int) { return 0; }
};

// bytesFunction(shape, threads)
#define FOVEA_WORKSPACE(kernel, Shape, bytesFunction)                   \
  template <>                                                           \
  struct WorkspaceOf<kernelOf(kernel)> {                                \
    static size_t bytes(const void* shape, int threads) {               \
      return bytesFunction(*static_cast<const Shape*>(shape), threads); \
    }                                                                   \
  };

template <auto kernel>
struct PackedOf {
  static int64_t length(const void*) { return 0; }
  static void pack(const void*, const Context&, void* const*) {}
};

// lengthFunction(shape): floats, 0 where this shape takes its operands as they are.
// packFunction(shape, context, operands…, packed): the operands that the list marks, in its order;
// it has threads but no workspace.
#define FOVEA_PACKED(kernel, Shape, lengthFunction, packFunction)                        \
  template <>                                                                            \
  struct PackedOf<kernelOf(kernel)> {                                                    \
    static int64_t length(const void* shape) {                                           \
      return lengthFunction(*static_cast<const Shape*>(shape));                          \
    }                                                                                    \
    static void pack(const void* shape, const Context& context, void* const* operands) { \
      Call<packFunction>::run(shape, context, operands);                                 \
    }                                                                                    \
  };

}  // namespace
}  // namespace fovea
