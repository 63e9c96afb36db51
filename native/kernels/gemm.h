// matmul: y[m, n] = (accumulate ? y : 0) + op(a) op(b) + bias[n], then the activation.
//
// y is cut into blocks of whole register tiles, a task each; k is cut so that a panel of b stays in
// the L1 cache, and is always summed in order. An operand that several tasks read is packed once
// beforehand; one that a single task reads is packed block by block as it goes.
#pragma once

#include "dot.h"
#include "list.h"
#include "pack.h"
#include "tile.h"
#include "workspace.h"

namespace fovea {
namespace {

// How one matmul is cut up. Depends on the shape alone.
struct MatmulPlan {
  int64_t batch, aBatch, bBatch, m, n, k;
  bool transposeA, transposeB, dots;
  Split tiles;      // of rows
  Split rowBlocks;  // of tiles
  int64_t panelWidth, panels;
  Split columnBlocks;  // of panels
  Split depths;        // of k
  bool packAFirst, packBFirst, readBDirectly;

  explicit MatmulPlan(const MatmulShape& s)
      : batch(s.batch),
        aBatch(s.aBatch),
        bBatch(s.bBatch),
        m(s.m),
        n(s.n),
        k(s.k),
        transposeA(s.transposeA && s.m > 1),
        transposeB(s.transposeB || s.n == 1) {
    if (bBatch == 1 && aBatch == batch && !s.transposeA) {
      m *= batch;
      batch = aBatch = 1;
    }
    dots = !transposeA && transposeB && m <= 6 && k < 1 << 27;
    tiles = Split::atMost(m, tileRows);
    const int64_t rows = tiles.largest();
    const int64_t vectors = smaller(vectorsFor(rows), larger(1, ceilDiv(n, Vec::width)));
    panelWidth = vectors * Vec::width;
    panels = ceilDiv(n, panelWidth);
    rowBlocks = Split::atMost(tiles.parts, 16);
    const int64_t widest = larger(1, 512 / panelWidth);
    const int64_t worthwhile = m * n * k / taskWork / rowBlocks.parts;
    columnBlocks = Split::into(panels, larger(ceilDiv(panels, widest), worthwhile));
    if (columnBlocks.parts * rowBlocks.parts < m * n * k / taskWork) {
      rowBlocks = Split::into(tiles.parts,
                              larger(rowBlocks.parts, m * n * k / taskWork / columnBlocks.parts));
    }
    depths = Split::atMost(k, tiles.parts == 1 ? 1024 : larger(128, 8192 / panelWidth));
    packAFirst = batch == 1 && columnBlocks.parts > 1;
    packBFirst = batch == 1 && rowBlocks.parts > 1;
    readBDirectly = !transposeB && tiles.parts == 1;
  }

  Operand operandA(const float* a, int64_t item) const {
    a += aBatch > 1 ? item * m * k : 0;
    return transposeA ? Operand{a, 1, m} : Operand{a, k, 1};
  }
  Operand operandB(const float* b, int64_t item) const {
    b += bBatch > 1 ? item * n * k : 0;
    return transposeB ? Operand{b, k, 1} : Operand{b, 1, n};
  }
  int64_t columnsIn(int64_t panel) const { return smaller(panelWidth, n - panel * panelWidth); }
};

struct MatmulMemory {
  float *a, *b;            // packed whole, where the plan says so
  float *blockA, *blockB;  // per thread
  int64_t blockALength, blockBLength;
  size_t bytes;

