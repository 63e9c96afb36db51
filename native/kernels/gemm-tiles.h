// matmul by register tiles: one block of y from factors where they lie, or from packed vectors.
#pragma once

#include "gemm-plan.h"
#include "gemm-tile.h"

namespace fovea {
namespace {

// One block of y of one item of the batch.
struct MatmulBlock {
  int64_t tile0, tile1, panel0, panel1;
  Operand scalars, vectors;
  const float* bias;  // may be null
  float* y;

  MatmulBlock(const MatmulPlan& plan, int64_t rowBlock, int64_t columnBlock)
      : tile0(plan.rowBlocks.begin(rowBlock)),
        tile1(plan.rowBlocks.end(rowBlock)),
        panel0(plan.columnBlocks.begin(columnBlock)),
        panel1(plan.columnBlocks.end(columnBlock)) {}
};

template <Reading reading>
inline void matmulTile(const MatmulPlan& plan, const MatmulShape& s, const MatmulBlock& block,
                       int64_t depth, int64_t tile, int64_t panel, const VectorSide& right) {
  const int64_t k0 = plan.depths.begin(depth), k = plan.depths.end(depth) - k0;
  const int64_t row = plan.tiles.begin(tile), rows = plan.tiles.end(tile) - row;
  const int64_t column = panel * plan.panelWidth, columns = plan.columnsIn(panel);
  const int64_t vectors = ceilDiv(columns, Vec::width);
  const int last = static_cast<int>(columns - (vectors - 1) * Vec::width);
  const Operand from = block.scalars.from(row, k0);
  const ScalarSide left{from.data, from.lane, from.k};
  const bool lastDepth = depth + 1 == plan.depths.parts;
  const float* bias = lastDepth ? block.bias : nullptr;
  const Finish finish{depth > 0 || s.accumulate, bias ? bias + (plan.turned ? row : column) : bias,
                      lastDepth && s.activation == 1};
  const ProductTile product = productTileFunction<reading>(rows, vectors);
  if (!plan.turned) {
    product(k, left, right, {block.y + row * plan.n + column, plan.n, last, finish});
  } else {
    alignas(64) float sums[maxTileFloats];
    const int64_t width = vectors * Vec::width;
    product(k, left, right, {sums, width, last, {false, nullptr, false}});
    finishTurned(sums, rows, width, columns, block.y + column * plan.n + row, plan.n, finish);
  }
}

// Panel by panel. Where several tiles use a panel, the first leaves a copy in `copy` for the
// others: rows of b may lie a page apart. While they run, the lines of the next panel come near.
inline void matmulStrips(const MatmulPlan& plan, const MatmulShape& s, const MatmulBlock& block,
                         float* copy) {
  for (int64_t depth = 0; depth < plan.depths.parts; ++depth) {
    const int64_t k0 = plan.depths.begin(depth), k = plan.depths.end(depth) - k0;
    for (int64_t panel = block.panel0; panel < block.panel1; ++panel) {
      const int64_t columns = plan.columnsIn(panel), vectors = ceilDiv(columns, Vec::width);
      const Operand from = block.vectors.from(panel * plan.panelWidth, k0);
      const VectorSide copied{copy, vectors * Vec::width, copy, 0, nullptr};
      if (!plan.vectorsInOrder) {
        pack(from, columns, k, copy, copied.step, copied.step);
        for (int64_t tile = block.tile0; tile < block.tile1; ++tile) {
          matmulTile<Reading::whole>(plan, s, block, depth, tile, panel, copied);
        }
        continue;
      }
      const int64_t fetching = panel + 1 < block.panel1 ? vectors : 0;
      for (int64_t tile = block.tile0; tile < block.tile1; ++tile) {
        const int64_t line = tile - block.tile0;
        const bool fetch = line < fetching;
        const float* ahead =
            from.data + (fetch ? plan.panelWidth + (line + 1) * Vec::width - 1 : 0);
        const int64_t aheadStep = fetch ? from.k : 0;
        if (block.tile1 - block.tile0 == 1) {
          matmulTile<Reading::partial>(plan, s, block, depth, tile, panel,
                                       {from.data, from.k, ahead, aheadStep, nullptr});
        } else if (line == 0) {
          matmulTile<Reading::copying>(plan, s, block, depth, tile, panel,
                                       {from.data, from.k, ahead, aheadStep, copy});
        } else {
          matmulTile<Reading::whole>(plan, s, block, depth, tile, panel,
                                     {copy, copied.step, ahead, aheadStep, nullptr});
        }
      }
    }
  }
}

// Tile by tile: the packed block stays in the L2 cache, and the scalars of a tile in L1.
inline void matmulPacked(const MatmulPlan& plan, const MatmulShape& s, const MatmulBlock& block,
                         const float* packed) {
  for (int64_t depth = 0; depth < plan.depths.parts; ++depth) {
    for (int64_t tile = block.tile0; tile < block.tile1; ++tile) {
      for (int64_t panel = block.panel0; panel < block.panel1; ++panel) {
        const float* from = packed + plan.packedOffset(depth, panel);
        matmulTile<Reading::whole>(plan, s, block, depth, tile, panel,
                                   {from, plan.panelWidth, from, 0, nullptr});
      }
    }
  }
}

// All panels of the vectors, in the layout of packedOffset.
inline void packVectors(const MatmulPlan& plan, const Context& context, Operand vectors,
                        float* packed) {
  const int64_t group = larger(1, 1024 / plan.panelWidth);  // long runs of memory are faster
  const int64_t groups = ceilDiv(plan.panels, group);
  context.parallel(plan.depths.parts * groups, [&](int64_t task, int) {
    const int64_t depth = task / groups, first = task % groups * group;
    const int64_t end = smaller(plan.panels, first + group);
    const int64_t k0 = plan.depths.begin(depth), k = plan.depths.end(depth) - k0;
    const int64_t atOnce = plan.vectorsInOrder ? 1 : larger(1, k);
    for (int64_t kk = 0; kk < k; kk += atOnce) {
      for (int64_t panel = first; panel < end; ++panel) {
        pack(vectors.from(panel * plan.panelWidth, k0 + kk), plan.columnsIn(panel), atOnce,
             packed + plan.packedOffset(depth, panel) + kk * plan.panelWidth, plan.panelWidth,
             plan.panelWidth);
      }
    }
  });
}

}  // namespace
}  // namespace fovea
