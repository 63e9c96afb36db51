// The gradient of a linear-chain conditional random field, by the backward algorithm: how probable
// each tag and each pair of neighbouring tags is, less what the target says.
#pragma once

#include "crf.h"

namespace fovea {
namespace {

// Sequences come in groups, each with sums of its own over its sequences, which are added up at the
// end in one order. So many, whatever the number of threads.
inline int64_t crfGroups(const CrfShape& s) {
  const int64_t square = s.tags * crfStride(s.tags), most = int64_t{1} << 22;  // floats of all sums
  const int64_t sequences = crfSequences(s);
  int64_t groups = (s.batch + sequences - 1) / sequences;
  if (groups > 16) groups = 16;
  while (groups > 1 && groups * square > most) groups /= 2;
  return groups;
}

// Of one group: gradients of the transitions [tags, stride], of start and of end.
inline int64_t crfSumsLength(const CrfShape& s) {
  return (s.tags + 2) * crfStride(s.tags);
}

// Per thread: scores after a step, exp of those before it; scores from a step on and their exp;
// probabilities; terms of a sum.
inline int64_t crfBackwardScratch(const CrfShape& s) {
  return 6 * crfStride(s.tags);
}

inline size_t crfBackwardWorkspace(const CrfShape& s, int threads) {
  const int64_t floats = 2 * s.tags * crfStride(s.tags) + crfGroups(s) * crfSumsLength(s) +
                         threads * crfBackwardScratch(s);
  return static_cast<size_t>(floats) * sizeof(float);
}

// The sum over all tags of exp(score before + score after), as total exp(shift).
struct CrfTotal {
  float shift, total;
};

// probabilities = exp(before + after) / total.
inline CrfTotal crfMarginals(int64_t tags, const float* before, const float* after,
                             float* probabilities) {
  const auto scoreAt = [=](int64_t j) {
    return loadScores(before + j, tags - j) + load(after + j);
  };
  Vec most = broadcast(-infinity), sums = broadcast(0);
  for (int64_t j = 0; j < tags; j += Vec::width) most = Max::join(most, scoreAt(j));
  const float shift = Max::across(most);
  for (int64_t j = 0; j < tags; j += Vec::width) {
    const Vec p = exp(scoreAt(j) - broadcast(shift));
    store(probabilities + j, p);
    sums = sums + p;
  }
  const float total = sum(sums);
  for (int64_t j = 0; j < tags; j += Vec::width) {
    store(probabilities + j, load(probabilities + j) / broadcast(total));
  }
  return {shift, total};
}

// grad[i, j] += factor exp(before[i] + transitions[i, j] + after[j]) / total. `afterWeights` =
// exp(after), the largest of them 1; `beforeWeights` is scratch.
inline void crfAddPairs(const CrfSums& sums, float factor, const CrfTotal& all, const float* before,
                        const float* after, const float* afterWeights, float* beforeWeights,
                        float* grad) {
  const int64_t tags = sums.tags, stride = sums.stride;
  float scale;
  storeFirst(&scale, exp(broadcast(sums.top - all.shift)), 1);
  // As products, unless their sum, 1 / scale, is so small that some of them underflow.
  if (scale < 0x1p60f) {
    const Vec each = broadcast(factor * scale / all.total);
    fillRow(tags, beforeWeights,
            [=](int64_t i, int n) { return exp(loadSome(before + i, n)) * each; });
    for (int64_t i = 0; i < tags; ++i) {
      const Vec weight = broadcast(beforeWeights[i]);
      for (int64_t j = 0; j < stride; j += Vec::width) {
        const int64_t at = i * stride + j;
        const Vec pair = weight * load(sums.weights + at);
        store(grad + at, fma(pair, load(afterWeights + j), load(grad + at)));
      }
    }
    return;
  }
  const Vec each = broadcast(factor / all.total);
  for (int64_t i = 0; i < tags; ++i) {
    const Vec from = broadcast(before[i] - all.shift);
    for (int64_t j = 0; j < tags; j += Vec::width) {
      const Vec through = loadScores(sums.transitions + i * tags + j, tags - j);
      float* to = grad + i * stride + j;
      store(to, fma(each, exp(from + through + load(after + j)), load(to)));
    }
  }
}

inline void crfAddRow(int64_t tags, float factor, const float* probabilities, float* grad) {
  for (int64_t j = 0; j < tags; j += Vec::width) {
    store(grad + j, fma(broadcast(factor), load(probabilities + j), load(grad + j)));
  }
}

struct CrfBackwardCall {
  const CrfShape& s;
  CrfSums forward, backward;
  const float *emissions, *end;
  const int32_t* target;
  const float* saved;
  float* gradEmissions;
};

// The gradients of sequence b, from its last step to its first; `sums` are those of its group.
inline void crfSequenceBackward(const CrfBackwardCall& call, int64_t b, int64_t length,
                                float factor, float* scratch, float* sums) {
  const CrfShape& s = call.s;
  const int64_t tags = s.tags, batch = s.batch, stride = call.forward.stride;
  float *after = scratch, *beforeWeights = after + stride, *from = beforeWeights + stride;
  float *fromWeights = from + stride, *probabilities = fromWeights + stride;
  float* terms = probabilities + stride;
  float *gradStart = sums + tags * stride, *gradEnd = gradStart + stride;
  for (int64_t j = 0; j < tags; j += Vec::width) {
    store(after + j, call.end == nullptr ? broadcast(0) : loadScores(call.end + j, tags - j));
  }
  for (int64_t t = length - 1; t >= 0; --t) {
    const int64_t at = t * batch + b;
    const float* before = call.saved + at * tags;
    const CrfTotal all = crfMarginals(tags, before, after, probabilities);
    float* grad = call.gradEmissions + at * tags;
    fillRow(tags, grad,
            [=](int64_t j, int) { return load(probabilities + j) * broadcast(factor); });
    if (t == 0) crfAddRow(tags, factor, probabilities, gradStart);
    if (t == length - 1) crfAddRow(tags, factor, probabilities, gradEnd);
    if (t + 1 < length) {
      crfAddPairs(call.forward, factor, all, before, from, fromWeights, beforeWeights, sums);
    }
    if (call.target != nullptr) {
      const int64_t tag = call.target[at];
      grad[tag] -= factor;
      if (t == 0) gradStart[tag] -= factor;
      if (t == length - 1) gradEnd[tag] -= factor;
      if (t + 1 < length) sums[tag * stride + call.target[at + batch]] -= factor;
    }
    if (t == 0) break;
    for (int64_t j = 0; j < tags; j += Vec::width) {
      store(from + j, loadScores(call.emissions + at * tags + j, tags - j) + load(after + j));
    }
    crfNormalize(stride, from, fromWeights);
    crfStep(call.backward, from, fromWeights, terms, after);
  }
}

// grad = the sum of the groups' rows, in their order; null for one that is not wanted.
inline void crfAddGroups(const CrfShape& s, const float* sums, int64_t row, float* grad) {
  if (grad == nullptr) return;
  const int64_t stride = crfStride(s.tags), groups = crfGroups(s), length = crfSumsLength(s);
  fillRow(s.tags, grad, [=](int64_t j, int) {
    Vec total = broadcast(0);
    for (int64_t g = 0; g < groups; ++g) total = total + load(sums + g * length + row * stride + j);
    return total;
  });
}

void crfBackward(const CrfShape& s, const Context& context, const float* emissions,
                 const float* transitions, const float* end, const int32_t* target,
                 const int32_t* lengths, const float* saved, const float* gradY,
                 float* gradEmissions, float* gradTransitions, float* gradStart, float* gradEnd) {
  const int64_t stride = crfStride(s.tags), groups = crfGroups(s);
  float* weights = reinterpret_cast<float*>(context.workspace);
  const CrfSums forward = crfSumsBefore(s.tags, transitions, weights);
  const CrfSums backward = crfSumsAfter(forward, weights + s.tags * stride);
  const CrfBackwardCall call = {s, forward, backward, emissions, end, target, saved, gradEmissions};
  float* sums = weights + 2 * s.tags * stride;
  float* scratch = sums + groups * crfSumsLength(s);
  context.parallel(groups, [&](int64_t group, int thread) {
    float* mine = sums + group * crfSumsLength(s);
    fillRow(crfSumsLength(s), mine, [](int64_t, int) { return broadcast(0); });
    const int64_t last = s.batch * (group + 1) / groups;
    for (int64_t b = s.batch * group / groups; b < last; ++b) {
      const int64_t length = crfLength(s, lengths, b);
      crfSequenceBackward(call, b, length, gradY[b], scratch + thread * crfBackwardScratch(s),
                          mine);
      for (int64_t t = length; t < s.steps; ++t) {
        fillRow(s.tags, gradEmissions + (t * s.batch + b) * s.tags,
                [](int64_t, int) { return broadcast(0); });
      }
    }
  });
  for (int64_t i = 0; i < s.tags; ++i) {
    crfAddGroups(s, sums, i, gradTransitions + i * s.tags);
  }
  crfAddGroups(s, sums, s.tags, gradStart);
  crfAddGroups(s, sums, s.tags + 1, gradEnd);
}
FOVEA_WORKSPACE(crfBackward, CrfShape, crfBackwardWorkspace)

}  // namespace
}  // namespace fovea
