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

/** One pass over a stream, `parts` places of it at a time: several rows in flight keep more of
 * memory busy. */
template <Stream kind, bool past, int parts>
void pass(const Vec* x, const Vec* z, Vec* y, long vectors) {
  constexpr int steps = 8 / parts;
  const long part = vectors / parts;
  Vec sums[8] = {};
  Vec filling = Vec{} + 1.0f;
  for (long i = 0; i < part; i += steps) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      const long at = (j % parts) * part + i + j / parts;
      if (kind == Stream::read) sums[j] += x[at];
      if (kind == Stream::copy) store(y + at, x[at], past);
      if (kind == Stream::add) store(y + at, x[at] + z[at], past);
      if (kind == Stream::update) y[at] += x[at];
      if (kind == Stream::fill) {
        asm volatile("" : "+x"(filling));
        store(y + at, filling, past);
      }
    }
  }
  for (const Vec& sum : sums) asm volatile("" : : "x"(sum));
}

template <Stream kind>
void passOf(const float* a, const float* b, float* out, long count, bool past, bool parted) {
  const Vec *x = reinterpret_cast<const Vec*>(a), *z = reinterpret_cast<const Vec*>(b);
  Vec* y = reinterpret_cast<Vec*>(out);
  const auto chosen = parted ? (past ? pass<kind, true, 4> : pass<kind, false, 4>)
                             : (past ? pass<kind, true, 1> : pass<kind, false, 1>);
  chosen(x, z, y, count / lanes);
}

void stream(Stream kind, const float* a, const float* b, float* y, long count, bool past,
            bool parted) {
  switch (kind) {
    case Stream::read:
      return passOf<Stream::read>(a, b, y, count, past, parted);
    case Stream::fill:
      return passOf<Stream::fill>(a, b, y, count, past, parted);
    case Stream::copy:
      return passOf<Stream::copy>(a, b, y, count, past, parted);
    case Stream::add:
      return passOf<Stream::add>(a, b, y, count, past, parted);
    case Stream::update:
      return passOf<Stream::update>(a, b, y, count, past, parted);
  }
}

}  // namespace

extern const Lanes BENCH_LANES;
const Lanes BENCH_LANES = {multiplyAdds, stream};

}  // namespace bench
