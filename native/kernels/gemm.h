// matmul: y[m, n] = (accumulate ? y : 0) + op(a) op(b) + bias[n], then the activation.
#pragma once

#include "gemm-dots.h"
#include "gemm-tiles.h"
#include "gemm-vector.h"
#include "workspace.h"

namespace fovea {
namespace {

// Of each thread: packed vectors, of a block by tiles, of a panel by panels.
struct MatmulMemory {
  float* vectors;
  int64_t length;
  size_t bytes;

  MatmulMemory(const MatmulPlan& plan, int threads, char* base) {
    Arena arena(base);
    const int64_t panels = plan.path == MatmulPath::byTiles    ? plan.columnBlocks.largest()
                           : plan.path == MatmulPath::byPanels ? 1
                                                               : 0;
    length = roundUp(panels * plan.panelWidth * plan.depths.largest(), 16);
    vectors = arena.floats(threads * length);
    bytes = arena.bytes();
  }
};

inline void matmulTiles(const MatmulPlan& plan, const Context& context, const MatmulShape& s,
                        const float* a, const float* b, const float* bias, float* y) {
  const float* packed = b ? nullptr : context.packed;
  const MatmulMemory memory(plan, context.threads, packed ? nullptr : context.workspace);
  const int64_t perItem = plan.rowBlocks.parts * plan.columnBlocks.parts;
  context.parallel(plan.batch * perItem, [&](int64_t task, int thread) {
    const int64_t item = task / perItem, block = task % perItem;
    const MatmulBlock where(plan, block % plan.rowBlocks.parts, block / plan.rowBlocks.parts,
                            plan.scalars(a, b, item), plan.vectors(a, b, item), bias,
                            y + item * plan.m * plan.n);
    float* vectors = packed ? nullptr : memory.vectors + thread * memory.length;
    if (plan.path == MatmulPath::byTiles) {
      matmulByTiles(plan, s, where, vectors);
    } else {
      matmulByPanels(plan, s, where, packed, vectors);
    }
  });
}

void matmul(const MatmulShape& s, const Context& context, const float* a, const float* b,
            const float* bias, float* y) {
  MatmulShape shape = s;
  bool panels = false;
  if (context.packed) {
    panels = MatmulPlan(s).packing() == MatmulPacking::panels;
    b = panels ? nullptr : context.packed;
    shape.transposeB = 1;
  }
  const MatmulPlan plan(shape, panels);
  if (plan.batch * plan.m * plan.n == 0) return;
  switch (plan.path) {
    case MatmulPath::vector:
      return matmulVector(plan, context, s, a, b, bias, y);
    case MatmulPath::dots:
      return matmulDots(plan, context, s, a, b, bias, y);
    default:
      return matmulTiles(plan, context, s, a, b, bias, y);
  }
}

// Whether a packed b will be given is not known here.
inline size_t matmulWorkspace(const MatmulShape& s, int threads) {
  const MatmulPlan plan(s);
  const size_t bytes = MatmulMemory(plan, threads, nullptr).bytes;
  if (plan.packing() != MatmulPacking::transposed) return bytes;
  MatmulShape transposed = s;
  transposed.transposeB = 1;
  const size_t packedBytes = MatmulMemory(MatmulPlan(transposed), threads, nullptr).bytes;
  return packedBytes > bytes ? packedBytes : bytes;
}
FOVEA_WORKSPACE(matmul, MatmulShape, matmulWorkspace)

inline int64_t matmulPackedLength(const MatmulShape& s) {
  switch (MatmulPlan(s).packing()) {
    case MatmulPacking::transposed:
      return static_cast<int64_t>(s.k) * s.n;
    case MatmulPacking::panels:
      return MatmulPlan(s, true).packedLength();
    default:
      return 0;
  }
}
inline void matmulPack(const MatmulShape& s, const Context& context, const float* b,
                       float* packed) {
  if (MatmulPlan(s).packing() == MatmulPacking::panels) {
    const MatmulPlan plan(s, true);
    for (int64_t depth = 0; depth < plan.depths.parts; ++depth) {
      packPanels(plan, plan.operandB(b, 0), depth, 0, plan.panels,
                 packed + plan.packedOffset(depth, 0));
    }
  } else {
    const int64_t k = s.k, n = s.n;  // the rows of b are the lanes of its transposed
    context.parallelRange(n, larger(1, 65536 / larger(1, k)), [&](int64_t begin, int64_t end) {
      pack({b + begin, n, 1}, k, end - begin, packed + begin * k, k, k);
    });
  }
}
FOVEA_PACKED(matmul, MatmulShape, matmulPackedLength, matmulPack)

}  // namespace
}  // namespace fovea
