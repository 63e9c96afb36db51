// The product at the heart of every step: states [rows, k] times weights, packed so that the lanes
// of a register tile run over hidden units and all gates of a unit meet in one tile.
#pragma once

#include "pack.h"
#include "tile.h"

namespace fovea {
namespace {

constexpr int maxPanelVectors = 8;
// Rows of a tile: what fits the registers beside so many vectors.
constexpr int maxPanelRows = 9;
constexpr int rowsBeside(int vectors) {
  return static_cast<int>(smaller(maxPanelRows, larger(1, tileAccumulators / vectors)));
}

// Weights of `gates` x `units` sums over k. A panel holds `unitVectors` vectors of units, for each
// k the gates of the first vector side by side, then those of the next; units past the last are 0.
struct Panels {
  int64_t k, gates, units, unitVectors;

  // Few rows leave registers for wide panels.
  Panels(int64_t rows, int64_t k, int64_t gates, int64_t units)
      : k(k), gates(gates), units(units), unitVectors(1) {
    for (;;) {
      const int64_t next = 2 * unitVectors, vectors = next * gates;
      if (vectors > maxPanelVectors || next > ceilDiv(units, Vec::width)) break;
      if (vectors > 4 && vectors * rows > tileAccumulators) break;
      unitVectors = next;
    }
  }
  int64_t vectors() const { return gates * unitVectors; }
  int64_t unitsInPanel() const { return unitVectors * Vec::width; }
  int64_t count() const { return ceilDiv(units, unitsInPanel()); }
  int64_t panelLength() const { return k * vectors() * Vec::width; }
  int64_t length() const { return count() * panelLength(); }
};

// weight is [gates * units, k] or, transposed, [k, units] with one gate.
inline void packPanels(const Panels& p, const Context& context, const float* weight,
                       bool transposed, float* packed) {
  const int64_t step = p.vectors() * Vec::width;
  const int64_t grain = larger(1, (1 << 15) / larger(1, p.panelLength()));
  context.parallelRange(p.count(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      for (int64_t u = 0; u < p.unitVectors; ++u) {
        const int64_t unit = smaller(p.units, panel * p.unitsInPanel() + u * Vec::width);
        const int64_t lanes = smaller(Vec::width, p.units - unit);
        for (int64_t gate = 0; gate < p.gates; ++gate) {
          const Operand from = transposed ? Operand{weight + unit, 1, p.units}
                                          : Operand{weight + (gate * p.units + unit) * p.k, p.k, 1};
          pack(from, lanes, p.k,
               packed + panel * p.panelLength() + (u * p.gates + gate) * Vec::width, step,
               Vec::width);
        }
      }
    }
  });
}

// tile[r][v] = sum over k of a[r * aRow + k] panel[k][v].
template <int rows, int vectors>
void multiplyRows(int64_t k, const float* a, int64_t aRow, const float* panel, float* tile) {
  Vec sums[rows * vectors];
  unroll<rows * vectors>([&](auto i) { sums[i] = broadcast(0); });
  const float* row[rows];
  unroll<rows>([&](auto r) { row[r] = a + r * aRow; });
  for (int64_t kk = 0; kk < k; ++kk, panel += vectors * Vec::width) {
    Vec right[vectors];
    unroll<vectors>([&](auto v) { right[v] = load(panel + v * Vec::width); });
    unroll<rows>([&](auto r) {
      const Vec left = broadcast(row[r][kk]);
      unroll<vectors>(
          [&](auto v) { sums[r * vectors + v] = fma(left, right[v], sums[r * vectors + v]); });
    });
  }
  unroll<rows * vectors>([&](auto i) { store(tile + i * Vec::width, sums[i]); });
}

using MultiplyRows = void (*)(int64_t k, const float* a, int64_t aRow, const float* panel,
                              float* tile);

template <int rows, int vectors>
constexpr MultiplyRows rowsIfFit() {
  if constexpr (rows <= rowsBeside(vectors) && vectors != 5 && vectors != 7) {
    return multiplyRows<rows, vectors>;
  } else {
    return nullptr;
  }
}
template <class Indices>
struct RowTiles;
template <int... i>
struct RowTiles<std::integer_sequence<int, i...>> {
  static constexpr MultiplyRows of[] = {
      rowsIfFit<i / maxPanelVectors + 1, i % maxPanelVectors + 1>()...};
};
inline MultiplyRows rowsFunction(int64_t rows, int64_t vectors) {
  using All = RowTiles<std::make_integer_sequence<int, maxPanelRows * maxPanelVectors>>;
  return All::of[(rows - 1) * maxPanelVectors + vectors - 1];
}

constexpr int maxRowTileFloats = maxPanelRows * maxPanelVectors * Vec::width;

// A step's product is cut into parts of the panels and parts of the rows, a task each.
struct StepTasks {
  int64_t panelParts, rowParts;

  // Of a step of `work` multiply-adds on so many rows and panels.
  StepTasks(int64_t work, int64_t rows, int64_t panels) {
    const int64_t wanted = larger(1, smaller(16, work / (1 << 14)));
    panelParts = smaller(wanted, larger(1, panels));
    rowParts = smaller(wanted / panelParts, larger(1, rows / rowsBeside(4)));
  }
  int64_t count() const { return panelParts * rowParts; }
};

// finish(row, unit, tile) for each row in [begin, end) and each vector of units of the task's
// panels; tile holds that vector of each gate: the product of row `row` of a, or 0 from `products`
// on.
template <class Finish>
void multiplyPart(const Panels& p, const StepTasks& tasks, int64_t task, const float* packed,
                  const float* a, int64_t aRow, int64_t products, int64_t rows,
                  const Finish& finish) {
  const Split panels{p.count(), tasks.panelParts}, parts{rows, tasks.rowParts};
  const int64_t begin = parts.begin(task % tasks.rowParts);
  const int64_t end = parts.end(task % tasks.rowParts);
  const int64_t vectors = p.vectors(), rowFloats = vectors * Vec::width;
  alignas(64) float sums[maxRowTileFloats];
  for (int64_t panel = panels.begin(task / tasks.rowParts);
       panel < panels.end(task / tasks.rowParts); ++panel) {
    const float* weights = packed + panel * p.panelLength();
    const int64_t firstUnit = panel * p.unitsInPanel();
    const int64_t lastUnit = smaller(p.units, firstUnit + p.unitsInPanel());
    const auto finishRow = [&](int64_t row, const float* tile) {
      for (int64_t unit = firstUnit; unit < lastUnit;
           unit += Vec::width, tile += p.gates * Vec::width) {
        finish(row, unit, tile);
      }
    };
    const int64_t last = larger(begin, smaller(end, products));
    const Split tiles = Split::atMost(last - begin, rowsBeside(static_cast<int>(vectors)));
    for (int64_t t = 0; begin < last && t < tiles.parts; ++t) {
      const int64_t row = begin + tiles.begin(t), count = begin + tiles.end(t) - row;
      rowsFunction(count, vectors)(p.k, a + row * aRow, aRow, weights, sums);
      for (int64_t r = 0; r < count; ++r) finishRow(row + r, sums + r * rowFloats);
    }
    if (last == end) continue;
    for (int64_t i = 0; i < rowFloats; ++i) sums[i] = 0;
    for (int64_t row = last; row < end; ++row) finishRow(row, sums);
  }
}

}  // namespace
}  // namespace fovea
