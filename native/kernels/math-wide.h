// Functions whose middle needs more than a float: the normal distribution's and pow. Their large
// terms are double precision, what corrects them float; coefficients by native/tools/minimax.py.
#pragma once

#include "math.h"

namespace fovea {
namespace {

// 1 / x to 2^-46, from a float's quotient by one step of Newton's method.
inline Doubles newton(Vec quotient, Doubles x) {
  const Doubles y = widen(quotient);
  return fma(y, fnma(y, x, broadcastDoubles(1)), y);
}
inline Doubles reciprocal(Doubles x) {
  return newton(broadcast(1) / narrow(x), x);
}

// exp(z) = mantissa 2^power, |z| <= 174.
struct WideExp {
  Doubles mantissa;
  Vec power;
};
inline WideExp wideExp(Doubles z, Vec power) {
  const Doubles r = fnma(widen(power), broadcastDoubles(0.69314718055994531), z);
  const Doubles tail = fma(r * r, widen(expRest(narrow(r))), r);
  return {tail + broadcastDoubles(1), power};
}

// The tail of the standard normal distribution, Q(a) = integral of phi from a on, 0 <= a <= 15:
// Q(a) = exp(-a²/2) ratio(a), where (a + 5/2) ratio is a polynomial in u = 1 / (a + 5/2).
inline Doubles normalTailRatio(Vec a, Doubles wide) {
  const Vec sum = a + broadcast(2.5f);
  const Vec quotient = broadcast(1) / sum;
  const Doubles u = newton(quotient, wide + broadcastDoubles(2.5));
  const Vec rest =
      polynomial(quotient - broadcast(0.21875f), 3.21353197f, -1.9000465f, -9.57770648f,
                 9.00429944f, 31.390838f, -67.8306138f, -69.750584f, 308.012399f);
  const Doubles w = u - broadcastDoubles(0.21875);
  const Doubles slope = fma(w, widen(rest), broadcastDoubles(2.2907138205606841));
  return u * fma(w, slope, broadcastDoubles(0.74846646520353943));
}

// exp(-a²/2), 0 <= a <= 15: a² without rounding, as the high part of a has 12 bits.
inline SplitExp expOfHalfSquare(Vec a) {
  const Vec h = floats(bits(a) & broadcastInts(~0xfff)), minusHalf = broadcast(-0.5f);
  const Vec high = minusHalf * (h * h), low = minusHalf * ((a - h) * (a + h));
  return splitExp(high, low);
}

// x Phi(x) = x Q(-x), below 2 ulp, subnormal results included; 0 below -15 (NaN for -infinity).
inline Vec gelu(Vec x) {
  const Vec zero = broadcast(0), inside = within(-15, 15, x), a = abs(inside);
  const Doubles wide = widen(a);
  const SplitExp e = expOfHalfSquare(a);
  const Vec y = narrow(wide * normalTailRatio(a, wide));
  const Vec below = scaleByPowerOf2(fused(y, e.tail, y), e.power);  // a Q(a)
  const Mask negative = less(x, zero);
  const Vec outside = select(negative, x * zero, x);
  return select(equal(inside, x), select(negative, -below, x - below), outside);
}

// A slope s(x) with s(x) + s(-x) = 1, from `below` = s(-|x|); 0 and 1 far out, NaN for infinities.
inline Vec symmetricSlope(Vec x, Vec below, Vec far) {
  const Vec zero = broadcast(0), one = broadcast(1);
  const Mask negative = less(x, zero);
  const Vec outside = fma(x, zero, select(negative, zero, one));
  return select(less(abs(x), far), select(negative, below, one - below), outside);
}

// Phi(x) + x phi(x), below 2 ulp or 3e-8.
inline Vec geluSlope(Vec x) {
  const Vec far = broadcast(15), a = min(far, abs(x));
  const Doubles wide = widen(a);
  const SplitExp e = expOfHalfSquare(a);
  const Vec y = narrow(fnma(wide, broadcastDoubles(0.3989422804014327), normalTailRatio(a, wide)));
  return symmetricSlope(x, scaleByPowerOf2(fused(y, e.tail, y), e.power), far);
}

// The derivative of x / (1 + exp(-x)), below 2 ulp or 3e-8: with e = exp(-|x|), t = 1 / (1 + e), it
// is e t (1 - |x| t) for negative x.
inline Vec siluSlope(Vec x) {
  const Vec far = broadcast(110), a = min(abs(x), far);
  const Doubles wide = widen(a), one = broadcastDoubles(1);
  const WideExp e = wideExp(broadcastDoubles(0) - wide, roundSmall(a * broadcast(-1.44269504f)));
  const Doubles sum = fma(e.mantissa, widen(scaleByPowerOf2(broadcast(1), e.power)), one);
  const Doubles t = reciprocal(sum);
  const Doubles d = e.mantissa * t * fnma(wide, t, one);
  return symmetricSlope(x, scaleByPowerOf2(narrow(d), e.power), far);
}

// ln x for normal x, 2^-37: x = m 2^e with m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1),
// ln m = 2 artanh s.
inline Doubles logWide(Vec x, Vec exponent) {
  const Ints shifted = bits(x) + broadcastInts(0x3f800000 - 0x3f3504f3);
  const Vec e = toFloats(shiftRight<23>(shifted) - broadcastInts(127)) + exponent;
  const Vec m = floats((shifted & broadcastInts(0x007fffff)) + broadcastInts(0x3f3504f3));
  const Doubles one = broadcastDoubles(1), wide = widen(m), sum = wide + one;
  const Doubles s = (wide - one) * newton(broadcast(1) / (m + broadcast(1)), sum);
  const Doubles square = s * s;
  const Vec rest = polynomial(narrow(square), 0.200001929f, 0.14267493f, 0.118087329f);
  const Doubles slope = fma(square, widen(rest), broadcastDoubles(0.33333332620226169));
  const Doubles artanh = fma(s * square, slope, s);
  return fma(widen(e), broadcastDoubles(0.69314718055994531), artanh + artanh);
}

// 2 ulp of C's pow, and its special cases: 0.333333326202261691, F.10.4.4.
inline Vec pow(Vec a, Vec b) {
  const Vec zero = broadcast(0), one = broadcast(1), limit = broadcast(infinity);
  const Vec base = abs(a), half = b * broadcast(0.5f);
  const Mask tiny = less(base, broadcast(1.17549435e-38f));
  const Doubles log = logWide(select(tiny, base * broadcast(8388608.0f), base),
                              select(tiny, broadcast(-23.0f), zero));
  const Doubles z = widen(b) * log;
  // Where z is beyond every float, or b or the logarithm is infinite, only z's sign counts.
  const Mask endless = equal(base, zero) | equal(base, limit) | equal(abs(b), limit);
  const Vec size = select(endless, b * select(less(base, one), -limit, limit), narrow(z));
  const Vec inside = max(min(size, broadcast(104)), broadcast(-104));
  const WideExp e = wideExp(z, roundSmall(inside * broadcast(1.44269504f)));
  Vec y = scaleByPowerOf2(narrow(e.mantissa), e.power);
  y = select(lessEqual(size, broadcast(-104)), zero, y);
  y = select(lessEqual(broadcast(104), size), limit, y);
  // The sign of odd powers; negative numbers have no others but whole ones.
  const Mask whole = equal(roundNearest(b), b), even = equal(roundNearest(half), half);
  y = select(whole & ~even, withSignOf(y, a), y);
  y = select(less(a, zero) & less(base, limit) & ~whole, broadcast(notANumber), y);
  y = select(isNan(a) | isNan(b), broadcast(notANumber), y);
  const Mask unit = equal(a, one) | equal(b, zero) | (equal(base, one) & equal(abs(b), limit));
  return select(unit, one, y);
}

}  // namespace
}  // namespace fovea