  MatmulMemory(const MatmulPlan& plan, int threads, char* base) {
    Arena arena(base);
    const int64_t depth = plan.depths.largest();
    const int64_t rows = smaller(plan.m, plan.rowBlocks.largest() * plan.tiles.largest());
    a = plan.packAFirst ? arena.floats(plan.m * plan.k) : nullptr;
    b = plan.packBFirst ? arena.floats(plan.panels * plan.panelWidth * plan.k) : nullptr;
    blockALength = plan.packAFirst ? 0 : roundUp(rows * depth, 16);
    blockBLength =
        plan.packBFirst ? 0 : roundUp(plan.columnBlocks.largest() * plan.panelWidth * depth, 16);
    blockA = arena.floats(threads * blockALength);
    blockB = arena.floats(threads * blockBLength);
    bytes = plan.dots ? 0 : arena.bytes();
  }
};

inline void packTileA(const MatmulPlan& plan, Operand a, int64_t tile, int64_t k0, int64_t k,
                      float* to) {
  const int64_t begin = plan.tiles.begin(tile), rows = plan.tiles.end(tile) - begin;
  pack(a.from(begin, k0), rows, k, to, rows, rows);
}

inline void packPanelB(const MatmulPlan& plan, Operand b, int64_t panel, int64_t k0, int64_t k,
                       float* to) {
  const int64_t columns = plan.columnsIn(panel);
  pack(b.from(panel * plan.panelWidth, k0), columns, k, to, plan.panelWidth,
       roundUp(columns, Vec::width));
}

// One block of y of one item of the batch.
struct MatmulTask {
  int64_t item, rowBlock, columnBlock;
  float *blockA, *blockB;  // this thread's
};

inline void matmulBlock(const MatmulPlan& plan, const MatmulMemory& memory, const MatmulTask& task,
                        const MatmulShape& s, const float* a, const float* b, const float* bias,
                        float* y) {
  const Operand operandA = plan.operandA(a, task.item);
  const Operand operandB = plan.operandB(b, task.item);
  y += task.item * plan.m * plan.n;
  const int64_t tile0 = plan.rowBlocks.begin(task.rowBlock);
  const int64_t tile1 = plan.rowBlocks.end(task.rowBlock);
  const int64_t panel0 = plan.columnBlocks.begin(task.columnBlock);
  const int64_t panel1 = plan.columnBlocks.end(task.columnBlock);
  const int64_t row0 = plan.tiles.begin(tile0);
  alignas(64) float sums[maxTileFloats];

  for (int64_t depth = 0; depth < plan.depths.parts; ++depth) {
    const int64_t k0 = plan.depths.begin(depth), k = plan.depths.end(depth) - k0;
    if (!plan.packAFirst) {
      for (int64_t t = tile0; t < tile1; ++t) {
        packTileA(plan, operandA, t, k0, k, task.blockA + (plan.tiles.begin(t) - row0) * k);
      }
    }
    for (int64_t p = panel0; p < panel1; ++p) {
      const int64_t columns = plan.columnsIn(p);
      const int64_t vectors = ceilDiv(columns, Vec::width);
      const float* panel = nullptr;
      int64_t step = plan.panelWidth;
      if (plan.packBFirst) {
        panel = memory.b + (p * plan.k + k0) * plan.panelWidth;
      } else if (plan.readBDirectly && columns == vectors * Vec::width) {
        panel = operandB.data + k0 * plan.n + p * plan.panelWidth;
        step = plan.n;
      } else {
        float* packed = task.blockB + (p - panel0) * plan.panelWidth * k;
        packPanelB(plan, operandB, p, k0, k, packed);
        panel = packed;
      }
      const Finish finish = {
          depth > 0 || s.accumulate,
          depth + 1 == plan.depths.parts && bias ? bias + p * plan.panelWidth : nullptr,
          depth + 1 == plan.depths.parts && s.activation == 1};
      for (int64_t t = tile0; t < tile1; ++t) {
        const int64_t row = plan.tiles.begin(t), rows = plan.tiles.end(t) - row;
        const float* tileA =
            plan.packAFirst ? memory.a + row * plan.k + k0 * rows : task.blockA + (row - row0) * k;
        tileFunction<Steps>(rows, vectors)(k, tileA, rows, panel, Steps{step}, sums);
        finishTile(sums, rows, vectors * Vec::width, y + row * plan.n + p * plan.panelWidth, plan.n,
                   columns, finish);
      }
    }
  }
}

// Few rows, and both factors contiguous along k: dot products straight from memory.
inline void matmulDots(const MatmulPlan& plan, const Context& context, const MatmulShape& s,
                       const float* a, const float* b, const float* bias, float* y) {
  const int64_t m = plan.m, n = plan.n, k = plan.k;
  const int64_t rowsAtOnce = Split::atMost(m, maxDotRows).largest();
  const int64_t columnsAtOnce = smaller(8, dotColumnsFor(rowsAtOnce));
  const int64_t grain = columnsAtOnce * larger(1, taskWork / 8 / larger(1, m * k * columnsAtOnce));
  const int64_t tasksPerItem = ceilDiv(n, grain);
  context.parallel(plan.batch * tasksPerItem, [&](int64_t task, int) {
    const int64_t item = task / tasksPerItem;
    const float* itemA = plan.operandA(a, item).data;
    const float* itemB = plan.operandB(b, item).data;
    float* itemY = y + item * m * n;
    alignas(64) float sums[maxTileFloats];
    int32_t offsets[maxDotColumns];
    const int64_t first = task % tasksPerItem * grain, last = smaller(n, first + grain);
    for (int64_t j = first; j < last; j += columnsAtOnce) {
      const int64_t columns = smaller(columnsAtOnce, last - j);
      for (int64_t c = 0; c < columns; ++c) offsets[c] = static_cast<int32_t>(c * k);
      for (int64_t i = 0; i < m; i += rowsAtOnce) {
        const int64_t rows = smaller(rowsAtOnce, m - i);
        for (int64_t e = 0; e < rows * columns; ++e) store(sums + e * Vec::width, broadcast(0));
        dotFunction(rows, columns)({1, 1, k, k, 0, 0, 0, 0}, itemA + i * k, itemB + j * k, offsets,
                                   sums);
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t c = 0; c < columns; ++c) {
            float* out = itemY + (i + r) * n + j + c;
            float total = sum(load(sums + (r * columns + c) * Vec::width));
            if (s.accumulate) total += *out;
            if (bias) total += bias[j + c];
            *out = s.activation == 1 && total < 0 ? 0 : total;
          }
        }
      }
    }
  });
}

