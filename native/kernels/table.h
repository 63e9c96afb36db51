// Collects every kernel into the table of one instruction set. Included once by each
// isa/<name>.cpp, after its Vec.
#pragma once

#include <utility>

#include "activation.h"
#include "context.h"
#include "conv2d-backward.h"
#include "conv2d.h"
#include "elementwise.h"
#include "gather.h"
#include "gemm.h"
#include "layer-norm.h"
#include "list.h"
#include "movement.h"
#include "normalize.h"
#include "pool2d.h"
#include "random.h"
#include "reduce.h"
#include "softmax.h"
#include "update.h"

namespace fovea {
namespace {

// Unpacks the untyped buffers of a call into the typed arguments of a kernel.
template <auto kernel>
struct Call;

template <class Shape, class... Buffers, void (*kernel)(const Shape&, const Context&, Buffers...)>
struct Call<kernel> {
  static void run(const void* shape, const Context& context, void* const* buffers) {
    unpack(*static_cast<const Shape*>(shape), context, buffers,
           std::index_sequence_for<Buffers...>{});
  }

 private:
  template <size_t... I>
  static void unpack(const Shape& shape, const Context& context, void* const* buffers,
                     std::index_sequence<I...>) {
    kernel(shape, context, static_cast<Buffers>(buffers[I])...);
  }
};

#define FOVEA_ENTRY(name, Shape, buffers) \
  {Call<kernelOf(name)>::run, WorkspaceOf<kernelOf(name)>::bytes},
constexpr KernelEntry table[] = {FOVEA_KERNELS(FOVEA_ENTRY)};
#undef FOVEA_ENTRY

}  // namespace
}  // namespace fovea
