// One optimizer step on one parameter, in PyTorch's order of operations; `settings` carries what
// changes between steps.
#pragma once

#include <cmath>

#include "activation.h"
#include "context.h"
#include "list.h"
#include "rows.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t updateGrain = 32768;  // elements worth a task

// step(i, n) for n elements from i on, over [0, count).
template <class Step>
void forVectors(int64_t count, const Context& context, const Step& step) {
  context.parallelRange(count, updateGrain, [&](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + Vec::width <= end; i += Vec::width) step(i, Vec::width);
    if (i < end) step(i, static_cast<int>(end - i));
  });
}

// grad + weightDecay param + l1 sign(param).
struct Penalty {
  Vec weightDecay, l1;
  Vec operator()(Vec grad, Vec param) const {
    const Vec zero = broadcast(0);
    const Vec sign = select(less(zero, param), l1, select(less(param, zero), -l1, zero));
    return fma(weightDecay, param, grad) + sign;
  }
};

// settings: [lr, momentum, dampening, weightDecay, l1, nesterov, first].
void sgd(const UpdateShape& s, const Context& context, const float* settings, const float* grad,
         float* param, float* velocity) {
  const Vec lr = broadcast(settings[0]), momentum = broadcast(settings[1]);
  const Vec fresh = broadcast(1 - settings[2]);
  const Penalty penalty = {broadcast(settings[3]), broadcast(settings[4])};
  const bool nesterov = settings[5] != 0, first = settings[6] != 0;
  forVectors(s.count, context, [=](int64_t i, int n) {
    const Vec p = loadSome(param + i, n);
    Vec g = penalty(loadSome(grad + i, n), p);
    if (velocity != nullptr) {
      const Vec v = first ? g : fma(momentum, loadSome(velocity + i, n), fresh * g);
      storeSome(velocity + i, v, n);
      g = nesterov ? fma(momentum, v, g) : v;
    }
    storeSome(param + i, fnma(lr, g, p), n);
  });
}

// settings: [lr, beta1, beta2, eps, weightDecay, l1, decoupled, biasCorrection1, biasCorrection2].
void adam(const UpdateShape& s, const Context& context, const float* settings, const float* grad,
          float* param, float* average, float* squareAverage) {
  const bool decoupled = settings[6] != 0;
  const double lr = settings[0], weightDecay = settings[4];
  const Vec beta1 = broadcast(settings[1]), fresh1 = broadcast(1 - settings[1]);
  const Vec beta2 = broadcast(settings[2]), fresh2 = broadcast(1 - settings[2]);
  const Vec eps = broadcast(settings[3]);
  const Vec lost = broadcast(static_cast<float>(decoupled ? lr * weightDecay : 0));
  const Penalty penalty = {broadcast(decoupled ? 0 : settings[4]), broadcast(settings[5])};
  const Vec rate = broadcast(static_cast<float>(lr / static_cast<double>(settings[7])));
  const Vec root = broadcast(static_cast<float>(::sqrt(static_cast<double>(settings[8]))));
  forVectors(s.count, context, [=](int64_t i, int n) {
    const Vec p = loadSome(param + i, n);
    const Vec g = penalty(loadSome(grad + i, n), p);
    const Vec a = fma(beta1, loadSome(average + i, n), fresh1 * g);
    const Vec q = fma(beta2, loadSome(squareAverage + i, n), fresh2 * (g * g));
    storeSome(average + i, a, n);
    storeSome(squareAverage + i, q, n);
    const Vec change = a / (sqrt(q) / root + eps);
    storeSome(param + i, fnma(rate, change, fnma(lost, p, p)), n);
  });
}

// settings: [lr, alpha, eps, weightDecay, l1, momentum, centered].
void rmsprop(const UpdateShape& s, const Context& context, const float* settings, const float* grad,
             float* param, float* squareAverage, float* velocity, float* average) {
  const Vec lr = broadcast(settings[0]), eps = broadcast(settings[2]);
  const Vec alpha = broadcast(settings[1]), fresh = broadcast(1 - settings[1]);
  const Penalty penalty = {broadcast(settings[3]), broadcast(settings[4])};
  const Vec momentum = broadcast(settings[5]);
  const bool centered = settings[6] != 0 && average != nullptr;
  forVectors(s.count, context, [=](int64_t i, int n) {
    const Vec p = loadSome(param + i, n);
    const Vec g = penalty(loadSome(grad + i, n), p);
    Vec q = fma(alpha, loadSome(squareAverage + i, n), fresh * (g * g));
    storeSome(squareAverage + i, q, n);
    if (centered) {
      const Vec a = fma(alpha, loadSome(average + i, n), fresh * g);
      storeSome(average + i, a, n);
      q = fnma(a, a, q);
    }
    Vec change = g / (sqrt(q) + eps);
    if (velocity != nullptr) {
      change = fma(momentum, loadSome(velocity + i, n), change);
      storeSome(velocity + i, change, n);
    }
    storeSome(param + i, fnma(lr, change, p), n);
  });
}

// settings: [lr / (1 + (step - 1) lrDecay), eps, weightDecay, l1].
void adagrad(const UpdateShape& s, const Context& context, const float* settings, const float* grad,
             float* param, float* squareSum) {
  const Vec lr = broadcast(settings[0]), eps = broadcast(settings[1]);
  const Penalty penalty = {broadcast(settings[2]), broadcast(settings[3])};
  forVectors(s.count, context, [=](int64_t i, int n) {
    const Vec p = loadSome(param + i, n);
    const Vec g = penalty(loadSome(grad + i, n), p);
    const Vec q = fma(g, g, loadSome(squareSum + i, n));
    storeSome(squareSum + i, q, n);
    storeSome(param + i, fnma(lr, g / (sqrt(q) + eps), p), n);
  });
}

}  // namespace
}  // namespace fovea
