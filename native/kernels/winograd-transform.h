// Winograd's transforms between plain images and points: of tiles of x and gradY, of weights, of
// products into y.
//
// Vectors hold channels, so tiles may lie anywhere. Where a line of the image is contiguous, they
// hold columns instead: down the columns first, a square of channels x columns is transposed, then
// along the rows.
#pragma once

#include "plane.h"
#include "tile.h"
#include "winograd-points.h"

namespace fovea {
namespace {

// Tiles of m x m over planes of outputs, numbered along rows, down the plane, over the batch.
struct TileGrid {
  int64_t batch, height, width;  // of the outputs
  int64_t m, rows, columns;      // of tiles

  TileGrid(int64_t images, int64_t outHeight, int64_t outWidth, int64_t tile)
      : batch(images),
        height(outHeight),
        width(outWidth),
        m(tile),
        rows(ceilDiv(outHeight, tile)),
        columns(ceilDiv(outWidth, tile)) {}
  int64_t count() const { return batch * rows * columns; }
};

// Columns of an image that are transformed at once: a multiple of every vector width.
constexpr int64_t segmentColumns = 64;

// Rows of an image are short and far apart: the processor does not foresee them by itself.
constexpr int64_t channelsAhead = 4;

// Neighbouring tiles of one row of tiles: `row` and `column` are their first output.
struct Segment {
  int64_t image, row, column, tiles;

