// SSE2, which every x86-64 processor has: 4 floats a vector, 16 registers, no fused multiply-add.
#pragma once

#include <emmintrin.h>

#include <cstdint>

namespace fovea {
namespace {

struct Vec {
  static constexpr int width = 4;
  __m128 v;
};
struct Ints {
  __m128i v;
};
struct Mask {
  __m128 v;
};

constexpr int tileRows = 6;
constexpr int tileVectors = 2;
// Packed numbers that stay in the L2 cache beside what they meet, of 512 KB.
constexpr int64_t cachedFloats = 3 << 15;

// Partial loads and stores go by pairs and singles: SSE2 has no masked memory access.
inline Vec load(const float* p) {
  return {_mm_loadu_ps(p)};
}
inline __m128 loadPair(const float* p) {
  return _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline Vec loadHeld(const float* p) {
  Vec x = load(p);
#if !defined(_MSC_VER)
  asm("" : "+x"(x.v));
#endif
  return x;
}
inline Vec loadFirst(const float* p, int n) {
  switch (n) {
    case 0:
      return {_mm_setzero_ps()};
    case 1:
      return {_mm_load_ss(p)};
    case 2:
      return {loadPair(p)};
    case 3:
      return {_mm_movelh_ps(loadPair(p), _mm_load_ss(p + 2))};
    default:
      return {_mm_loadu_ps(p)};
  }
}
inline void store(float* p, Vec x) {
  _mm_storeu_ps(p, x.v);
}
inline void storeFirst(float* p, Vec x, int n) {
  if (n == 4) {
    _mm_storeu_ps(p, x.v);
    return;
  }
  __m128 rest = x.v;
  if (n & 2) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_castps_si128(rest));
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, rest);
}
inline Ints loadInts(const int32_t* p) {
  return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
}
inline Ints loadFirstInts(const int32_t* p, int n) {
  const auto* pair = reinterpret_cast<const __m128i*>(p);
  switch (n) {
    case 0:
      return {_mm_setzero_si128()};
    case 1:
      return {_mm_cvtsi32_si128(*p)};
    case 2:
      return {_mm_loadl_epi64(pair)};
    case 3:
      return {_mm_unpacklo_epi64(_mm_loadl_epi64(pair), _mm_cvtsi32_si128(p[2]))};
    default:
      return {_mm_loadu_si128(pair)};
  }
}
inline void storeInts(int32_t* p, Ints x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x.v);
}
inline void storeFirstInts(int32_t* p, Ints x, int n) {
  storeFirst(reinterpret_cast<float*>(p), {_mm_castsi128_ps(x.v)}, n);
}
inline void prefetch(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
}
inline void storeStream(float* p, Vec x) {
  _mm_stream_ps(p, x.v);
}
inline void storeStreamInts(int32_t* p, Ints x) {
  _mm_stream_si128(reinterpret_cast<__m128i*>(p), x.v);
}
inline void streamFence() {
  _mm_sfence();
}
inline void prefetchFar(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
}
inline Vec broadcast(float x) {
  return {_mm_set1_ps(x)};
}
inline Ints broadcastInts(int32_t x) {
  return {_mm_set1_epi32(x)};
}
inline Ints iota() {
  return {_mm_setr_epi32(0, 1, 2, 3)};
}

