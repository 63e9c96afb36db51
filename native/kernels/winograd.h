// Convolution of 3 x 3 windows, stride 1, by Winograd's minimal filtering: forward, and the
// gradient of x, which is the same with weights turned around.
//
// The image is cut into tiles (winograd-points.h); at every point of a tile the sum over channels
// is a product of its own:
//
//   products[point][tile][output] = inputs[point][tile][channel] weights[point][channel][output]
//
// A block of tiles is transformed so that it stays in the L2 cache; then panels of outputs stream
// by: their weights, point after point, meet the block, and the products, still in cache, go back
// into y.
#pragma once

#include "winograd-tile.h"
#include "winograd-transform.h"

namespace fovea {
namespace {

struct WinogradConv {
  int64_t batch;
  Planes in, out;
  int64_t padTop, padLeft;
  int64_t weightInput, weightOutput;  // strides in the weights
  bool turned, relu;
};

// How it is cut up. Depends on the shape alone.
struct WinogradPlan {
  TileGrid grid;
  int64_t points, padded;  // padded: input channels, rounded up to whole vectors
  Split blocks;            // of tiles
  int64_t vectors;         // of outputs
  int64_t panels;          // of tileVectors vectors
  bool shared;             // few blocks: they are transformed first, then tasks share them
  Split groups;            // of panels, to a task

  WinogradPlan(const WinogradConv& s, int64_t m)
      : grid(s.batch, s.out.height, s.out.width, m),
        points((m + 2) * (m + 2)),
        padded(roundUp(s.in.channels, Vec::width)),
        vectors(ceilDiv(s.out.channels, Vec::width)),
        panels(ceilDiv(vectors, tileVectors)) {
    const int64_t tiles = grid.count();
    const int64_t fit = larger(tileRows, blockFloats / larger(1, points * padded));
    const int64_t parts = ceilDiv(tiles, smaller(maxBlockTiles, fit / tileRows * tileRows));
    blocks = Split::into(tiles, parts);
    shared = blocks.parts < 8;
    groups = Split::into(panels, shared ? ceilDiv(16, blocks.parts) : 1);
  }

  static constexpr int64_t blockFloats = 300000;  // of transformed inputs
  static constexpr int64_t maxBlockTiles = 8 * tileRows;

  // Points are kept from beginning at the same place of a page: they would share cache sets.
  PointLayout inputs() const { return {blocks.largest() * padded + 16, Vec::width}; }
  int64_t blockStep() const {
    return blocks.largest() * Vec::width;
  }  // between vectors of channels
  PointLayout products() const {
    return {blocks.largest() * tileVectors * Vec::width + 16, tileVectors * Vec::width};
  }
  int64_t weightFloats(int64_t channels) const { return vectors * Vec::width * points * channels; }
};

struct WinogradMemory {
  float* weights;   // [panel][point][channel][outputs of a panel]
  float* inputs;    // [point][channels / width][tile][width]: per thread, or for every block
  float* products;  // per thread, [point][tile][outputs of a panel]
  float* scratch;   // per thread
  int64_t inputsLength, productsLength, scratchLength;
  size_t bytes;

