// What conv2d and its gradient by x have in common: y[o] = sum over channels and taps of w x,
// windows sliding over planes, for each phase in which y is interleaved.
#pragma once

#include "plane.h"

namespace fovea {
namespace {

// One dimension of one phase: tap j of output q reads x[start + q * stride + j * step], is kernel
// element firstKernel + j * kernelStep, and adds to y[outStart + q * outStride].
struct ConvPhase {
  int64_t count;  // of outputs
  int64_t start, taps, step;
  int64_t firstKernel, kernelStep;
  int64_t outStart;
  int64_t reach() const { return taps > 0 ? (taps - 1) * step : 0; }
};

// One dimension of a convolution, forward, or backward from y to x: there the outputs of each phase
// of the stride are reached by the same taps, turned around.
struct ConvDimension {
  bool backward;
  int64_t from, to;  // lengths of what is read and of what is written
  int64_t pad, convStride, kernel, dilation;

  int64_t stride() const { return backward ? 1 : convStride; }
  int64_t outStride() const { return backward ? convStride : 1; }
  int64_t phases() const { return outStride(); }

  ConvPhase phase(int64_t phase) const {
    if (!backward) return {to, -pad, kernel, dilation, 0, 1, 0};
    // Positions p with (p + pad) % stride == phase; tap t of output o meets o * stride + t *
    // dilation - pad.
    int64_t first = 0, last = 0, apart = 1, taps = 0;
    for (int64_t t = 0; t < kernel; ++t) {
      if (t * dilation % convStride != phase) continue;
      if (taps == 0) first = t;
      if (taps == 1) apart = t - first;
      last = t;
      ++taps;
    }
    const int64_t begin = pad > phase ? ceilDiv(pad - phase, convStride) : 0;
    const int64_t end = to + pad > phase ? (to - 1 + pad - phase) / convStride + 1 : 0;
    return {larger(0, end - begin),
            begin - (last * dilation - phase) / convStride,
            taps,
            apart * dilation / convStride,
            last,
            -apart,
            begin * convStride + phase - pad};
  }

  // One window around those of all phases.
  Axis cover() const {
    int64_t count = 0, low = 0, high = 0;
    bool found = false;
    for (int64_t i = 0; i < phases(); ++i) {
      const ConvPhase p = phase(i);
      count = larger(count, p.count);
      if (p.taps == 0 || p.count == 0) continue;
      low = found ? smaller(low, p.start) : p.start;
      high = found ? larger(high, p.start + p.reach()) : p.start + p.reach();
      found = true;
    }
    return {count, from, low, stride(), high - low + 1, 1};
  }
};

struct Correlation {
  int64_t batch, groups, inputs, outputs;  // channels per group
  ConvDimension rows, columns;
  int64_t weightOutput, weightInput;  // strides in the weights
  bool relu;

  int64_t taps() const { return rows.kernel * columns.kernel; }
  int64_t depth() const { return inputs * taps(); }
  int64_t plane() const { return rows.from * columns.from; }
  int64_t outPlane() const { return rows.to * columns.to; }
  int64_t weightGroup() const { return outputs * depth(); }
};

// Every pair of a row phase and a column phase, with the kernel's taps that come before its own.
template <class Body>
inline void forEachPhase(const Correlation& s, const Body& body) {
  int64_t tapsBefore = 0;
  for (int64_t a = 0; a < s.rows.phases(); ++a) {
    const ConvPhase row = s.rows.phase(a);
    for (int64_t b = 0; b < s.columns.phases(); ++b) {
      const ConvPhase column = s.columns.phase(b);
      body(row, column, tapsBefore);
      tapsBefore += row.taps * column.taps;
    }
  }
}

}  // namespace
}  // namespace fovea