inline Vec operator+(Vec a, Vec b) {
  return {_mm_add_ps(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {_mm_sub_ps(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {_mm_mul_ps(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {_mm_div_ps(a.v, b.v)};
}
inline Vec operator-(Vec a) {
  return {_mm_xor_ps(a.v, _mm_set1_ps(-0.0f))};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {_mm_add_ps(_mm_mul_ps(a.v, b.v), c.v)};
}
inline Vec fnma(Vec a, Vec b, Vec c) {
  return {_mm_sub_ps(c.v, _mm_mul_ps(a.v, b.v))};
}
// a / b within 1 ulp, where b, 1 / b and the quotient are normal.
inline Vec quotient(Vec a, Vec b) {
  return a / b;
}
inline Vec sqrt(Vec x) {
  return {_mm_sqrt_ps(x.v)};
}
inline Vec abs(Vec x) {
  return {_mm_andnot_ps(_mm_set1_ps(-0.0f), x.v)};
}
inline Vec min(Vec a, Vec b) {
  return {_mm_min_ps(a.v, b.v)};
}
inline Vec max(Vec a, Vec b) {
  return {_mm_max_ps(a.v, b.v)};
}

inline Mask less(Vec a, Vec b) {
  return {_mm_cmplt_ps(a.v, b.v)};
}
inline Mask lessEqual(Vec a, Vec b) {
  return {_mm_cmple_ps(a.v, b.v)};
}
inline Mask equal(Vec a, Vec b) {
  return {_mm_cmpeq_ps(a.v, b.v)};
}
inline Mask unordered(Vec a, Vec b) {
  return {_mm_cmpunord_ps(a.v, b.v)};
}
inline Mask isNan(Vec x) {
  return {_mm_cmpunord_ps(x.v, x.v)};
}
inline Mask operator&(Mask a, Mask b) {
  return {_mm_and_ps(a.v, b.v)};
}
inline Mask operator|(Mask a, Mask b) {
  return {_mm_or_ps(a.v, b.v)};
}
inline Mask operator~(Mask a) {
  return {_mm_xor_ps(a.v, _mm_castsi128_ps(_mm_set1_epi32(-1)))};
}
inline bool any(Mask a) {
  return _mm_movemask_ps(a.v) != 0;
}
inline Vec select(Mask m, Vec yes, Vec no) {
  return {_mm_or_ps(_mm_and_ps(m.v, yes.v), _mm_andnot_ps(m.v, no.v))};
}

inline Ints operator+(Ints a, Ints b) {
  return {_mm_add_epi32(a.v, b.v)};
}
inline Ints operator-(Ints a, Ints b) {
  return {_mm_sub_epi32(a.v, b.v)};
}
inline Ints operator&(Ints a, Ints b) {
  return {_mm_and_si128(a.v, b.v)};
}
inline Ints operator|(Ints a, Ints b) {
  return {_mm_or_si128(a.v, b.v)};
}
inline Mask less(Ints a, Ints b) {
  return {_mm_castsi128_ps(_mm_cmplt_epi32(a.v, b.v))};
}
inline Mask equal(Ints a, Ints b) {
  return {_mm_castsi128_ps(_mm_cmpeq_epi32(a.v, b.v))};
}
inline Ints select(Mask m, Ints yes, Ints no) {
  const __m128i mask = _mm_castps_si128(m.v);
  return {_mm_or_si128(_mm_and_si128(mask, yes.v), _mm_andnot_si128(mask, no.v))};
}
template <int n>
inline Ints shiftLeft(Ints a) {
  return {_mm_slli_epi32(a.v, n)};
}
template <int n>
inline Ints shiftRight(Ints a) {
  return {_mm_srli_epi32(a.v, n)};
}
inline Ints bits(Vec x) {
  return {_mm_castps_si128(x.v)};
}
inline Vec floats(Ints x) {
  return {_mm_castsi128_ps(x.v)};
}
inline Ints toInts(Vec x) {
  return {_mm_cvtps_epi32(x.v)};
}
inline Vec toFloats(Ints x) {
  return {_mm_cvtepi32_ps(x.v)};
}

// Adding 2^23 pushes the fraction out of the register; from 2^23 on a float is an integer already.
inline Vec roundNearest(Vec x) {
  const __m128 sign = _mm_and_ps(x.v, _mm_set1_ps(-0.0f));
  const __m128 size = _mm_andnot_ps(_mm_set1_ps(-0.0f), x.v);
  const __m128 big = _mm_set1_ps(8388608.0f);
  const __m128 rounded = _mm_or_ps(_mm_sub_ps(_mm_add_ps(size, big), big), sign);
  return select(Mask{_mm_cmplt_ps(size, big)}, Vec{rounded}, x);
}

// The same lanes in double precision, for the few functions whose middle needs it.
struct Doubles {
  __m128d low, high;
};
inline Doubles widen(Vec x) {
  return {_mm_cvtps_pd(x.v), _mm_cvtps_pd(_mm_movehl_ps(x.v, x.v))};
}
inline Vec narrow(Doubles x) {
  return {_mm_movelh_ps(_mm_cvtpd_ps(x.low), _mm_cvtpd_ps(x.high))};
}
inline Doubles broadcastDoubles(double x) {
  return {_mm_set1_pd(x), _mm_set1_pd(x)};
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {_mm_add_pd(a.low, b.low), _mm_add_pd(a.high, b.high)};
}
inline Doubles operator-(Doubles a, Doubles b) {
  return {_mm_sub_pd(a.low, b.low), _mm_sub_pd(a.high, b.high)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {_mm_mul_pd(a.low, b.low), _mm_mul_pd(a.high, b.high)};
}
inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return a * b + c;
}
inline Doubles fnma(Doubles a, Doubles b, Doubles c) {
  return c - a * b;
}
// a b + c, rounded once on every instruction set.
inline Vec fused(Vec a, Vec b, Vec c) {
  return narrow(fma(widen(a), widen(b), widen(c)));
}

// Folds the four lanes into one: halves, then neighbours.
template <class Fold>
inline float foldLanes(__m128 x, const Fold& fold) {
  const __m128 two = fold(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(fold(two, _mm_shuffle_ps(two, two, 1)));
}
inline float sum(Vec x) {
  return foldLanes(x.v, [](__m128 a, __m128 b) { return _mm_add_ps(a, b); });
}
inline float largest(Vec x) {
  return foldLanes(x.v, [](__m128 a, __m128 b) { return _mm_max_ps(a, b); });
}
inline float smallest(Vec x) {
  return foldLanes(x.v, [](__m128 a, __m128 b) { return _mm_min_ps(a, b); });
}

// Elements 0, 2 and 1, 3 of a followed by b.
inline Vec evens(Vec a, Vec b) {
  return {_mm_shuffle_ps(a.v, b.v, 0x88)};
}
inline Vec odds(Vec a, Vec b) {
  return {_mm_shuffle_ps(a.v, b.v, 0xdd)};
}

// a and b lane by lane: a0 b0 a1 b1, a2 b2 a3 b3.
inline Vec interleaveLow(Vec a, Vec b) {
  return {_mm_unpacklo_ps(a.v, b.v)};
}
inline Vec interleaveHigh(Vec a, Vec b) {
  return {_mm_unpackhi_ps(a.v, b.v)};
}

// The last lane of before, then all but the last of x.
inline Vec shiftIn(Vec before, Vec x) {
  const __m128 ends = _mm_shuffle_ps(before.v, x.v, _MM_SHUFFLE(0, 0, 3, 3));
  return {_mm_shuffle_ps(ends, x.v, _MM_SHUFFLE(2, 1, 2, 0))};
}

// Transposes the square of `width` vectors in place.
inline void transpose(Vec* x) {
  const __m128 a = _mm_unpacklo_ps(x[0].v, x[1].v);
  const __m128 b = _mm_unpackhi_ps(x[0].v, x[1].v);
  const __m128 c = _mm_unpacklo_ps(x[2].v, x[3].v);
  const __m128 d = _mm_unpackhi_ps(x[2].v, x[3].v);
  x[0].v = _mm_movelh_ps(a, c);
  x[1].v = _mm_movehl_ps(c, a);
  x[2].v = _mm_movelh_ps(b, d);
  x[3].v = _mm_movehl_ps(d, b);
}

}  // namespace
}  // namespace fovea

#include "scale.h"
