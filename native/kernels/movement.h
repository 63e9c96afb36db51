// Moving elements: a copy between any two strided views of up to eight dimensions, and filling.
#pragma once

#include <cstring>

#include "context.h"
#include "list.h"
#include "reduce.h"
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

inline void fillElements(int64_t count, float value, float* y) {
  const Vec v = broadcast(value);
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) store(y + i, v);
  storeFirst(y + i, v, static_cast<int>(count - i));
}

void fill(const FillShape& s, const Context& context, float* y) {
  context.parallelRange(s.count, moveGrain, [&](int64_t begin, int64_t end) {
    fillElements(end - begin, s.value, y + begin);
  });
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

constexpr int transposeTile = 16;

// y[c · yStride + r] = x[r · xStride + c]: rows of x become columns of y, through a small square.
inline void transposePlane(int64_t rows, int64_t columns, const float* x, int64_t xStride, float* y,
                           int64_t yStride) {
  float tile[transposeTile][transposeTile];
  for (int64_t r = 0; r < rows; r += transposeTile) {
    const int64_t height = rows - r < transposeTile ? rows - r : transposeTile;
    for (int64_t c = 0; c < columns; c += transposeTile) {
      const int64_t width = columns - c < transposeTile ? columns - c : transposeTile;
      if (height == transposeTile && width == transposeTile) {
        for (int i = 0; i < transposeTile; ++i) {
          memcpy(tile[i], x + (r + i) * xStride + c, sizeof tile[i]);
        }
        for (int j = 0; j < transposeTile; ++j) {
          float* out = y + (c + j) * yStride + r;
          for (int i = 0; i < transposeTile; ++i) out[i] = tile[i][j];
        }
        continue;
      }
      for (int64_t j = 0; j < width; ++j) {
        for (int64_t i = 0; i < height; ++i) {
          y[(c + j) * yStride + r + i] = x[(r + i) * xStride + c + j];
        }
      }
    }
  }
}

inline void copyStrided(const Dimension& d, const float* x, float* y) {
  if (d.x == 1 && d.y == 1) return copyRow(d.size, x, y);
  if (d.x == 0 && d.y == 1) return fillElements(d.size, *x, y);
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
  if (transpose) {
    // A task is a strip of one plane: columns of x, rows of y.
    const Dimension along = walk.d[walk.rank - 2];
    const int64_t strip = moveGrain / inner.size / transposeTile * transposeTile;
    const int64_t height = strip < transposeTile ? transposeTile : strip;
    const int64_t strips = (along.size + height - 1) / height;
    const int64_t plane = (along.size < height ? along.size : height) * inner.size;
    const int64_t grain = unitsPerTask(plane, moveGrain);
    context.parallelRange(positions * strips, grain, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % strips * height, left = along.size - first;
        forPositions(walk, rank, task / strips, task / strips + 1, [&](int64_t xAt, int64_t yAt) {
          transposePlane(inner.size, left < height ? left : height, x + xAt + first, inner.x,
                         y + yAt + first * along.y, along.y);
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
        copyStrided(part, x + xAt + first * inner.x, y + yAt + first * inner.y);
      });
    });
    return;
  }
  context.parallelRange(positions, moveGrain / piece, [&](int64_t begin, int64_t end) {
    forPositions(walk, rank, begin, end,
                 [&](int64_t xAt, int64_t yAt) { copyStrided(inner, x + xAt, y + yAt); });
  });
}

}  // namespace
}  // namespace fovea
