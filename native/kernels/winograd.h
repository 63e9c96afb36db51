// Convolution of 3 x 3 windows, stride 1, by Winograd's minimal filtering: forward, and the
// gradient of x, which is the same with weights turned around.
//
// The image is cut into tiles (winograd-points.h); at every point of a tile the sum over channels
// is a product of its own:
//
//   products[point][tile][output] = inputs[point][tile][channel] weights[point][channel][output]
//
// Few weights: they stay in the L2 cache, and each task takes a block of tiles through all three
// steps there. Many: big blocks of tiles, shared by all threads, so that weights are read from
// memory as rarely as can be; each step is then spread over channels or points.
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
  int64_t points;
  int64_t inputVectors, outputVectors;  // of channels
  int64_t panels;                       // of tileVectors vectors of outputs
  bool shared;                          // by all threads: a block of tiles
  Split blocks;                         // of tiles

  WinogradPlan(const WinogradConv& s, int64_t m)
      : grid(s.batch, s.out.height, s.out.width, m),
        points((m + 2) * (m + 2)),
        inputVectors(ceilDiv(s.in.channels, Vec::width)),
        outputVectors(ceilDiv(s.out.channels, Vec::width)),
        panels(ceilDiv(outputVectors, tileVectors)) {
    const int64_t tiles = grid.count();
    const int64_t perTile = larger(1, (inputVectors + panels * tileVectors) * Vec::width);
    const int64_t alone = larger(tileRows, blockFloats / (points * perTile));
    shared = weightFloats(s.in.channels) > cachedWeights || tiles < 8 * tileRows;
    blocks = Split::atMost(tiles, shared ? larger(tileRows, sharedFloats / perTile)
                                         : smaller(alone, ceilDiv(tiles, 8)));
  }

  static constexpr int64_t cachedWeights = 700000;
  static constexpr int64_t blockFloats = 256000;   // of inputs and products, at all points
  static constexpr int64_t sharedFloats = 150000;  // the same at one point

  // Points do not begin at the same place of a page: they would share cache sets.
  PointLayout inputs() const {
    return {blocks.largest() * inputVectors * Vec::width + 16, Vec::width};
  }
  PointLayout products() const { return {panels * productStep() + 16, tileVectors * Vec::width}; }
  int64_t inputStep() const { return blocks.largest() * Vec::width; }  // of vectors of channels
  int64_t productStep() const { return blocks.largest() * tileVectors * Vec::width; }  // of panels
  int64_t weightFloats(int64_t channels) const {
    return points * channels * outputVectors * Vec::width;
  }
};

struct WinogradMemory {
  float* weights;   // [point][panel][channel][outputs of a panel]
  float* inputs;    // [point][channels / width][tile][width]: per thread, or shared
  float* products;  // [point][panel][tile][outputs of a panel]: per thread, or shared
  float* scratch;   // per thread
  int64_t inputsLength, productsLength, scratchLength;
  size_t bytes;

  WinogradMemory(const WinogradConv& s, const WinogradPlan& plan, int threads, bool packed,
                 char* base) {
    Arena arena(base);
    inputsLength = roundUp(plan.points * plan.inputs().pointStep, 16);
    productsLength = roundUp(plan.points * plan.products().pointStep, 16);
    scratchLength = (plan.grid.m + 4) * segmentColumns * Vec::width;
    const int64_t copies = plan.shared ? 1 : threads;
    weights = arena.floats(packed ? 0 : plan.weightFloats(s.in.channels));
    inputs = arena.floats(copies * inputsLength);
    products = arena.floats(copies * productsLength);
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
                        int64_t channel0, int64_t channel1, int64_t pointStep, float* to,
                        int64_t width) {
  alignas(64) float lines[9 * Vec::width];  // [tap][output]
  const int64_t lanes = smaller(Vec::width, s.out.channels - output);
  for (int64_t c = channel0; c < channel1; ++c) {
    const float* from = weight + output * s.weightOutput + c * s.weightInput;
    pack({from, s.weightOutput, 1}, lanes, 9, lines, Vec::width, Vec::width);
    Vec taps[9];
    unroll<9>([&](auto i) { taps[i] = load(lines + (s.turned ? 8 - i : i) * Vec::width); });
    transformWeight<m>(taps, pointStep, to + c * width);
  }
}

template <int m>
void packWinograd(const WinogradConv& s, const WinogradPlan& plan, const Context& context,
                  const float* weight, float* packed) {
  const int64_t inputs = s.in.channels;
  const int64_t pointStep = inputs * plan.outputVectors * Vec::width;
  const Split pieces = Split::atMost(inputs, 64);
  context.parallel(plan.outputVectors * pieces.parts, [&](int64_t task, int) {
    const int64_t vector = task / pieces.parts, piece = task % pieces.parts;
    const int64_t panel = vector / tileVectors;
    const int64_t width =
        smaller(tileVectors, plan.outputVectors - panel * tileVectors) * Vec::width;
    float* to =
        packed + panel * tileVectors * Vec::width * inputs + vector % tileVectors * Vec::width;
    packWinogradVector<m>(s, weight, vector * Vec::width, pieces.begin(piece), pieces.end(piece),
                          pointStep, to, width);
  });
}

// What the steps of a block of tiles share.
struct WinogradBlock {
  const WinogradConv& s;
  const WinogradPlan& plan;
  int64_t block;
  float *inputs, *products, *scratch;

