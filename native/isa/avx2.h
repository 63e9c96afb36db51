// AVX2 with FMA and BMI2: 8 floats a vector, 16 registers.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace fovea {
namespace {

struct Vec {
  static constexpr int width = 8;
  __m256 v;
};
struct Ints {
  __m256i v;
};
struct Mask {
  __m256 v;
};

constexpr int tileRows = 6;
constexpr int tileVectors = 2;
// Packed numbers that stay in the L2 cache beside what they meet, of 512 KB.
constexpr int64_t cachedFloats = 3 << 15;

alignas(64) constexpr int32_t firstMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

// All bits of the first n lanes.
inline __m256i firstMask(int n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(firstMasks + 8 - n));
}

inline Vec load(const float* p) {
  return {_mm256_loadu_ps(p)};
}
inline Vec loadHeld(const float* p) {
  Vec x = load(p);
#if !defined(_MSC_VER)
  asm("" : "+x"(x.v));
#endif
  return x;
}
inline Vec loadFirst(const float* p, int n) {
  return {_mm256_maskload_ps(p, firstMask(n))};
}
inline void store(float* p, Vec x) {
  _mm256_storeu_ps(p, x.v);
}
inline void storeFirst(float* p, Vec x, int n) {
  _mm256_maskstore_ps(p, firstMask(n), x.v);
}
inline Ints loadInts(const int32_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
inline Ints loadFirstInts(const int32_t* p, int n) {
  return {_mm256_maskload_epi32(p, firstMask(n))};
}
inline void storeInts(int32_t* p, Ints x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.v);
}
inline void storeFirstInts(int32_t* p, Ints x, int n) {
  _mm256_maskstore_epi32(p, firstMask(n), x.v);
}
inline void prefetch(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
}
inline void storeStream(float* p, Vec x) {
  _mm256_stream_ps(p, x.v);
}
inline void storeStreamInts(int32_t* p, Ints x) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), x.v);
}
inline void streamFence() {
  _mm_sfence();
}
inline void prefetchFar(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
}
inline Vec broadcast(float x) {
  return {_mm256_set1_ps(x)};
}
inline Ints broadcastInts(int32_t x) {
  return {_mm256_set1_epi32(x)};
}
inline Ints iota() {
  return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)};
}

inline Vec operator+(Vec a, Vec b) {
  return {_mm256_add_ps(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {_mm256_sub_ps(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {_mm256_mul_ps(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {_mm256_div_ps(a.v, b.v)};
}
inline Vec operator-(Vec a) {
  return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
inline Vec fnma(Vec a, Vec b, Vec c) {
  return {_mm256_fnmadd_ps(a.v, b.v, c.v)};
}
// a / b within 1 ulp, where b, 1 / b and the quotient are normal.
inline Vec quotient(Vec a, Vec b) {
  return a / b;
}
inline Vec sqrt(Vec x) {
  return {_mm256_sqrt_ps(x.v)};
}
inline Vec abs(Vec x) {
  return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x.v)};
}
inline Vec min(Vec a, Vec b) {
  return {_mm256_min_ps(a.v, b.v)};
}
inline Vec max(Vec a, Vec b) {
  return {_mm256_max_ps(a.v, b.v)};
}
inline Vec roundNearest(Vec x) {
  return {_mm256_round_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

inline Mask less(Vec a, Vec b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)};
}
inline Mask lessEqual(Vec a, Vec b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)};
}
inline Mask equal(Vec a, Vec b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)};
}
inline Mask unordered(Vec a, Vec b) {
  return {_mm256_cmp_ps(a.v, b.v, _CMP_UNORD_Q)};
}
inline Mask isNan(Vec x) {
  return {_mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q)};
}
inline Mask operator&(Mask a, Mask b) {
  return {_mm256_and_ps(a.v, b.v)};
}
inline Mask operator|(Mask a, Mask b) {
  return {_mm256_or_ps(a.v, b.v)};
}
inline Mask operator~(Mask a) {
  return {_mm256_xor_ps(a.v, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))};
}
inline bool any(Mask a) {
  return _mm256_movemask_ps(a.v) != 0;
}
inline Vec select(Mask m, Vec yes, Vec no) {
  return {_mm256_blendv_ps(no.v, yes.v, m.v)};
}
inline Ints select(Mask m, Ints yes, Ints no) {
  return {_mm256_blendv_epi8(no.v, yes.v, _mm256_castps_si256(m.v))};
}

