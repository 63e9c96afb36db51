// Collects every kernel into the table of one instruction set. Included once by each
// isa/<name>.cpp, after its Vec.
#pragma once

#include "activation.h"
#include "context.h"
#include "conv2d-backward.h"
#include "conv2d.h"
#include "crf-backward.h"
#include "crf-decode.h"
#include "elementwise.h"
#include "gather.h"
#include "gemm.h"
#include "layer-norm.h"
#include "list.h"
#include "movement.h"
#include "normalize.h"
#include "pool2d.h"
#include "random.h"
#include "recurrent-gru-backward.h"
#include "recurrent-lstm-backward.h"
#include "recurrent-rnn-backward.h"
#include "reduce-index.h"
#include "reduce.h"
#include "softmax.h"
#include "update.h"
#include "workspace.h"

namespace fovea {
namespace {

#define FOVEA_ENTRY(name, Shape, buffers)                         \
  {Call<kernelOf(name)>::run, WorkspaceOf<kernelOf(name)>::bytes, \
   PackedOf<kernelOf(name)>::length, PackedOf<kernelOf(name)>::pack},
constexpr KernelEntry table[] = {FOVEA_KERNELS(FOVEA_ENTRY)};
#undef FOVEA_ENTRY

}  // namespace
}  // namespace fovea
