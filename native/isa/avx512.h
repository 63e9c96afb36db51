// AVX-512 (F, BW, DQ, VL): 16 floats a vector, 32 registers, masked tails.
#pragma once

// GCC 12's own header leaves undefined vectors undefined and then warns of it (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <cstdint>

namespace fovea {
namespace {

struct Vec {
  static constexpr int width = 16;
  __m512 v;
};
struct Ints {
  __m512i v;
};
struct Mask {
  __mmask16 v;
};

// GEMM register tile: rows x (vectors * width) accumulators.
constexpr int tileRows = 14;
constexpr int tileVectors = 2;
// Packed numbers that stay in the L2 cache beside what they meet, of 2 MB.
constexpr int64_t cachedFloats = 1 << 18;

inline __mmask16 firstMask(int n) {
  return static_cast<__mmask16>(_bzhi_u32(0xffff, n));
}

// Memory: any alignment. The `First` forms touch only n elements, 0 <= n <= width; loads fill with
// 0.
inline Vec load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
// Loaded once, however often it is used: compilers would rather read memory again for each use.
inline Vec loadHeld(const float* p) {
  Vec x = load(p);
#if !defined(_MSC_VER)
  asm("" : "+v"(x.v));
#endif
  return x;
}
inline Vec loadFirst(const float* p, int n) {
  return {_mm512_maskz_loadu_ps(firstMask(n), p)};
}
inline void store(float* p, Vec x) {
  _mm512_storeu_ps(p, x.v);
}
inline void storeFirst(float* p, Vec x, int n) {
  _mm512_mask_storeu_ps(p, firstMask(n), x.v);
}
inline Ints loadInts(const int32_t* p) {
  return {_mm512_loadu_si512(p)};
}
inline Ints loadFirstInts(const int32_t* p, int n) {
  return {_mm512_maskz_loadu_epi32(firstMask(n), p)};
}
inline void storeInts(int32_t* p, Ints x) {
  _mm512_storeu_si512(p, x.v);
}
inline void storeFirstInts(int32_t* p, Ints x, int n) {
  _mm512_mask_storeu_epi32(p, firstMask(n), x.v);
}
// Asks for the cache line of p, which need not be readable.
inline void prefetch(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
}
// Past the caches, to a p aligned to the vector: for results larger than they are. After the last
// of them, streamFence() lets other threads see them in order.
inline void storeStream(float* p, Vec x) {
  _mm512_stream_ps(p, x.v);
}
inline void storeStreamInts(int32_t* p, Ints x) {
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p), x.v);
}
inline void streamFence() {
  _mm_sfence();
}
// Asks for the cache line of p in the L2 cache.
inline void prefetchFar(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
}
inline Vec broadcast(float x) {
  return {_mm512_set1_ps(x)};
}
inline Ints broadcastInts(int32_t x) {
  return {_mm512_set1_epi32(x)};
}
inline Ints iota() {
  return {_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)};
}

inline Vec operator+(Vec a, Vec b) {
  return {_mm512_add_ps(a.v, b.v)};
}
inline Vec operator-(Vec a, Vec b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
inline Vec operator*(Vec a, Vec b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
inline Vec operator/(Vec a, Vec b) {
  return {_mm512_div_ps(a.v, b.v)};
}
inline Vec operator-(Vec a) {
  return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}  // a b + c
inline Vec fnma(Vec a, Vec b, Vec c) {
  return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
}  // c - a b
// a / b within 1 ulp, where b, 1 / b and the quotient are normal: an estimate, refined once.
inline Vec quotient(Vec a, Vec b) {
  const Vec estimate = {_mm512_rcp14_ps(b.v)}, q = a * estimate;
  return fma(fnma(q, b, a), estimate, q);
}
inline Vec sqrt(Vec x) {
  return {_mm512_sqrt_ps(x.v)};
}
inline Vec abs(Vec x) {
  return {_mm512_abs_ps(x.v)};
}
// min and max with a NaN: the result is b where a is NaN, NaN where b is (else a NaN too on NEON).
inline Vec min(Vec a, Vec b) {
  return {_mm512_min_ps(a.v, b.v)};
}
inline Vec max(Vec a, Vec b) {
  return {_mm512_max_ps(a.v, b.v)};
}
inline Vec roundNearest(Vec x) {
  return {_mm512_roundscale_ps(x.v, _MM_FROUND_TO_NEAREST_INT)};
}

// Comparisons are false where an operand is NaN.
inline Mask less(Vec a, Vec b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
}
inline Mask lessEqual(Vec a, Vec b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)};
}
inline Mask equal(Vec a, Vec b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)};
}
// Either is NaN.
inline Mask unordered(Vec a, Vec b) {
  return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_UNORD_Q)};
}
inline Mask isNan(Vec x) {
  return {_mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q)};
}
inline Mask operator&(Mask a, Mask b) {
  return {static_cast<__mmask16>(a.v & b.v)};
}
inline Mask operator|(Mask a, Mask b) {
  return {static_cast<__mmask16>(a.v | b.v)};
}
inline Mask operator~(Mask a) {
  return {static_cast<__mmask16>(~a.v)};
}
inline bool any(Mask a) {
  return a.v != 0;
}
inline Vec select(Mask m, Vec yes, Vec no) {
  return {_mm512_mask_blend_ps(m.v, no.v, yes.v)};
}
inline Ints select(Mask m, Ints yes, Ints no) {
  return {_mm512_mask_blend_epi32(m.v, no.v, yes.v)};
}