  Segment(const TileGrid& grid, int64_t tile, int64_t end) {
    const int64_t line = tile / grid.columns, first = tile % grid.columns;
    image = line / grid.rows;
    row = line % grid.rows * grid.m;
    column = first * grid.m;
    const Split pieces = Split::atMost(grid.columns, (segmentColumns - 2) / grid.m);
    const int64_t piece = ((first + 1) * pieces.parts - 1) / grid.columns;
    tiles = smaller(end - tile, pieces.end(piece) - first);
  }
};

// Planes of channels, some [batch, channels, height, width].
struct Planes {
  int64_t channels, height, width;
  int64_t at(int64_t image, int64_t channel) const {
    return (image * channels + channel) * height * width;
  }
};

// Where a transform goes: element [point][tile][channel] at point * pointStep + tile * tileStep +
// channel.
struct PointLayout {
  int64_t pointStep, tileStep;
};

template <int m>
constexpr int64_t inputScratchFloats() {
  return ((m + 2) * Vec::width + Vec::width + 1) * segmentColumns + Vec::width;
}

// Rows [row, row + Matrix::columns) and columns [column, column + count) of up to a vector of
// channels, transformed down the columns: lines[point][channel][column].
template <class Matrix>
inline void transformColumns(const Planes& planes, const float* x, int64_t channels, int64_t row,
                             int64_t column, int64_t count, float* zeros, float* lines) {
  constexpr int64_t pointStep = Vec::width * segmentColumns;
  const int64_t plane = planes.height * planes.width, width = planes.width;
  const int64_t first = smaller(count, larger(0, -column));
  const int64_t last = larger(first, smaller(count, planes.width - column));
  fillRow(zeros, segmentColumns, 0);
  const float* source[Matrix::columns];
  int64_t step[Matrix::columns];
  for (int64_t i = 0; i < Matrix::columns; ++i) {
    const bool inside = row + i >= 0 && row + i < planes.height;
    source[i] = inside ? x + (row + i) * width + column : zeros;
    step[i] = inside ? plane : 0;
  }
  const bool whole = first == 0 && last == count;
  for (int64_t c = 0; c < Vec::width; ++c, lines += segmentColumns) {
    for (int64_t i = 0; i < Matrix::rows && !(whole && c < channels); ++i) {
      fillRow(lines + i * pointStep, count, 0);
    }
    if (c >= channels) continue;
    for (int64_t i = 0; i < Matrix::columns; ++i) {
      const float* ahead = source[i] + channelsAhead * step[i];
      for (int64_t j = first; j < last; j += 16) prefetch(ahead + j);
    }
    int64_t j = first;
    for (; j + Vec::width <= last; j += Vec::width) {
      Vec in[Matrix::columns], out[Matrix::rows];
      unroll<Matrix::columns>([&](auto i) { in[i] = load(source[i] + j); });
      toPoints<Matrix>(in, out);
      unroll<Matrix::rows>([&](auto i) { store(lines + i * pointStep + j, out[i]); });
    }
    if (j < last) {
      const int n = lanesLeft(last - j);
      Vec in[Matrix::columns], out[Matrix::rows];
      unroll<Matrix::columns>([&](auto i) { in[i] = loadFirst(source[i] + j, n); });
      toPoints<Matrix>(in, out);
      unroll<Matrix::rows>([&](auto i) { storeFirst(lines + i * pointStep + j, out[i], n); });
    }
    for (int64_t i = 0; i < Matrix::columns; ++i) source[i] += step[i];
  }
}

// Tiles of x (or gradY) at the points of Matrix, m columns apart, the first at (row, column), of up
// to a vector of channels.
template <class Matrix, int m>
void transformTiles(const Planes& planes, const float* x, int64_t channels, int64_t row,
                    int64_t column, int64_t tiles, float* scratch, const PointLayout& layout,
                    float* to) {
  constexpr int64_t pointStep = Vec::width * segmentColumns;
  const int64_t count = m * (tiles - 1) + Matrix::columns;
  float* zeros = scratch;
  float* turned = zeros + segmentColumns;  // [column][channel]
  float* lines = turned + pointStep;
  transformColumns<Matrix>(planes, x, channels, row, column, count, zeros, lines);
  const int64_t toPoint = layout.pointStep, toTile = layout.tileStep;
  Vec square[Vec::width];
  for (int64_t i = 0; i < Matrix::rows; ++i, lines += pointStep) {
    for (int64_t j = 0; j < count; j += Vec::width) {
      for (int c = 0; c < Vec::width; ++c) square[c] = load(lines + c * segmentColumns + j);
      transpose(square);
      for (int c = 0; c < Vec::width; ++c) store(turned + (j + c) * Vec::width, square[c]);
    }
    for (int64_t t = 0; t < tiles; ++t) {
      Vec in[Matrix::columns], out[Matrix::rows];
      const float* from = turned + t * m * Vec::width;
      float* point = to + i * Matrix::rows * toPoint + t * toTile;
      unroll<Matrix::columns>([&](auto k) { in[k] = load(from + k * Vec::width); });
      toPoints<Matrix>(in, out);
      unroll<Matrix::rows>([&](auto k) { store(point + k * toPoint, out[k]); });
    }
  }
}

// Three by three elements [3][3] of vectors, at the (m + 2)^2 points.
template <int m>
inline void transformWeight(const Vec* taps, int64_t pointStep, float* to) {
  constexpr int n = m + 2;
  Vec columns[3][n];
  unroll<3>([&](auto j) {
    const Vec in[3] = {taps[j], taps[3 + j], taps[6 + j]};
    toPoints<WeightMatrix<m>>(in, columns[j]);
  });
  unroll<n>([&](auto i) {
    const Vec in[3] = {columns[0][i], columns[1][i], columns[2][i]};
    Vec out[n];
    toPoints<WeightMatrix<m>>(in, out);
    unroll<n>([&](auto j) { store(to + (i * n + j) * pointStep, out[j]); });
  });
}

// The way back, from Matrix::rows^2 points at from[point * pointStep] to Matrix::columns^2
// elements.
template <class Matrix>
FOVEA_INLINE void fromPointsSquare(const float* from, int64_t pointStep,
                                   Vec (*y)[Matrix::columns]) {
  constexpr int n = Matrix::rows, m = Matrix::columns;
  Vec half[m][n];
  unroll<n>([&](auto j) {
    Vec in[n], out[m];
    unroll<n>([&](auto i) { in[i] = load(from + (i * n + j) * pointStep); });
    fromPoints<Matrix>(in, out);
    unroll<m>([&](auto i) { half[i][j] = out[i]; });
  });
  unroll<m>([&](auto i) { fromPoints<Matrix>(half[i], y[i]); });
}

template <int m>
constexpr int64_t outputScratchFloats() {
  return m * segmentColumns * Vec::width;
}

// Products of a segment, for up to a vector of channels, into y [channels][height][width], whose
// first output is (row, column).
template <int m, bool relu>
void finishTiles(const PointLayout& layout, const float* products, const Segment& segment, Vec bias,
                 int64_t channels, float* scratch, const Planes& planes, float* y) {
  constexpr int64_t rowStep = segmentColumns * Vec::width;
  const int64_t pointStep = layout.pointStep, tileStep = layout.tileStep;
  for (int64_t t = 0; t < segment.tiles; ++t) {
    Vec tile[m][m];
    fromPointsSquare<OutputMatrix<m>>(products + t * tileStep, pointStep, tile);
    float* to = scratch + t * m * Vec::width;
    unroll<m * m>([&](auto i) {
      const Vec sum = tile[i / m][i % m] + bias;
      store(to + i / m * rowStep + i % m * Vec::width, relu ? reluOf(sum) : sum);
    });
  }
  const int64_t rows = smaller(m, planes.height - segment.row);
  const int64_t count = smaller(segment.tiles * m, planes.width - segment.column);
  const int64_t plane = planes.height * planes.width;
  Vec square[Vec::width];
  for (int64_t i = 0; i < rows; ++i, scratch += rowStep) {
    float* line = y + (segment.row + i) * planes.width + segment.column;
    for (int64_t j = 0; j < count; j += Vec::width) {
      unroll<Vec::width>([&](auto c) { square[c] = load(scratch + (j + c) * Vec::width); });
      transpose(square);
      const int n = lanesLeft(count - j);
      float* to = line + j;
      if (n == Vec::width && channels == Vec::width) {
        unroll<Vec::width>([&](auto c) {
          store(to, square[c]);
          to += plane;
        });
      } else {
        for (int64_t c = 0; c < channels; ++c, to += plane) storeFirst(to, square[c], n);
      }
    }
  }
}

}  // namespace
}  // namespace fovea
