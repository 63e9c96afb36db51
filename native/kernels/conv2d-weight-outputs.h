// The weight's gradient with output channels in the lanes of vectors: gradY is transposed, panel by
// panel, to [position][output], and each x[c][position + tap] is spread over it from where it lies.
//
// A task is a panel of outputs, a block of input channels and a chunk of the images: a matrix
// [channel, tap][output] that stays in the L2 cache while bands of gradY and x pass by.
#pragma once

#include "conv2d-weight-shape.h"
#include "outer-tile.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t positionsAtOnce = 512;  // of gradY in one panel: with 64 outputs, 128 KiB
constexpr int64_t wantedTasks = 8;

struct OutputsPlan : WeightShape {
  bool direct;         // windows never leave x: it is read itself
  Split panels;        // of vectors of outputs
  Split blocks;        // of input channels
  Split bands;         // of output rows
  Split images;        // computed at once
  Split chunks;        // of images x bands
  int64_t lanes;       // of the largest panel
  int64_t blockDepth;  // of the largest block: channels x taps
  int64_t bandRows;    // of x
  int64_t lead;        // of the copy: zeros before the first row
  int64_t pitch;       // of a row of the copy, zeros at its end

  explicit OutputsPlan(const Conv2dBackwardShape& s)
      : WeightShape(s),
        direct(inside() && inputs * xPlane() < 1 << 30),
        panels(Split::atMost(ceilDiv(outputs, Vec::width), maxOuterVectors)),
        lanes(panels.largest() * Vec::width) {
    const int64_t panelTasks = larger(1, groups * panels.parts);
    blocks = Split::into(inputs, smaller(wantedTasks / panelTasks,
                                         smaller(depth / 256, work() / panels.parts / taskWork)));
    blockDepth = blocks.largest() * taps;
    bands = Split::atMost(rows.count, larger(1, positionsAtOnce / larger(1, columns.count)));
    images = Split::atMost(batch,
                           bands.parts > 1 ? 1 : larger(1, positionsAtOnce / larger(1, yPlane())));
    const int64_t tasks = panelTasks * blocks.parts;
    const int64_t most = smaller(batch * yPlane() / 256, work() * groups / tasks / taskWork);
    chunks = Split::into(images.parts * bands.parts, smaller(wantedTasks / tasks, most));
    bandRows = (bands.largest() - 1) * rows.stride + rows.reach() + 1;
    const int64_t end = columns.start + (columns.count - 1) * columns.stride + columns.reach() + 1;
    lead = direct ? 0 : roundUp(-columns.start, 16);
    pitch =
        direct ? columns.length
               : roundUp(columns.length + larger(-columns.start, end - columns.length), Vec::width);
  }

  int64_t tasks() const { return groups * panels.parts * blocks.parts * chunks.parts; }
  int64_t partialLength() const { return blockDepth * lanes; }
  int64_t xChannel() const { return direct ? xPlane() : bandRows * pitch; }
};

struct OutputsMemory {
  float* partial;      // [task, or thread if there is one chunk][channel, tap][lane]
  float* partialBias;  // [task][lane]
  int32_t* offsets;    // of channel and tap in x
  float* copy;         // per thread: of x [image][channel][row][column]
  float* turned;       // per thread: gradY [image][position][lane]
  int64_t copyLength, turnedLength;
  size_t bytes;

  OutputsMemory(const OutputsPlan& plan, int threads, char* base) {
    Arena arena(base);
    copyLength =
        plan.direct
            ? 0
            : plan.lead +
                  roundUp(plan.images.largest() * plan.blocks.largest() * plan.xChannel(), 16);
    turnedLength = plan.images.largest() * plan.bands.largest() * plan.columns.count * plan.lanes;
    partial = arena.floats((plan.chunks.parts > 1 ? plan.tasks() : threads) * plan.partialLength());
    partialBias = arena.floats(plan.tasks() * plan.lanes);
    offsets = arena.ints(plan.blockDepth);
    copy = arena.floats(threads * copyLength);
    turned = arena.floats(threads * turnedLength);
    bytes = arena.bytes();
  }
};

struct OutputsTask {
  int64_t index, group, panel, block, chunk;

