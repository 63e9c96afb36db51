// Elementary functions on a Vec: range reduction by Cody and Waite, then minimax polynomials
// (Remez). Errors, found over all floats, are stated at each; results may be subnormal. Nothing
// here relies on fma being fused.
#pragma once

#include <cmath>
#include <cstdint>

#include "context.h"

namespace fovea {
namespace {

constexpr float infinity = HUGE_VALF;
constexpr float notANumber = NAN;

// c0 + c1 x + c2 x² + …
inline Vec polynomial(Vec, float c) {
  return broadcast(c);
}
template <class... Rest>
inline Vec polynomial(Vec x, float c, Rest... rest) {
  return fma(polynomial(x, rest...), x, broadcast(c));
}

inline Vec withSignOf(Vec magnitude, Vec sign) {
  return floats(bits(magnitude) | (bits(sign) & broadcastInts(INT32_MIN)));
}

// The lanes below n.
inline Mask firstLanes(int n) {
  return less(toFloats(iota()), broadcast(static_cast<float>(n)));
}

// x 2^n for whole n in [-252, 254], in two steps so that neither factor leaves the normal range.
inline Vec scaleByPowerOf2(Vec x, Vec n) {
  const Ints bias = broadcastInts(127);
  const Ints half = toInts(n * broadcast(0.5f));
  const Ints rest = toInts(n) - half;
  return x * floats(shiftLeft<23>(half + bias)) * floats(shiftLeft<23>(rest + bias));
}

// ln 2 in two parts; n ln2High is exact for |n| < 2^15.
constexpr float ln2High = 0.693359375f;
constexpr float ln2Low = -2.12194440e-4f;

// exp(high + low) = (1 + tail) 2^power, |high| <= 174, |low| < 1/4.
struct SplitExp {
  Vec tail, power;
};
inline SplitExp splitExp(Vec high, Vec low) {
  const Vec n = roundNearest((high + low) * broadcast(1.44269504f));
  const Vec r = fnma(n, broadcast(ln2Low), fnma(n, broadcast(ln2High), high)) + low;
  const Vec q = polynomial(r, 4.999999337e-1f, 1.666651952e-1f, 4.166840107e-2f, 8.368851064e-3f,
                           1.381432150e-3f);
  return {fma(r * r, q, r), n};
}

// Below 1.1 ulp.
inline Vec exp(Vec x) {
  const Vec inside = max(min(x, broadcast(89.0f)), broadcast(-104.0f));
  const SplitExp s = splitExp(inside, broadcast(0));
  return select(isNan(x), x, scaleByPowerOf2(broadcast(1) + s.tail, s.power));
}

// exp(x) - 1 for x <= 0.
inline Vec expMinus1(Vec x) {
  const SplitExp s = splitExp(max(x, broadcast(-40.0f)), broadcast(0));
  const Vec power = floats(shiftLeft<23>(toInts(s.power) + broadcastInts(127)));
  return select(isNan(x), x, fma(s.tail, power, power - broadcast(1)));
}

// x = m 2^exponent with m in [sqrt(1/2), sqrt(2)), for normal x; ln x follows.
inline Vec logOfNormal(Vec x, Vec extraExponent) {
  const Ints sqrtHalf = broadcastInts(0x3f3504f3);
  const Ints shifted = bits(x) + broadcastInts(0x3f800000 - 0x3f3504f3);
  const Vec e = toFloats(shiftRight<23>(shifted) - broadcastInts(127)) + extraExponent;
  const Vec f = floats((shifted & broadcastInts(0x007fffff)) + sqrtHalf) - broadcast(1);
  const Vec p = polynomial(f, 3.333331260e-1f, -2.500000960e-1f, 2.000211865e-1f, -1.666799589e-1f,
                           1.421955251e-1f, -1.240558831e-1f, 1.188816058e-1f, -1.167565505e-1f,
                           6.746648381e-2f);
  const Vec square = f * f;
  Vec y = fma(e, broadcast(ln2Low), square * f * p);
  y = fnma(broadcast(0.5f), square, y);
  return fma(e, broadcast(ln2High), f + y);
}

// Below 0.9 ulp.
inline Vec log(Vec x) {
  const Mask tiny = less(x, broadcast(1.17549435e-38f));
  const Vec zero = broadcast(0);
  Vec y = logOfNormal(select(tiny, x * broadcast(8388608.0f), x),
                      select(tiny, broadcast(-23.0f), zero));
  y = select(less(x, broadcast(infinity)), y, x);
  y = select(less(x, zero), broadcast(notANumber), y);
  return select(equal(x, zero), broadcast(-infinity), y);
}

// ln(1 + x) for 0 <= x <= 1: what rounding 1 + x lost is added back.
inline Vec logOf1Plus(Vec x) {
  const Vec w = broadcast(1) + x;
  return logOfNormal(w, broadcast(0)) + (x - (w - broadcast(1))) / w;
}

// Below 1.4 ulp.
inline Vec tanh(Vec x) {
  const Vec z = abs(x);
  const Vec square = z * z;
  const Vec p = polynomial(square, -3.333328194e-1f, 1.333144220e-1f, -5.373971554e-2f,
                           2.063908872e-2f, -5.704988625e-3f);
  const Vec small = fma(square * p, z, z);
  const Vec e = exp(min(z + z, broadcast(20)));
  const Vec large = broadcast(1) - broadcast(2) / (e + broadcast(1));
  const Vec y = select(less(z, broadcast(0.625f)), small, large);
  return select(isNan(x), x, withSignOf(y, x));
}

// 1 / (1 + exp(-x)), below 2.5 ulp: the exponential is of -|x|, so nothing overflows or cancels.
inline Vec sigmoid(Vec x) {
  const Vec e = exp(-abs(x));
  return select(less(x, broadcast(0)), e, broadcast(1)) / (broadcast(1) + e);
}

// The standard normal's distribution function and density, below 7 and 2.1 ulp. The middle is
// 1/2 + x P(x²); the lower tail Q(a) = exp(-a²/2) t G(t), t = 1 / (1 + a/4), keeps its relative
// precision.
struct Normal {
  Vec distribution, density;
  Vec tail,
      power;  // below -3/4 the distribution is tail 2^power, where it is too small for a float
};
inline Normal standardNormal(Vec x) {
  const Vec a = min(abs(x), broadcast(15));
  const Vec middle = fma(x,
                         polynomial(a * a, 3.989422794e-1f, -6.649029496e-2f, 9.972348973e-3f,
                                    -1.181285072e-3f, 1.029405791e-4f),
                         broadcast(0.5f));
  // -a²/2 without rounding: the high half of a has 12 bits.
  const Vec h = floats(bits(a) & broadcastInts(~0xfff));
  const Vec halfMinus = broadcast(-0.5f);
  const SplitExp s = splitExp(halfMinus * (h * h), halfMinus * ((a - h) * (a + h)));
  const Vec e = scaleByPowerOf2(broadcast(1) + s.tail, s.power);
  const Vec t = broadcast(1) / fma(a, broadcast(0.25f), broadcast(1));
  const Vec g = polynomial(t, 9.973447744e-2f, 9.976903559e-2f, 9.306287095e-2f, 8.430696649e-2f,
                           4.814047254e-2f, 9.075411475e-2f, -7.407865905e-2f, 1.359585507e-1f,
                           -1.022416562e-1f, 2.459521388e-2f);
  const Vec tail = (broadcast(1) + s.tail) * (t * g);
  const Vec below = scaleByPowerOf2(tail, s.power);
  const Vec outside = select(less(x, broadcast(0)), below, broadcast(1) - below);
  const Mask invalid = isNan(x);
  return {select(invalid, x, select(less(a, broadcast(0.75f)), middle, outside)),
          select(invalid, x, e * broadcast(0.398942280f)), tail, s.power};
}

// sin and cos of 2 π u for 0 <= u <= 1, below 1 ulp of 1.
struct SinCos {
  Vec sin, cos;
};
inline SinCos sinCosOfTurns(Vec u) {
  const Vec quarter = roundNearest(u * broadcast(4));
  const Vec r = fnma(quarter, broadcast(0.25f), u);  // exact, |r| <= 1/8
  const Vec square = r * r;
  const Vec s = r * polynomial(square, 6.283185307f, -4.134170215e1f, 8.160520381e1f,
                               -7.669777412e1f, 4.146988956e1f);
  const Vec c = fma(
      square, polynomial(square, -1.973920869e1f, 6.493932647e1f, -8.544374174e1f, 5.924596442e1f),
      broadcast(1));
  const Ints q = toInts(quarter);
  const Mask swap = equal(toFloats(q & broadcastInts(1)), broadcast(1));
  const Vec sine = select(swap, c, s);
  const Vec cosine = select(swap, s, c);
  // sin is negative in quarters 2 and 3, cos in 1 and 2; adding the sign bit flips it.
  const Ints sign = broadcastInts(INT32_MIN);
  return {floats(bits(sine) + (shiftLeft<30>(q) & sign)),
          floats(bits(cosine) + (shiftLeft<30>(q + broadcastInts(1)) & sign))};
}

// C's pow, lane by lane.
inline Vec pow(Vec a, Vec b) {
  float base[Vec::width], exponent[Vec::width];
  store(base, a);
  store(exponent, b);
  for (int i = 0; i < Vec::width; ++i) base[i] = ::powf(base[i], exponent[i]);
  return load(base);
}

}  // namespace
}  // namespace fovea