  WinogradMemory(const WinogradConv& s, const WinogradPlan& plan, int threads, bool packed,
                 char* base) {
    Arena arena(base);
    inputsLength = roundUp(plan.points * plan.inputs().pointStep, 16);
    productsLength = roundUp(plan.points * plan.products().pointStep, 16);
    scratchLength = (plan.grid.m + 4) * segmentColumns * Vec::width;
    weights = arena.floats(packed ? 0 : plan.weightFloats(s.in.channels));
    inputs = arena.floats((plan.shared ? plan.blocks.parts : threads) * inputsLength);
    products = arena.floats(threads * productsLength);
    scratch = arena.floats(threads * scratchLength);
    bytes = arena.bytes();
  }
};

// Calls body(segment, tiles of the block before it).
template <class Body>
inline void forEachSegment(const WinogradPlan& plan, int64_t block, const Body& body) {
  const int64_t begin = plan.blocks.begin(block), end = plan.blocks.end(block);
  for (int64_t tile = begin; tile < end;) {
    const Segment segment(plan.grid, tile, end);
    body(segment, tile - begin);
    tile += segment.tiles;
  }
}

// Weights of some channels, of one vector of outputs of a panel of `width`.
template <int m>
void packWinogradVector(const WinogradConv& s, const float* weight, int64_t output,
                        int64_t channel0, int64_t channel1, float* to, int64_t width) {
  alignas(64) float lines[9 * Vec::width];  // [tap][output]
  const int64_t lanes = smaller(Vec::width, s.out.channels - output);
  for (int64_t c = channel0; c < channel1; ++c) {
    const float* from = weight + output * s.weightOutput + c * s.weightInput;
    pack({from, s.weightOutput, 1}, lanes, 9, lines, Vec::width, Vec::width);
    Vec taps[9];
    unroll<9>([&](auto i) { taps[i] = load(lines + (s.turned ? 8 - i : i) * Vec::width); });
    transformWeight<m>(taps, s.in.channels * width, to + c * width);
  }
}

template <int m>
void packWinograd(const WinogradConv& s, const WinogradPlan& plan, const Context& context,
                  const float* weight, float* packed) {
  const int64_t inputs = s.in.channels;
  const Split pieces = Split::atMost(inputs, 64);
  context.parallel(plan.panels * pieces.parts, [&](int64_t task, int) {
    const int64_t panel = task / pieces.parts, piece = task % pieces.parts;
    const int64_t vectors = smaller(tileVectors, plan.vectors - panel * tileVectors);
    const int64_t width = vectors * Vec::width, output = panel * tileVectors * Vec::width;
    float* to = packed + output * plan.points * inputs;
    for (int64_t v = 0; v < vectors; ++v) {
      packWinogradVector<m>(s, weight, output + v * Vec::width, pieces.begin(piece),
                            pieces.end(piece), to + v * Vec::width, width);
    }
  });
}

// The inputs of a block, of vectors of channels [begin, end).
template <int m>
void transformBlock(const WinogradConv& s, const WinogradPlan& plan, int64_t block, int64_t begin,
                    int64_t end, const float* x, float* scratch, float* inputs) {
  const PointLayout layout = plan.inputs();
  forEachSegment(plan, block, [&](const Segment& segment, int64_t tile) {
    for (int64_t v = begin; v < end; ++v) {
      transformTiles<InputMatrix<m>, m>(s.in, x + s.in.at(segment.image, v * Vec::width),
                                        s.in.channels - v * Vec::width, segment.row - s.padTop,
                                        segment.column - s.padLeft, segment.tiles, scratch, layout,
                                        inputs + v * plan.blockStep() + tile * layout.tileStep);
    }
  });
}

// The outputs of a block, of one panel.
template <int m>
void multiplyBlock(const WinogradConv& s, const WinogradPlan& plan, int64_t block, int64_t panel,
                   const float* inputs, const float* weights, const float* bias, float* products,
                   float* scratch, float* y) {
  const int64_t output = panel * tileVectors * Vec::width;
  const int64_t vectors = smaller(tileVectors, plan.vectors - panel * tileVectors);
  const int64_t tiles = plan.blocks.end(block) - plan.blocks.begin(block);
  const PointLayout from = plan.inputs(), layout = plan.products();
  const Split rowTiles = Split::atMost(tiles, tileRows);
  const LeftSteps steps = {s.in.channels, Vec::width, plan.blockStep(), 1};
  const float* right = weights + output * plan.points * s.in.channels;
  for (int64_t point = 0; point < plan.points; ++point) {
    for (int64_t i = 0; i < rowTiles.parts; ++i) {
      const int64_t row = rowTiles.begin(i);
      winogradTileFunction<Vec::width>(rowTiles.end(i) - row, vectors)(
          steps, inputs + point * from.pointStep + row * from.tileStep, right, vectors * Vec::width,
          false, products + point * layout.pointStep + row * layout.tileStep, layout.tileStep);
    }
    right += vectors * Vec::width * s.in.channels;
  }
  forEachSegment(plan, block, [&](const Segment& segment, int64_t tile) {
    for (int64_t v = 0; v < vectors; ++v) {
      const int64_t first = output + v * Vec::width;
      const int64_t channels = smaller(Vec::width, s.out.channels - first);
      (s.relu ? finishTiles<m, true>
              : finishTiles<m, false>)(layout, products + tile * layout.tileStep + v * Vec::width,
                                       segment,
                                       bias ? loadFirst(bias + first, static_cast<int>(channels))
                                            : broadcast(0),
                                       channels, scratch, s.out,
                                       y + s.out.at(segment.image, first));
    }
  });
}

template <int m>
void winogradOf(const WinogradConv& s, const Context& context, const float* x, const float* weight,
                const float* bias, float* y) {
  const WinogradPlan plan(s, m);
  const WinogradMemory memory(s, plan, context.threads, context.packed, context.workspace);
  if (!context.packed) packWinograd<m>(s, plan, context, weight, memory.weights);
  const float* weights = context.packed ? context.packed : memory.weights;
  const int64_t channelVectors = plan.padded / Vec::width;
  const auto scratchOf = [&](int thread) { return memory.scratch + thread * memory.scratchLength; };
  if (plan.shared) {
    const Split pieces = Split::atMost(channelVectors, 4);
    context.parallel(plan.blocks.parts * pieces.parts, [&](int64_t task, int thread) {
      const int64_t block = task / pieces.parts, piece = task % pieces.parts;
      transformBlock<m>(s, plan, block, pieces.begin(piece), pieces.end(piece), x,
                        scratchOf(thread), memory.inputs + block * memory.inputsLength);
    });
  }
  context.parallel(plan.blocks.parts * plan.groups.parts, [&](int64_t task, int thread) {
    const int64_t group = task / plan.blocks.parts, block = task % plan.blocks.parts;
    float* inputs = memory.inputs + (plan.shared ? block : thread) * memory.inputsLength;
    if (!plan.shared) {
      transformBlock<m>(s, plan, block, 0, channelVectors, x, scratchOf(thread), inputs);
    }
    for (int64_t panel = plan.groups.begin(group); panel < plan.groups.end(group); ++panel) {
      multiplyBlock<m>(s, plan, block, panel, inputs, weights, bias,
                       memory.products + thread * memory.productsLength, scratchOf(thread), y);
    }
  });
}

}  // namespace
}  // namespace fovea