  OutputsTask(const OutputsPlan& plan, int64_t task) : index(task) {
    chunk = task % plan.chunks.parts;
    block = (task /= plan.chunks.parts) % plan.blocks.parts;
    panel = (task /= plan.blocks.parts) % plan.panels.parts;
    group = task / plan.panels.parts;
  }
};

inline void fillOffsets(const OutputsPlan& plan, int32_t* offsets) {
  for (int64_t c = 0; c < plan.blocks.largest(); ++c) {
    for (int64_t i = 0; i < plan.rows.taps; ++i) {
      for (int64_t j = 0; j < plan.columns.taps; ++j) {
        *offsets++ = static_cast<int32_t>(c * plan.xChannel() + i * plan.rows.step * plan.pitch +
                                          j * plan.columns.step);
      }
    }
  }
}

// Rows of x from firstRow on. What follows a row are zeros: its right padding, and the left padding
// of the next.
inline void copyRows(const OutputsPlan& plan, const float* plane, int64_t firstRow, float* to) {
  for (int64_t i = 0; i < plan.bandRows; ++i, to += plan.pitch) {
    const int64_t row = plan.rows.start + firstRow + i;
    const float* from = plane + row * plan.columns.length;
    const int64_t present = row < 0 || row >= plan.rows.length ? 0 : plan.columns.length;
    int64_t j = 0;
    for (; j + Vec::width <= present; j += Vec::width) store(to + j, load(from + j));
    if (j < present) {
      store(to + j, loadFirst(from + j, lanesLeft(present - j)));
      j += Vec::width;
    }
    for (; j < plan.pitch; j += Vec::width) store(to + j, broadcast(0));
  }
}

// sums[lane] += each of the rows
inline void addRows(const float* rows, int64_t count, int64_t lanes, float* sums) {
  for (int64_t v = 0; v < lanes; v += Vec::width) {
    const float* from = rows + v;
    Vec total[8] = {load(sums + v)};
    unroll<7>([&](auto i) { total[i + 1] = broadcast(0); });
    int64_t p = 0;
    for (; p + 8 <= count; p += 8) {
      unroll<8>([&](auto i) { total[i] = total[i] + load(from + (p + i) * lanes); });
    }
    for (; p < count; ++p) total[0] = total[0] + load(from + p * lanes);
    unroll<4>([&](auto i) { total[i] = total[i] + total[i + 4]; });
    store(sums + v, (total[0] + total[1]) + (total[2] + total[3]));
  }
}

inline void accumulate(const OutputsPlan& plan, const OutputsMemory& memory,
                       const WeightBuffers& buffers, const OutputsTask& task, int thread,
                       float* partial) {
  const int64_t vector0 = plan.panels.begin(task.panel);
  const int64_t vectors = plan.panels.end(task.panel) - vector0, lanes = vectors * Vec::width;
  const int64_t output0 = vector0 * Vec::width;
  const int64_t outputs = smaller(plan.outputs - output0, lanes);
  const int64_t channel0 = plan.blocks.begin(task.block);
  const int64_t channels = plan.blocks.end(task.block) - channel0;
  const Split tiles = Split::atMost(channels * plan.taps, outerRowsFor(vectors));
  float* bias = memory.partialBias + task.index * plan.lanes;
  float* copy = memory.copy + thread * memory.copyLength;
  float* turned = memory.turned + thread * memory.turnedLength;
  fillRow(bias, lanes, 0);
  if (plan.lead > 0) fillRow(copy, plan.lead, 0);
  copy += plan.lead;
  for (int64_t unit = plan.chunks.begin(task.chunk); unit < plan.chunks.end(task.chunk); ++unit) {
    const int64_t band = unit % plan.bands.parts, part = unit / plan.bands.parts;
    const int64_t image0 = plan.images.begin(part), images = plan.images.end(part) - image0;
    const int64_t row0 = plan.bands.begin(band), rows = plan.bands.end(band) - row0;
    const int64_t positions = rows * plan.columns.count;
    const float* x =
        buffers.x + image0 * plan.xImage() + (task.group * plan.inputs + channel0) * plan.xPlane();
    const float* gradY = buffers.gradY + image0 * plan.yImage() +
                         (task.group * plan.outputs + output0) * plan.yPlane() +
                         row0 * plan.columns.count;
    for (int64_t i = 0; i < images; ++i) {
      packColumns({gradY + i * plan.yImage(), plan.yPlane(), 1}, outputs, positions,
                  turned + i * positions * lanes, lanes, lanes);
      for (int64_t c = 0; c < channels && !plan.direct; ++c) {
        copyRows(plan, x + i * plan.xImage() + c * plan.xPlane(), row0 * plan.rows.stride,
                 copy + (i * channels + c) * plan.xChannel());
      }
    }
    if (task.block == 0) addRows(turned, images * positions, lanes, bias);
    const float* windows =
        plan.direct ? x + (plan.rows.start + row0 * plan.rows.stride) * plan.pitch : copy;
    windows += plan.columns.start;
    OuterLines lines = {images,
                        rows,
                        plan.columns.count,
                        plan.columns.stride,
                        plan.rows.stride * plan.pitch,
                        plan.direct ? plan.xImage() : channels * plan.xChannel(),
                        lanes,
                        plan.columns.count * lanes,
                        positions * lanes,
                        unit > plan.chunks.begin(task.chunk)};
    if (lines.aLine == lines.count * lines.aStep) {
      lines.count *= lines.lines;
      lines.lines = 1;
    }
    for (int64_t t = 0; t < tiles.parts && channels > 0; ++t) {
      const int64_t tap = tiles.begin(t);
      outerFunction(tiles.end(t) - tap, vectors)(lines, windows, memory.offsets + tap, turned,
                                                 partial + tap * lanes);
    }
  }
}

