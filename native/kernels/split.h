// Dividing a length into parts of nearly equal size, and the small integer arithmetic around it.
#pragma once

#include <cstdint>

namespace fovea {
namespace {

constexpr int64_t ceilDiv(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
constexpr int64_t roundUp(int64_t a, int64_t b) {
  return ceilDiv(a, b) * b;
}
constexpr int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}
constexpr int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

// [0, total) in `parts` parts whose sizes differ by at most one.
struct Split {
  int64_t total = 0;
  int64_t parts = 1;

  // As few parts as possible (but one), none larger than `limit`.
  static Split atMost(int64_t total, int64_t limit) {
    return {total, larger(1, ceilDiv(total, limit))};
  }
  // Even parts, as near to `parts` as possible, none empty (but for a total of 0).
  static Split into(int64_t total, int64_t parts) {
    return {total, larger(1, smaller(total, parts))};
  }
  int64_t begin(int64_t part) const { return part * total / parts; }
  int64_t end(int64_t part) const { return (part + 1) * total / parts; }
  int64_t largest() const { return ceilDiv(total, parts); }
};

// Hands out the pieces of a workspace, each aligned to a cache line. Started at null it only
// counts.
class Arena {
 public:
  explicit Arena(char* base) : base_(base) {}
  float* floats(int64_t count) { return static_cast<float*>(take(count)); }
  int32_t* ints(int64_t count) { return static_cast<int32_t*>(take(count)); }
  size_t bytes() const { return used_; }

 private:
  void* take(int64_t count) {
    void* piece = base_ ? base_ + used_ : nullptr;
    used_ += static_cast<size_t>(roundUp(count * 4, 64));
    return piece;
  }
  char* base_;
  size_t used_ = 0;
};

// Work in multiply-adds that is worth a task.
constexpr int64_t taskWork = 1 << 20;

}  // namespace
}  // namespace fovea
