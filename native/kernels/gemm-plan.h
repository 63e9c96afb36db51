// How one matmul is cut up. Depends on its shape alone.
#pragma once

#include "dot.h"
#include "list.h"
#include "tile.h"

namespace fovea {
namespace {

// dots: vectors run along k in both factors. strips: tiles, from factors where they lie.
// packed: tiles, the vectors' factor packed whole beforehand.
enum class MatmulPath { dots, strips, packed };

// Tiles multiply scalars of a with vectors of b; or, turned, scalars of b with vectors of a, and
// then rows of tiles are columns of y.
struct MatmulPlan {
  int64_t batch, aBatch, bBatch, m, n, k;
  bool transposeA, transposeB;
  MatmulPath path;
  bool turned, vectorsInOrder;  // vectors lie in memory as they are read
  int64_t rows, columns;        // of y as the tiles see it
  Split tiles;                  // of rows
  Split rowBlocks;              // of tiles
  int64_t panelWidth, panels;
  Split columnBlocks;  // of panels
  Split depths;        // of k

  MatmulPlan(const MatmulShape& s, bool packedB)
      : batch(s.batch),
        aBatch(s.aBatch),
        bBatch(s.bBatch),
        m(s.m),
        n(s.n),
        k(s.k),
        transposeA(s.transposeA != 0),
        transposeB(s.transposeB != 0) {
    if (m == 1) transposeA = false;
    if (n == 1) transposeB = true;
    if (bBatch == 1 && aBatch == batch && !transposeA) {
      m *= batch;
      batch = aBatch = 1;
    }
    choosePath(packedB);
    rows = turned ? n : m;
    columns = turned ? m : n;
    tiles = Split::atMost(rows, tileRows);
    panelWidth =
        smaller(vectorsFor(tiles.largest()), larger(1, ceilDiv(columns, Vec::width))) * Vec::width;
    panels = ceilDiv(columns, panelWidth);
    const int64_t tasks = smaller(m * n * k / taskWork, 16);
    if (path == MatmulPath::packed) {
      depths = Split::atMost(k, 512);
      columnBlocks = Split::atMost(panels, larger(1, 256 / panelWidth));
      rowBlocks = Split::into(tiles.parts, ceilDiv(tasks, columnBlocks.parts));
    } else {
      // Few rows: b streams by, and the row of y is in the L1 cache. More: y costs, too.
      depths = Split::atMost(k, rows <= tileRows ? 32 : rows <= 128 ? 144 : 288);
      rowBlocks = Split::atMost(tiles.parts, larger(1, 288 / tiles.largest()));
      columnBlocks = Split::into(panels, ceilDiv(tasks, rowBlocks.parts));
      rowBlocks = Split::into(
          tiles.parts,
          larger(rowBlocks.parts, smaller(tiles.parts / 4, tasks / columnBlocks.parts)));
    }
  }

  Operand scalars(const float* a, const float* b, int64_t item) const {
    return turned ? operandB(b, item) : operandA(a, item);
  }
  Operand vectors(const float* a, const float* b, int64_t item) const {
    return turned ? operandA(a, item) : operandB(b, item);
  }
  Operand operandA(const float* a, int64_t item) const {
    a += aBatch > 1 ? item * m * k : 0;
    return transposeA ? Operand{a, 1, m} : Operand{a, k, 1};
  }
  Operand operandB(const float* b, int64_t item) const {
    b += bBatch > 1 ? item * n * k : 0;
    return transposeB ? Operand{b, k, 1} : Operand{b, 1, n};
  }
  int64_t columnsIn(int64_t panel) const {
    return smaller(panelWidth, columns - panel * panelWidth);
  }

  // Packed vectors: for each depth its panels, [k of the depth][panelWidth] each.
  int64_t packedLength() const { return k * panels * panelWidth; }
  int64_t packedOffset(int64_t depth, int64_t panel) const {
    const int64_t k0 = depths.begin(depth), depthLength = depths.end(depth) - k0;
    return (k0 * panels + panel * depthLength) * panelWidth;
  }

 private:
  void choosePath(bool packedB) {
    turned = false;
    path = MatmulPath::packed;
    vectorsInOrder = !transposeB;
    if (packedB) return;
    const double normalCost = cost(m, n, !transposeB);
    const double turnedCost = cost(n, m, transposeA) + 0.3 * static_cast<double>(m * n);
    turned = turnedCost < normalCost;
    if (turned) vectorsInOrder = transposeA;
    if (!transposeA && transposeB && k < 1 << 27) {
      const double perDot = 1.1 * static_cast<double>(ceilDiv(k, Vec::width)) + 4;
      if (perDot * static_cast<double>(m * n) < smaller(normalCost, turnedCost)) {
        path = MatmulPath::dots;
        return;
      }
    }
    const bool tall = (turned ? n : m) > 300;
    const bool shared = (turned ? aBatch : bBatch) == 1 && batch == 1;
    const int64_t size = k * (turned ? m : n);
    if (!(tall && shared && size <= 1 << 24)) path = MatmulPath::strips;
  }
  // In products of vectors; transposing an element as it is packed counts as half a one.
  double cost(int64_t scalarLanes, int64_t vectorLanes, bool inOrder) const {
    const double vectors = static_cast<double>(ceilDiv(vectorLanes, Vec::width));
    return static_cast<double>(k) * (static_cast<double>(scalarLanes) * vectors +
                                     (inOrder ? 0 : 0.5 * static_cast<double>(vectorLanes)));
  }
};

}  // namespace
}  // namespace fovea
