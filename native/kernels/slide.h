// Windows of three or five rows at stride 1, for few output channels: depthwise layers, LeNet's,
// and gradients by an image. Vectors run along rows of y, and every vector of x that is loaded
// serves all the rows of y whose windows it is in:
//
//   y[r][c] += w[i][j] x[r + i][c + j]:  x[q][c + j] is loaded once for r = q, q - 1, q - 2, …
#pragma once

#include "context.h"
#include "correlate-copy.h"
#include "correlation.h"
#include "stream.h"
#include "tile.h"

namespace fovea {
namespace {

constexpr int64_t slideCopy = 6144;       // floats of x that a band copies: half of an L1 cache
constexpr int64_t slideStream = 1 << 21;  // floats of y that are better kept out of the caches
// Of y in registers, rows times vectors; the rest is for the weights of a column and for x.
constexpr int slideAccumulators = (tileAccumulators + tileVectors + 2) / 2;
constexpr int slideMaxRows = slideAccumulators - 2;

inline bool slides(const Correlation& s) {
  const auto dense = [](const ConvDimension& d) { return d.convStride == 1 && d.dilation == 1; };
  return dense(s.rows) && dense(s.columns) && (s.rows.kernel == 3 || s.rows.kernel == 5);
}

struct SlidePlan {
  Axis rows, columns;
  int64_t vectors;  // of a tile
  Split bands;      // of rows of y
  CopyLayout layout;
  int64_t lead;  // floats before the copy of a channel, so that x is aligned in it
  int64_t channelSize, copyLength;
  int64_t keptLength;  // floats of y that are kept back, to be streamed
  int64_t unitsPerTask, units;

  explicit SlidePlan(const Correlation& s)
      : rows(s.rows.cover()),
        columns(s.columns.cover()),
        vectors(columns.count > Vec::width ? 2 : 1),
        layout(rows, columns, 1, Vec::width) {
    const int64_t fit = slideCopy / larger(1, s.inputs * layout.pitch) - rows.maxShift();
    bands = Split::atMost(rows.count, larger(slideMaxRows, fit));
    layout = CopyLayout(rows, columns, bands.largest(), Vec::width);
    lead = roundUp(larger(0, -columns.start), Vec::width) + smaller(0, columns.start);
    channelSize = roundUp(layout.size(), Vec::width);
    copyLength = roundUp(lead + s.inputs * channelSize + 2 * Vec::width, 16);
    const bool streams = s.batch * s.groups * s.outputs * s.outPlane() >= slideStream;
    keptLength = streams ? roundUp(bands.largest() * columns.count, 16) : 0;
    units = s.batch * s.groups * bands.parts;
    const int64_t work = bands.largest() * columns.count * s.outputs * s.depth();
    unitsPerTask = larger(1, taskWork / larger(1, work));
  }
};

// [output][channel][column][row] of one group; backward the taps are turned around.
inline void packSlideGroup(const Correlation& s, const float* weight, float* packed) {
  const ConvPhase row = s.rows.phase(0), column = s.columns.phase(0);
  for (int64_t o = 0; o < s.outputs; ++o) {
    for (int64_t c = 0; c < s.inputs; ++c) {
      const float* kernel = weight + o * s.weightOutput + c * s.weightInput;
      for (int64_t j = 0; j < column.taps; ++j) {
        for (int64_t i = 0; i < row.taps; ++i) {
          *packed++ = kernel[(row.firstKernel + i * row.kernelStep) * s.columns.kernel +
                             column.firstKernel + j * column.kernelStep];
        }
      }
    }
  }
}

inline int64_t slidePackedLength(const Correlation& s) {
  return s.groups * s.weightGroup();
}

inline void packSlide(const Correlation& s, const Context& context, const float* weight,
                      float* packed) {
  const int64_t size = s.weightGroup();
  context.parallelRange(s.groups, 1 + 65536 / (1 + size), [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) packSlideGroup(s, weight + g * size, packed + g * size);
  });
}

struct SlideMemory {
  float* weights;  // of all groups, see packSlideGroup
  float* copies;   // per thread
  float* kept;     // per thread
  size_t bytes;