  int64_t tiles() const { return plan.blocks.end(block) - plan.blocks.begin(block); }
};

// The inputs of vectors of channels [begin, end), at all points.
template <int m>
void transformInputs(const WinogradBlock& b, int64_t begin, int64_t end, const float* x) {
  const WinogradConv& s = b.s;
  forEachSegment(b.plan, b.block, [&](const Segment& segment, int64_t tile) {
    for (int64_t v = begin; v < end; ++v) {
      transformTiles<InputMatrix<m>, m>(
          s.in, x + s.in.at(segment.image, v * Vec::width), s.in.channels - v * Vec::width,
          segment.row - s.padTop, segment.column - s.padLeft, segment.tiles, b.scratch,
          b.plan.inputs(), b.inputs + v * b.plan.inputStep() + tile * Vec::width);
    }
  });
}

// The products of panels [begin, end), at one point.
inline void multiplyInputs(const WinogradBlock& b, int64_t point, int64_t begin, int64_t end,
                           const float* weights) {
  const WinogradPlan& plan = b.plan;
  const int64_t channels = b.s.in.channels;
  const Split rowTiles = Split::atMost(b.tiles(), tileRows);
  const LeftSteps steps = {channels, Vec::width, plan.inputStep(), 1};
  const float* left = b.inputs + point * plan.inputs().pointStep;
  const PointLayout layout = plan.products();
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t vectors = smaller(tileVectors, plan.outputVectors - panel * tileVectors);
    const int64_t width = vectors * Vec::width;
    const float* right =
        weights + (point * plan.outputVectors + panel * tileVectors) * Vec::width * channels;
    float* out = b.products + point * layout.pointStep + panel * plan.productStep();
    for (int64_t i = 0; i < rowTiles.parts; ++i) {
      const int64_t row = rowTiles.begin(i);
      winogradTileFunction<Vec::width>(rowTiles.end(i) - row, vectors)(
          steps, left + row * Vec::width, right, width, width * channels + i % vectors * Vec::width,
          false, out + row * layout.tileStep, layout.tileStep);
    }
  }
}

// The outputs of panels [begin, end).
template <int m>
void finishOutputs(const WinogradBlock& b, int64_t begin, int64_t end, const float* bias,
                   float* y) {
  const WinogradConv& s = b.s;
  const PointLayout layout = b.plan.products();
  const int64_t last = smaller(end * tileVectors, b.plan.outputVectors);
  forEachSegment(b.plan, b.block, [&](const Segment& segment, int64_t tile) {
    for (int64_t v = begin * tileVectors; v < last; ++v) {
      const int64_t first = v * Vec::width;
      const int64_t channels = smaller(Vec::width, s.out.channels - first);
      const float* products = b.products + v / tileVectors * b.plan.productStep() +
                              tile * layout.tileStep + v % tileVectors * Vec::width;
      (s.relu ? finishTiles<m, true>
              : finishTiles<m, false>)(layout, products, segment,
                                       bias ? loadFirst(bias + first, static_cast<int>(channels))
                                            : broadcast(0),
                                       channels, b.scratch, s.out,
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
  const auto blockOf = [&](int64_t block, int thread) -> WinogradBlock {
    const int64_t copy = plan.shared ? 0 : thread;
    return {s,
            plan,
            block,
            memory.inputs + copy * memory.inputsLength,
            memory.products + copy * memory.productsLength,
            memory.scratch + thread * memory.scratchLength};
  };
  if (!plan.shared) {
    context.parallel(plan.blocks.parts, [&](int64_t task, int thread) {
      const WinogradBlock block = blockOf(task, thread);
      transformInputs<m>(block, 0, plan.inputVectors, x);
      for (int64_t point = 0; point < plan.points; ++point) {
        multiplyInputs(block, point, 0, plan.panels, weights);
      }
      finishOutputs<m>(block, 0, plan.panels, bias, y);
    });
    return;
  }
  for (int64_t i = 0; i < plan.blocks.parts; ++i) {
    const int64_t tiles = plan.blocks.largest();
    const Split inputs = Split::into(plan.inputVectors, tiles * plan.inputVectors / 128);
    const Split groups = Split::into(plan.panels, 4);
    const Split outputs = Split::into(plan.panels, tiles * plan.panels / 64);
    context.parallel(inputs.parts, [&](int64_t task, int thread) {
      transformInputs<m>(blockOf(i, thread), inputs.begin(task), inputs.end(task), x);
    });
    context.parallel(plan.points * groups.parts, [&](int64_t task, int thread) {
      const int64_t group = task % groups.parts;
      multiplyInputs(blockOf(i, thread), task / groups.parts, groups.begin(group),
                     groups.end(group), weights);
    });
    context.parallel(outputs.parts, [&](int64_t task, int thread) {
      finishOutputs<m>(blockOf(i, thread), outputs.begin(task), outputs.end(task), bias, y);
    });
  }
}

}  // namespace
}  // namespace fovea
