// Philox 4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011), and what draws from it. Element i takes word i % 4 of block floor(i / 4).
#pragma once

#include "context.h"
#include "list.h"
#include "math.h"
#include "reduce.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int philoxBlocks = 16;                       // computed side by side
constexpr int philoxElements = 4 * philoxBlocks;       // that they give
constexpr int64_t randomGrain = 256 * philoxElements;  // elements worth a task

// word[w][b] is word w of block first + b of the stream that starts at `seed`.
struct PhiloxWords {
  int32_t word[4][philoxBlocks];
};

inline void philox(const int32_t* seed, int64_t first, PhiloxWords& out) {
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
    out.word[0][b] = static_cast<int32_t>(c0[b]);
    out.word[1][b] = static_cast<int32_t>(c1[b]);
    out.word[2][b] = static_cast<int32_t>(c2[b]);
    out.word[3][b] = static_cast<int32_t>(c3[b]);
  }
}

// The upper 24 bits of words, as whole numbers.
inline Vec upperBits(const int32_t* words) {
  return toFloats(shiftRight<8>(loadInts(words)));
}

// Calls draw(words, values) for each group of blocks, where values[w][b] belongs to word w of block
// b, then put(start, n, elements) with them in order.
template <class Draw, class Put>
void drawElements(int64_t count, const Context& context, const int32_t* seed, const Draw& draw,
                  const Put& put) {
  context.parallelRange(count, randomGrain, [&](int64_t begin, int64_t end) {
    PhiloxWords words;
    float values[4][philoxBlocks], elements[philoxElements];
    for (int64_t start = begin; start < end; start += philoxElements) {
      philox(seed, start / 4, words);
      draw(words, values);
      for (int b = 0; b < philoxBlocks; ++b) {
        for (int w = 0; w < 4; ++w) elements[4 * b + w] = values[w][b];
      }
      const int64_t left = end - start;
      put(start, static_cast<int>(left < philoxElements ? left : philoxElements), elements);
    }
  });
}

constexpr float wordUnit = 5.9604644775390625e-8f;  // 2^-24

// values = scale × the upper 24 bits + shift.
inline void drawUniform(const PhiloxWords& words, float (*values)[philoxBlocks], Vec scale,
                        Vec shift) {
  for (int w = 0; w < 4; ++w) {
    for (int b = 0; b < philoxBlocks; b += Vec::width) {
      store(&values[w][b], fma(upperBits(&words.word[w][b]), scale, shift));
    }
  }
}

inline void putElements(float* y, int n, const float* elements) {
  for (int i = 0; i < n; i += Vec::width) storeSome(y + i, load(elements + i), n - i);
}

// low + u (high - low).
void uniform(const UniformShape& s, const Context& context, const int32_t* seed, float* y) {
  const Vec low = broadcast(s.low);
  const Vec scale = broadcast(
      static_cast<float>((static_cast<double>(s.high) - static_cast<double>(s.low)) * wordUnit));
  drawElements(
      s.count, context, seed,
      [=](const PhiloxWords& words, float(*values)[philoxBlocks]) {
        drawUniform(words, values, scale, low);
      },
      [=](int64_t start, int n, const float* elements) { putElements(y + start, n, elements); });
}

// Box and Muller's pairs: u1 in (0, 1] of the first word, u2 in [0, 1) of the second,
// √(-2 ln u1) × cos and sin of 2π u2.
void normal(const NormalShape& s, const Context& context, const int32_t* seed, float* y) {
  const Vec mean = broadcast(s.mean), std = broadcast(s.std), unit = broadcast(wordUnit);
  drawElements(
      s.count, context, seed,
      [=](const PhiloxWords& words, float(*values)[philoxBlocks]) {
        for (int w = 0; w < 4; w += 2) {
          for (int b = 0; b < philoxBlocks; b += Vec::width) {
            const Vec u1 = (upperBits(&words.word[w][b]) + broadcast(1)) * unit;
            const Vec u2 = upperBits(&words.word[w + 1][b]) * unit;
            const Vec radius = std * sqrt(broadcast(-2) * logOfNormal(u1, broadcast(0)));
            const SinCos turn = sinCosOfTurns(u2);
            store(&values[w][b], fma(radius, turn.cos, mean));
            store(&values[w + 1][b], fma(radius, turn.sin, mean));
          }
        }
      },
      [=](int64_t start, int n, const float* elements) { putElements(y + start, n, elements); });
}

// x / (1 - probability) where the element's uniform number is at or above probability, else 0.
void dropout(const DropoutShape& s, const Context& context, const float* x, const int32_t* seed,
             float* y) {
  const Vec zero = broadcast(0), unit = broadcast(wordUnit), probability = broadcast(s.probability);
  const Vec scale = broadcast(static_cast<float>(1 / (1 - static_cast<double>(s.probability))));
  drawElements(
      s.count, context, seed,
      [=](const PhiloxWords& words, float(*values)[philoxBlocks]) {
        drawUniform(words, values, unit, zero);
      },
      [=](int64_t start, int n, const float* elements) {
        for (int i = 0; i < n; i += Vec::width) {
          const Mask keep = lessEqual(probability, load(elements + i));
          const Vec scaled = loadSome(x + start + i, n - i) * scale;
          storeSome(y + start + i, select(keep, scaled, zero), n - i);
        }
      });
}

}  // namespace
}  // namespace fovea
