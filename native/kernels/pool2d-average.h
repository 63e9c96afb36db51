// Average pooling over windows, adaptive or not, and their gradients.
#pragma once

#include "list.h"
#include "plane.h"
#include "workspace.h"

namespace fovea {
namespace {

struct AvgPoolPlan {
  Axis rows, columns;
  int64_t planes, pitch;
  BandLayout layout;  // of a whole plane
  bool oneLine;       // windows lie one after another in the copy as they do in y
  int64_t planesPerTask;

  explicit AvgPoolPlan(const AvgPool2dShape& s)
      : rows{s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, 1},
        columns{s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, 1},
        planes(s.planes),
        pitch(columns.count + columns.maxShift()),
        layout(rows, columns, rows.count, pitch),
        oneLine(pitch == columns.count) {
    planesPerTask = 1 + 32768 / larger(1, outPlane() * rows.taps * columns.taps);
  }

  int64_t outPlane() const { return rows.count * columns.count; }
  int64_t plane() const { return rows.length * columns.length; }
  int64_t copyLength() const { return roundUp(layout.size + Vec::width, 16); }
  int64_t lines() const { return oneLine ? 1 : rows.count; }
  int64_t lineLength() const { return oneLine ? outPlane() : columns.count; }
  // Elements of a window along one axis: of x, or of x with its padding.
  static int64_t elements(const Axis& axis, int64_t window, int64_t padAfter, bool withPadding) {
    const int64_t begin = axis.start + window * axis.stride, end = begin + axis.taps;
    return withPadding ? smaller(end, axis.length + padAfter) - begin
                       : smaller(end, axis.length) - larger(0, begin);
  }
};

struct AvgPoolMemory {
  float* divisors;  // of each window of a plane
  float* copies;    // per thread: x or gradX by phases
  float* scaled;    // per thread: gradY / divisors
  size_t bytes;

