// The weights of a correlation as its tiles read them, and the table of where taps lie.
#pragma once

#include "context.h"
#include "correlation.h"

namespace fovea {
namespace {

// packed is [phase][tile][channel][tap][output of the tile], outputs beyond the last being zero:
// tile t of the phase that `tapsBefore` taps come before begins here.
template <class Plan>
inline int64_t packedTile(const Correlation& s, const Plan& plan, int64_t tapsBefore,
                          int64_t phaseTaps, int64_t tile) {
  return (tapsBefore * plan.padded + plan.tiles.begin(tile) * Plan::lanes * phaseTaps) * s.inputs;
}

// One tile of outputs of one group, in every phase.
template <class Plan>
inline void packWeights(const Correlation& s, const Plan& plan, int64_t tile, const float* weight,
                        float* packed) {
  const int64_t first = plan.tiles.begin(tile) * Plan::lanes;
  const int64_t width = plan.tiles.end(tile) * Plan::lanes - first;
  const int64_t outputs = smaller(s.outputs - first, width);
  const Operand from = {weight + first * s.weightOutput, s.weightOutput, 1};
  const bool inOrder = !s.rows.backward && s.weightInput == s.taps();
  if (inOrder || s.depth() == 0) {
    return pack(from, outputs, s.depth(), packed + packedTile(s, plan, 0, s.taps(), tile), width,
                width);
  }
  forEachPhase(s, [&](const ConvPhase& row, const ConvPhase& column, int64_t tapsBefore) {
    const int64_t taps = row.taps * column.taps;
    float* to = packed + packedTile(s, plan, tapsBefore, taps, tile);
    if (taps == 0) return;
    if (s.weightOutput == 1) {
      pack({from.data, 1, s.weightInput}, outputs, s.inputs, to, width, width);
      return;
    }
    const bool turned = taps == s.taps() && row.kernelStep == -1 && column.kernelStep == -1;
    for (int64_t c = 0; c < s.inputs; ++c) {
      const Operand kernel = from.from(0, c * s.weightInput);
      if (turned) {
        pack(kernel, outputs, taps, to + ((c + 1) * taps - 1) * width, -width, width);
        continue;
      }
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t i = row.firstKernel + tap / column.taps * row.kernelStep;
        const int64_t j = column.firstKernel + tap % column.taps * column.kernelStep;
        const float* lanes = kernel.data + i * s.columns.kernel + j;
        float* at = to + (c * taps + tap) * width;
        for (int64_t r = 0; r < width; ++r) at[r] = r < outputs ? lanes[r * s.weightOutput] : 0;
      }
    }
  });
}

// [phase][channel][tap]
template <class Plan>
inline void fillTable(const Correlation& s, const Plan& plan, int32_t* table) {
  forEachPhase(s, [&](const ConvPhase& row, const ConvPhase& column, int64_t) {
    for (int64_t c = 0; c < plan.channels.largest(); ++c) {
      for (int64_t i = 0; i < row.taps; ++i) {
        for (int64_t j = 0; j < column.taps; ++j) {
          *table++ = static_cast<int32_t>(c * plan.channelSize + plan.offset(row, column, i, j));
        }
      }
    }
  });
}

// The packed weights of all groups, one after another.
template <class Plan>
inline int64_t packedLength(const Correlation& s) {
  return s.groups * Plan(s).padded * s.depth();
}

template <class Plan>
inline void packAllWeights(const Correlation& s, const Plan& plan, const Context& context,
                           const float* weight, float* packed) {
  context.parallelRange(
      s.groups * plan.tiles.parts, 1 + 65536 / (1 + plan.tiles.largest() * Plan::lanes * s.depth()),
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const int64_t group = i / plan.tiles.parts;
          packWeights(s, plan, i % plan.tiles.parts, weight + group * s.weightGroup(),
                      packed + group * plan.padded * s.depth());
        }
      });
}

}  // namespace
}  // namespace fovea
