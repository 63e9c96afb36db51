// The product of all rows of a call with one weight: Wih x before the loop over time, and after it,
// going backward, the gradient of x.
#pragma once

#include "gemm-tile.h"
#include "pack.h"
#include "split.h"

namespace fovea {
namespace {

// Columns of a panel of packed numbers.
constexpr int64_t panelWidth = tileVectors * Vec::width;

// Where the rows of a product go: row i to data + places[i] * apart.
struct RowsOutput {
  float* data;
  int64_t apart;
  const int32_t* places;  // null: one row after the other
  const float* bias;      // of each column, or null
  bool add;               // to what is there
};

// out = a weight + bias: a as it lies, [rows, k], the weight packed in panels, [k, panelWidth]
// each.
class RowsProduct {
 public:
  RowsProduct(int64_t k, int64_t columns)
      : k_(k), columns_(columns), panels_(ceilDiv(columns, panelWidth)) {}
  int64_t packedLength() const { return panels_ * k_ * panelWidth; }

  // Rows [firstK, firstK + k) of the weight; its lanes are columns.
  void pack(const Context& context, Operand weight, int64_t firstK, int64_t k,
            float* packed) const {
    const int64_t grain = larger(1, (1 << 15) / larger(1, k * panelWidth));
    context.parallelRange(panels_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t panel = begin; panel < end; ++panel) {
        fovea::pack(weight.from(panel * panelWidth, 0), columnsIn(panel), k,
                    packed + (panel * k_ + firstK) * panelWidth, panelWidth, panelWidth);
      }
    });
  }

  void run(const Context& context, int64_t rows, const float* a, int64_t aRow, const float* packed,
           const RowsOutput& out) const {
    if (rows == 0) return;
    const Split tiles = Split::atMost(rows, tileRows), depths = Split::atMost(k_, mostK);
    const Split groups = Split::atMost(panels_, larger(1, cachedFloats / (mostK * panelWidth)));
    const int64_t work = rows * k_ * columns_;
    const Split shares = Split::into(tiles.parts, smaller(8, ceilDiv(work, taskWork)));
    context.parallel(shares.parts, [&](int64_t task, int) {
      for (int64_t depth = 0; depth < depths.parts; ++depth) {
        const Part k{depths.begin(depth), depths.end(depth)};
        for (int64_t group = 0; group < groups.parts; ++group) {
          for (int64_t tile = shares.begin(task); tile < shares.end(task); ++tile) {
            for (int64_t panel = groups.begin(group); panel < groups.end(group); ++panel) {
              multiplyTile({tiles.begin(tile), tiles.end(tile)}, k, panel, a, aRow, packed, out);
            }
          }
        }
      }
    });
  }

 private:
  struct Part {
    int64_t begin, end;
    int64_t length() const { return end - begin; }
  };
  // Of k and of panels at once: a tile of a stays in the L1 cache, so many panels in L2.
  static constexpr int64_t mostK = 512;

  int64_t columnsIn(int64_t panel) const {
    return smaller(panelWidth, columns_ - panel * panelWidth);
  }

  void multiplyTile(Part tile, Part k, int64_t panel, const float* a, int64_t aRow,
                    const float* packed, const RowsOutput& out) const {
    const int64_t column = panel * panelWidth, columns = columnsIn(panel);
    const int64_t vectors = ceilDiv(columns, Vec::width);
    const int last = static_cast<int>(columns - (vectors - 1) * Vec::width);
    const ScalarSide left{a + tile.begin * aRow + k.begin, aRow, 1};
    const float* weights = packed + (panel * k_ + k.begin) * panelWidth;
    const VectorSide right{weights, panelWidth, weights, 0, nullptr};
    const float* bias = out.bias && k.end == k_ ? out.bias + column : nullptr;
    const Finish finish{out.add || k.begin > 0, bias, false};
    const auto product = productTileFunction<Reading::whole>(tile.length(), vectors);
    float* to = out.data + column;
    if (!out.places) {
      product(k.length(), left, right, {to + tile.begin * out.apart, out.apart, last, finish});
      return;
    }
    alignas(64) float sums[maxTileFloats];
    const int64_t width = vectors * Vec::width;
    product(k.length(), left, right, {sums, width, Vec::width, {false, nullptr, false}});
    for (int64_t row = tile.begin; row < tile.end; ++row) {
      finishTile(sums + (row - tile.begin) * width, 1, width, to + out.places[row] * out.apart,
                 out.apart, columns, finish);
    }
  }

  int64_t k_, columns_, panels_;
};

}  // namespace
}  // namespace fovea
