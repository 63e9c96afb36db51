// Average pooling over windows, adaptive or not, and their gradients.
#pragma once

#include "list.h"
#include "pool2d-window.h"
#include "workspace.h"

namespace fovea {
namespace {

inline PoolPlan avgPoolPlan(const AvgPool2dShape& s) {
  return PoolPlan(s, {s.outHeight, s.height, -s.padTop, s.strideHeight, s.kernelHeight, 1},
                  {s.outWidth, s.width, -s.padLeft, s.strideWidth, s.kernelWidth, 1});
}

// Elements of a window along one axis: those of x, or of x with its padding.
inline int64_t elementsOf(const Axis& axis, int64_t window, int64_t padAfter, bool withPadding) {
  const int64_t begin = axis.start + window * axis.stride, end = begin + axis.taps;
  return withPadding ? smaller(end, axis.length + padAfter) - begin
                     : smaller(end, axis.length) - larger(0, begin);
}

struct AvgPoolMemory {
  PoolMemory windows;
  float *tall, *wide;  // rows of a window at each row of y, columns at each column
  float* scaled;       // per thread: gradY divided, rows filled up with 0 to whole vectors
  float* lines;        // per thread: a row of gradX, split by phase
  int64_t scaledPitch, scaledLength;
  int64_t linePitch, lineLength;  // linePitch is from phase to phase
  size_t bytes;

  AvgPoolMemory(const PoolPlan& plan, int threads, char* base) : windows(plan, threads, base) {
    Arena arena(base);
    arena.floats(static_cast<int64_t>(windows.bytes / sizeof(float)));
    tall = arena.floats(plan.rows.count);
    wide = arena.floats(plan.columns.count);
    scaledPitch = roundUp(plan.columns.count, Vec::width);
    scaledLength = roundUp(plan.rows.count * scaledPitch, 16);
    linePitch = roundUp(plan.columns.maxShift() + scaledPitch, Vec::width);
    lineLength = roundUp(linePitch * plan.columns.phases(), 16);
    scaled = arena.floats(threads * scaledLength);
    lines = arena.floats(threads * lineLength);
    bytes = arena.bytes();
  }

