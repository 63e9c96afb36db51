// A test is a function of checks; a program of tests ends with the number that failed.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>

namespace fovea::test {

inline std::atomic<int> checks{0}, failures{0};

inline void check(bool passed, const char* file, int line, const char* condition) {
  ++checks;
  if (passed) return;
  ++failures;
  std::printf("%s:%d: failed: %s\n", file, line, condition);
}
#define CHECK(...) \
  ::fovea::test::check(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)

inline int report(const char* name) {
  std::printf("%s: %d checks, %d failed\n", name, checks.load(), failures.load());
  return failures == 0 ? 0 : 1;
}

// SplitMix64: the same sequence everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // In [0, count).
  int below(int count) { return static_cast<int>(next() % static_cast<uint64_t>(count)); }
  bool chance(double probability) { return unit() < probability; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  float between(float low, float high) { return low + (high - low) * static_cast<float>(unit()); }
  template <class T, int count>
  T pick(const T (&values)[count]) {
    return values[below(count)];
  }

 private:
  uint64_t state_;
};

}  // namespace fovea::test
