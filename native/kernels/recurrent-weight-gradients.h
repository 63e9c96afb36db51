// Gradients of the weights and biases, from those of the gates: sums over all rows of a call.
#pragma once

#include "recurrent-rows-product.h"
#include "recurrent-rows.h"

namespace fovea {
namespace {

// Numbers that entered the gates, row by row: x, h before the step, or r h.
struct EnteredRows {
  const float* data;
  int64_t apart;
  const int32_t* places;  // null: one row after the other; -1 - j is row j of `first`
  const float* first;     // null: zeros
  int64_t firstApart;

  // Null for zeros.
  const float* of(int64_t row) const {
    const int64_t place = places ? places[row] : row;
    if (place >= 0) return data + place * apart;
    return first ? first + (-1 - place) * firstApart : nullptr;
  }
};

// One factor of the gates' gradients, and the gradient of its weight [gates, columns].
struct Entered {
  EnteredRows rows;
  int64_t columns;
  float* gradWeight;
  float* gradBias;  // may be null
};

// Gates [first, first + count) of a row of gradients, which are gates weightRow … of the weights of
// the factors marked in `factors`.
struct GateBlock {
  int64_t first, count, weightRow;
  unsigned factors;
};

constexpr int maxEntered = 3, maxGateBlocks = 3;

// gradWeight = gradientsᵀ entered, summed over rows a depth at a time: its rows of what entered are
// packed in panels, which stay in the L2 cache while tiles of gates, packed in turn, meet them.
class WeightGradients {
 public:
  WeightGradients(int64_t rows, const int64_t* columns, int count, int threads, Arena& arena)
      : count_(count) {
    for (int i = 0; i < count; ++i) {
      panels_[i] = ceilDiv(columns[i], panelWidth);
      allPanels_ += panels_[i];
    }
    // Not a power of two: a row of all panels is written at once, and spreads over the cache.
    panelLength_ = smaller(rows, mostRows) * panelWidth + 16;
    packed_ = arena.floats(allPanels_ * panelLength_);
    gates_ = arena.floats(threads * gatesLength);
  }

  // rows: at most as many as when this was made. gradients: rows gateRow apart.
  void run(const Context& context, int64_t rows, const float* gradients, int64_t gateRow,
           const GateBlock* blocks, int blockCount, const Entered* entered) const {
    const Split depths = Split::atMost(rows, mostRows);
    int64_t tiles = 0;
    for (int i = 0; i < blockCount; ++i) tiles += tilesOf(blocks[i]).parts;
    const Split shares = Split::into(tiles, 8);
    // Packing and products in turns.
    context.parallelSteps(
        2 * depths.parts, shares.parts, [&](int64_t step, int64_t task, int thread) {
          const Range depth{depths.begin(step / 2), depths.end(step / 2)};
          if (step % 2 == 0) {
            const Split parts{depth.end - depth.begin, shares.parts};
            for (int i = 0; i < count_; ++i) {
              packEntered(entered[i], depth.begin + parts.begin(task),
                          depth.begin + parts.end(task), depth.begin, packedOf(i));
            }
          } else {
            multiply(depth, {shares.begin(task), shares.end(task)}, gradients, gateRow, blocks,
                     entered, gates_ + thread * gatesLength);
          }
        });
  }

 private:
  struct Range {
    int64_t begin, end;
  };
  // Few enough that a tile of gates and a panel stay in the L1 cache together.
  static constexpr int64_t mostRows = 192;
  static constexpr int64_t gatesWidth = roundUp(tileRows, Vec::width);
  static constexpr int64_t gatesLength = mostRows * gatesWidth;
  // Panels of a depth that stay in the cache together.
  static constexpr int64_t panelsAtOnce = larger(1, 3 * cachedFloats / 4 / (mostRows * panelWidth));

  static Split tilesOf(const GateBlock& block) { return Split::atMost(block.count, tileRows); }
  float* packedOf(int index) const {
    float* start = packed_;
    for (int i = 0; i < index; ++i) start += panels_[i] * panelLength_;
    return start;
  }

  void packEntered(const Entered& from, int64_t begin, int64_t end, int64_t firstRow,
                   float* packed) const {
    for (int64_t row = begin; row < end; ++row) {
      const float* source = from.rows.of(row);
      float* to = packed + (row - firstRow) * panelWidth;
      for (int64_t column = 0; column < from.columns; to += panelLength_) {
        for (int64_t v = 0; v < panelWidth; v += Vec::width, column += Vec::width) {
          const int n = lanesLeft(larger(0, from.columns - column));
          store(to + v, source ? loadUpTo(source + column, n) : broadcast(0));
        }
      }
    }
  }

