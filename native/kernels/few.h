// The engine of convolutions with few output channels, or few channels of x backward: vectors run
// along rows of y, so no lane waits for a channel that is not there.
//
// x is copied once for each column of the kernel, shifted by it: then what any tap reads for the
// positions of a row begins at a multiple of the vector, and loads, of which there are many for
// each output, never cross cache lines. Phases of a stride, backward, are interleaved in registers.
#pragma once

#include "correlate-pack.h"
#include "few-finish.h"
#include "few-plan.h"

namespace fovea {
namespace {

// to[q] = row[q * stride] for q < count, and anything up to a whole vector.
inline void everyStride(const float* row, int64_t stride, int64_t count, float* to) {
  for (int64_t q = 0; q < count; q += Vec::width, row += stride * Vec::width) {
    if (stride == 2) {
      store(to + q, evens(load(row), load(row + Vec::width)));
    } else {
      for (int64_t i = 0; i < Vec::width; ++i) to[q + i] = row[i * stride];
    }
  }
}

// One shift of a band of one channel; `padded` is room for one padded row. Up to a vector beyond is
// written.
inline void copyShift(const float* plane, const FewPlan& plan, int64_t firstRow, int64_t shift,
                      float* padded, float* to) {
  const Axis &rows = plan.rows, &columns = plan.columns;
  const int64_t start = columns.start + shift * plan.step;
  const int64_t wanted = (columns.count - 1) * columns.stride + 1;
  const int64_t first = smaller(wanted, larger(0, -start)), begin = larger(0, start);
  const int64_t count = larger(0, smaller(columns.length - begin, wanted - first));
  const int64_t phases = rows.phases(), phaseRows = plan.phaseRows;
  for (int64_t phase = 0; phase < phases; ++phase) {
    for (int64_t i = 0; i < phaseRows; ++i, to += plan.pitch) {
      const int64_t r = rows.start + (firstRow + i) * rows.stride + phase;
      const bool present = r >= 0 && r < rows.length && count > 0;
      const float* from = plane + (present ? r * columns.length + begin : 0);
      float* row = columns.stride == 1 ? to : padded;
      writeRow(from, present ? first : 0, present ? count : 0, wanted, row);
      if (columns.stride > 1) everyStride(padded, columns.stride, columns.count, to);
    }
  }
}

// A tile of outputs over a band of rows, channels [c0, c1).
struct FewTask {
  int64_t tile, row0, row1, c0, c1;
};

inline void fewBand(const Correlation& s, const FewPlan& plan, const int32_t* table,
                    const FewTask& task, const float* copy, const float* weights, float* sums,
                    const FewFinish& finish, float* y) {
  constexpr int64_t w = Vec::width;
  const int64_t channels = task.c1 - task.c0, vectorsOfRow = plan.pitch / w;
  int64_t tapsBefore = 0;
  for (int64_t a = 0; a < s.rows.phases(); ++a) {
    const ConvPhase row = s.rows.phase(a);
    const int64_t rows = smaller(task.row1, row.count) - task.row0;
    const Split tiles = Split::atMost(larger(0, rows) * vectorsOfRow, plan.vectors);
    float* band = y + (row.outStart + task.row0 * s.rows.outStride()) * s.columns.to;
    for (int64_t t = 0; t < tiles.parts; ++t) {
      const int64_t v0 = tiles.begin(t), vectors = tiles.end(t) - v0;
      if (vectors == 0) continue;
      int64_t before = tapsBefore;
      for (int64_t b = 0; b < s.columns.phases(); ++b) {
        const ConvPhase column = s.columns.phase(b);
        const int64_t taps = row.taps * column.taps;
        tileFunction<Table>(finish.outputs, vectors)(
            channels * taps,
            weights + packedTile(s, plan, before, taps, task.tile) +
                task.c0 * taps * finish.outputs,
            finish.outputs, copy + v0 * w, Table{table + before * plan.channels.largest()},
            sums + column.outStart * maxTileFloats);
        before += taps;
      }
      for (int64_t v = 0; v < vectors; ++v) {
        const int64_t r = (v0 + v) / vectorsOfRow;
        const int64_t c = (v0 + v) % vectorsOfRow * w * s.columns.outStride();
        float* to = band + r * s.rows.outStride() * s.columns.to + c;
        for (int64_t o = 0; o < finish.outputs; ++o) {
          finishVector(sums + (o * vectors + v) * w, maxTileFloats, o, c, finish,
                       to + o * finish.outPlane);
        }
      }
    }
    tapsBefore += row.taps * s.columns.kernel;
  }
}

struct FewBuffers {
  const float *x, *weights, *bias;  // weights are packed; bias may be null
  float* y;
};

// One band of rows of one image and group.
inline void fewUnit(const Correlation& s, const FewPlan& plan, const FewMemory& memory,
                    const FewBuffers& buffers, int64_t unit, int thread) {
  const int64_t band = unit % plan.bands.parts, item = unit / plan.bands.parts;
  const int64_t group = item % s.groups;
  const int64_t row0 = plan.bands.begin(band), row1 = plan.bands.end(band);
  const float* x = buffers.x + item * s.inputs * s.plane();
  float* y = buffers.y + item * s.outputs * s.outPlane();
  const float* weights = buffers.weights + group * plan.padded * s.depth();
  const float* bias = buffers.bias ? buffers.bias + group * s.outputs : nullptr;
  float* copy = memory.copies + thread * plan.copyLength;
  for (int64_t block = 0; block < plan.channels.parts; ++block) {
    const int64_t c0 = plan.channels.begin(block), c1 = plan.channels.end(block);
    const bool last = block + 1 == plan.channels.parts;
    for (int64_t c = c0; c < c1; ++c) {
      for (int64_t shift = 0; shift < plan.shifts; ++shift) {
        copyShift(x + c * s.plane(), plan, row0, shift, memory.rows + thread * plan.rowLength,
                  copy + (c - c0) * plan.channelSize + shift * plan.shiftSize);
      }
    }
    for (int64_t t = 0; t < plan.tiles.parts; ++t) {
      const int64_t o = plan.tiles.begin(t), outputs = plan.tiles.end(t) - o;
      fewBand(s, plan, memory.table, {t, row0, row1, c0, c1}, copy, weights,
              memory.sums + thread * plan.sumsLength,
              {block > 0, s.relu && last, bias ? bias + o : nullptr, outputs, s.outPlane(),
               s.columns.to, s.columns.phases()},
              y + o * s.outPlane());
    }
  }
}

inline void few(const Correlation& s, const Context& context, const float* x, const float* weight,
                const float* bias, float* y) {
  if (s.batch * s.groups * s.outputs * s.outPlane() == 0) return;
  const FewPlan plan(s);
  const float* packed = context.packed;
  const FewMemory memory(s, plan, context.threads, context.workspace, packed != nullptr);
  if (!packed) packAllWeights(s, plan, context, weight, memory.weights);
  fillTable(s, plan, memory.table);
  const FewBuffers buffers = {x, packed ? packed : memory.weights, bias, y};
  context.parallel(ceilDiv(plan.units, plan.unitsPerTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.units, (task + 1) * plan.unitsPerTask);
    for (int64_t unit = task * plan.unitsPerTask; unit < end; ++unit) {
      fewUnit(s, plan, memory, buffers, unit, thread);
    }
  });
}

inline size_t fewWorkspace(const Correlation& s, int threads) {
  return FewMemory(s, FewPlan(s), threads, nullptr, false).bytes;
}

}  // namespace
}  // namespace fovea
