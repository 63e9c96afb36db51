// The gradient of 3 x 3 weights by Winograd's minimal filtering: the transpose of the forward form,
//
//   gradWeight = G' [ sum over tiles of (A gradY A') * (B' x B) ] G
//
// At every point the sum over tiles is a product of its own: outputs x tiles by tiles x channels. A
// task owns a block of outputs x channels, small enough for its sums, at all points, to stay in the
// L2 cache while tiles stream by.
#pragma once

#include "winograd-tile.h"
#include "winograd-transform.h"

namespace fovea {
namespace {

struct WinogradGradient {
  Planes in, out;  // of x and of gradY
  int64_t batch, padTop, padLeft;
};

// How it is cut up. Depends on the shape alone.
struct WinogradGradientPlan {
  TileGrid grid;
  int64_t points;
  Split inputs, outputs;  // vectors of channels, in blocks
  Split chunks;           // of tiles; each has a sum of its own
  int64_t tilesAtOnce;

  static constexpr int64_t blockChannels = 64;
  static constexpr int64_t blockTiles = 28;

  WinogradGradientPlan(const WinogradGradient& s, int64_t m)
      : grid(s.batch, s.out.height, s.out.width, m),
        points((m + 2) * (m + 2)),
        inputs(Split::atMost(ceilDiv(s.in.channels, Vec::width), blockChannels / Vec::width)),
        outputs(Split::atMost(ceilDiv(s.out.channels, Vec::width), blockChannels / Vec::width)) {
    const int64_t most = ceilDiv(grid.count(), 4 * blockTiles);
    chunks = Split::into(grid.count(), smaller(most, ceilDiv(8, pairs())));
    tilesAtOnce = Split::atMost(chunks.largest(), blockTiles).largest();
  }

  int64_t pairs() const { return inputs.parts * outputs.parts; }
  int64_t inputWidth() const { return inputs.largest() * Vec::width; }
  int64_t outputWidth() const { return outputs.largest() * Vec::width; }
  PointLayout inputLayout() const { return {tilesAtOnce * inputWidth() + 16, inputWidth()}; }
  PointLayout outputLayout() const { return {tilesAtOnce * outputWidth() + 16, outputWidth()}; }
  PointLayout sumLayout() const { return {outputWidth() * inputWidth() + 16, inputWidth()}; }
};

struct WinogradGradientMemory {
  float* sums;  // [point][output][channel] of a block: per thread, or of each chunk and pair
  float *inputs, *outputs, *scratch;  // per thread
  int64_t sumsLength, inputsLength, outputsLength, scratchLength;
  size_t bytes;

  WinogradGradientMemory(const WinogradGradientPlan& plan, int threads, char* base) {
    Arena arena(base);
    sumsLength = roundUp(plan.points * plan.sumLayout().pointStep, 16);
    inputsLength = roundUp(plan.points * plan.inputLayout().pointStep, 16);
    outputsLength = roundUp(plan.points * plan.outputLayout().pointStep, 16);
    scratchLength = (plan.grid.m + 4) * segmentColumns * Vec::width;
    sums = arena.floats((plan.chunks.parts > 1 ? plan.chunks.parts * plan.pairs() : threads) *
                        sumsLength);
    inputs = arena.floats(threads * inputsLength);
    outputs = arena.floats(threads * outputsLength);
    scratch = arena.floats(threads * scratchLength);
    bytes = arena.bytes();
  }
};

// A block of outputs x channels.
struct GradientBlock {
  int64_t input, output;    // the first of each
  int64_t inputs, outputs;  // how many there are
  int64_t vectors;          // of inputs

