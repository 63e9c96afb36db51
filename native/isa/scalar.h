// Plain C++: one float a vector. The fallback of last resort, and the plainest form to debug.
#pragma once

// GCC 12 and its neighbours, when they turn two adjacent floats into a vector, also read the two
// that a next turn of the loop would read, even after the last: beyond the end of a buffer.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-vectorize")
#endif

#include <cmath>
#include <cstdint>
#include <cstring>

namespace fovea {
namespace {

struct Vec {
  static constexpr int width = 1;
  float v;
};
struct Ints {
  int32_t v;
};
struct Mask {
  bool v;
};

constexpr int tileRows = 4;
constexpr int tileVectors = 4;
// Packed numbers that stay in the L2 cache beside what they meet, of 512 KB.
constexpr int64_t cachedFloats = 3 << 15;

inline Vec load(const float* p) {
  return {*p};
}
inline Vec loadHeld(const float* p) {
  return load(p);
}
inline Vec loadFirst(const float* p, int n) {
  return {n > 0 ? *p : 0.0f};
}
inline void store(float* p, Vec x) {
  *p = x.v;
}
inline void storeFirst(float* p, Vec x, int n) {
  if (n > 0) *p = x.v;
}
inline Ints loadInts(const int32_t* p) {
  return {*p};
}
inline Ints loadFirstInts(const int32_t* p, int n) {
  return {n > 0 ? *p : 0};
}
inline void storeInts(int32_t* p, Ints x) {
  *p = x.v;
}
inline void storeFirstInts(int32_t* p, Ints x, int n) {
  if (n > 0) *p = x.v;
}
inline void prefetch(const float*) {}
inline void storeStream(float* p, Vec x) {
  *p = x.v;
}
inline void storeStreamInts(int32_t* p, Ints x) {
  *p = x.v;
}
inline void streamFence() {}
inline void prefetchFar(const float*) {}
inline Vec broadcast(float x) {
  return {x};
}
inline Ints broadcastInts(int32_t x) {
  return {x};
}
inline Ints iota() {
  return {0};
}

inline Vec operator+(Vec a, Vec b) {
  return {a.v + b.v};
}
inline Vec operator-(Vec a, Vec b) {
  return {a.v - b.v};
}
inline Vec operator*(Vec a, Vec b) {
  return {a.v * b.v};
}
inline Vec operator/(Vec a, Vec b) {
  return {a.v / b.v};
}
inline Vec operator-(Vec a) {
  return {-a.v};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {a.v * b.v + c.v};
}
inline Vec fnma(Vec a, Vec b, Vec c) {
  return {c.v - a.v * b.v};
}
// a / b within 1 ulp, where b, 1 / b and the quotient are normal.
inline Vec quotient(Vec a, Vec b) {
  return a / b;
}
inline Vec sqrt(Vec x) {
  return {std::sqrt(x.v)};
}
inline Vec abs(Vec x) {
  return {std::fabs(x.v)};
}
inline Vec min(Vec a, Vec b) {
  return {a.v < b.v ? a.v : b.v};
}
inline Vec max(Vec a, Vec b) {
  return {a.v > b.v ? a.v : b.v};
}
inline Vec roundNearest(Vec x) {
  return {std::nearbyint(x.v)};
}

inline Mask less(Vec a, Vec b) {
  return {a.v < b.v};
}
inline Mask lessEqual(Vec a, Vec b) {
  return {a.v <= b.v};
}
inline Mask equal(Vec a, Vec b) {
  return {a.v == b.v};
}
inline Mask unordered(Vec a, Vec b) {
  return {a.v != a.v || b.v != b.v};
}
inline Mask isNan(Vec x) {
  return {x.v != x.v};
}
inline Mask operator&(Mask a, Mask b) {
  return {a.v && b.v};
}
inline Mask operator|(Mask a, Mask b) {
  return {a.v || b.v};
}
inline Mask operator~(Mask a) {
  return {!a.v};
}
inline bool any(Mask a) {
  return a.v;
}
inline Vec select(Mask m, Vec yes, Vec no) {
  return m.v ? yes : no;
}
inline Ints select(Mask m, Ints yes, Ints no) {
  return m.v ? yes : no;
}

inline Ints wrap(uint32_t x) {
  return {static_cast<int32_t>(x)};
}
inline uint32_t word(Ints x) {
  return static_cast<uint32_t>(x.v);
}
inline Ints operator+(Ints a, Ints b) {
  return wrap(word(a) + word(b));
}
inline Ints operator-(Ints a, Ints b) {
  return wrap(word(a) - word(b));
}
inline Ints operator&(Ints a, Ints b) {
  return wrap(word(a) & word(b));
}
inline Ints operator|(Ints a, Ints b) {
  return wrap(word(a) | word(b));
}
inline Mask less(Ints a, Ints b) {
  return {a.v < b.v};
}
inline Mask equal(Ints a, Ints b) {
  return {a.v == b.v};
}
template <int n>
inline Ints shiftLeft(Ints a) {
  return wrap(word(a) << n);
}
template <int n>
inline Ints shiftRight(Ints a) {
  return wrap(word(a) >> n);
}
inline Ints bits(Vec x) {
  Ints r;
  std::memcpy(&r.v, &x.v, 4);
  return r;
}
inline Vec floats(Ints x) {
  Vec r;
  std::memcpy(&r.v, &x.v, 4);
  return r;
}
// As x86 does, a value no int32 can hold becomes the smallest int32.
inline Ints toInts(Vec x) {
  return {x.v >= -2147483648.0f && x.v < 2147483648.0f ? static_cast<int32_t>(std::nearbyint(x.v))
                                                       : INT32_MIN};
}
inline Vec toFloats(Ints x) {
  return {static_cast<float>(x.v)};
}

// The same lanes in double precision, for the few functions whose middle needs it.
struct Doubles {
  double v;
};
inline Doubles widen(Vec x) {
  return {static_cast<double>(x.v)};
}
inline Vec narrow(Doubles x) {
  return {static_cast<float>(x.v)};
}
inline Doubles broadcastDoubles(double x) {
  return {x};
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {a.v + b.v};
}
inline Doubles operator-(Doubles a, Doubles b) {
  return {a.v - b.v};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {a.v * b.v};
}
inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return {a.v * b.v + c.v};
}
inline Doubles fnma(Doubles a, Doubles b, Doubles c) {
  return {c.v - a.v * b.v};
}
// a b + c, rounded once on every instruction set.
inline Vec fused(Vec a, Vec b, Vec c) {
  return narrow(fma(widen(a), widen(b), widen(c)));
}

inline float sum(Vec x) {
  return x.v;
}
inline float largest(Vec x) {
  return x.v;
}
inline float smallest(Vec x) {
  return x.v;
}

// Elements 0, 2, 4, … and 1, 3, 5, … of a followed by b.
inline Vec evens(Vec a, Vec) {
  return a;
}
inline Vec odds(Vec, Vec b) {
  return b;
}

// a and b lane by lane: a0 b0 a1 b1 …, the first vector of it and the second.
inline Vec interleaveLow(Vec a, Vec) {
  return a;
}
inline Vec interleaveHigh(Vec, Vec b) {
  return b;
}

// The last lane of before, then all but the last of x.
inline Vec shiftIn(Vec before, Vec) {
  return before;
}

// Transposes the square of `width` vectors in place: one element stays where it is.
inline void transpose(Vec*) {}

}  // namespace
}  // namespace fovea

#include "scale.h"