  SlideMemory(const Correlation& s, const SlidePlan& plan, int threads, char* base, bool packed) {
    Arena arena(base);
    weights = arena.floats(packed ? 0 : slidePackedLength(s));
    copies = arena.floats(threads * plan.copyLength);
    kept = arena.floats(threads * plan.keptLength);
    bytes = arena.bytes();
  }
};

// What a tile reads: x of one output's windows.
struct SlideSource {
  const float* x;
  int64_t channels, channelSize, pitch, columns;  // columns of the kernel
  const float* weights;
};
struct SlideFinish {
  const float* bias;  // of the output; may be null
  bool relu;
  int64_t width;  // of y's rows
};

// `rows` rows of y, a tile at a time.
template <int kernel, int rows, int vectors>
void slideRows(const SlideSource& source, const SlideFinish& finish, float* y) {
  const int64_t pitch = source.pitch, width = finish.width;
  for (int64_t at = 0; at < width; at += vectors * Vec::width) {
    Vec sums[rows * vectors];
    unroll<rows * vectors>([&](auto i) { sums[i] = broadcast(0); });
    const float* weights = source.weights;
    for (int64_t c = 0; c < source.channels; ++c) {
      const float* x = source.x + c * source.channelSize + at;
      for (int64_t j = 0; j < source.columns; ++j, ++x, weights += kernel) {
        Vec w[kernel];
        unroll<kernel>([&](auto i) { w[i] = broadcast(weights[i]); });
        unroll<rows + kernel - 1>([&](auto q) {
          unroll<vectors>([&](auto v) {
            const Vec in = loadHeld(x + q * pitch + v * Vec::width);
            unroll<rows>([&](auto r) {
              if constexpr (q >= r && q - r < kernel) {
                sums[r * vectors + v] = fma(w[q - r], in, sums[r * vectors + v]);
              }
            });
          });
        });
      }
    }
    unroll<vectors>([&](auto v) {
      const int64_t column = at + v * Vec::width;
      if (column >= width) return;
      unroll<rows>([&](auto r) {
        Vec sum = sums[r * vectors + v];
        if (finish.bias) sum = sum + broadcast(*finish.bias);
        if (finish.relu) sum = reluOf(sum);
        storeUpTo(y + r * width + column, sum, lanesLeft(width - column));
      });
    });
  }
}

using SlideRows = void (*)(const SlideSource& source, const SlideFinish& finish, float* y);

template <int kernel, int rows, int vectors>
constexpr SlideRows slideRowsIfFits() {
  if constexpr (rows * vectors <= slideAccumulators) {
    return slideRows<kernel, rows, vectors>;
  } else {
    return nullptr;
  }
}
template <class Indices>
struct AllSlideRows;
template <int... i>
struct AllSlideRows<std::integer_sequence<int, i...>> {
  static constexpr SlideRows three[] = {slideRowsIfFits<3, i / 2 + 1, i % 2 + 1>()...};
  static constexpr SlideRows five[] = {slideRowsIfFits<5, i / 2 + 1, i % 2 + 1>()...};
};
inline SlideRows slideRowsOf(int64_t kernel, int64_t rows, int64_t vectors) {
  using All = AllSlideRows<std::make_integer_sequence<int, slideMaxRows * 2>>;
  return (kernel == 3 ? All::three : All::five)[(rows - 1) * 2 + vectors - 1];
}

// One band of rows of one image and group.
inline void slideUnit(const Correlation& s, const SlidePlan& plan, const float* weights,
                      const float* x, const float* bias, int64_t unit, float* copy, float* kept,
                      float* y) {
  const int64_t band = unit % plan.bands.parts, item = unit / plan.bands.parts;
  const int64_t group = item % s.groups, width = plan.columns.count;
  const int64_t row0 = plan.bands.begin(band), rows = plan.bands.end(band) - row0;
  copy += plan.lead;
  for (int64_t c = 0; c < s.inputs; ++c) {
    copyChannel(x + (item * s.inputs + c) * s.plane(), plan.rows, plan.columns, plan.layout, row0,
                nullptr, copy + c * plan.channelSize);
  }
  const Split tiles = Split::atMost(rows, smaller(slideMaxRows, slideAccumulators / plan.vectors));
  for (int64_t o = 0; o < s.outputs; ++o) {
    const int64_t channel = group * s.outputs + o;
    const SlideFinish finish = {bias ? bias + channel : nullptr, s.relu, width};
    float* to = y + ((item * s.outputs + o) * s.rows.to + row0) * width;
    float* results = plan.keptLength > 0 ? kept : to;
    for (int64_t t = 0; t < tiles.parts; ++t) {
      const int64_t r = tiles.begin(t);
      const SlideSource source = {copy + r * plan.layout.pitch,
                                  s.inputs,
                                  plan.channelSize,
                                  plan.layout.pitch,
                                  s.columns.kernel,
                                  weights + channel * s.depth()};
      slideRowsOf(s.rows.kernel, tiles.end(t) - r, plan.vectors)(source, finish,
                                                                 results + r * width);
    }
    if (plan.keptLength > 0) copyStreaming(kept, rows * width, to);
  }
}

inline void slide(const Correlation& s, const Context& context, const float* x, const float* weight,
                  const float* bias, float* y) {
  if (s.batch * s.groups * s.outputs * s.outPlane() == 0) return;
  const SlidePlan plan(s);
  const float* packed = context.packed;
  const SlideMemory memory(s, plan, context.threads, context.workspace, packed != nullptr);
  if (!packed) packSlide(s, context, weight, memory.weights);
  const float* weights = packed ? packed : memory.weights;
  context.parallel(ceilDiv(plan.units, plan.unitsPerTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(plan.units, (task + 1) * plan.unitsPerTask);
    for (int64_t unit = task * plan.unitsPerTask; unit < end; ++unit) {
      slideUnit(s, plan, weights, x, bias, unit, memory.copies + thread * plan.copyLength,
                memory.kept + thread * plan.keptLength, y);
    }
    if (plan.keptLength > 0) streamFence();
  });
}

inline size_t slideWorkspace(const Correlation& s, int threads) {
  return SlideMemory(s, SlidePlan(s), threads, nullptr, false).bytes;
}

}  // namespace
}  // namespace fovea