  GradientBlock(const WinogradGradient& s, const WinogradGradientPlan& plan, int64_t pair) {
    const int64_t i = pair % plan.inputs.parts, o = pair / plan.inputs.parts;
    input = plan.inputs.begin(i) * Vec::width;
    output = plan.outputs.begin(o) * Vec::width;
    vectors = plan.inputs.end(i) - plan.inputs.begin(i);
    inputs = smaller(vectors * Vec::width, s.in.channels - input);
    outputs = smaller(plan.outputs.end(o) * Vec::width, s.out.channels) - output;
  }
};

// Adds the products of tiles [begin, end) to sums, or sets them.
template <int m>
void addTiles(const WinogradGradient& s, const WinogradGradientPlan& plan,
              const GradientBlock& block, int64_t begin, int64_t end, bool add, const float* x,
              const float* gradY, float* inputs, float* outputs, float* scratch, float* sums) {
  const PointLayout in = plan.inputLayout(), out = plan.outputLayout(), sum = plan.sumLayout();
  for (int64_t tile = begin; tile < end;) {
    const Segment segment(plan.grid, tile, end);
    for (int64_t c = 0; c < block.inputs; c += Vec::width) {
      transformTiles<InputMatrix<m>, m>(s.in, x + s.in.at(segment.image, block.input + c),
                                        block.inputs - c, segment.row - s.padTop,
                                        segment.column - s.padLeft, segment.tiles, scratch, in,
                                        inputs + (tile - begin) * in.tileStep + c);
    }
    for (int64_t o = 0; o < block.outputs; o += Vec::width) {
      transformTiles<OutputMatrix<m>, m>(
          s.out, gradY + s.out.at(segment.image, block.output + o), block.outputs - o, segment.row,
          segment.column, segment.tiles, scratch, out, outputs + (tile - begin) * out.tileStep + o);
    }
    tile += segment.tiles;
  }
  const Split rowTiles = Split::atMost(block.outputs, tileRows);
  const LeftSteps steps = {end - begin, end - begin, 0, out.tileStep};
  for (int64_t point = 0; point < plan.points; ++point) {
    for (int64_t v = 0; v < block.vectors; v += tileVectors) {
      for (int64_t i = 0; i < rowTiles.parts; ++i) {
        const int64_t row = rowTiles.begin(i);
        winogradTileFunction<1>(rowTiles.end(i) - row, smaller(tileVectors, block.vectors - v))(
            steps, outputs + point * out.pointStep + row,
            inputs + point * in.pointStep + v * Vec::width, in.tileStep, 0, add,
            sums + point * sum.pointStep + row * sum.tileStep + v * Vec::width, sum.tileStep);
      }
    }
  }
}

// From sums of outputs [begin, end) of a block to their weights.
template <int m>
void finishGradient(const WinogradGradient& s, const WinogradGradientPlan& plan,
                    const GradientBlock& block, int64_t begin, int64_t end, const float* sums,
                    float* gradWeight) {
  const PointLayout sum = plan.sumLayout();
  alignas(64) float taps[9 * Vec::width];
  for (int64_t o = begin; o < end; ++o) {
    for (int64_t c = 0; c < block.inputs; c += Vec::width) {
      Vec square[3][3];
      fromPointsSquare<WeightMatrix<m>>(sums + o * sum.tileStep + c, sum.pointStep, square);
      unroll<9>([&](auto i) { store(taps + i * Vec::width, square[i / 3][i % 3]); });
      const int64_t lanes = smaller(Vec::width, block.inputs - c);
      float* to = gradWeight + ((block.output + o) * s.in.channels + block.input + c) * 9;
      packColumns({taps, Vec::width, 1}, 9, lanes, to, 9, 9);
    }
  }
}

// The sums of a pair, chunk after chunk, into the first.
inline void addSums(const WinogradGradientPlan& plan, const WinogradGradientMemory& memory,
                    int64_t pair, int64_t begin, int64_t end) {
  const PointLayout sum = plan.sumLayout();
  float* first = memory.sums + pair * memory.sumsLength;
  const int64_t chunkStep = plan.pairs() * memory.sumsLength;
  for (int64_t point = 0; point < plan.points; ++point) {
    for (int64_t i = begin * sum.tileStep; i < end * sum.tileStep; i += Vec::width) {
      float* at = first + point * sum.pointStep + i;
      Vec total = load(at);
      for (int64_t k = 1; k < plan.chunks.parts; ++k) total = total + load(at + k * chunkStep);
      store(at, total);
    }
  }
}

template <int m>
void winogradGradientOf(const WinogradGradient& s, const Context& context, const float* x,
                        const float* gradY, float* gradWeight) {
  const WinogradGradientPlan plan(s, m);
  const WinogradGradientMemory memory(plan, context.threads, context.workspace);
  const bool whole = plan.chunks.parts == 1;
  context.parallel(plan.chunks.parts * plan.pairs(), [&](int64_t task, int thread) {
    const int64_t chunk = task / plan.pairs(), pair = task % plan.pairs();
    const GradientBlock block(s, plan, pair);
    const int64_t first = plan.chunks.begin(chunk), last = plan.chunks.end(chunk);
    float* sums = memory.sums + (whole ? thread : task) * memory.sumsLength;
    for (int64_t tile = first; tile < last; tile += plan.tilesAtOnce) {
      addTiles<m>(s, plan, block, tile, smaller(last, tile + plan.tilesAtOnce), tile > first, x,
                  gradY, memory.inputs + thread * memory.inputsLength,
                  memory.outputs + thread * memory.outputsLength,
                  memory.scratch + thread * memory.scratchLength, sums);
    }
    if (whole) finishGradient<m>(s, plan, block, 0, block.outputs, sums, gradWeight);
  });
  if (whole) return;
  const Split pieces = Split::atMost(plan.outputWidth(), 8);
  context.parallel(plan.pairs() * pieces.parts, [&](int64_t task, int) {
    const int64_t pair = task / pieces.parts, piece = task % pieces.parts;
    const GradientBlock block(s, plan, pair);
    const int64_t begin = pieces.begin(piece), end = smaller(block.outputs, pieces.end(piece));
    if (begin >= end) return;
    addSums(plan, memory, pair, begin, end);
    finishGradient<m>(s, plan, block, begin, end, memory.sums + pair * memory.sumsLength,
                      gradWeight);
  });
}

inline float sumOfPlane(const float* from, int64_t count) {
  Vec even = broadcast(0), odd = broadcast(0);
  int64_t i = 0;
  for (; i + 2 * Vec::width <= count; i += 2 * Vec::width) {
    even = even + load(from + i);
    odd = odd + load(from + i + Vec::width);
  }
  for (; i < count; i += Vec::width) even = even + loadUpTo(from + i, lanesLeft(count - i));
  return sum(even + odd);
}

// gradBias[o] = sum of gradY over images and planes.
inline void sumPlanes(const WinogradGradient& s, const Context& context, const float* gradY,
                      float* gradBias) {
  const int64_t plane = s.out.height * s.out.width;
  context.parallelRange(s.out.channels, 1 + 65536 / (1 + s.batch * plane),
                        [&](int64_t begin, int64_t end) {
                          for (int64_t o = begin; o < end; ++o) {
                            float total = 0;
                            for (int64_t image = 0; image < s.batch; ++image) {
                              total += sumOfPlane(gradY + s.out.at(image, o), plane);
                            }
                            gradBias[o] = total;
                          }
                        });
}

}  // namespace
}  // namespace fovea