void matmul(const MatmulShape& s, const Context& context, const float* a, const float* b,
            const float* bias, float* y) {
  const MatmulPlan plan(s);
  if (plan.batch * plan.m * plan.n == 0) return;
  if (plan.dots) return matmulDots(plan, context, s, a, b, bias, y);
  const MatmulMemory memory(plan, context.threads, context.workspace);
  if (plan.packAFirst) {
    context.parallelRange(plan.tiles.parts, 1 + 65536 / (1 + tileRows * plan.k),
                          [&](int64_t begin, int64_t end) {
                            for (int64_t t = begin; t < end; ++t) {
                              packTileA(plan, plan.operandA(a, 0), t, 0, plan.k,
                                        memory.a + plan.tiles.begin(t) * plan.k);
                            }
                          });
  }
  if (plan.packBFirst) {
    context.parallelRange(plan.panels, 1 + 65536 / (1 + plan.panelWidth * plan.k),
                          [&](int64_t begin, int64_t end) {
                            for (int64_t p = begin; p < end; ++p) {
                              packPanelB(plan, plan.operandB(b, 0), p, 0, plan.k,
                                         memory.b + p * plan.panelWidth * plan.k);
                            }
                          });
  }
  const int64_t perItem = plan.rowBlocks.parts * plan.columnBlocks.parts;
  context.parallel(plan.batch * perItem, [&](int64_t task, int thread) {
    const int64_t block = task % perItem;
    matmulBlock(plan, memory,
                {task / perItem, block / plan.columnBlocks.parts, block % plan.columnBlocks.parts,
                 memory.blockA + thread * memory.blockALength,
                 memory.blockB + thread * memory.blockBLength},
                s, a, b, bias, y);
  });
}

inline size_t matmulWorkspace(const MatmulShape& s, int threads) {
  return MatmulMemory(MatmulPlan(s), threads, nullptr).bytes;
}
FOVEA_WORKSPACE(matmul, MatmulShape, matmulWorkspace)

}  // namespace
}  // namespace fovea