  AvgPoolMemory(const AvgPoolPlan& plan, int threads, char* base) {
    Arena arena(base);
    divisors = arena.floats(plan.outPlane());
    copies = arena.floats(threads * plan.copyLength());
    scaled = arena.floats(threads * scaledLength(plan));
    bytes = arena.bytes();
  }
  static int64_t scaledLength(const AvgPoolPlan& plan) {
    return roundUp(plan.outPlane() + Vec::width, 16);
  }
};

inline void fillDivisors(const AvgPoolPlan& plan, const AvgPool2dShape& s, float* divisors) {
  for (int64_t i = 0; i < plan.rows.count; ++i) {
    const int64_t tall = plan.elements(plan.rows, i, s.padBottom, s.countPadding != 0);
    for (int64_t j = 0; j < plan.columns.count; ++j) {
      const int64_t wide = plan.elements(plan.columns, j, s.padRight, s.countPadding != 0);
      *divisors++ = static_cast<float>(tall * wide);
    }
  }
}

inline void avgPoolPlane(const AvgPoolPlan& plan, const float* divisors, const float* x,
                         float* copy, float* y) {
  copyBand(x, plan.rows, plan.columns, plan.layout, 0, 0, copy);
  const int64_t count = plan.lineLength();
  for (int64_t line = 0; line < plan.lines(); ++line) {
    for (int64_t k = 0; k < count; k += Vec::width) {
      const int n = lanesLeft(count - k);
      Vec total = broadcast(0);
      for (int64_t i = 0; i < plan.rows.taps; ++i) {
        for (int64_t j = 0; j < plan.columns.taps; ++j) {
          const int64_t tap = plan.layout.offset(plan.rows, plan.columns, i, j);
          total = total + load(copy + tap + line * plan.pitch + k);
        }
      }
      const int64_t out = line * plan.columns.count + k;
      storeUpTo(y + out, total / loadUpTo(divisors + out, n), n);
    }
  }
}

// to[start + phase + j * stride] = phases[phase][j], where within the row.
inline void mergePhases(const float* from, const Axis& axis, int64_t phaseSize, float* to) {
  const int64_t present = axis.count + axis.maxShift();
  for (int64_t phase = 0; phase < axis.phases(); ++phase, from += phaseSize) {
    for (int64_t j = 0; j < present; ++j) {
      const int64_t at = axis.start + phase + j * axis.stride;
      if (at >= 0 && at < axis.length) to[at] = from[j];
    }
  }
}

inline void avgPoolPlaneBackward(const AvgPoolPlan& plan, const float* divisors, const float* gradY,
                                 float* copy, float* scaled, float* gradX) {
  for (int64_t i = 0; i < plan.outPlane(); i += Vec::width) {
    const int n = lanesLeft(plan.outPlane() - i);
    storeUpTo(scaled + i, loadUpTo(gradY + i, n) / loadUpTo(divisors + i, n), n);
  }
  fillRow(copy, plan.layout.size, 0);
  const int64_t count = plan.lineLength();
  for (int64_t i = 0; i < plan.rows.taps; ++i) {
    for (int64_t j = 0; j < plan.columns.taps; ++j) {
      float* tap = copy + plan.layout.offset(plan.rows, plan.columns, i, j);
      for (int64_t line = 0; line < plan.lines(); ++line) {
        float* to = tap + line * plan.pitch;
        const float* from = scaled + line * plan.columns.count;
        for (int64_t k = 0; k < count; k += Vec::width) {
          const int n = lanesLeft(count - k);
          storeUpTo(to + k, loadUpTo(to + k, n) + loadUpTo(from + k, n), n);
        }
      }
    }
  }
  fillRow(gradX, plan.plane(), 0);
  for (int64_t phase = 0; phase < plan.rows.phases(); ++phase) {
    for (int64_t row = 0; row < plan.layout.rows; ++row) {
      const int64_t at = plan.rows.start + row * plan.rows.stride + phase;
      if (at < 0 || at >= plan.rows.length) continue;
      mergePhases(
          copy + phase * plan.layout.columnPhases * plan.layout.phaseSize + row * plan.pitch,
          plan.columns, plan.layout.phaseSize, gradX + at * plan.columns.length);
    }
  }
}

// body(plane, thread) for every plane, several to a task.
template <class Body>
void forPlanes(const Context& context, int64_t planes, int64_t perTask, const Body& body) {
  context.parallel(ceilDiv(planes, perTask), [&](int64_t task, int thread) {
    const int64_t end = smaller(planes, (task + 1) * perTask);
    for (int64_t p = task * perTask; p < end; ++p) body(p, thread);
  });
}

void avgPool2d(const AvgPool2dShape& s, const Context& context, const float* x, float* y) {
  const AvgPoolPlan plan(s);
  if (plan.outPlane() == 0) return;
  const AvgPoolMemory memory(plan, context.threads, context.workspace);
  fillDivisors(plan, s, memory.divisors);
  forPlanes(context, plan.planes, plan.planesPerTask, [&](int64_t p, int thread) {
    avgPoolPlane(plan, memory.divisors, x + p * plan.plane(),
                 memory.copies + thread * plan.copyLength(), y + p * plan.outPlane());
  });
}

void avgPool2dBackward(const AvgPool2dShape& s, const Context& context, const float* gradY,
                       float* gradX) {
  const AvgPoolPlan plan(s);
  const AvgPoolMemory memory(plan, context.threads, context.workspace);
  fillDivisors(plan, s, memory.divisors);
  forPlanes(context, plan.planes, plan.planesPerTask, [&](int64_t p, int thread) {
    avgPoolPlaneBackward(plan, memory.divisors, gradY + p * plan.outPlane(),
                         memory.copies + thread * plan.copyLength(),
                         memory.scaled + thread * memory.scaledLength(plan),
                         gradX + p * plan.plane());
  });
}

inline size_t avgPool2dWorkspace(const AvgPool2dShape& s, int threads) {
  return AvgPoolMemory(AvgPoolPlan(s), threads, nullptr).bytes;
}
FOVEA_WORKSPACE(avgPool2d, AvgPool2dShape, avgPool2dWorkspace)
FOVEA_WORKSPACE(avgPool2dBackward, AvgPool2dShape, avgPool2dWorkspace)

// Window i of `outputs` over `length`: [floor(i length / outputs), ceil((i + 1) length / outputs)).
struct Window {
  int64_t begin, end;
  Window(int64_t i, int64_t length, int64_t outputs)
      : begin(i * length / outputs), end(ceilDiv((i + 1) * length, outputs)) {}
  int64_t length() const { return end - begin; }
};

// body(first element, rows, columns) for each window of a plane, in order.
template <class Body>
void forAdaptiveWindows(const AdaptivePool2dShape& s, const Body& body) {
  for (int64_t i = 0; i < s.outHeight; ++i) {
    const Window tall(i, s.height, s.outHeight);
    for (int64_t j = 0; j < s.outWidth; ++j) {
      const Window wide(j, s.width, s.outWidth);
      body(i * s.outWidth + j, tall.begin * s.width + wide.begin, tall.length(), wide.length());
    }
  }
}

void adaptiveAvgPool2d(const AdaptivePool2dShape& s, const Context& context, const float* x,
                       float* y) {
  const int64_t plane = static_cast<int64_t>(s.height) * s.width;
  const int64_t outPlane = static_cast<int64_t>(s.outHeight) * s.outWidth;
  forPlanes(context, s.planes, 1 + 32768 / larger(1, plane), [&](int64_t p, int) {
    forAdaptiveWindows(s, [&](int64_t out, int64_t first, int64_t rows, int64_t columns) {
      const float* from = x + p * plane + first;
      Vec total = broadcast(0);
      for (int64_t i = 0; i < rows; ++i, from += s.width) {
        for (int64_t j = 0; j < columns; j += Vec::width) {
          total = total + loadUpTo(from + j, lanesLeft(columns - j));
        }
      }
      y[p * outPlane + out] = sum(total) / static_cast<float>(rows * columns);
    });
  });
}

void adaptiveAvgPool2dBackward(const AdaptivePool2dShape& s, const Context& context,
                               const float* gradY, float* gradX) {
  const int64_t plane = static_cast<int64_t>(s.height) * s.width;
  const int64_t outPlane = static_cast<int64_t>(s.outHeight) * s.outWidth;
  forPlanes(context, s.planes, 1 + 32768 / larger(1, plane), [&](int64_t p, int) {
    fillRow(gradX + p * plane, plane, 0);
    forAdaptiveWindows(s, [&](int64_t out, int64_t first, int64_t rows, int64_t columns) {
      const Vec g = broadcast(gradY[p * outPlane + out] / static_cast<float>(rows * columns));
      float* to = gradX + p * plane + first;
      for (int64_t i = 0; i < rows; ++i, to += s.width) {
        for (int64_t j = 0; j < columns; j += Vec::width) {
          const int n = lanesLeft(columns - j);
          storeUpTo(to + j, loadUpTo(to + j, n) + g, n);
        }
      }
    });
  });
}

}  // namespace
}  // namespace fovea