// Adds the partial gradients of a panel and block in the order of the chunks, and turns them.
inline void finish(const OutputsPlan& plan, const OutputsMemory& memory,
                   const WeightBuffers& buffers, const OutputsTask& task, float* total) {
  const int64_t vector0 = plan.panels.begin(task.panel);
  const int64_t lanes = (plan.panels.end(task.panel) - vector0) * Vec::width;
  const int64_t output0 = vector0 * Vec::width, output = task.group * plan.outputs + output0;
  const int64_t outputs = smaller(plan.outputs - output0, lanes);
  const int64_t tap0 = plan.blocks.begin(task.block) * plan.taps;
  const int64_t taps = plan.blocks.end(task.block) * plan.taps - tap0;
  float* bias = memory.partialBias + task.index * plan.lanes;
  for (int64_t chunk = 1; chunk < plan.chunks.parts; ++chunk) {
    const float* partial = total + chunk * plan.partialLength();
    for (int64_t i = 0; i < taps * lanes; i += Vec::width) {
      store(total + i, load(total + i) + load(partial + i));
    }
    const float* partialBias = bias + chunk * plan.lanes;
    for (int64_t i = 0; i < lanes; i += Vec::width) {
      store(bias + i, load(bias + i) + load(partialBias + i));
    }
  }
  packColumns({total, lanes, 1}, taps, outputs, buffers.gradWeight + output * plan.depth + tap0,
              plan.depth, taps);
  if (buffers.gradBias && task.block == 0) copyRow(bias, 1, outputs, buffers.gradBias + output);
}

inline void weightByOutputs(const OutputsPlan& plan, const Context& context,
                            const WeightBuffers& buffers) {
  const OutputsMemory memory(plan, context.threads, context.workspace);
  fillOffsets(plan, memory.offsets);
  context.parallel(plan.tasks(), [&](int64_t index, int thread) {
    const OutputsTask task(plan, index);
    const int64_t place = plan.chunks.parts > 1 ? index : thread;
    float* partial = memory.partial + place * plan.partialLength();
    accumulate(plan, memory, buffers, task, thread, partial);
    if (plan.chunks.parts == 1) finish(plan, memory, buffers, task, partial);
  });
  if (plan.chunks.parts == 1) return;
  context.parallel(plan.tasks() / plan.chunks.parts, [&](int64_t index, int) {
    const int64_t first = index * plan.chunks.parts;
    finish(plan, memory, buffers, OutputsTask(plan, first),
           memory.partial + first * plan.partialLength());
  });
}

}  // namespace
}  // namespace fovea
