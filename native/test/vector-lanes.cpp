// Tests one instruction set's Vec against plain arithmetic, lane by lane. Compiled once for each,
// as its kernels are: FOVEA_ISA names it and FOVEA_ISA_HEADER is its header.
#include FOVEA_ISA_HEADER

#include <cmath>
#include <cstdlib>
#include <limits>

#include "test.h"

namespace fovea {
namespace {

constexpr int lanes = Vec::width;
constexpr float infinity = std::numeric_limits<float>::infinity();

// Lanes of a result, and of an argument.
struct Lanes {
  float of[lanes];
};
struct IntLanes {
  int32_t of[lanes];
};
Lanes out(Vec v) {
  Lanes result;
  store(result.of, v);
  return result;
}
IntLanes out(Ints v) {
  IntLanes result;
  storeInts(result.of, v);
  return result;
}
bool same(float a, float b) {
  return a == b || (a != a && b != b);
}

const float values[] = {0.0f,    -0.0f,   1.0f,  -1.0f,    0.5f,      1.5f,       2.5f,
                        -2.5f,   3.49f,   -7.5f, 1e-30f,   123456.7f, 8388607.5f, 8388609.0f,
                        -2.1e9f, 1.99e9f, 3e38f, infinity, -infinity, NAN,        -0.49999997f};
constexpr int valueCount = sizeof values / sizeof *values;

// A vector of values from the table, starting anywhere.
Vec some(int start) {
  float of[lanes];
  for (int i = 0; i < lanes; ++i) of[i] = values[(start + i) % valueCount];
  return load(of);
}

template <class F, class G>
void checkUnary(F vector, G scalar) {
  for (int start = 0; start < valueCount; ++start) {
    const Lanes x = out(some(start)), y = out(vector(some(start)));
    for (int i = 0; i < lanes; ++i) CHECK(same(y.of[i], scalar(x.of[i])));
  }
}
template <class F, class G>
void checkBinary(F vector, G scalar) {
  for (int a = 0; a < valueCount; ++a) {
    for (int b = 0; b < valueCount; ++b) {
      const Lanes x = out(some(a)), y = out(some(b)), z = out(vector(some(a), some(b)));
      for (int i = 0; i < lanes; ++i) CHECK(same(z.of[i], scalar(x.of[i], y.of[i])));
    }
  }
}

void testArithmetic() {
  checkBinary([](Vec a, Vec b) { return a + b; }, [](float a, float b) { return a + b; });
  checkBinary([](Vec a, Vec b) { return a - b; }, [](float a, float b) { return a - b; });
  checkBinary([](Vec a, Vec b) { return a * b; }, [](float a, float b) { return a * b; });
  checkBinary([](Vec a, Vec b) { return a / b; }, [](float a, float b) { return a / b; });
  checkUnary([](Vec a) { return -a; }, [](float a) { return -a; });
  checkUnary([](Vec a) { return sqrt(a); }, [](float a) { return std::sqrt(a); });
  checkUnary([](Vec a) { return abs(a); }, [](float a) { return std::fabs(a); });
  checkUnary([](Vec a) { return roundNearest(a); }, [](float a) { return std::nearbyint(a); });
  for (int i = 1; i < 1000; ++i) {
    const float a = static_cast<float>(i) * 1.37f, b = std::ldexp(1 + a / 1371, i % 200 - 100);
    const Lanes q = out(quotient(broadcast(a), broadcast(b))),
                one = out(quotient(broadcast(b), broadcast(b)));
    const double exact = static_cast<double>(a) / static_cast<double>(b);
    const double ulps = std::fabs(static_cast<double>(q.of[0]) / exact - 1) * 16777216;
    CHECK(ulps < 2 && one.of[0] == 1);
  }
  const Lanes none = out(quotient(broadcast(1), broadcast(NAN)));
  CHECK(none.of[0] != none.of[0]);
  // Exactly representable products and sums: fused or not makes no difference.
  const Lanes sums = out(fma(broadcast(3), broadcast(5), broadcast(7)));
  const Lanes differences = out(fnma(broadcast(3), broadcast(5), broadcast(7)));
  for (int i = 0; i < lanes; ++i) CHECK(sums.of[i] == 22 && differences.of[i] == -8);
}

void testComparisons() {
  const Vec one = broadcast(1), zero = broadcast(0);
  checkBinary([=](Vec a, Vec b) { return select(less(a, b), one, zero); },
              [](float a, float b) { return a < b ? 1.0f : 0.0f; });
  checkBinary([=](Vec a, Vec b) { return select(lessEqual(a, b), one, zero); },
              [](float a, float b) { return a <= b ? 1.0f : 0.0f; });
  checkBinary([=](Vec a, Vec b) { return select(equal(a, b), one, zero); },
              [](float a, float b) { return a == b ? 1.0f : 0.0f; });
  checkBinary([=](Vec a, Vec b) { return select(~(less(a, b) | isNan(a)), one, zero); },
              [](float a, float b) { return a < b || a != a ? 0.0f : 1.0f; });
  checkBinary([=](Vec a, Vec b) { return select(lessEqual(a, b) & lessEqual(b, a), one, zero); },
              [](float a, float b) { return a == b ? 1.0f : 0.0f; });
  checkBinary([](Vec a, Vec b) { return select(isNan(a) | isNan(b), broadcast(0), min(a, b)); },
              [](float a, float b) { return a != a || b != b ? 0.0f
                                            : a < b          ? a
                                                             : b; });
  checkBinary([](Vec a, Vec b) { return select(isNan(a) | isNan(b), broadcast(0), max(a, b)); },
              [](float a, float b) { return a != a || b != b ? 0.0f
                                            : a > b          ? a
                                                             : b; });
  // A NaN in the second place stays.
  checkUnary([=](Vec a) { return select(isNan(a), min(one, max(zero, a)), a); },
             [](float a) { return a; });
  checkBinary([=](Vec a, Vec b) { return select(unordered(a, b), one, zero); },
              [](float a, float b) { return a != a || b != b ? 1.0f : 0.0f; });
  for (int i = 0; i < lanes; ++i) {
    float of[lanes] = {};
    of[i] = 1;
    CHECK(any(equal(load(of), one)));
  }
  CHECK(!any(equal(zero, one)));
}

void testInts() {
  const int32_t words[] = {0, 1, -1, 7, INT32_MAX, INT32_MIN, 0x12345678, -99};
  for (const int32_t a : words) {
    const Vec asFloats = floats(broadcastInts(a));
    const IntLanes back = out(bits(asFloats)), high = out(shiftRight<8>(broadcastInts(a)));
    const IntLanes low = out(shiftLeft<5>(broadcastInts(a)));
    const Lanes converted = out(toFloats(broadcastInts(a)));
    const auto word = static_cast<uint32_t>(a);
    for (int i = 0; i < lanes; ++i) {
      CHECK(back.of[i] == a);
      CHECK(high.of[i] == static_cast<int32_t>(word >> 8));
      CHECK(low.of[i] == static_cast<int32_t>(word << 5));
      CHECK(converted.of[i] == static_cast<float>(a));
    }
    for (const int32_t b : words) {
      const auto other = static_cast<uint32_t>(b);
      const IntLanes sums = out(broadcastInts(a) + broadcastInts(b));
      const IntLanes differences = out(broadcastInts(a) - broadcastInts(b));
      const IntLanes ands = out(broadcastInts(a) & broadcastInts(b));
      const IntLanes ors = out(broadcastInts(a) | broadcastInts(b));
      for (int i = 0; i < lanes; ++i) {
        CHECK(sums.of[i] == static_cast<int32_t>(word + other));
        CHECK(differences.of[i] == static_cast<int32_t>(word - other));
        CHECK(ands.of[i] == (a & b) && ors.of[i] == (a | b));
      }
      CHECK(any(less(broadcastInts(a), broadcastInts(b))) == (a < b));
      CHECK(any(~less(broadcastInts(a), broadcastInts(b))) == (a >= b));
      CHECK(any(equal(broadcastInts(a), broadcastInts(b))) == (a == b));
      CHECK(any(~equal(broadcastInts(a), broadcastInts(b))) == (a != b));
    }
  }
  const IntLanes order = out(iota());
  for (int i = 0; i < lanes; ++i) CHECK(order.of[i] == i);
  for (int start = 0; start < valueCount; ++start) {
    const Lanes x = out(some(start));
    const IntLanes y = out(toInts(some(start)));
    const IntLanes chosen = out(select(less(some(start), broadcast(1)), iota(), broadcastInts(-5)));
    for (int i = 0; i < lanes; ++i) {
      const bool fits = x.of[i] >= -0x1p31f && x.of[i] < 0x1p31f;
      CHECK(y.of[i] == (fits ? static_cast<int32_t>(std::nearbyint(x.of[i])) : INT32_MIN));
      CHECK(chosen.of[i] == (x.of[i] < 1 ? i : -5));
    }
  }
}

void testDoubles() {
  checkUnary([](Vec a) { return narrow(widen(a)); }, [](float a) { return a; });
  // 1 + 2^-30 and its square are no floats: only doubles in between give these differences.
  const Doubles one = broadcastDoubles(1), tiny = broadcastDoubles(0x1p-30);
  const Doubles x = one + tiny, three = broadcastDoubles(3);
  const Lanes difference = out(narrow(x - one)), square = out(narrow(x * x - one));
  const Lanes sum = out(narrow(fma(x, three, tiny) - three));
  const Lanes rest = out(narrow(fnma(x, three, three)));
  const Lanes order = out(narrow(widen(toFloats(iota())) * three));
  const Vec near = broadcast(1.00000012f);
  const Lanes once = out(fused(near, near, broadcast(-1.00000024f)));
  for (int i = 0; i < lanes; ++i) {
    CHECK(difference.of[i] == 0x1p-30f && square.of[i] == 0x1p-29f);
    CHECK(sum.of[i] == 0x1p-28f && rest.of[i] == -3 * 0x1p-30f);
    CHECK(order.of[i] == static_cast<float>(3 * i));
    CHECK(once.of[i] == 0x1p-46f);
  }
}

void testScale() {
  for (int n = -252; n <= 254; ++n) {
    const float power = static_cast<float>(n);
    checkUnary([=](Vec a) { return scaleByPowerOf2(a, broadcast(power)); },
               [=](float a) { return std::ldexp(a, n); });
  }
}

// In blocks of exactly n elements, where the sanitizer sees one too many.
void testPartialMemory() {
  for (int n = 0; n <= lanes; ++n) {
    auto* from = static_cast<float*>(std::malloc(static_cast<size_t>(n) * 4 + (n == 0)));
    auto* to = static_cast<float*>(std::malloc(static_cast<size_t>(n) * 4 + (n == 0)));
    auto* words = static_cast<int32_t*>(std::malloc(static_cast<size_t>(n) * 4 + (n == 0)));
    for (int i = 0; i < n; ++i) from[i] = static_cast<float>(i) + 1;
    const Lanes x = out(loadFirst(from, n));
    storeFirst(to, load(x.of), n);
    storeFirstInts(words, iota(), n);
    for (int i = 0; i < lanes; ++i) CHECK(x.of[i] == (i < n ? static_cast<float>(i) + 1 : 0));
    for (int i = 0; i < n; ++i) CHECK(to[i] == from[i] && words[i] == i);
    const IntLanes firstWords = out(loadFirstInts(words, n));
    for (int i = 0; i < lanes; ++i) CHECK(firstWords.of[i] == (i < n ? i : 0));
    std::free(from);
    std::free(to);
    std::free(words);
    Lanes around = out(broadcast(9));
    storeFirst(around.of, broadcast(4), n);
    for (int i = 0; i < lanes; ++i) CHECK(around.of[i] == (i < n ? 4 : 9));
  }
}

void testStreams() {
  alignas(64) float of[2 * lanes] = {};
  storeStream(of, some(3));
  alignas(64) int32_t words[2 * lanes] = {};
  storeStreamInts(words, iota());
  streamFence();
  for (int i = 0; i < 2 * lanes; ++i) CHECK(words[i] == (i < lanes ? i : 0));
  const Lanes wanted = out(some(3)), got = out(load(of)), held = out(loadHeld(of));
  for (int i = 0; i < lanes; ++i) CHECK(same(got.of[i], wanted.of[i]) && of[lanes + i] == 0);
  for (int i = 0; i < lanes; ++i) CHECK(same(held.of[i], wanted.of[i]));
}

// Two vectors taken apart into evens and odds, and put together again.
void testPairs() {
  float of[2 * lanes];
  for (int i = 0; i < 2 * lanes; ++i) of[i] = static_cast<float>(i);
  const Vec a = load(of), b = load(of + lanes);
  const Lanes even = out(evens(a, b)), odd = out(odds(a, b));
  const Lanes shifted = out(shiftIn(a, b));
  for (int i = 0; i < lanes; ++i) CHECK(shifted.of[i] == of[lanes - 1 + i]);
  const Lanes low = out(interleaveLow(evens(a, b), odds(a, b)));
  const Lanes high = out(interleaveHigh(evens(a, b), odds(a, b)));
  for (int i = 0; i < lanes; ++i) {
    CHECK(even.of[i] == of[2 * i] && odd.of[i] == of[2 * i + 1]);
    CHECK(low.of[i] == of[i] && high.of[i] == of[lanes + i]);
  }
}

// Reads nothing: memory that is not there is no fault.
void testPrefetch() {
  prefetch(nullptr);
  prefetchFar(nullptr);
}

void testFolds() {
  for (int shift = 0; shift < lanes; ++shift) {
    float of[lanes];
    for (int i = 0; i < lanes; ++i) of[i] = static_cast<float>((i + shift) % lanes) - 1;
    CHECK(sum(load(of)) == static_cast<float>(lanes * (lanes - 1) / 2 - lanes));
    CHECK(largest(load(of)) == static_cast<float>(lanes - 2));
    CHECK(smallest(load(of)) == -1);
  }
}

}  // namespace

#define FOVEA_JOIN(a, b) a##b
#define FOVEA_TESTS_OF(isa) FOVEA_JOIN(testVectors_, isa)

void FOVEA_TESTS_OF(FOVEA_ISA)();
void FOVEA_TESTS_OF(FOVEA_ISA)() {
  testArithmetic();
  testComparisons();
  testInts();
  testDoubles();
  testScale();
  testPartialMemory();
  testStreams();
  testPairs();
  testPrefetch();
  testFolds();
}

}  // namespace fovea
