// Selecting along an axis by index, one element per row, and their gradients.
#pragma once

#include "context.h"
#include "list.h"
#include "movement.h"
#include "rows.h"
#include "workspace.h"

namespace fovea {
namespace {

// y[o, j, i] = x[o, indices[j], i].
void gather(const GatherShape& s, const Context& context, const float* x, const int32_t* indices,
            float* y) {
  const int64_t inner = s.inner, count = s.count, axis = s.axisLength;
  if (inner == 0 || count == 0) return;
  const int64_t grain = unitsPerTask(inner, moveGrain);
  context.parallelRange(s.outer * count, grain, [&](int64_t begin, int64_t end) {
    int64_t o = begin / count, j = begin % count;
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + (o * axis + indices[j]) * inner;
      if (inner == 1) {
        y[row] = *from;
      } else {
        copyRow(inner, from, y + row * inner);
      }
      if (++j == count) {
        j = 0;
        ++o;
      }
    }
  });
}

// Ranges of the axis that are tasks of their own: each goes through all indices and adds where they
// fall into its range, so that every element gets its terms in the order of the indices.
inline int64_t gatherRanges(const GatherShape& s) {
  const int64_t elements = static_cast<int64_t>(s.count) * s.inner;
  if (s.inner < 16 || elements < 2 * moveGrain) return 1;
  const int64_t ranges = elements / moveGrain < 8 ? elements / moveGrain : 8;
  return s.axisLength < ranges ? s.axisLength : ranges;
}

// Adds into gradX.
void gatherBackward(const GatherShape& s, const Context& context, const float* gradY,
                    const int32_t* indices, float* gradX) {
  const int64_t inner = s.inner, count = s.count, axis = s.axisLength;
  const int64_t ranges = gatherRanges(s);
  const int64_t elements = count * inner;
  const int64_t grain = unitsPerTask(elements, moveGrain);
  context.parallelRange(s.outer * ranges, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t o = task / ranges, range = task % ranges;
      const int64_t first = axis * range / ranges, last = axis * (range + 1) / ranges;
      for (int64_t j = 0; j < count; ++j) {
        const int64_t index = indices[j];
        if (index < first || index >= last) continue;
        const float* from = gradY + (o * count + j) * inner;
        float* to = gradX + (o * axis + index) * inner;
        if (inner == 1) {
          *to += *from;
          continue;
        }
        for (int64_t i = 0; i < inner; i += Vec::width) {
          const int n = static_cast<int>(inner - i < Vec::width ? inner - i : Vec::width);
          storeSome(to + i, loadSome(to + i, n) + loadSome(from + i, n), n);
        }
      }
    }
  });
}

// y[i] = x[i, indices[i]].
void pick(const PickShape& s, const Context& context, const float* x, const int32_t* indices,
          float* y) {
  const int64_t columns = s.columns;
  context.parallelRange(s.rows, moveGrain / 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) y[row] = x[row * columns + indices[row]];
  });
}

void pickBackward(const PickShape& s, const Context& context, const float* gradY,
                  const int32_t* indices, float* gradX) {
  const int64_t columns = s.columns;
  if (columns == 0) return;
  const int64_t grain = unitsPerTask(columns, moveGrain);
  context.parallelRange(s.rows, grain, [&](int64_t begin, int64_t end) {
    fillRow((end - begin) * columns, gradX + begin * columns,
            [](int64_t, int) { return broadcast(0); });
    for (int64_t row = begin; row < end; ++row) {
      gradX[row * columns + indices[row]] = gradY[row];
    }
  });
}

}  // namespace
}  // namespace fovea
