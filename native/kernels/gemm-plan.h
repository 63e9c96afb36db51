// How one matmul is cut up. Depends on its shape alone.
#pragma once

#include "dot.h"
#include "list.h"
#include "tile.h"

namespace fovea {
namespace {

// vector: one row times b as it lies. dots: vectors run along k in both factors. The others are
// made of tiles: byPanels takes a panel of vectors at a time, packed or as it lies; byTiles takes a
// tile's rows at a time, and the vectors packed.
enum class MatmulPath { vector, dots, byPanels, byTiles };

// What becomes of a constant b. transposed: [n][k], so that its rows give the scalars, in one run
// of memory, or dot products; panels: as byPanels reads them; inPlace: packing it anew costs no
// more than its not being aligned would.
enum class MatmulPacking { inPlace, transposed, panels };

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

  explicit MatmulPlan(const MatmulShape& s, bool packedB = false)
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
    depths = Split::atMost(k, depthLimit(packedB));
    const int64_t tasks = smaller(m * n * k / taskWork, 8), height = larger(1, tiles.largest());
    if (path == MatmulPath::byTiles) {
      // Each block packs its vectors itself: few of them share vectors, and none a cache.
      const int64_t widest = cachedFloats / byTilesDepth;
      const int64_t width = columns <= 1024 ? smaller(128, 2 * widest / 3) : widest;
      columnBlocks = Split::atMost(panels, larger(1, width / panelWidth));
      rowBlocks = Split::into(tiles.parts, ceilDiv(smaller(tasks, 4), columnBlocks.parts));
    } else {
      // Wide blocks: the first panel of each waits for memory. Narrow: y stays in the L2 cache.
      rowBlocks = Split::atMost(tiles.parts, larger(1, 288 / height));
      const int64_t widest = larger(1, 65536 / (height * rowBlocks.largest() * panelWidth));
      columnBlocks = Split::into(panels, larger(ceilDiv(panels, widest), smaller(tasks, 4)));
      const int64_t more = smaller(tiles.parts / 4, tasks / columnBlocks.parts);
      rowBlocks = Split::into(tiles.parts, larger(rowBlocks.parts, more));
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

  // For a constant b, of the unpacked shape's plan.
  MatmulPacking packing() const {
    const bool fillsVectors = 5 * m >= 4 * roundUp(m, Vec::width);
    if (bBatch > 1 || batch > 1 || m > 128) return MatmulPacking::inPlace;
    if (m > maxDotRows && !fillsVectors) return MatmulPacking::panels;
    return transposeB ? MatmulPacking::inPlace : MatmulPacking::transposed;
  }

  // Packed vectors: for each depth its panels, [k of the depth][panelWidth] each.
  int64_t packedLength() const { return k * panels * panelWidth; }
  int64_t packedOffset(int64_t depth, int64_t panel) const {
    const int64_t k0 = depths.begin(depth), depthLength = depths.end(depth) - k0;
    return (k0 * panels + panel * depthLength) * panelWidth;
  }

 private:
  static constexpr int64_t byTilesDepth = 1024;

  // Long sums go to y in parts. Where b is read as it lies, shorter parts keep its lines and pages
  // near; y pays for them, the more the more rows it has.
  int64_t depthLimit(bool packedB) const {
    if (packedB) return 512;
    if (path == MatmulPath::byTiles) return byTilesDepth;
    if (turned) return vectorsInOrder ? 288 : 1024;
    return rows <= tileRows ? 32 : rows <= 128 ? 144 : 288;
  }
  void choosePath(bool packedB) {
    turned = false;
    vectorsInOrder = !transposeB;
    if (packedB) {
      path = MatmulPath::byPanels;
      return;
    }
    if (m == 1 && !transposeB) {
      path = MatmulPath::vector;
      return;
    }
    const double normalCost = cost(m, n, !transposeB);
    const double turnedCost = cost(n, m, transposeA) + 0.3 * static_cast<double>(m * n);
    turned = turnedCost < normalCost;
    if (turned) vectorsInOrder = transposeA;
    if (!transposeA && transposeB && k < 1 << 27) {
      const double perVector = m > maxDotRows ? 2 : 1.1;  // more rows read b again and again
      const double perDot = perVector * static_cast<double>(ceilDiv(k, Vec::width)) + 4;
      if (perDot * static_cast<double>(m * n) < smaller(normalCost, turnedCost)) {
        path = MatmulPath::dots;
        return;
      }
    }
    // Packing a whole block of vectors pays where many rows share it.
    path = (turned ? n : m) > 300 ? MatmulPath::byTiles : MatmulPath::byPanels;
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
