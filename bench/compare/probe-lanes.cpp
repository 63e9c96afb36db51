// The loops of the probe on vectors of BENCH_BYTES: multiply-adds in registers, and streams through
// memory. Compiled once per instruction set, by its flags; the compiler makes a * b + c one
// instruction where there is one.
#include "probe.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace bench {
namespace {

typedef float Vec __attribute__((vector_size(BENCH_BYTES)));
constexpr long lanes = BENCH_BYTES / sizeof(float);
constexpr int chains =
    12;  // more than latency x ports of any of these processors, and few enough for 16 registers

double multiplyAdds(long count) {
  Vec sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = Vec{} + static_cast<float>(i);
  Vec factor = Vec{} + 0.999f, addend = Vec{} + 0.001f;
  for (long i = 0; i < count; ++i) {
    // Not a loop to the compiler: each sum must stay in its register.
#pragma GCC unroll 12
    for (int j = 0; j < chains; ++j) sums[j] = sums[j] * factor + addend;
    asm volatile("" : "+x"(factor), "+x"(addend));
  }
  float rest = 0;
  for (int i = 0; i < chains; ++i) rest += sums[i][0];
  asm volatile("" : : "x"(rest));
  return 2.0 * chains * lanes * static_cast<double>(count);
}

// Past the caches a store need not read the line first.
inline void store(Vec* to, Vec value, bool past) {
#if defined(__AVX512F__)
  if (past) return _mm512_stream_ps(reinterpret_cast<float*>(to), reinterpret_cast<__m512>(value));
#elif defined(__AVX__)
  if (past) return _mm256_stream_ps(reinterpret_cast<float*>(to), reinterpret_cast<__m256>(value));
#elif defined(__SSE2__)
  if (past) return _mm_stream_ps(reinterpret_cast<float*>(to), reinterpret_cast<__m128>(value));
#endif
  (void)past;
  *to = value;
}

template <bool past>
void stream(Stream kind, const float* a, const float* b, float* y, long count) {
  const Vec* x = reinterpret_cast<const Vec*>(a);
  const Vec* z = reinterpret_cast<const Vec*>(b);
  Vec* out = reinterpret_cast<Vec*>(y);
  const long vectors = count / lanes;
  switch (kind) {
    case Stream::read: {
      Vec sums[8] = {};
      for (long i = 0; i + 8 <= vectors; i += 8)
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) sums[j] += x[i + j];
      for (const Vec& sum : sums) asm volatile("" : : "x"(sum));
      break;
    }
    case Stream::copy:
#pragma GCC unroll 8
      for (long i = 0; i < vectors; ++i) store(out + i, x[i], past);
      break;
    case Stream::add:
#pragma GCC unroll 8
      for (long i = 0; i < vectors; ++i) store(out + i, x[i] + z[i], past);
      break;
    case Stream::update:
#pragma GCC unroll 8
      for (long i = 0; i < vectors; ++i) out[i] += x[i];
      break;
    case Stream::fill: {
      Vec value = Vec{} + 1.0f;
#pragma GCC unroll 8
      for (long i = 0; i < vectors; ++i) {
        asm volatile("" : "+x"(value));
        store(out + i, value, past);
      }
      break;
    }
  }
}

void chooseStream(Stream kind, const float* a, const float* b, float* y, long count, bool past) {
  (past ? stream<true> : stream<false>)(kind, a, b, y, count);
}

}  // namespace

extern const Lanes BENCH_LANES;
const Lanes BENCH_LANES = {multiplyAdds, chooseStream};

}  // namespace bench
