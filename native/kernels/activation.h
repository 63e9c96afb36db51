// Activations: y = f(x), and gradX = gradY f'(…) from what the forward pass saved.
#pragma once

#include "context.h"
#include "list.h"
#include "math-wide.h"
#include "math.h"
#include "rows.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t elementGrain = 32768;  // elements worth a task

// y[i] = f(x[i]).
template <class F>
void mapElements(int64_t count, const Context& context, const float* x, float* y, const F& f) {
  const int64_t ahead = fetchAhead(count);
  fillElements(count, elementGrain, context, x == y, y, [&](int64_t i, int n) {
    if (ahead > 0) prefetch(x + i + ahead);
    return f(loadSome(x + i, n));
  });
}

// y[i] = f(a[i], b[i]).
template <class F>
void zipElements(int64_t count, const Context& context, const float* a, const float* b, float* y,
                 const F& f) {
  const int64_t ahead = fetchAhead(count);
  fillElements(count, elementGrain, context, a == y || b == y, y, [&](int64_t i, int n) {
    if (ahead > 0) prefetch(a + i + ahead);
    if (ahead > 0) prefetch(b + i + ahead);
    return f(loadSome(a + i, n), loadSome(b + i, n));
  });
}

// A kernel y = f(x) over elements; `v` is x.
#define FOVEA_UNARY_KERNEL(name, Shape, expression)                             \
  void name(const Shape& s, const Context& context, const float* x, float* y) { \
    mapElements(s.count, context, x, y, [&](Vec v) { return expression; });     \
  }
// A kernel gradX = f(saved, gradY); `v` is what was saved and `g` is gradY.
#define FOVEA_UNARY_BACKWARD_KERNEL(name, Shape, expression)                                      \
  void name(const Shape& s, const Context& context, const float* saved, const float* gradY,       \
            float* gradX) {                                                                       \
    zipElements(s.count, context, saved, gradY, gradX, [&](Vec v, Vec g) { return expression; }); \
  }

inline Vec zeroes() {
  return broadcast(0);
}
inline Vec ones() {
  return broadcast(1);
}

// NaN stays NaN in relu and clamp.
FOVEA_UNARY_KERNEL(neg, ElementsShape, -v)
FOVEA_UNARY_KERNEL(abs, ElementsShape, abs(v))
FOVEA_UNARY_KERNEL(exp, ElementsShape, exp(v))
FOVEA_UNARY_KERNEL(log, ElementsShape, log(v))
FOVEA_UNARY_KERNEL(sqrt, ElementsShape, sqrt(v))
FOVEA_UNARY_KERNEL(relu, ElementsShape, select(less(v, zeroes()), zeroes(), v))
FOVEA_UNARY_KERNEL(leakyRelu, LeakyReluShape, select(less(zeroes(), v), v, broadcast(s.slope) * v))
FOVEA_UNARY_KERNEL(elu, EluShape, select(less(zeroes(), v), v, broadcast(s.alpha) * expMinus1(v)))
FOVEA_UNARY_KERNEL(sigmoid, ElementsShape, sigmoid(v))
FOVEA_UNARY_KERNEL(tanh, ElementsShape, tanh(v))
FOVEA_UNARY_KERNEL(gelu, ElementsShape, gelu(v))
FOVEA_UNARY_KERNEL(silu, ElementsShape, silu(v))
FOVEA_UNARY_KERNEL(softplus, ElementsShape, softplus(v))
FOVEA_UNARY_KERNEL(clamp, ClampShape,
                   select(less(v, broadcast(s.low)), broadcast(s.low),
                          select(less(broadcast(s.high), v), broadcast(s.high), v)))
FOVEA_UNARY_KERNEL(affine, AffineShape, fma(broadcast(s.scale), v, broadcast(s.shift)))

// From x.
FOVEA_UNARY_BACKWARD_KERNEL(absBackward, ElementsShape,
                            select(less(zeroes(), v), g, select(less(v, zeroes()), -g, zeroes())))
FOVEA_UNARY_BACKWARD_KERNEL(logBackward, ElementsShape, g / v)
FOVEA_UNARY_BACKWARD_KERNEL(leakyReluBackward, LeakyReluShape,
                            select(less(zeroes(), v), g, broadcast(s.slope) * g))
FOVEA_UNARY_BACKWARD_KERNEL(eluBackward, EluShape,
                            select(less(zeroes(), v), g, g* broadcast(s.alpha) * exp(v)))
FOVEA_UNARY_BACKWARD_KERNEL(softplusBackward, ElementsShape, g* sigmoid(v))
FOVEA_UNARY_BACKWARD_KERNEL(clampBackward, ClampShape,
                            select(lessEqual(broadcast(s.low), v) & lessEqual(v, broadcast(s.high)),
                                   g, zeroes()))

FOVEA_UNARY_BACKWARD_KERNEL(geluBackward, ElementsShape, g* geluSlope(v))

FOVEA_UNARY_BACKWARD_KERNEL(siluBackward, ElementsShape, g* siluSlope(v))

// From y.
FOVEA_UNARY_BACKWARD_KERNEL(expBackward, ElementsShape, g* v)
FOVEA_UNARY_BACKWARD_KERNEL(sqrtBackward, ElementsShape, g / (v + v))
FOVEA_UNARY_BACKWARD_KERNEL(reluBackward, ElementsShape, select(less(zeroes(), v), g, zeroes()))
FOVEA_UNARY_BACKWARD_KERNEL(sigmoidBackward, ElementsShape, g* v*(ones() - v))
FOVEA_UNARY_BACKWARD_KERNEL(tanhBackward, ElementsShape, g*((ones() - v) * (ones() + v)))

#undef FOVEA_UNARY_KERNEL
#undef FOVEA_UNARY_BACKWARD_KERNEL

}  // namespace
}  // namespace fovea