  void multiply(Range depth, Range share, const float* gradients, int64_t gateRow,
                const GateBlock* blocks, const Entered* entered, float* gates) const {
    const int64_t k = depth.end - depth.begin;
    for (int64_t panel = 0; panel == 0 || panel < allPanels_; panel += panelsAtOnce) {
      const Range panels{panel, smaller(allPanels_, panel + panelsAtOnce)};
      int64_t before = 0;  // tiles of the blocks before
      for (const GateBlock* block = blocks; before < share.end; ++block) {
        const Split tiles = tilesOf(*block);
        for (int64_t tile = larger(0, share.begin - before);
             tile < smaller(tiles.parts, share.end - before); ++tile) {
          const int64_t first = tiles.begin(tile), rows = tiles.end(tile) - first;
          const float* from = gradients + depth.begin * gateRow + block->first + first;
          packGates(from, gateRow, k, rows, gates);
          if (panel == 0) sumGates(depth, *block, first, rows, gates, entered);
          multiplyTile(depth, panels, *block, first, rows, gates, from + rows, gateRow, entered);
        }
        before += tiles.parts;
      }
    }
  }

  // Whole vectors: a row of gradients has some numbers to spare at its end.
  static void packGates(const float* from, int64_t gateRow, int64_t k, int64_t rows, float* gates) {
    for (int64_t kk = 0; kk < k; ++kk, from += gateRow, gates += gatesWidth) {
      for (int64_t i = 0; i < rows; i += Vec::width) store(gates + i, load(from + i));
    }
  }

  void sumGates(Range depth, const GateBlock& block, int64_t first, int64_t rows,
                const float* gates, const Entered* entered) const {
    const int64_t k = depth.end - depth.begin;
    for (int64_t r = 0; r < rows; r += Vec::width) {
      Vec sums[4] = {broadcast(0), broadcast(0), broadcast(0), broadcast(0)};
      int64_t kk = 0;
      for (; kk + 4 <= k; kk += 4) {
        unroll<4>([&](auto i) { sums[i] = sums[i] + load(gates + (kk + i) * gatesWidth + r); });
      }
      for (; kk < k; ++kk) sums[0] = sums[0] + load(gates + kk * gatesWidth + r);
      const Vec sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
      const int n = lanesLeft(rows - r);
      for (int i = 0; i < count_; ++i) {
        if (!(block.factors >> i & 1) || !entered[i].gradBias) continue;
        float* to = entered[i].gradBias + block.weightRow + first + r;
        storeUpTo(to, depth.begin > 0 ? loadUpTo(to, n) + sum : sum, n);
      }
    }
  }

  // Meanwhile the gates of the next tile come near, and what the tile adds to.
  void multiplyTile(Range depth, Range panels, const GateBlock& block, int64_t first, int64_t rows,
                    const float* gates, const float* next, int64_t gateRow,
                    const Entered* entered) const {
    const int64_t k = depth.end - depth.begin;
    int64_t begin = 0;  // of the panels of a factor
    for (int i = 0; i < count_; begin += panels_[i], ++i) {
      if (!(block.factors >> i & 1)) continue;
      const int64_t last = smaller(panels_[i], panels.end - begin);
      for (int64_t panel = larger(0, panels.begin - begin); panel < last; ++panel) {
        const int64_t column = panel * panelWidth;
        const int64_t columns = smaller(panelWidth, entered[i].columns - column);
        const int64_t vectors = ceilDiv(columns, Vec::width);
        const ScalarSide left{gates, 1, gatesWidth};
        const bool fetches = panel == 0;
        const VectorSide right{packedOf(i) + panel * panelLength_, panelWidth,
                               fetches ? next : gates, fetches ? gateRow : 0, nullptr};
        float* to = entered[i].gradWeight + (block.weightRow + first) * entered[i].columns + column;
        for (int64_t r = 0; r < rows && depth.begin > 0; ++r) {
          const float* sums = to + r * entered[i].columns;
          prefetchFar(sums);
          prefetchFar(sums + columns / 2);
          prefetchFar(sums + columns - 1);
        }
        const auto product = fetches ? productTileFunction<Reading::ahead>(rows, vectors)
                                     : productTileFunction<Reading::whole>(rows, vectors);
        product(k, left, right,
                {to,
                 entered[i].columns,
                 static_cast<int>(columns - (vectors - 1) * Vec::width),
                 {depth.begin > 0, nullptr, false}});
      }
    }
  }

  int count_;
  int64_t panels_[maxEntered] = {}, allPanels_ = 0, panelLength_;
  float *packed_, *gates_;
};

}  // namespace
}  // namespace fovea