// Integers wrap; bits and floats reinterpret; toInts rounds to nearest.
inline Ints operator+(Ints a, Ints b) {
  return {_mm512_add_epi32(a.v, b.v)};
}
inline Ints operator-(Ints a, Ints b) {
  return {_mm512_sub_epi32(a.v, b.v)};
}
inline Ints operator&(Ints a, Ints b) {
  return {_mm512_and_si512(a.v, b.v)};
}
inline Ints operator|(Ints a, Ints b) {
  return {_mm512_or_si512(a.v, b.v)};
}
inline Mask less(Ints a, Ints b) {
  return {_mm512_cmplt_epi32_mask(a.v, b.v)};
}
inline Mask equal(Ints a, Ints b) {
  return {_mm512_cmpeq_epi32_mask(a.v, b.v)};
}
template <int n>
inline Ints shiftLeft(Ints a) {
  return {_mm512_slli_epi32(a.v, n)};
}
template <int n>
inline Ints shiftRight(Ints a) {
  return {_mm512_srli_epi32(a.v, n)};
}  // zeros come in
inline Ints bits(Vec x) {
  return {_mm512_castps_si512(x.v)};
}
inline Vec floats(Ints x) {
  return {_mm512_castsi512_ps(x.v)};
}
inline Ints toInts(Vec x) {
  return {_mm512_cvtps_epi32(x.v)};
}
inline Vec toFloats(Ints x) {
  return {_mm512_cvtepi32_ps(x.v)};
}

// x 2^n for whole n, rounded once.
inline Vec scaleByPowerOf2(Vec x, Vec n) {
  return {_mm512_scalef_ps(x.v, n.v)};
}

// The same lanes in double precision, for the few functions whose middle needs it.
struct Doubles {
  __m512d low, high;
};
inline Doubles widen(Vec x) {
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(x.v)),
          _mm512_cvtps_pd(_mm512_extractf32x8_ps(x.v, 1))};
}
inline Vec narrow(Doubles x) {
  return {_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low)),
                             _mm512_cvtpd_ps(x.high), 1)};
}
inline Doubles broadcastDoubles(double x) {
  return {_mm512_set1_pd(x), _mm512_set1_pd(x)};
}
inline Doubles operator+(Doubles a, Doubles b) {
  return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
}
inline Doubles operator-(Doubles a, Doubles b) {
  return {_mm512_sub_pd(a.low, b.low), _mm512_sub_pd(a.high, b.high)};
}
inline Doubles operator*(Doubles a, Doubles b) {
  return {_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}
inline Doubles fma(Doubles a, Doubles b, Doubles c) {
  return {_mm512_fmadd_pd(a.low, b.low, c.low), _mm512_fmadd_pd(a.high, b.high, c.high)};
}
inline Doubles fnma(Doubles a, Doubles b, Doubles c) {
  return {_mm512_fnmadd_pd(a.low, b.low, c.low), _mm512_fnmadd_pd(a.high, b.high, c.high)};
}
// a b + c, rounded once on every instruction set.
inline Vec fused(Vec a, Vec b, Vec c) {
  return fma(a, b, c);
}

inline float sum(Vec x) {
  return _mm512_reduce_add_ps(x.v);
}
inline float largest(Vec x) {
  return _mm512_reduce_max_ps(x.v);
}
inline float smallest(Vec x) {
  return _mm512_reduce_min_ps(x.v);
}

// Elements 0, 2, 4, … and 1, 3, 5, … of a followed by b.
inline Vec evens(Vec a, Vec b) {
  const __m512i lanes =
      _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return {_mm512_permutex2var_ps(a.v, lanes, b.v)};
}
inline Vec odds(Vec a, Vec b) {
  const __m512i lanes =
      _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return {_mm512_permutex2var_ps(a.v, lanes, b.v)};
}

// a and b lane by lane: a0 b0 a1 b1 …, the first vector of it and the second.
inline Vec interleaveLow(Vec a, Vec b) {
  const __m512i lanes = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return {_mm512_permutex2var_ps(a.v, lanes, b.v)};
}
inline Vec interleaveHigh(Vec a, Vec b) {
  const __m512i lanes =
      _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return {_mm512_permutex2var_ps(a.v, lanes, b.v)};
}

// The last lane of before, then all but the last of x.
inline Vec shiftIn(Vec before, Vec x) {
  const __m512i up =
      _mm512_alignr_epi32(_mm512_castps_si512(x.v), _mm512_castps_si512(before.v), 15);
  return {_mm512_castsi512_ps(up)};
}

// Transposes the square of `width` vectors in place: fours of rows, then fours of fours.
inline void transpose(Vec* x) {
  __m512 pairs[16], fours[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(x[i].v, x[i + 1].v);
    pairs[i + 1] = _mm512_unpackhi_ps(x[i].v, x[i + 1].v);
  }
  const auto pairUp = [](__m512 a, __m512 b, bool high) {
    const __m512d p = _mm512_castps_pd(a), q = _mm512_castps_pd(b);
    return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(p, q) : _mm512_unpacklo_pd(p, q));
  };
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    fours[i] = pairUp(pairs[i], pairs[i + 2], false);
    fours[i + 1] = pairUp(pairs[i], pairs[i + 2], true);
    fours[i + 2] = pairUp(pairs[i + 1], pairs[i + 3], false);
    fours[i + 3] = pairUp(pairs[i + 1], pairs[i + 3], true);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512 even0 = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0x88);
    const __m512 even1 = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0x88);
    const __m512 odd0 = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0xdd);
    const __m512 odd1 = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0xdd);
    x[i].v = _mm512_shuffle_f32x4(even0, even1, 0x88);
    x[i + 4].v = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
    x[i + 8].v = _mm512_shuffle_f32x4(even0, even1, 0xdd);
    x[i + 12].v = _mm512_shuffle_f32x4(odd0, odd1, 0xdd);
  }
}

}  // namespace
}  // namespace fovea
