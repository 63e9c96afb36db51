// Moving elements: a copy between any two strided views of up to eight dimensions, and filling.
#pragma once

#include <cstring>

#include "context.h"
#include "list.h"
#include "rows.h"
#include "split.h"
#include "unroll.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t moveGrain = 65536;  // elements worth a task
constexpr int maxRank = 8;

inline void copyRow(int64_t count, const float* x, float* y) {
  if (count >= 16 * Vec::width) {
    memcpy(y, x, static_cast<size_t>(count) * sizeof(float));
    return;
  }
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) store(y + i, load(x + i));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) storeFirst(y + i, loadFirst(x + i, rest), rest);
}

void fill(const FillShape& s, const Context& context, float* y) {
  const Vec value = broadcast(s.value);
  fillElements(s.count, moveGrain, context, false, y, [=](int64_t, int) { return value; });
}

// One dimension of a copy: its size, and what a step adds on each side.
struct Dimension {
  int64_t size, x, y;
};

// The dimensions of a copy, outermost first.
struct Walk {
  Dimension d[maxRank];
  int rank;
  int64_t xOffset, yOffset;
};

// Drops dimensions of one, turns those that go backward in y, puts the smallest steps of y last,
// and joins neighbours that both sides step through evenly.
inline Walk simplify(const CopyShape& s) {
  const Dimension given[maxRank] = {{s.d0, s.x0, s.y0}, {s.d1, s.x1, s.y1}, {s.d2, s.x2, s.y2},
                                    {s.d3, s.x3, s.y3}, {s.d4, s.x4, s.y4}, {s.d5, s.x5, s.y5},
                                    {s.d6, s.x6, s.y6}, {s.d7, s.x7, s.y7}};
  Walk walk;
  walk.rank = 0;
  walk.xOffset = s.xOffset;
  walk.yOffset = s.yOffset;
  Dimension sorted[maxRank];
  int count = 0;
  for (Dimension d : given) {
    if (d.size == 1) continue;
    if (d.y < 0) {
      walk.xOffset += (d.size - 1) * d.x;
      walk.yOffset += (d.size - 1) * d.y;
      d.x = -d.x;
      d.y = -d.y;
    }
    int at = count++;
    for (; at > 0 && sorted[at - 1].y < d.y; --at) sorted[at] = sorted[at - 1];
    sorted[at] = d;
  }
  for (int i = 0; i < count; ++i) {
    const Dimension d = sorted[i];
    Dimension* last = walk.rank == 0 ? nullptr : &walk.d[walk.rank - 1];
    if (last != nullptr && last->x == d.x * d.size && last->y == d.y * d.size) {
      *last = {last->size * d.size, d.x, d.y};
    } else {
      walk.d[walk.rank++] = d;
    }
  }
  if (walk.rank == 0) walk.d[walk.rank++] = {1, 1, 1};
  return walk;
}

// body(x offset, y offset) for positions [begin, end) of the first `rank` dimensions.
template <class Body>
void forPositions(const Walk& walk, int rank, int64_t begin, int64_t end, const Body& body) {
  int64_t index[maxRank];
  int64_t x = walk.xOffset, y = walk.yOffset, position = begin;
  for (int k = rank - 1; k >= 0; --k) {
    index[k] = position % walk.d[k].size;
    position /= walk.d[k].size;
    x += index[k] * walk.d[k].x;
    y += index[k] * walk.d[k].y;
  }
  for (int64_t i = begin; i < end; ++i) {
    body(x, y);
    for (int k = rank - 1; k >= 0; --k) {
      x += walk.d[k].x;
      y += walk.d[k].y;
      if (++index[k] < walk.d[k].size) break;
      x -= walk.d[k].x * walk.d[k].size;
      y -= walk.d[k].y * walk.d[k].size;
      index[k] = 0;
    }
  }
}

// A square of `width` rows and columns, in registers.
inline void transposeSquare(const float* x, int64_t xStride, float* y, int64_t yStride,
                            bool streams) {
  Vec square[Vec::width];
  unroll<Vec::width>([&](auto i) { square[i] = load(x + i * xStride); });
  transpose(square);
  if (streams) {
    unroll<Vec::width>([&](auto i) { storeStream(y + i * yStride, square[i]); });
  } else {
    unroll<Vec::width>([&](auto i) { store(y + i * yStride, square[i]); });
  }
}

// What is left at an edge.
inline void transposeEdge(int height, int width, const float* x, int64_t xStride, float* y,
                          int64_t yStride) {
  Vec square[Vec::width];
  for (int i = 0; i < Vec::width; ++i) {
    square[i] = i < height ? loadFirst(x + i * xStride, width) : broadcast(0);
  }
  transpose(square);
  for (int j = 0; j < width; ++j) storeFirst(y + j * yStride, square[j], height);
}

// A few rows, such as three colours, are gathered into each row of y element by element.
template <int rows>
void transposeThin(int64_t columns, const float* x, int64_t xStride, float* y, int64_t yStride) {
  for (int64_t c = 0; c < columns; ++c) {
    unroll<rows>([&](auto r) { y[c * yStride + r] = x[r * xStride + c]; });
  }
}

