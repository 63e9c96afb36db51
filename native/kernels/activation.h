// Activations: y = f(x), and gradX = gradY f'(…) from what the forward pass saved.
#pragma once

#include "context.h"
#include "list.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t elementGrain = 32768;  // elements worth a task

// y[i] = f(x[i]), vector by vector, the tail included.
template <class F>
void mapElements(int64_t count, const Context& context, const float* x, float* y, const F& f) {
  context.parallelRange(count, elementGrain, [&](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + Vec::width <= end; i += Vec::width) store(y + i, f(load(x + i)));
    const int rest = static_cast<int>(end - i);
    if (rest > 0) storeFirst(y + i, f(loadFirst(x + i, rest)), rest);
  });
}

void relu(const ElementsShape& s, const Context& context, const float* x, float* y) {
  const Vec zero = broadcast(0);
  mapElements(s.count, context, x, y,
              [=](Vec v) { return select(lessEqual(v, zero), zero, v); });  // NaN stays
}

}  // namespace
}  // namespace fovea
