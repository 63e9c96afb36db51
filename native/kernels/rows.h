// Walking along rows: loads and stores of what is left of one, and writing it vector by vector,
// through the caches or past them.
#pragma once

#include "context.h"

namespace fovea {
namespace {

// The first n elements, or all of a vector where there are more.
inline Vec loadSome(const float* p, int n) {
  return n >= Vec::width ? load(p) : loadFirst(p, n);
}
inline void storeSome(float* p, Vec x, int n) {
  if (n >= Vec::width) {
    store(p, x);
  } else {
    storeFirst(p, x, n);
  }
}

// How many units of so many elements make a task worth `grain` elements.
inline int64_t unitsPerTask(int64_t elements, int64_t grain) {
  return elements >= grain || elements < 1 ? 1 : grain / elements;
}

// y[i] = f(i, n) for n elements from i on, over [0, count).
template <class F>
void fillRow(int64_t count, float* y, const F& f) {
  constexpr int w = Vec::width;
  int64_t i = 0;
  for (; i + w <= count; i += w) store(y + i, f(i, w));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) storeFirst(y + i, f(i, rest), rest);
}

// A result so large that it will have left the caches when it is read goes past them: its lines are
// then not fetched before they are overwritten. Measured: 30 to 45 % faster from 32 MB on, slower
// below 16.
constexpr int64_t streamedElements = int64_t{8} << 20;
constexpr int64_t longRow = 1024;  // a shorter one is not worth its unaligned ends and its fence

// How far ahead of such a result its operands are fetched, in elements.
inline int64_t fetchAhead(int64_t count) {
  return count >= streamedElements ? 1024 : 0;
}

// Whether the rows of so many elements of a large result are worth it.
inline bool streamsRows(int64_t elements, int64_t row) {
  return elements >= streamedElements && row >= longRow;
}

// How many elements p is past a place that is aligned to the vector.
inline int misalignment(const float* p) {
  return static_cast<int>(reinterpret_cast<uintptr_t>(p) / sizeof(float) % Vec::width);
}

// How many elements of y come before one that is aligned to the vector.
inline int64_t unalignedHead(const float* y, int64_t count) {
  const int past = misalignment(y);
  const int64_t head = past == 0 ? 0 : Vec::width - past;
  return head < count ? head : count;
}

// As fillRow, past the caches: a part of a vector first, then vectors at aligned places.
template <class F>
void streamRow(int64_t count, float* y, const F& f) {
  constexpr int w = Vec::width;
  int64_t next = w - misalignment(y);
  for (int64_t i = 0; i < count; i = next, next += w) {
    const int n = static_cast<int>((next < count ? next : count) - i);
    const Vec v = f(i, n);
    if (n == w) {
      storeStream(y + i, v);
    } else {
      storeFirst(y + i, v, n);
    }
  }
  streamFence();
}

// As the row is best written. A long one too begins with a part of a vector: memory of JavaScript
// begins 16 bytes after a page does, so that each vector would touch two lines.
template <class F>
void writeRow(int64_t count, float* y, bool streams, const F& f) {
  if (streams) return streamRow(count, y, f);
  const int64_t head = count < longRow ? 0 : unalignedHead(y, count);
  if (head > 0) storeSome(y, f(0, static_cast<int>(head)), static_cast<int>(head));
  fillRow(count - head, y + head, [&](int64_t i, int n) { return f(head + i, n); });
}

// y[i] = f(i, n) over [0, count) in tasks of `grain`; `inPlace` where f reads y's memory, which is
// then in the caches already.
template <class F>
void fillElements(int64_t count, int64_t grain, const Context& context, bool inPlace, float* y,
                  const F& f) {
  const bool streams = count >= streamedElements && !inPlace;
  context.parallelRange(count, grain, [&](int64_t begin, int64_t end) {
    writeRow(end - begin, y + begin, streams,
             [&f, begin](int64_t i, int n) { return f(begin + i, n); });
  });
}

}  // namespace
}  // namespace fovea
