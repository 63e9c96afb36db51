// NEON, which every arm64 processor has: 4 floats a vector, 32 registers.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace fovea {
namespace {

struct Vec {
  static constexpr int width = 4;
  float32x4_t v;
};
struct Ints {
  int32x4_t v;
};
struct Mask {
  uint32x4_t v;
};

constexpr int tileRows = 6;
constexpr int tileVectors = 4;
// Packed numbers that stay in the L2 cache beside what they meet, of 512 KB.
constexpr int64_t cachedFloats = 3 << 15;

// Partial loads and stores go by pairs and singles: NEON has no masked memory access.
inline Vec load(const float* p) {
  return {vld1q_f32(p)};
}
inline Vec loadHeld(const float* p) {
  Vec x = load(p);
#if !defined(_MSC_VER)
  asm("" : "+w"(x.v));
#endif
  return x;
}
inline Vec loadFirst(const float* p, int n) {
  const float32x4_t zero = vdupq_n_f32(0);
  switch (n) {
    case 0:
      return {zero};
    case 1:
      return {vld1q_lane_f32(p, zero, 0)};
    case 2:
      return {vcombine_f32(vld1_f32(p), vdup_n_f32(0))};
    case 3:
      return {vcombine_f32(vld1_f32(p), vld1_lane_f32(p + 2, vdup_n_f32(0), 0))};
    default:
      return {vld1q_f32(p)};
  }
}
inline void store(float* p, Vec x) {
  vst1q_f32(p, x.v);
}
inline void storeFirst(float* p, Vec x, int n) {
  if (n == 4) {
    vst1q_f32(p, x.v);
    return;
  }
  float32x2_t rest = vget_low_f32(x.v);
  if (n & 2) {
    vst1_f32(p, rest);
    rest = vget_high_f32(x.v);
    p += 2;
  }
  if (n & 1) vst1_lane_f32(p, rest, 0);
}
inline Ints loadInts(const int32_t* p) {
  return {vld1q_s32(p)};
}
inline Ints loadFirstInts(const int32_t* p, int n) {
  const int32x2_t zero = vdup_n_s32(0);
  switch (n) {
    case 0:
      return {vdupq_n_s32(0)};
    case 1:
      return {vcombine_s32(vld1_lane_s32(p, zero, 0), zero)};
    case 2:
      return {vcombine_s32(vld1_s32(p), zero)};
    case 3:
      return {vcombine_s32(vld1_s32(p), vld1_lane_s32(p + 2, zero, 0))};
    default:
      return {vld1q_s32(p)};
  }
}
inline void storeInts(int32_t* p, Ints x) {
  vst1q_s32(p, x.v);
}
inline void storeFirstInts(int32_t* p, Ints x, int n) {
  storeFirst(reinterpret_cast<float*>(p), {vreinterpretq_f32_s32(x.v)}, n);
}
inline void prefetch(const float* p) {
#if defined(_MSC_VER)
  __prefetch(p);
#else
  __builtin_prefetch(p);
#endif
}
inline void storeStream(float* p, Vec x) {
  store(p, x);
}
inline void storeStreamInts(int32_t* p, Ints x) {
  storeInts(p, x);
}
inline void streamFence() {}
inline void prefetchFar(const float* p) {
#if defined(_MSC_VER)
  __prefetch(p);
#else
  __builtin_prefetch(p, 0, 2);
#endif
}
inline Vec broadcast(float x) {
  return {vdupq_n_f32(x)};
}
inline Ints broadcastInts(int32_t x) {
  return {vdupq_n_s32(x)};
}
inline Ints iota() {
  const int32_t lanes[4] = {0, 1, 2, 3};
  return {vld1q_s32(lanes)};
}

inline Vec operator+(Vec a, Vec b) {
  return {vaddq_f32(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {vsubq_f32(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {vmulq_f32(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {vdivq_f32(a.v, b.v)};
}
inline Vec operator-(Vec a) {
  return {vnegq_f32(a.v)};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {vfmaq_f32(c.v, a.v, b.v)};
}
inline Vec fnma(Vec a, Vec b, Vec c) {
  return {vfmsq_f32(c.v, a.v, b.v)};
}
// a / b within 1 ulp, where b, 1 / b and the quotient are normal.
inline Vec quotient(Vec a, Vec b) {
  return a / b;
}
inline Vec sqrt(Vec x) {
  return {vsqrtq_f32(x.v)};
}
inline Vec abs(Vec x) {
  return {vabsq_f32(x.v)};
}
inline Vec min(Vec a, Vec b) {
  return {vminq_f32(a.v, b.v)};
}
inline Vec max(Vec a, Vec b) {
  return {vmaxq_f32(a.v, b.v)};
}
inline Vec roundNearest(Vec x) {
  return {vrndnq_f32(x.v)};
}

inline Mask less(Vec a, Vec b) {
  return {vcltq_f32(a.v, b.v)};
}
inline Mask lessEqual(Vec a, Vec b) {
  return {vcleq_f32(a.v, b.v)};
}
inline Mask equal(Vec a, Vec b) {
  return {vceqq_f32(a.v, b.v)};
}
inline Mask unordered(Vec a, Vec b) {
  return {vmvnq_u32(vandq_u32(vceqq_f32(a.v, a.v), vceqq_f32(b.v, b.v)))};
}
inline Mask isNan(Vec x) {
  return {vmvnq_u32(vceqq_f32(x.v, x.v))};
}
inline Mask operator&(Mask a, Mask b) {
  return {vandq_u32(a.v, b.v)};
}
inline Mask operator|(Mask a, Mask b) {
  return {vorrq_u32(a.v, b.v)};
}
inline Mask operator~(Mask a) {
  return {vmvnq_u32(a.v)};
}
inline bool any(Mask a) {
  return vmaxvq_u32(a.v) != 0;
}
inline Vec select(Mask m, Vec yes, Vec no) {
  return {vbslq_f32(m.v, yes.v, no.v)};
}
inline Ints select(Mask m, Ints yes, Ints no) {
  return {vbslq_s32(m.v, yes.v, no.v)};
}

inline Ints operator+(Ints a, Ints b) {
  return {vaddq_s32(a.v, b.v)};
}
inline Ints operator-(Ints a, Ints b) {
  return {vsubq_s32(a.v, b.v)};
}
inline Ints operator&(Ints a, Ints b) {
  return {vandq_s32(a.v, b.v)};
}
inline Ints operator|(Ints a, Ints b) {
  return {vorrq_s32(a.v, b.v)};
}
inline Mask less(Ints a, Ints b) {
  return {vcltq_s32(a.v, b.v)};
}
inline Mask equal(Ints a, Ints b) {
  return {vceqq_s32(a.v, b.v)};
}
template <int n>
inline Ints shiftLeft(Ints a) {
  return {vshlq_n_s32(a.v, n)};
}
template <int n>
inline Ints shiftRight(Ints a) {
  return {vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a.v), n))};
}
inline Ints bits(Vec x) {
  return {vreinterpretq_s32_f32(x.v)};
}
inline Vec floats(Ints x) {
  return {vreinterpretq_f32_s32(x.v)};
}
// As x86 does, a value no int32 can hold becomes the smallest int32: NEON alone would saturate.
inline Ints toInts(Vec x) {
  const uint32x4_t fits = vandq_u32(vcgeq_f32(x.v, vdupq_n_f32(-2147483648.0f)),
                                    vcltq_f32(x.v, vdupq_n_f32(2147483648.0f)));
  return {vbslq_s32(fits, vcvtnq_s32_f32(x.v), vdupq_n_s32(INT32_MIN))};
}
inline Vec toFloats(Ints x) {
  return {vcvtq_f32_s32(x.v)};
}

// The same lanes in double precision, for the few functions whose middle needs it.
struct Doubles {
  float64x2_t low, high;
};
inline Doubles widen(Vec x) {
  return {vcvt_f64_f32(vget_low_f32(x.v)), vcvt_high_f64_f32(x.v)};
}
inline Vec narrow(Doubles x) {
  return {vcvt_high_f32_f64(vcvt_f32_f64(x.low), x.high)};
}
inline Doubles broadcastDoubles(double x) {
  return {vdupq_n_f64(x), vdupq_n_f64(x)};
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)};
}
inline Doubles operator-(Doubles a, Doubles b) {
  return {vsubq_f64(a.low, b.low), vsubq_f64(a.high, b.high)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {vmulq_f64(a.low, b.low), vmulq_f64(a.high, b.high)};
}
inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return {vfmaq_f64(c.low, a.low, b.low), vfmaq_f64(c.high, a.high, b.high)};
}
inline Doubles fnma(Doubles a, Doubles b, Doubles c) {
  return {vfmsq_f64(c.low, a.low, b.low), vfmsq_f64(c.high, a.high, b.high)};
}
// a b + c, rounded once on every instruction set.
inline Vec fused(Vec a, Vec b, Vec c) {
  return fma(a, b, c);
}

inline float sum(Vec x) {
  return vaddvq_f32(x.v);
}
inline float largest(Vec x) {
  return vmaxvq_f32(x.v);
}
inline float smallest(Vec x) {
  return vminvq_f32(x.v);
}

// Elements 0, 2 and 1, 3 of a followed by b.
inline Vec evens(Vec a, Vec b) {
  return {vuzp1q_f32(a.v, b.v)};
}
inline Vec odds(Vec a, Vec b) {
  return {vuzp2q_f32(a.v, b.v)};
}

// a and b lane by lane: a0 b0 a1 b1, a2 b2 a3 b3.
inline Vec interleaveLow(Vec a, Vec b) {
  return {vzip1q_f32(a.v, b.v)};
}
inline Vec interleaveHigh(Vec a, Vec b) {
  return {vzip2q_f32(a.v, b.v)};
}

// The last lane of before, then all but the last of x.
inline Vec shiftIn(Vec before, Vec x) {
  return {vextq_f32(before.v, x.v, 3)};
}

// Transposes the square of `width` vectors in place.
inline void transpose(Vec* x) {
  const float32x4x2_t a = vtrnq_f32(x[0].v, x[1].v);
  const float32x4x2_t b = vtrnq_f32(x[2].v, x[3].v);
  x[0].v = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  x[1].v = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  x[2].v = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  x[3].v = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

}  // namespace
}  // namespace fovea

#include "scale.h"
