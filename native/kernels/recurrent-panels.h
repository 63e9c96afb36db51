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

// Packs weight, whose lanes for gate g and unit u are from(g, u), as rows [firstK, firstK + k).
template <class From>
void packPanels(const Panels& p, const Context& context, int64_t firstK, int64_t k, float* packed,
                const From& from) {
  const int64_t step = p.vectors() * Vec::width;
  const int64_t grain = larger(1, (1 << 15) / larger(1, p.panelLength()));
  context.parallelRange(p.count(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      for (int64_t v = 0; v < p.vectors(); ++v) {
        const int64_t vector = panel * p.unitVectors + v / p.gates;
        const int64_t unit = smaller(p.units, vector * Vec::width);
        pack(from(v % p.gates, unit), smaller(Vec::width, p.units - unit), k,
             packed + panel * p.panelLength() + firstK * step + v * Vec::width, step, Vec::width);
      }
    }
  });
}

// weight [gates * units, k] into rows of the panels from firstK on.
inline void packGates(const Panels& p, const Context& context, const float* weight, int64_t firstK,
                      int64_t k, float* packed) {
  packPanels(p, context, firstK, k, packed, [=](int64_t gate, int64_t unit) {
    return Operand{weight + (gate * p.units + unit) * k, k, 1};
  });
}
// weight [k, units], of one gate.
inline void packTransposed(const Panels& p, const Context& context, const float* weight,
                           float* packed) {
  packPanels(p, context, 0, p.k, packed, [=](int64_t, int64_t unit) {
    return Operand{weight + unit, 1, p.units};
  });
}

constexpr int64_t lineFloats = larger(16, Vec::width);

// Lines of memory that will be wanted after a product, and come one by one while it is under way:
// asked for all at once, they would hold up the loads of the product.
struct Lines {
  static constexpr int most = tileAccumulators * 10;
  const float* at[most];
  int count = 0;
  void add(const float* p) {
    if (count < most) at[count++] = p;
  }
  // Those at p, p + apart, …
  void add(const float* p, int64_t parts, int64_t apart) {
    for (int64_t i = 0; i < parts; ++i) add(p + i * apart);
  }
};

// tile[r][v] = sum over k of a[r * aRow + k] panel[k][v].
template <int rows, int vectors>
void multiplyRows(int64_t k, const float* a, int64_t aRow, const float* panel, float* tile,
                  const Lines& lines) {
  Vec sums[rows * vectors];
  unroll<rows * vectors>([&](auto i) { sums[i] = broadcast(0); });
  const float* row[rows];
  unroll<rows>([&](auto r) { row[r] = a + r * aRow; });
  const int64_t apart = k / (lines.count + 1);
  int64_t kk = 0;
  for (int i = 0; i <= lines.count; ++i) {
    if (i < lines.count) prefetch(lines.at[i]);
    for (const int64_t end = i < lines.count ? kk + apart : k; kk < end; ++kk) {
      Vec right[vectors];
      unroll<vectors>([&](auto v) { right[v] = load(panel + v * Vec::width); });
      unroll<rows>([&](auto r) {
        const Vec left = broadcast(row[r][kk]);
        unroll<vectors>(
            [&](auto v) { sums[r * vectors + v] = fma(left, right[v], sums[r * vectors + v]); });
      });
      panel += vectors * Vec::width;
    }
  }
  unroll<rows * vectors>([&](auto i) { store(tile + i * Vec::width, sums[i]); });
}

using MultiplyRows = void (*)(int64_t k, const float* a, int64_t aRow, const float* panel,
                              float* tile, const Lines& lines);

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

// As multiplyRows with three vectors, but from k = split on the third adds to a fourth sum.
template <int rows>
void multiplySplitRows(int64_t split, int64_t k, const float* a, int64_t aRow, const float* panel,
                       float* tile, const Lines& lines) {
  Vec sums[rows * 4];
  unroll<rows * 4>([&](auto i) { sums[i] = broadcast(0); });
  const float* row[rows];
  unroll<rows>([&](auto r) { row[r] = a + r * aRow; });
  const int64_t apart = k / (lines.count + 1);
  int64_t kk = 0;
  int line = 0;
  const auto add = [&](int64_t end, auto third) {
    while (kk < end) {
      if (line < lines.count && kk >= line * apart) prefetch(lines.at[line++]);
      const int64_t stop = line < lines.count ? smaller(end, larger(kk + 1, line * apart)) : end;
      for (; kk < stop; ++kk, panel += 3 * Vec::width) {
        const Vec right[3] = {load(panel), load(panel + Vec::width), load(panel + 2 * Vec::width)};
        unroll<rows>([&](auto r) {
          const Vec left = broadcast(row[r][kk]);
          sums[r * 4] = fma(left, right[0], sums[r * 4]);
          sums[r * 4 + 1] = fma(left, right[1], sums[r * 4 + 1]);
          sums[r * 4 + third] = fma(left, right[2], sums[r * 4 + third]);
        });
      }
    }
  };
  add(split, std::integral_constant<int, 2>{});
  add(k, std::integral_constant<int, 3>{});
  unroll<rows * 4>([&](auto i) { store(tile + i * Vec::width, sums[i]); });
}

using MultiplySplitRows = void (*)(int64_t split, int64_t k, const float* a, int64_t aRow,
                                   const float* panel, float* tile, const Lines& lines);
