// Average pooling over windows, and its gradient.
#pragma once

#include "list.h"
#include "pool2d-spread.h"
#include "pool2d-window.h"
#include "workspace.h"

namespace fovea {
namespace {

struct PooledSum {
  using Line = Numbers;
  static constexpr float padding = 0;
  static constexpr bool watches = false;
  static Vec of(Vec a, Vec b) { return a + b; }
};

// How many elements windows count, for the windows of one row of y or of gradY.
class Divisors {
 public:
  Divisors(const AvgPool2dShape& s, const Axis& rows, const Axis& columns, Arena& arena)
      : rows_(rows),
        columns_(columns),
        tall_(arena.floats(rows.count)),
        wide_(arena.floats(columns.count + Vec::width)) {
    const int64_t area = static_cast<int64_t>(s.kernelHeight) * s.kernelWidth;
    if (rows.inside() && columns.inside()) area_ = static_cast<float>(area);
    if (area_ > 0 && (area & (area - 1)) == 0) inverse_ = 1 / area_;
  }

  void fill(const AvgPool2dShape& s) const {
    const bool all = s.countPadding != 0;
    for (int64_t i = 0; i < rows_.count; ++i) {
      tall_[i] = static_cast<float>(elementsOf(rows_, i, s.padBottom, all));
    }
    for (int64_t j = 0; j < columns_.count; ++j) {
      wide_[j] = static_cast<float>(elementsOf(columns_, j, s.padRight, all));
    }
  }

  // x / divisor, exactly: a power of two may as well be multiplied with.
  Vec divide(Vec x, int64_t row, int64_t column, int n) const {
    if (inverse_ > 0) return x * broadcast(inverse_);
    if (area_ > 0) return x / broadcast(area_);
    return x / (broadcast(tall_[row]) * loadUpTo(wide_ + column, n));
  }

 private:
  // Elements of a window along one axis: those of x, or of x with its padding.
  static int64_t elementsOf(const Axis& axis, int64_t window, int64_t padAfter, bool withPadding) {
    const int64_t begin = axis.start + window * axis.stride, end = begin + axis.taps;
    return withPadding ? smaller(end, axis.length + padAfter) - begin
                       : smaller(end, axis.length) - larger(0, begin);
  }

  const Axis &rows_, &columns_;
  float *tall_, *wide_;
  float area_ = 0;     // of every window, if they are all whole
  float inverse_ = 0;  // of that, if exact
};

void avgPool2d(const AvgPool2dShape& s, const Context& context, const float* x, float* y) {
  const PoolPlan plan(s);
  Arena arena(context.workspace);
  const Divisors divisors(s, plan.rows, plan.columns, arena);
  divisors.fill(s);
  char* threads = context.workspace + arena.bytes();
  forBands<PooledSum>(plan, context, threads, [&](const Band& band, const PoolMemory& memory) {
    Output<float> out(y + band.first, memory.stage.numbers);
    float* to = out.at();
    const auto finish = [&, to](int64_t i, const PooledRow& row, int64_t c, Vec sum, int n) {
      storeUpTo(to + i, divisors.divide(sum, row.row, c, n), n);
    };
    foldBand<PooledSum>(plan, memory, band, x, finish);
    out.finish(band.length);
  });
}

inline size_t avgPool2dWorkspace(const AvgPool2dShape& s, int threads) {
  const PoolPlan plan(s);
  Arena arena(nullptr);
  Divisors(s, plan.rows, plan.columns, arena);
  return arena.bytes() + static_cast<size_t>(threads) * poolMemoryBytes(plan, false);
}
FOVEA_WORKSPACE(avgPool2d, AvgPool2dShape, avgPool2dWorkspace)

// What one thread works in.
struct AvgSpreadMemory {
  float *lines, *sum, *stage;