inline Ints operator+(Ints a, Ints b) {
  return {_mm256_add_epi32(a.v, b.v)};
}
inline Ints operator-(Ints a, Ints b) {
  return {_mm256_sub_epi32(a.v, b.v)};
}
inline Ints operator&(Ints a, Ints b) {
  return {_mm256_and_si256(a.v, b.v)};
}
inline Ints operator|(Ints a, Ints b) {
  return {_mm256_or_si256(a.v, b.v)};
}
inline Mask less(Ints a, Ints b) {
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(b.v, a.v))};
}
inline Mask equal(Ints a, Ints b) {
  return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))};
}
template <int n>
inline Ints shiftLeft(Ints a) {
  return {_mm256_slli_epi32(a.v, n)};
}
template <int n>
inline Ints shiftRight(Ints a) {
  return {_mm256_srli_epi32(a.v, n)};
}
inline Ints bits(Vec x) {
  return {_mm256_castps_si256(x.v)};
}
inline Vec floats(Ints x) {
  return {_mm256_castsi256_ps(x.v)};
}
inline Ints toInts(Vec x) {
  return {_mm256_cvtps_epi32(x.v)};
}
inline Vec toFloats(Ints x) {
  return {_mm256_cvtepi32_ps(x.v)};
}

// The same lanes in double precision, for the few functions whose middle needs it.
struct Doubles {
  __m256d low, high;
};
inline Doubles widen(Vec x) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(x.v)),
          _mm256_cvtps_pd(_mm256_extractf128_ps(x.v, 1))};
}
inline Vec narrow(Doubles x) {
  return {_mm256_set_m128(_mm256_cvtpd_ps(x.high), _mm256_cvtpd_ps(x.low))};
}
inline Doubles broadcastDoubles(double x) {
  return {_mm256_set1_pd(x), _mm256_set1_pd(x)};
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
inline Doubles operator-(Doubles a, Doubles b) {
  return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
}
inline Doubles fnma(Doubles a, Doubles b, Doubles c) {
  return {_mm256_fnmadd_pd(a.low, b.low, c.low), _mm256_fnmadd_pd(a.high, b.high, c.high)};
}
// a b + c, rounded once on every instruction set.
inline Vec fused(Vec a, Vec b, Vec c) {
  return fma(a, b, c);
}

// Folds the eight lanes into one: halves, then pairs, then neighbours.
template <class Fold>
inline float foldLanes(__m256 x, const Fold& fold) {
  const __m128 four = fold(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = fold(four, _mm_movehl_ps(four, four));
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

// Elements 0, 2, 4, … and 1, 3, 5, … of a followed by b.
template <int lanes>
inline Vec everySecond(Vec a, Vec b) {
  const __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(a.v, b.v, lanes));
  return {_mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8))};
}
inline Vec evens(Vec a, Vec b) {
  return everySecond<0x88>(a, b);
}
inline Vec odds(Vec a, Vec b) {
  return everySecond<0xdd>(a, b);
}

// a and b lane by lane: a0 b0 a1 b1 …, the first vector of it and the second.
inline Vec interleaveLow(Vec a, Vec b) {
  return {_mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x20)};
}
inline Vec interleaveHigh(Vec a, Vec b) {
  return {_mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x31)};
}

// The last lane of before, then all but the last of x.
inline Vec shiftIn(Vec before, Vec x) {
  const __m256 across = _mm256_permute2f128_ps(before.v, x.v, 0x21);
  const __m256i up = _mm256_alignr_epi8(_mm256_castps_si256(x.v), _mm256_castps_si256(across), 12);
  return {_mm256_castsi256_ps(up)};
}

// Transposes the square of `width` vectors in place: fours of rows, then the two fours.
inline void transpose(Vec* x) {
  __m256 fours[8];
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(x[i].v, x[i + 1].v));
    const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(x[i].v, x[i + 1].v));
    const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(x[i + 2].v, x[i + 3].v));
    const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(x[i + 2].v, x[i + 3].v));
    fours[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
    fours[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
    fours[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
    fours[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    x[i].v = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    x[i + 4].v = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

}  // namespace
}  // namespace fovea

#include "scale.h"
