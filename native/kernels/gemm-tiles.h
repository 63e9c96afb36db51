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

  MatmulBlock(const MatmulPlan& plan, int64_t rowBlock, int64_t columnBlock, Operand scalars,
              Operand vectors, const float* bias, float* y)
      : tile0(plan.rowBlocks.begin(rowBlock)),
        tile1(plan.rowBlocks.end(rowBlock)),
        panel0(plan.columnBlocks.begin(columnBlock)),
        panel1(plan.columnBlocks.end(columnBlock)),
        scalars(scalars),
        vectors(vectors),
        bias(bias),
        y(y) {}
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

// Of whole vectors; lines are fetched ahead only where there are any to fetch.
inline void matmulWholeTile(const MatmulPlan& plan, const MatmulShape& s, const MatmulBlock& block,
                            int64_t depth, int64_t tile, int64_t panel, const VectorSide& right) {
  if (right.aheadStep > 0) {
    matmulTile<Reading::ahead>(plan, s, block, depth, tile, panel, right);
  } else {
    matmulTile<Reading::whole>(plan, s, block, depth, tile, panel, right);
  }
}

// Panel by panel, from packed vectors or, where that is null, as they lie. Of those, where several
// tiles use a panel, the first leaves a copy for the others: rows of b may lie a page apart. While
// they run, the lines of the next panel come near.
inline void matmulByPanels(const MatmulPlan& plan, const MatmulShape& s, const MatmulBlock& block,
                           const float* packed, float* copy) {
  const int64_t tiles = block.tile1 - block.tile0;
  for (int64_t depth = 0; depth < plan.depths.parts; ++depth) {
    const int64_t k0 = plan.depths.begin(depth), k = plan.depths.end(depth) - k0;
    for (int64_t panel = block.panel0; panel < block.panel1; ++panel) {
      const int64_t columns = plan.columnsIn(panel), vectors = ceilDiv(columns, Vec::width);
      const int64_t copyStep = vectors * Vec::width;
      Operand from{copy, 1, copyStep};
      if (packed) {
        from = {packed + plan.packedOffset(depth, panel), 1, plan.panelWidth};
      } else if (plan.vectorsInOrder) {
        from = block.vectors.from(panel * plan.panelWidth, k0);
      } else {
        pack(block.vectors.from(panel * plan.panelWidth, k0), columns, k, copy, copyStep, copyStep);
      }
      const float* next = packed ? from.data + k * plan.panelWidth : from.data + plan.panelWidth;
      const bool fetches = panel + 1 < block.panel1 && (packed || plan.vectorsInOrder);
      VectorSide right{from.data, from.k, from.data, 0, copy};
      for (int64_t tile = 0; tile < tiles; ++tile) {
        if (fetches && tile < vectors) {
          right.ahead = next + (tile + 1) * Vec::width - 1;
          right.aheadStep = from.k;
        } else {
          right.ahead = right.data;
          right.aheadStep = 0;
        }
        if (packed || !plan.vectorsInOrder || tile > 0) {
          matmulWholeTile(plan, s, block, depth, block.tile0 + tile, panel, right);
        } else if (tiles == 1) {
          matmulTile<Reading::partial>(plan, s, block, depth, block.tile0, panel, right);
        } else {
          matmulTile<Reading::copying>(plan, s, block, depth, block.tile0, panel, right);
          right.data = copy;
          right.step = copyStep;
        }
      }
    }
  }
}

// Panels of vectors of one depth, [k of the depth][panelWidth] each, one after another. Row by row
// where that is the order of memory: long runs of it are faster.
inline void packPanels(const MatmulPlan& plan, Operand vectors, int64_t depth, int64_t panel0,
                       int64_t panel1, float* packed) {
  const int64_t k0 = plan.depths.begin(depth), k = plan.depths.end(depth) - k0;
  const int64_t width = plan.panelWidth;
  if (!plan.vectorsInOrder) {
    for (int64_t panel = panel0; panel < panel1; ++panel, packed += k * width) {
      pack(vectors.from(panel * width, k0), plan.columnsIn(panel), k, packed, width, width);
    }
    return;
  }
  const int64_t whole = plan.columns / width;  // panels
  const int64_t end = smaller(panel1, whole);
  for (int64_t kk = 0; kk < k; ++kk, packed += width) {
    const float* from = vectors.from(panel0 * width, k0 + kk).data;
    float* to = packed;
    for (int64_t panel = panel0; panel < end; ++panel, from += width, to += k * width) {
      for (int64_t i = 0; i < width; i += Vec::width) store(to + i, load(from + i));
    }
    if (end == panel1) continue;
    const int64_t columns = plan.columns - whole * width;
    for (int64_t i = 0; i < width; i += Vec::width) {
      store(to + i, loadFirst(from + i, lanesLeft(larger(0, columns - i))));
    }
  }
}

// Tile by tile: the packed block of vectors stays in the L2 cache, the scalars of a tile in L1.
inline void matmulByTiles(const MatmulPlan& plan, const MatmulShape& s, const MatmulBlock& block,
                          float* packed) {
  const Operand& scalars = block.scalars;
  const bool inOneRun = scalars.k == 1 && plan.depths.parts == 1;  // of memory, tile after tile
  const int64_t panels = block.panel1 - block.panel0;
  const int64_t share = ceilDiv(plan.tiles.largest(), panels);
  for (int64_t depth = 0; depth < plan.depths.parts; ++depth) {
    const int64_t k = plan.depths.end(depth) - plan.depths.begin(depth);
    packPanels(plan, block.vectors, depth, block.panel0, block.panel1, packed);
    for (int64_t tile = block.tile0; tile < block.tile1; ++tile) {
      const float* next = scalars.from(plan.tiles.end(tile), 0).data;
      for (int64_t panel = 0; panel < panels; ++panel) {
        VectorSide right{packed + panel * k * plan.panelWidth, plan.panelWidth, packed, 0, nullptr};
        if (inOneRun && tile + 1 < block.tile1) {
          right.ahead = next + panel * share * k;
          right.aheadStep = share;
        }
        matmulWholeTile(plan, s, block, depth, tile, block.panel0 + panel, right);
      }
    }
  }
}

}  // namespace
}  // namespace fovea