  void fill(const PoolPlan& plan, const AvgPool2dShape& s) const {
    windows.fill(plan);
    const bool all = s.countPadding != 0;
    for (int64_t i = 0; i < plan.rows.count; ++i) {
      tall[i] = static_cast<float>(elementsOf(plan.rows, i, s.padBottom, all));
    }
    for (int64_t j = 0; j < plan.columns.count; ++j) {
      wide[j] = static_cast<float>(elementsOf(plan.columns, j, s.padRight, all));
    }
  }
};

template <int stride>
inline void avgPoolRow(const PoolPlan& plan, const AvgPoolMemory& memory, const float* source,
                       int64_t row, float* y) {
  const TapRows taps(plan.rows, row);
  const int64_t top = plan.rows.start + row * plan.rows.stride;
  for (int64_t column = 0; column < plan.columns.count; column += Vec::width) {
    const int64_t left = plan.columns.count - column;
    Vec total = broadcast(0);
    for (int64_t i = taps.begin; i < taps.end; ++i) {
      const float* windows = source + (top + i) * plan.pitch + column * stride;
      forColumns<stride>(windows, memory.windows.taps, plan.columns.taps, left,
                         [&](Vec x, int64_t) { total = total + x; });
    }
    const int n = lanesLeft(left);
    const Vec divisor = broadcast(memory.tall[row]) * loadUpTo(memory.wide + column, n);
    storeUpTo(y + column, total / divisor, n);
  }
}

void avgPool2d(const AvgPool2dShape& s, const Context& context, const float* x, float* y) {
  const PoolPlan plan = avgPoolPlan(s);
  const AvgPoolMemory memory(plan, context.threads, context.workspace);
  memory.fill(plan, s);
  const bool apart = plan.direct && plan.columns.stride == 2;
  const auto poolRow = apart ? avgPoolRow<2> : avgPoolRow<1>;
  forPlanes(context, plan, [&](int64_t p, int thread) {
    const float* source = plan.source(memory.windows, x + p * plan.plane(), thread, 0);
    for (int64_t row = 0; row < plan.rows.count; ++row) {
      poolRow(plan, memory, source, row, y + p * plan.outPlane() + row * plan.columns.count);
    }
  });
}

// A row split by phase back into one; columns that no window reads get 0.
inline void mergePhases(const PoolPlan& plan, const float* line, int64_t pitch, float* to) {
  const Axis& axis = plan.columns;
  fillRow(to, axis.length, 0);
  for (int64_t phase = 0; phase < axis.phases(); ++phase, line += pitch) {
    const Present present(axis, phase, plan.phaseSize);
    float* first = to + axis.start + phase;
    for (int64_t j = present.first; j < present.last; ++j) first[j * axis.stride] = line[j];
  }
}

// The rows of windows that reach a row of x.
struct Reaching {
  int64_t first, last;
  Reaching(const Axis& rows, int64_t row) {
    const int64_t above = row - rows.start;  // >= 0: rows.start is minus the padding
    first = ceilDiv(larger(0, above - rows.taps + 1), rows.stride);
    last = smaller(rows.count - 1, above / rows.stride);
  }
  bool operator==(const Reaching& other) const {
    return first == other.first && last == other.last;
  }
};

// A row of gradX: what each row of windows that reaches it gives to each of its columns.
inline void avgPoolRowBackward(const PoolPlan& plan, const AvgPoolMemory& memory,
                               const float* scaled, const Reaching& reaching, float* line,
                               float* gradX) {
  const Axis& columns = plan.columns;
  fillRow(line, memory.linePitch * columns.phases(), 0);
  for (int64_t out = reaching.first; out <= reaching.last; ++out) {
    for (int64_t j = 0; j < columns.taps; ++j) {
      const float* from = scaled + out * memory.scaledPitch;
      float* to = line + columns.phase(j) * memory.linePitch + columns.shift(j);
      for (int64_t i = 0; i < columns.count; i += Vec::width) {
        store(to + i, load(to + i) + load(from + i));  // the last few are 0
      }
    }
  }
  mergePhases(plan, line, memory.linePitch, gradX);
}

void avgPool2dBackward(const AvgPool2dShape& s, const Context& context, const float* gradY,
                       float* gradX) {
  const PoolPlan plan = avgPoolPlan(s);
  const AvgPoolMemory memory(plan, context.threads, context.workspace);
  memory.fill(plan, s);
  forPlanes(context, plan, [&](int64_t p, int thread) {
    float* scaled = memory.scaled + thread * memory.scaledLength;
    for (int64_t i = 0; i < plan.rows.count; ++i) {
      const float* from = gradY + p * plan.outPlane() + i * plan.columns.count;
      for (int64_t j = 0; j < plan.columns.count; j += Vec::width) {
        const int n = lanesLeft(plan.columns.count - j);
        const Vec divisor = broadcast(memory.tall[i]) * loadUpTo(memory.wide + j, n);
        const Vec quotient = loadUpTo(from + j, n) / divisor;  // beyond n: 0 / 0
        float* to = scaled + i * memory.scaledPitch + j;
        store(to, broadcast(0));
        storeUpTo(to, quotient, n);
      }
    }
    float* to = gradX + p * plan.plane();
    for (int64_t row = 0; row < plan.rows.length; ++row, to += plan.columns.length) {
      const Reaching reaching(plan.rows, row);
      if (row > 0 && reaching == Reaching(plan.rows, row - 1)) {
        copyRow(to - plan.columns.length, 1, plan.columns.length, to);
      } else {
        avgPoolRowBackward(plan, memory, scaled, reaching,
                           memory.lines + thread * memory.lineLength, to);
      }
    }
  });
}

inline size_t avgPool2dWorkspace(const AvgPool2dShape& s, int threads) {
  return AvgPoolMemory(avgPoolPlan(s), threads, nullptr).bytes;
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
