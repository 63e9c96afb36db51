// Results put together in a stage, from where they go past the caches.
#pragma once

#include "pack.h"
#include "rows.h"

namespace fovea {
namespace {

// to = from, past the caches; streamFence() follows after the last.
inline void copyStreaming(const float* from, int64_t count, float* to) {
  const auto past = reinterpret_cast<uintptr_t>(to) / sizeof(float) % Vec::width;
  int64_t i = smaller(count, past == 0 ? 0 : Vec::width - static_cast<int64_t>(past));
  storeFirst(to, loadFirst(from, static_cast<int>(i)), static_cast<int>(i));
  for (; i + Vec::width <= count; i += Vec::width) storeStream(to + i, load(from + i));
  const int rest = static_cast<int>(count - i);
  storeFirst(to + i, loadFirst(from + i, rest), rest);
}

inline void copyStreaming(const int32_t* from, int64_t count, int32_t* to) {
  const auto past = reinterpret_cast<uintptr_t>(to) / sizeof(int32_t) % Vec::width;
  int64_t i = smaller(count, past == 0 ? 0 : Vec::width - static_cast<int64_t>(past));
  storeFirstInts(to, loadFirstInts(from, static_cast<int>(i)), static_cast<int>(i));
  for (; i + Vec::width <= count; i += Vec::width) storeStreamInts(to + i, loadInts(from + i));
  const int rest = static_cast<int>(count - i);
  storeFirstInts(to + i, loadFirstInts(from + i, rest), rest);
}

// Where results are written: in place, or, if a stage is given, there, from where they leave past
// the caches while the next are computed.
template <class Number>
class Output {
 public:
  Output(Number* to, Number* stage) : to_(to), at_(stage ? stage : to) {}

  Number* at() const { return at_; }
  // All before `end` is complete: what fills vectors may leave, but for the last, whose own stores
  // still wait behind those that go to memory.
  void advance(int64_t end) {
    end -= waiting;
    if (end <= 0) return;
    const auto past = (reinterpret_cast<uintptr_t>(to_ + end) / sizeof(Number)) % Vec::width;
    leave(end - static_cast<int64_t>(past));
  }
  void finish(int64_t end) { leave(end); }
  // All before this has left.
  int64_t left() const { return left_; }

 private:
  void leave(int64_t end) {
    if (at_ == to_ || end <= left_) return;
    copyStreaming(at_ + left_, end - left_, to_ + left_);
    left_ = end;
  }

  static constexpr int64_t waiting = 1024;
  Number *to_, *at_;
  int64_t left_ = 0;
};

}  // namespace
}  // namespace fovea
