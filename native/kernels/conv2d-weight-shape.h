// What every form of the weight's gradient knows of a convolution.
#pragma once

#include "list.h"
#include "plane.h"
#include "unroll.h"

namespace fovea {
namespace {

struct WeightShape {
  int64_t batch, groups, inputs, outputs, taps, depth;  // per group: channels; channels x taps
  Axis rows, columns;

  explicit WeightShape(const Conv2dBackwardShape& s)
      : batch(s.batch),
        groups(s.groups),
        inputs(s.groupChannels),
        outputs(s.outChannels / larger(1, s.groups)),
        taps(static_cast<int64_t>(s.kernelHeight) * s.kernelWidth),
        depth(inputs * taps),
        rows{s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, s.dilationHeight},
        columns{s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, s.dilationWidth} {}

  int64_t xPlane() const { return rows.length * columns.length; }
  int64_t yPlane() const { return rows.count * columns.count; }
  int64_t xImage() const { return groups * inputs * xPlane(); }
  int64_t yImage() const { return groups * outputs * yPlane(); }
  int64_t work() const { return batch * outputs * depth * yPlane(); }  // of a group
  bool inside() const { return rows.inside() && columns.inside(); }
  bool empty() const { return batch * yPlane() * outputs == 0; }
};

struct WeightBuffers {
  const float *x, *gradY;
  float *gradWeight, *gradBias;  // gradBias may be null
};

// For the bias: sums run along gradY.
inline float sumOf(const float* p, int64_t count) {
  Vec totals[4] = {broadcast(0), broadcast(0), broadcast(0), broadcast(0)};
  int64_t i = 0;
  for (; i + 4 * Vec::width <= count; i += 4 * Vec::width) {
    unroll<4>([&](auto v) { totals[v] = totals[v] + load(p + i + v * Vec::width); });
  }
  for (; i < count; i += Vec::width) {
    totals[0] = totals[0] + loadUpTo(p + i, lanesLeft(count - i));
  }
  return sum((totals[0] + totals[1]) + (totals[2] + totals[3]));
}

}  // namespace
}  // namespace fovea
