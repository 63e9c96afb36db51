// From a register tile into y: a tile's positions run over the ends of rows, so they are cut into
// runs that are contiguous in y.
#pragma once

#include "few-plan.h"

namespace fovea {
namespace {

// At most a vector of a tile's positions, contiguous in a row of y.
struct Run {
  int64_t at, out;
  int count;
};

// Cuts the positions of a band, tile after tile, into runs; y's rows start at `out`.
class RunCutter {
 public:
  RunCutter(const FewCorrelation& s, const FewPlan& plan, int64_t bandRows, int64_t out)
      : width_(s.columns.axis.count),
        pitch_(plan.pitch),
        rows_(bandRows),
        out_(out),
        rowStep_(s.rows.outStride * s.outWidth),
        step_(s.columns.outStride) {
    if (pitch_ == width_ && rowStep_ == width_ && step_ == 1) {
      width_ = pitch_ = bandRows * width_;  // one long row
      rows_ = 1;
    }
  }

  // The runs of the next `positions`.
  void next(int64_t positions) {
    count = 0;
    for (int64_t at = 0; at < positions && row_ < rows_;) {
      const int64_t end = smaller(width_ - column_, positions - at);
      for (int64_t i = 0; i < end; i += Vec::width) {
        runs[count++] = {at + i, out_ + row_ * rowStep_ + (column_ + i) * step_,
                         lanesLeft(end - i)};
      }
      const int64_t taken = smaller(pitch_ - column_, positions - at);
      at += taken;
      column_ += taken;
      if (column_ == pitch_) {
        column_ = 0;
        ++row_;
      }
    }
  }

  Run runs[maxTileVectors * Vec::width];
  int count = 0;
  int64_t step() const { return step_; }

 private:
  int64_t width_, pitch_, rows_, out_, rowStep_, step_;
  int64_t row_ = 0, column_ = 0;
};

// How the rows of a tile, each a channel of y, go into it: on top of what is there, or with bias.
struct FinishRuns {
  bool add, relu;
  const float* bias;  // of the tile's first channel; may be null
  int64_t rows, tileWidth, outPlane;
};

template <bool add, bool relu>
inline void finishRuns(const float* sums, const RunCutter& cut, const FinishRuns& finish,
                       float* y) {
  for (const Run* run = cut.runs; run < cut.runs + cut.count; ++run) {
    const float* from = sums + run->at;
    float* to = y + run->out;
    for (int64_t r = 0; r < finish.rows; ++r, from += finish.tileWidth, to += finish.outPlane) {
      Vec v = load(from);
      if (add) {
        v = v + loadUpTo(to, run->count);
      } else if (finish.bias) {
        v = v + broadcast(finish.bias[r]);
      }
      storeUpTo(to, relu ? reluOf(v) : v, run->count);
    }
  }
}

// Where the outputs of a row are apart in y.
inline void finishRunsApart(const float* sums, const RunCutter& cut, const FinishRuns& finish,
                            float* y) {
  for (const Run* run = cut.runs; run < cut.runs + cut.count; ++run) {
    for (int64_t r = 0; r < finish.rows; ++r) {
      const float bias = finish.bias ? finish.bias[r] : 0;
      for (int i = 0; i < run->count; ++i) {
        float* to = y + r * finish.outPlane + run->out + i * cut.step();
        const float v = sums[r * finish.tileWidth + run->at + i] + (finish.add ? *to : bias);
        *to = finish.relu && v < 0 ? 0 : v;
      }
    }
  }
}

inline void finishTileRuns(const float* sums, const RunCutter& cut, const FinishRuns& finish,
                           float* y) {
  if (cut.step() != 1) return finishRunsApart(sums, cut, finish, y);
  if (finish.add) {
    (finish.relu ? finishRuns<true, true> : finishRuns<true, false>)(sums, cut, finish, y);
  } else {
    (finish.relu ? finishRuns<false, true> : finishRuns<false, false>)(sums, cut, finish, y);
  }
}

}  // namespace
}  // namespace fovea
