// Which sequences of a batch are alive at which step. With lengths, sequences are taken longest
// first, so that those alive at a step are the first so many, and every array of the loop over time
// holds their rows alone, one step after the other: a padded step takes no part in anything.
#pragma once

#include "context.h"
#include "list.h"
#include "split.h"

namespace fovea {
namespace {

// Only an lstm may project its state.
template <class Shape>
int64_t projSizeOf(const Shape&) {
  return 0;
}
inline int64_t projSizeOf(const LstmShape& s) {
  return s.projSize;
}
inline int64_t projSizeOf(const LstmBackwardShape& s) {
  return s.projSize;
}

// The fields that the shapes of all recurrent kernels have.
struct RecurrentSizes {
  int64_t steps, batch, inputSize, hiddenSize, projSize, yStride, yOffset;
  bool reverse;

  template <class Shape>
  explicit RecurrentSizes(const Shape& s)
      : steps(s.steps),
        batch(s.batch),
        inputSize(s.inputSize),
        hiddenSize(s.hiddenSize),
        projSize(projSizeOf(s)),
        yStride(s.yStride),
        yOffset(s.yOffset),
        reverse(s.reverse != 0) {}
  int64_t rows() const { return steps * batch; }
  // Numbers of h and y.
  int64_t stateSize() const { return projSize > 0 ? projSize : hiddenSize; }
};

// Of rows in the workspace: not a power of two, so that they spread over the cache.
inline int64_t paddedRow(int64_t length) {
  return roundUp(length, 16) + 16;
}

// Products over all rows take a multiple of this many, so that few sizes of workspace occur.
inline int64_t rowGrain(const RecurrentSizes& s) {
  return larger(1, ceilDiv(s.rows(), 8));
}

// A number for each row of a step: its row in x and y, or its sequence.
struct Places {
  const int32_t* table;  // or null: one after the other
  int64_t first;
  int64_t operator[](int64_t j) const { return table ? table[j] : first + j; }
};

class Rows {
 public:
  Rows(const RecurrentSizes& s, Arena& arena)
      : steps_(s.steps),
        batch_(s.batch),
        reverse_(s.reverse),
        order_(arena.ints(s.batch)),
        first_(arena.ints(s.steps + 1)),
        place_(arena.ints(s.rows())),
        total_(s.rows()),
        padded_(s.rows()) {}

  // Without a call of this, every sequence has all steps and nothing is reordered.
  void sort(const RecurrentSizes& s, const int32_t* lengths) {
    sorted_ = true;
    int64_t count = 0;
    for (int64_t length = steps_; length >= 0; --length) {
      for (int64_t b = 0; b < batch_; ++b) {
        if (lengths[b] == length) order_[count++] = static_cast<int32_t>(b);
      }
    }
    total_ = 0;
    int64_t alive = batch_;
    for (int64_t step = 0; step < steps_; ++step) {
      first_[step] = static_cast<int32_t>(total_);
      while (alive > 0 && lengths[order_[alive - 1]] <= step) --alive;
      for (int64_t j = 0; j < alive; ++j) {
        const int64_t b = order_[j];
        const int64_t time = reverse_ ? lengths[b] - 1 - step : step;
        place_[total_++] = static_cast<int32_t>(time * batch_ + b);
      }
    }
    first_[steps_] = static_cast<int32_t>(total_);
    padded_ = smaller(s.rows(), roundUp(larger(1, total_), rowGrain(s)));
  }

  bool sorted() const { return sorted_; }
  // Rows of all steps together, and with the empty rows that follow them in products.
  int64_t total() const { return total_; }
  int64_t padded() const { return padded_; }

  // How many sequences are alive at a step: none after the last.
  int64_t alive(int64_t step) const {
    if (step >= steps_) return 0;
    return sorted_ ? first_[step + 1] - first_[step] : batch_;
  }
  // The row of the first of them.
  int64_t first(int64_t step) const {
    return sorted_ ? first_[step] : (reverse_ ? steps_ - 1 - step : step) * batch_;
  }
  Places placesOf(int64_t step) const {
    return {sorted_ ? place_ + first_[step] : nullptr, first(step)};
  }
  Places sequences() const { return {sorted_ ? order_ : nullptr, 0}; }
  // The row of x and y that a row is, and the number in the batch of the j-th sequence.
  int64_t place(int64_t row) const { return sorted_ ? place_[row] : row; }
  const int32_t* places() const { return sorted_ ? place_ : nullptr; }  // null: all in order
  int64_t sequence(int64_t j) const { return sorted_ ? order_[j] : j; }

 private:
  int64_t steps_, batch_;
  bool reverse_, sorted_ = false;
  int32_t *order_, *first_, *place_;
  int64_t total_, padded_;
};

}  // namespace
}  // namespace fovea
