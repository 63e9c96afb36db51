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

// x to the nearest whole number, |x| < 2^22: adding 1.5 2^23 pushes the fraction out.
inline Vec roundSmall(Vec x) {
  const Vec big = broadcast(12582912.0f);
  return x + big - big;
}

// ln 2 in two parts; n ln2High is exact for |n| < 2^15.
constexpr float ln2High = 0.693359375f;
constexpr float ln2Low = -2.12194440e-4f;

// (exp(r) - 1 - r) / r² for |r| <= ln 2 / 2.
inline Vec expRest(Vec r) {
  return polynomial(r, 4.999999337e-1f, 1.666651952e-1f, 4.166840107e-2f, 8.368851064e-3f,
                    1.381432150e-3f);
}

// exp(x) = (1 + tail) 2^power, |x| <= 174.
struct SplitExp {
  Vec tail, power;
};
inline SplitExp splitExp(Vec x) {
  const Vec n = roundSmall(x * broadcast(1.44269504f));
  const Vec r = fnma(n, broadcast(ln2Low), fnma(n, broadcast(ln2High), x));
  return {fma(r * r, expRest(r), r), n};
}
// Of high + low, |low| < 1/16; what rounding the reduced argument lost goes into the tail.
inline SplitExp splitExp(Vec high, Vec low) {
  const Vec n = roundSmall(high * broadcast(1.44269504f));
  const Vec big = fnma(n, broadcast(ln2High), high), little = fnma(n, broadcast(ln2Low), low);
  const Vec r = big + little, lost = little - (r - big);
  return {fma(r * r, expRest(r), lost) + r, n};
}

// x within [low, high]; NaN stays NaN.
inline Vec within(float low, float high, Vec x) {
  return max(broadcast(low), min(broadcast(high), x));
}

// Below 1.1 ulp.
inline Vec exp(Vec x) {
  const SplitExp s = splitExp(within(-104, 89, x));
  return scaleByPowerOf2(broadcast(1) + s.tail, s.power);
}

// exp(x) - 1 for x <= 0.
inline Vec expMinus1(Vec x) {
  const SplitExp s = splitExp(max(broadcast(-40), x));
  const Vec power = scaleByPowerOf2(broadcast(1), s.power);
  return fma(s.tail, power, power - broadcast(1));
}

// ln x + ln 2 exponent + rest for normal x; rest is small beside the sum.
inline Vec logOfNormal(Vec x, Vec exponent, Vec rest) {
  const Ints sqrtHalf = broadcastInts(0x3f3504f3);
  const Ints shifted = bits(x) + broadcastInts(0x3f800000 - 0x3f3504f3);
  const Vec e = toFloats(shiftRight<23>(shifted) - broadcastInts(127)) + exponent;
  // x = (1 + f) 2^e with 1 + f in [sqrt(1/2), sqrt(2)).
  const Vec f = floats((shifted & broadcastInts(0x007fffff)) + sqrtHalf) - broadcast(1);
  const Vec p = polynomial(f, 3.333331260e-1f, -2.500000960e-1f, 2.000211865e-1f, -1.666799589e-1f,
                           1.421955251e-1f, -1.240558831e-1f, 1.188816058e-1f, -1.167565505e-1f,
                           6.746648381e-2f);
  const Vec square = f * f;
  Vec y = fma(e, broadcast(ln2Low), fma(square * f, p, rest));
  y = fnma(broadcast(0.5f), square, y);
  return fma(e, broadcast(ln2High), f + y);
}

// Below 0.9 ulp.
inline Vec log(Vec x) {
  const Mask tiny = less(x, broadcast(1.17549435e-38f));
  const Vec zero = broadcast(0);
  Vec y = logOfNormal(select(tiny, x * broadcast(8388608.0f), x),
                      select(tiny, broadcast(-23.0f), zero), zero);
  y = select(less(x, broadcast(infinity)), y, x);
  y = select(less(x, zero), broadcast(notANumber), y);
  return select(equal(x, zero), broadcast(-infinity), y);
}

// ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)), below 2 ulp: what rounding lost of exp(-|x|), and
// of 1 and it, is added back.
inline Vec softplus(Vec x) {
  const Vec one = broadcast(1), zero = broadcast(0);
  const SplitExp s = splitExp(max(broadcast(-104), -abs(x)));
  const Vec mantissa = one + s.tail;
  const Vec e = scaleByPowerOf2(mantissa, s.power), sum = one + e;
  const Vec lost = (e - (sum - one)) + scaleByPowerOf2(s.tail - (mantissa - one), s.power);
  const Vec y = logOfNormal(sum, zero, lost / sum);
  return max(zero, x) + y;
}

// An odd polynomial near 0, else 1 - 2 / (exp(2|x|) + 1); below 1.4 ulp.
inline Vec tanh(Vec x) {
  const Vec z = min(broadcast(10), abs(x)), one = broadcast(1);
  const Vec square = z * z;
  const Vec p = polynomial(square, -3.333328194e-1f, 1.333144220e-1f, -5.373971554e-2f,
                           2.063908872e-2f, -5.704988625e-3f);
  const Vec small = fma(square * p, z, z);
  const SplitExp s = splitExp(z + z);
  const Vec e = scaleByPowerOf2(one + s.tail, s.power);
  const Vec large = one - broadcast(2) / (e + one);
  return withSignOf(select(less(z, broadcast(0.625f)), small, large), x);
}

// numerator / (1 + exp(-x)) for |x| <= 170, below 2 ulp. Of exp(-|x|), so that nothing overflows;
// what rounding its sum with 1 lost goes into the last factor, where it costs no rounding of its
// own.
inline Vec sigmoidTimes(Vec numerator, Vec x) {
  const Vec one = broadcast(1), zero = broadcast(0);
  const SplitExp s = splitExp(-abs(x));
  const Vec mantissa = one + s.tail;
  const Vec e = scaleByPowerOf2(mantissa, s.power), sum = one + e;
  const Vec gained = (sum - one) - e;
  // 1 / sum is near enough 1.457 - sum / 2 for a correction.
  const Vec share = gained * fnma(sum, broadcast(0.5f), broadcast(1.457f));
  const Mask negative = less(x, zero);
  const Vec more = select(negative, fma(share, mantissa, s.tail), share);
  const Vec y = numerator / sum;
  return scaleByPowerOf2(fused(y, more, y), select(negative, s.power, zero));
}

inline Vec sigmoid(Vec x) {
  return sigmoidTimes(broadcast(1), within(-104, 104, x));
}

// x / (1 + exp(-x)); x itself and 0 far out (NaN for -infinity, as 0 times it).
inline Vec silu(Vec x) {
  const Vec zero = broadcast(0), inside = within(-170, 170, x);
  const Vec outside = select(less(x, zero), x * zero, x);
  return select(equal(inside, x), sigmoidTimes(inside, inside), outside);
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

}  // namespace
}  // namespace fovea
