// Philox 4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011), and what draws from it. Element i takes word i % 4 of block floor(i / 4).
#pragma once

#include "context.h"
#include "list.h"
#include "math.h"
#include "rows.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int philoxBlocks = 64;                       // computed side by side
constexpr int philoxElements = 4 * philoxBlocks;       // that they give
constexpr int64_t randomGrain = 256 * philoxElements;  // elements worth a task

// words[i] is the word of element i, from block `first` of the stream that starts at `seed`.
inline void philox(const int32_t* seed, int64_t first, int32_t* words) {
  uint32_t c0[philoxBlocks], c1[philoxBlocks], c2[philoxBlocks], c3[philoxBlocks];
  const uint64_t start = (static_cast<uint64_t>(static_cast<uint32_t>(seed[3])) << 32 |
                          static_cast<uint32_t>(seed[2])) +
                         static_cast<uint64_t>(first);
  for (int b = 0; b < philoxBlocks; ++b) {
    const uint64_t counter = start + static_cast<uint64_t>(b);
    c0[b] = static_cast<uint32_t>(counter);
    c1[b] = static_cast<uint32_t>(counter >> 32);
    c2[b] = 0;
    c3[b] = 0;
  }
  uint32_t key0 = static_cast<uint32_t>(seed[0]), key1 = static_cast<uint32_t>(seed[1]);
  for (int round = 0; round < 10; ++round) {
    for (int b = 0; b < philoxBlocks; ++b) {
      const uint64_t product0 = static_cast<uint64_t>(0xd2511f53u) * c0[b];
      const uint64_t product1 = static_cast<uint64_t>(0xcd9e8d57u) * c2[b];
      c0[b] = static_cast<uint32_t>(product1 >> 32) ^ c1[b] ^ key0;
      c1[b] = static_cast<uint32_t>(product1);
      c2[b] = static_cast<uint32_t>(product0 >> 32) ^ c3[b] ^ key1;
      c3[b] = static_cast<uint32_t>(product0);
    }
    key0 += 0x9e3779b9u;
    key1 += 0xbb67ae85u;
  }
  for (int b = 0; b < philoxBlocks; ++b) {
    words[4 * b] = static_cast<int32_t>(c0[b]);
    words[4 * b + 1] = static_cast<int32_t>(c1[b]);
    words[4 * b + 2] = static_cast<int32_t>(c2[b]);
    words[4 * b + 3] = static_cast<int32_t>(c3[b]);
  }
}

// The upper 24 bits of words, as whole numbers, and their unit.
inline Vec upperBits(const int32_t* words) {
  return toFloats(shiftRight<8>(loadInts(words)));
}
constexpr float wordUnit = 5.9604644775390625e-8f;  // 2^-24

// put(start, n, words) for n elements from `start` on, over [0, count), with their words.
template <class Put>
void drawElements(int64_t count, const Context& context, const int32_t* seed, const Put& put) {
  context.parallelRange(count, randomGrain, [&](int64_t begin, int64_t end) {
    int32_t words[philoxElements];
    for (int64_t start = begin; start < end; start += philoxElements) {
      philox(seed, start / 4, words);
      const int64_t left = end - start;
      put(start, static_cast<int>(left < philoxElements ? left : philoxElements), words);
    }
  });
}

// low + u (high - low).
void uniform(const UniformShape& s, const Context& context, const int32_t* seed, float* y) {
  const Vec low = broadcast(s.low);
  const Vec scale = broadcast(
      static_cast<float>((static_cast<double>(s.high) - static_cast<double>(s.low)) * wordUnit));
  drawElements(s.count, context, seed, [=](int64_t start, int n, const int32_t* words) {
    for (int i = 0; i < n; i += Vec::width) {
      storeSome(y + start + i, fma(upperBits(words + i), scale, low), n - i);
    }
  });
}

// Box and Muller's pairs: u1 in (0, 1] of the first word, u2 in [0, 1) of the second,
// √(-2 ln u1) × cos and sin of 2π u2.
void normal(const NormalShape& s, const Context& context, const int32_t* seed, float* y) {
  constexpr int pairs = philoxElements / 2;
  const Vec mean = broadcast(s.mean), std = broadcast(s.std), unit = broadcast(wordUnit);
  drawElements(s.count, context, seed, [=](int64_t start, int n, const int32_t* words) {
    int32_t first[pairs], second[pairs];
    float cosines[pairs], sines[pairs], elements[philoxElements];
    for (int i = 0; i < pairs; ++i) {
      first[i] = words[2 * i];
      second[i] = words[2 * i + 1];
    }
    for (int i = 0; i < pairs; i += Vec::width) {
      const Vec u1 = (upperBits(first + i) + broadcast(1)) * unit;
      const Vec radius = std * sqrt(broadcast(-2) * logOfNormal(u1, broadcast(0), broadcast(0)));
      const SinCos turn = sinCosOfTurns(upperBits(second + i) * unit);
      store(cosines + i, fma(radius, turn.cos, mean));
      store(sines + i, fma(radius, turn.sin, mean));
    }
    for (int i = 0; i < pairs; ++i) {
      elements[2 * i] = cosines[i];
      elements[2 * i + 1] = sines[i];
    }
    for (int i = 0; i < n; i += Vec::width) storeSome(y + start + i, load(elements + i), n - i);
  });
}

// x / (1 - probability) where the element's uniform number is at or above probability, else 0.
void dropout(const DropoutShape& s, const Context& context, const float* x, const int32_t* seed,
             float* y) {
  const Vec zero = broadcast(0), unit = broadcast(wordUnit), probability = broadcast(s.probability);
  const Vec scale = broadcast(static_cast<float>(1 / (1 - static_cast<double>(s.probability))));
  drawElements(s.count, context, seed, [=](int64_t start, int n, const int32_t* words) {
    for (int i = 0; i < n; i += Vec::width) {
      const Mask keep = lessEqual(probability, upperBits(words + i) * unit);
      const Vec scaled = loadSome(x + start + i, n - i) * scale;
      storeSome(y + start + i, select(keep, scaled, zero), n - i);
    }
  });
}

}  // namespace
}  // namespace fovea