// y[c · yStride + r] = x[r · xStride + c]: rows of x become columns of y, square by square, so many
// squares side by side: one where lines of y must stay in the first cache until they are full, more
// where they go past it, so that a page of x is used while it is at hand.
inline void transposePlane(int64_t rows, int64_t columns, const float* x, int64_t xStride, float* y,
                           int64_t yStride, int64_t squares, bool streams) {
  constexpr int w = Vec::width;
  if (rows == 2) return transposeThin<2>(columns, x, xStride, y, yStride);
  if (rows == 3) return transposeThin<3>(columns, x, xStride, y, yStride);
  if (rows == 4) return transposeThin<4>(columns, x, xStride, y, yStride);
  for (int64_t first = 0; first < columns; first += squares * w) {
    const int64_t last = smaller(first + squares * w, columns);
    for (int64_t r = 0; r < rows; r += w) {
      const int height = static_cast<int>(smaller(rows - r, w));
      for (int64_t c = first; c < last; c += w) {
        const int width = static_cast<int>(smaller(last - c, w));
        const float* from = x + r * xStride + c;
        float* to = y + c * yStride + r;
        if (height == w && width == w) {
          transposeSquare(from, xStride, to, yStride, streams);
        } else if (width <= 4) {
          for (int j = 0; j < width; ++j) {
            for (int i = 0; i < height; ++i) to[j * yStride + i] = from[i * xStride + j];
          }
        } else {
          transposeEdge(height, width, from, xStride, to, yStride);
        }
      }
    }
  }
}

inline void copyStrided(const Dimension& d, const float* x, float* y, bool large) {
  const bool streams = large && d.size >= longRow;
  if (d.x == 1 && d.y == 1) {
    if (d.size < longRow) return copyRow(d.size, x, y);
    return writeRow(d.size, y, streams, [=](int64_t i, int n) { return loadSome(x + i, n); });
  }
  if (d.x == 0 && d.y == 1) {
    const Vec value = broadcast(*x);
    return writeRow(d.size, y, streams, [=](int64_t, int) { return value; });
  }
  for (int64_t i = 0; i < d.size; ++i) y[i * d.y] = x[i * d.x];
}

// Puts the dimension that x runs along just before the innermost, where y runs along another one.
inline bool isTranspose(Walk& walk) {
  const int last = walk.rank - 1;
  if (walk.d[last].y != 1 || walk.d[last].x == 1 || walk.d[last].x == 0) return false;
  int found = -1;
  for (int k = 0; k < last; ++k) {
    if (walk.d[k].x == 1) found = k;
  }
  if (found < 0) return false;
  const Dimension along = walk.d[found];
  for (int k = found; k < last - 1; ++k) walk.d[k] = walk.d[k + 1];
  walk.d[last - 1] = along;
  return true;
}

void copy(const CopyShape& s, const Context& context, const float* x, float* y) {
  const int32_t sizes[maxRank] = {s.d0, s.d1, s.d2, s.d3, s.d4, s.d5, s.d6, s.d7};
  for (int32_t size : sizes) {
    if (size == 0) return;
  }
  Walk walk = simplify(s);
  const bool transpose = isTranspose(walk);
  const Dimension inner = walk.d[walk.rank - 1];
  const int rank = walk.rank - (transpose ? 2 : 1);
  int64_t positions = 1;
  for (int k = 0; k < rank; ++k) positions *= walk.d[k].size;
  const int64_t planes = transpose ? walk.d[walk.rank - 2].size : 1;
  const bool large = positions * planes * inner.size >= streamedElements;
  if (transpose) {
    // A task is a strip of one plane: columns of x, rows of y.
    const Dimension along = walk.d[walk.rank - 2];
    const int64_t strip = moveGrain / inner.size / Vec::width * Vec::width;
    const int64_t height = larger(strip, large ? 64 : 16);
    const int64_t strips = (along.size + height - 1) / height;
    const int64_t plane = (along.size < height ? along.size : height) * inner.size;
    const int64_t grain = unitsPerTask(plane, moveGrain);
    context.parallelRange(positions * strips, grain, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % strips * height, left = along.size - first;
        forPositions(walk, rank, task / strips, task / strips + 1, [&](int64_t xAt, int64_t yAt) {
          float* to = y + yAt + first * along.y;
          const bool streams = large && misalignment(to) == 0 && along.y % Vec::width == 0;
          transposePlane(inner.size, smaller(left, height), x + xAt + first, inner.x, to, along.y,
                         large ? 64 / Vec::width : 1, streams);
          if (streams) streamFence();
        });
      }
    });
    return;
  }
  // A task is a piece of one row, or several short rows.
  const int64_t piece = inner.size < moveGrain ? inner.size : moveGrain;
  const int64_t pieces = (inner.size + piece - 1) / piece;
  if (pieces > 1) {
    context.parallel(positions * pieces, [&](int64_t task, int) {
      const int64_t first = task % pieces * piece, left = inner.size - first;
      const Dimension part = {left < piece ? left : piece, inner.x, inner.y};
      forPositions(walk, rank, task / pieces, task / pieces + 1, [&](int64_t xAt, int64_t yAt) {
        copyStrided(part, x + xAt + first * inner.x, y + yAt + first * inner.y, large);
      });
    });
    return;
  }
  context.parallelRange(positions, moveGrain / piece, [&](int64_t begin, int64_t end) {
    forPositions(walk, rank, begin, end,
                 [&](int64_t xAt, int64_t yAt) { copyStrided(inner, x + xAt, y + yAt, large); });
  });
}

}  // namespace
}  // namespace fovea
