// Sigmoid and tanh as gates take them: one exponential and one quotient each, without the branches
// and table ends that the elementwise kernels go to for their last ulp.
#pragma once

#include "math.h"

namespace fovea {
namespace {

// exp(x) = power + tail power, power = 2^n, for |x| <= limit; NaN stays, since of a NaN and a
// number min and max give their second operand.
struct GateExp {
  Vec power, tail;
};
inline GateExp gateExp(Vec x, float limit) {
  x = max(broadcast(-limit), min(broadcast(limit), x));
  // Adding 1.5 × 2^23 rounds to a whole number and leaves it in the low bits.
  const Vec shift = broadcast(12582912.0f);
  const Vec shifted = fma(x, broadcast(1.44269504f), shift), n = shifted - shift;
  const Vec r = fnma(n, broadcast(ln2Low), fnma(n, broadcast(ln2High), x));
  const Vec q = polynomial(r, 4.999999337e-1f, 1.666651952e-1f, 4.166840107e-2f, 8.368851064e-3f,
                           1.381432150e-3f);
  return {floats(shiftLeft<23>(bits(shifted) + broadcastInts(127))), fma(r * r, q, r)};
}

// 1 / (1 + exp(-x)), below 2.4 ulp; at or above exp(-87).
inline Vec gateSigmoid(Vec x) {
  const GateExp e = gateExp(-x, 87.0f);
  return quotient(broadcast(1), fma(e.tail, e.power, e.power + broadcast(1)));
}

// (exp(2x) - 1) / (exp(2x) + 1), below 2.9 ulp, and 1 at most: near 0, where power is 1, the tail
// is the numerator, so nothing cancels.
inline Vec gateTanh(Vec x) {
  const GateExp e = gateExp(x + x, 40.0f);
  const Vec one = broadcast(1);
  return quotient(fma(e.tail, e.power, e.power - one), fma(e.tail, e.power, e.power + one));
}

}  // namespace
}  // namespace fovea
