// matmul: y[m, n] = (accumulate ? y : 0) + op(a) op(b) + bias[n], then the activation.
#pragma once

#include "gemm-dots.h"
#include "gemm-tiles.h"
#include "workspace.h"

namespace fovea {
namespace {

struct MatmulMemory {
  float* packed;  // vectors, where they are packed beforehand
  float* copies;  // a panel of vectors per thread, where not
  int64_t copyLength;
  size_t bytes;

  MatmulMemory(const MatmulPlan& plan, int threads, char* base) {
    Arena arena(base);
    packed = arena.floats(plan.path == MatmulPath::packed ? plan.packedLength() : 0);
    const int64_t panel = roundUp(plan.panelWidth * plan.depths.largest(), 16);
    copyLength = plan.path == MatmulPath::strips ? panel : 0;
    copies = arena.floats(threads * copyLength);
    bytes = arena.bytes();
  }
};

void matmul(const MatmulShape& s, const Context& context, const float* a, const float* b,
            const float* bias, float* y) {
  const MatmulPlan plan(s, context.packed != nullptr);
  if (plan.batch * plan.m * plan.n == 0) return;
  if (plan.path == MatmulPath::dots) return matmulDots(plan, context, s, a, b, bias, y);
  const MatmulMemory memory(plan, context.threads, context.workspace);
  const float* packed = context.packed;
  if (plan.path == MatmulPath::packed && !packed) {
    packVectors(plan, context, plan.vectors(a, b, 0), memory.packed);
    packed = memory.packed;
  }
  const int64_t perItem = plan.rowBlocks.parts * plan.columnBlocks.parts;
  context.parallel(plan.batch * perItem, [&](int64_t task, int thread) {
    const int64_t item = task / perItem, columnBlock = task % perItem / plan.rowBlocks.parts;
    MatmulBlock block(plan, task % plan.rowBlocks.parts, columnBlock);
    block.scalars = plan.scalars(a, b, item);
    block.vectors = plan.vectors(a, b, item);
    block.bias = bias;
    block.y = y + item * plan.m * plan.n;
    if (packed) {
      matmulPacked(plan, s, block, packed);
    } else {
      matmulStrips(plan, s, block, memory.copies + thread * memory.copyLength);
    }
  });
}

inline size_t matmulWorkspace(const MatmulShape& s, int threads) {
  const size_t unpacked = MatmulMemory(MatmulPlan(s, false), threads, nullptr).bytes;
  return unpacked;
}
FOVEA_WORKSPACE(matmul, MatmulShape, matmulWorkspace)

inline int64_t matmulPackedLength(const MatmulShape& s) {
  return s.bBatch == 1 ? MatmulPlan(s, true).packedLength() : 0;
}
inline void matmulPack(const MatmulShape& s, const Context& context, const float* b,
                       float* packed) {
  const MatmulPlan plan(s, true);
  packVectors(plan, context, plan.operandB(b, 0), packed);
}
FOVEA_PACKED(matmul, MatmulShape, matmulPackedLength, matmulPack)

}  // namespace
}  // namespace fovea