template <class Indices>
struct SplitRowTiles;
template <int... i>
struct SplitRowTiles<std::integer_sequence<int, i...>> {
  static constexpr MultiplySplitRows of[] = {multiplySplitRows<i + 1>...};
};
inline MultiplySplitRows splitRowsFunction(int64_t rows) {
  return SplitRowTiles<std::make_integer_sequence<int, rowsBeside(4)>>::of[rows - 1];
}

// Rows whose products come before their gates: the more of them, the more the processor overlaps.
constexpr int64_t rowsBeforeGates = 36;
constexpr int64_t maxSums = larger(4 * rowsBeforeGates, tileAccumulators) * Vec::width;

// A step's product is cut into parts of the panels and parts of the rows, a task each.
struct StepTasks {
  int64_t panelParts, rowParts;

  // Of a step of `work` multiply-adds on so many rows and panels. Parts of rows are of several
  // tiles, lest all tiles become small.
  StepTasks(int64_t work, int64_t rows, int64_t panels) {
    const int64_t wanted = larger(1, smaller(16, work / (1 << 14)));
    panelParts = smaller(wanted, larger(1, panels));
    rowParts = smaller(wanted / panelParts, larger(1, rows / (4 * rowsBeside(4))));
  }
  int64_t count() const { return panelParts * rowParts; }
};

// One step's product: the first `products` rows of a times the weights; further rows, up to `rows`,
// have none, and count as 0.
struct StepProduct {
  const Panels& panels;
  const float *weights, *a;
  int64_t aRow, products, rows;
  // With three gates of one vector: from this k on the third adds to a fourth sum of its own.
  int64_t split = -1;
};

// sums[row][vector] of rows [row, end) and one panel. fetch(row, lines): see multiplyPart.
template <class Fetch>
void multiplyPanel(const StepProduct& s, const float* panel, int64_t vectors, int64_t row,
                   int64_t end, float* sums, const Fetch& fetch) {
  const int64_t most = rowsBeside(static_cast<int>(vectors));
  while (row < end) {
    const int64_t left = end - row;  // the last two tiles share
    const int64_t count = left >= 2 * most ? most : left > most ? (left + 1) / 2 : left;
    Lines lines;
    for (int64_t r = row; r < row + count; ++r) fetch(r, lines);
    const float* a = s.a + row * s.aRow;
    if (s.split < 0) {
      rowsFunction(count, vectors)(s.panels.k, a, s.aRow, panel, sums, lines);
    } else {
      splitRowsFunction(count)(s.split, s.panels.k, a, s.aRow, panel, sums, lines);
    }
    row += count;
    sums += count * vectors * Vec::width;
  }
}

// For each row of the task, fetch(row, unit, lines) adds the memory that will be wanted of a line
// of units. For each row and each vector of units, gates(row, unit, tile) takes the product, tile
// holding that vector of each gate, and output(row, unit, tile) what gates left there: two loops,
// because the processor overlaps more turns of a short chain of operations than of a long one.
template <class Fetch, class Gates, class Output>
void multiplyPart(const StepProduct& s, const StepTasks& tasks, int64_t task, const Fetch& fetch,
                  const Gates& gates, const Output& output) {
  const Panels& p = s.panels;
  const int64_t vectors = s.split < 0 ? p.vectors() : 4, rowFloats = vectors * Vec::width;
  const int64_t most = rowsBeside(static_cast<int>(vectors));  // of a tile
  const Split panels{p.count(), tasks.panelParts};
  const Split tiles{ceilDiv(s.rows, most), tasks.rowParts};
  const int64_t panelPart = task / tasks.rowParts, rowPart = task % tasks.rowParts;
  const int64_t begin = tiles.begin(rowPart), end = tiles.end(rowPart);
  const int64_t atOnce = Split::atMost(end - begin, rowsBeforeGates / most).largest() * most;
  const int64_t endRow = smaller(s.rows, end * most);
  alignas(64) float sums[maxSums];
  for (int64_t panel = panels.begin(panelPart); panel < panels.end(panelPart); ++panel) {
    const int64_t firstUnit = panel * p.unitsInPanel();
    const int64_t lastUnit = smaller(p.units, firstUnit + p.unitsInPanel());
    const auto fetchRow = [&](int64_t row, Lines& lines) {
      for (int64_t unit = firstUnit; unit < lastUnit; unit += lineFloats) fetch(row, unit, lines);
    };
    for (int64_t row = begin * most, last; row < endRow; row = last) {
      last = smaller(endRow, row + atOnce);
      const int64_t products = larger(row, smaller(last, s.products));
      multiplyPanel(s, s.weights + panel * p.panelLength(), vectors, row, products, sums, fetchRow);
      for (int64_t i = (products - row) * rowFloats; i < (last - row) * rowFloats;
           i += Vec::width) {
        store(sums + i, broadcast(0));
      }
      const auto forAll = [&](const auto& body) {
        for (int64_t r = row; r < last; ++r) {
          float* tile = sums + (r - row) * rowFloats;
          for (int64_t unit = firstUnit; unit < lastUnit; unit += Vec::width) {
            body(r, unit, tile);
            tile += p.gates * Vec::width;
          }
        }
      };
      forAll(gates);
      forAll(output);
    }
  }
}

template <class Fetch, class Output>
void multiplyPart(const StepProduct& s, const StepTasks& tasks, int64_t task, const Fetch& fetch,
                  const Output& output) {
  multiplyPart(
      s, tasks, task, fetch, [](int64_t, int64_t, float*) {}, output);
}

}  // namespace
}  // namespace fovea