  AvgSpreadMemory(const SpreadPlan& plan, Arena& arena)
      : lines(arena.floats(plan.linesLength())),
        sum(arena.floats(plan.pitch + Vec::width)),
        stage(plan.streamed ? arena.floats(plan.stageLength()) : nullptr) {}
};
inline size_t avgSpreadBytes(const SpreadPlan& plan) {
  Arena arena(nullptr);
  AvgSpreadMemory(plan, arena);
  return arena.bytes();
}

// to = the sum of lines next to each other.
inline void sumLines(const float* line, int64_t count, int64_t pitch, float* to) {
  forVectors(pitch, [&](int64_t i, auto n) {
    Vec total = broadcast(0);
    for (int64_t r = 0; r < count; ++r) total = total + loadUpTo(line + r * pitch + i, n);
    storeUpTo(to + i, total, n);
  });
}

// Rows [begin, end) of one plane of gradX, from the rows of gradY that reach them.
inline void avgSpreadBand(const SpreadPlan& plan, const Spread& spread, const Divisors& divisors,
                          const AvgSpreadMemory& memory, const float* gradY, int64_t begin,
                          int64_t end, float* gradX) {
  const Axis& columns = plan.columns;
  Reaching reaching(plan.rows, begin);
  const int64_t first = reaching.first, last = Reaching(plan.rows, end - 1).last;
  for (int64_t r = first; r <= last; ++r) {
    const float* from = gradY + r * columns.count;
    float* line = memory.lines + (r - first) * plan.pitch + plan.before;
    forVectors(columns.count, [&](int64_t c, auto n) {
      storeUpTo(line + c, divisors.divide(loadUpTo(from + c, n), r, c, n), n);
    });
  }
  for (int64_t row = begin; row < end; ++row, gradX += columns.length) {
    reaching.goTo(plan.rows, row);
    const int64_t count = reaching.last - reaching.first + 1;
    const float* lines = memory.lines + (reaching.first - first) * plan.pitch;
    if (count == 2 && spread.two) {
      spread.two(columns, lines + plan.before, plan.pitch, gradX);
    } else if (count == 1) {
      spread.one(columns, lines + plan.before, plan.pitch, gradX);
    } else {
      sumLines(lines, count, plan.pitch, memory.sum);
      spread.one(columns, memory.sum + plan.before, plan.pitch, gradX);
    }
  }
}

void avgPool2dBackward(const AvgPool2dShape& s, const Context& context, const float* gradY,
                       float* gradX) {
  const SpreadPlan plan(s);
  Arena arena(context.workspace);
  const Divisors divisors(s, plan.rows, plan.columns, arena);
  divisors.fill(s);
  char* threads = context.workspace + arena.bytes();
  const size_t threadBytes = avgSpreadBytes(plan);
  const Spread spread(plan.columns);
  forSpreadBands(plan, context, [&](int thread) {
    Arena own(threads + static_cast<size_t>(thread) * threadBytes);
    const AvgSpreadMemory memory(plan, own);
    fillRow(memory.lines, plan.linesLength(), 0);
    return [=, &plan, &spread, &divisors](int64_t p, int64_t begin, int64_t end) {
      const int64_t first = p * plan.plane() + begin * plan.columns.length;
      Output<float> to(gradX + first, memory.stage);
      avgSpreadBand(plan, spread, divisors, memory, gradY + p * plan.outPlane(), begin, end,
                    to.at());
      to.finish((end - begin) * plan.columns.length);
    };
  });
}

inline size_t avgPool2dBackwardWorkspace(const AvgPool2dShape& s, int threads) {
  const SpreadPlan plan(s);
  Arena arena(nullptr);
  Divisors(s, plan.rows, plan.columns, arena);
  return arena.bytes() + avgSpreadBytes(plan) * static_cast<size_t>(threads);
}
FOVEA_WORKSPACE(avgPool2dBackward, AvgPool2dShape, avgPool2dBackwardWorkspace)

}  // namespace
}  // namespace fovea
