// A linear-chain conditional random field (Lafferty et al. 2001): its log-likelihood by the forward
// algorithm (Rabiner 1989), vectors along the tags.
//
// The scores of a step are held less the largest of them. So the sum over the tags before,
// log Σ exp(score + transition), is a product with exp(transitions), which are taken once; the few
// sums that come near underflow in it are taken again in logarithms.
#pragma once

#include "context.h"
#include "fold.h"
#include "list.h"
#include "math.h"
#include "rows.h"
#include "workspace.h"

namespace fovea {
namespace {

constexpr int64_t crfGrain = 20000;  // vectors worth a task
// Weights below it may lack digits of what underflowed: each term is off by at most 2^-126.
constexpr float crfSmallest = 0x1p-90f;

// Tags in whole vectors.
inline int64_t crfStride(int64_t tags) {
  return (tags + Vec::width - 1) / Vec::width * Vec::width;
}

// How many sequences make a task.
inline int64_t crfSequences(const CrfShape& s) {
  const int64_t vectors = crfStride(s.tags) / Vec::width;
  return unitsPerTask(s.steps * vectors * (s.tags + 40), crfGrain);
}

inline int64_t crfLength(const CrfShape& s, const int32_t* lengths, int64_t b) {
  return lengths == nullptr ? s.steps : lengths[b];
}

// Scores of n tags, -infinity in the lanes beyond them.
inline Vec loadScores(const float* p, int64_t n) {
  if (n >= Vec::width) return load(p);
  const int count = static_cast<int>(n);
  return select(firstLanes(count), loadFirst(p, count), broadcast(-infinity));
}

// Sums over the tags on one side of a transition: of those before it, or of those after it.
struct CrfSums {
  int64_t tags, stride;
  const float* weights;  // [tags, stride] exp(transitions - top), the summed tag first; 0 beyond
  const float* transitions;  // as given
  int64_t summed, kept;      // in it, how far the next summed tag is away, and the next other
  float top;                 // the largest transition
};

inline float crfTop(int64_t tags, const float* transitions) {
  const float top = static_cast<float>(reduceRow<MaxOfNumbers>(transitions, tags * tags));
  return top == -infinity ? 0 : top;
}

// Over the tags before; `weights` is written.
inline CrfSums crfSumsBefore(int64_t tags, const float* transitions, float* weights) {
  const int64_t stride = crfStride(tags);
  const float top = crfTop(tags, transitions);
  for (int64_t i = 0; i < tags; ++i) {
    for (int64_t j = 0; j < tags; j += Vec::width) {
      const Vec scores = loadScores(transitions + i * tags + j, tags - j);
      store(weights + i * stride + j, exp(scores - broadcast(top)));
    }
  }
  return {tags, stride, weights, transitions, tags, 1, top};
}

// Over the tags after, from the sums over those before.
inline CrfSums crfSumsAfter(const CrfSums& forward, float* weights) {
  const int64_t tags = forward.tags, stride = forward.stride;
  for (int64_t j = 0; j < tags; ++j) {
    for (int64_t i = 0; i < stride; ++i) {
      weights[j * stride + i] = i < tags ? forward.weights[i * stride + j] : 0;
    }
  }
  return {tags, stride, weights, forward.transitions, 1, tags, forward.top};
}

// log Σ exp(terms).
inline float logSumExp(int64_t count, const float* terms) {
  const float largest = static_cast<float>(reduceRow<Max>(terms, count));
  if (largest == -infinity) return largest;
  const double total = reduceTerms<Sum>(
      count, [=](int64_t i, int n) { return exp(loadSome(terms + i, n) - broadcast(largest)); });
  float y;
  storeFirst(&y, log(broadcast(static_cast<float>(total))), 1);
  return largest + y;
}

// Σ_i weights[i] rows[i], for one vector of each row.
inline Vec crfProduct(int64_t count, int64_t stride, const float* weights, const float* rows) {
  Vec sums[4] = {broadcast(0), broadcast(0), broadcast(0), broadcast(0)};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int c = 0; c < 4; ++c) {
      sums[c] = fma(broadcast(weights[i + c]), load(rows + (i + c) * stride), sums[c]);
    }
  }
  for (; i < count; ++i) sums[0] = fma(broadcast(weights[i]), load(rows + i * stride), sums[0]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// to[j] = log Σ_i exp(scores[i] + transition), -infinity beyond the tags. weights = exp(scores),
// the largest of them 1. `terms` is scratch for one sum.
inline void crfStep(const CrfSums& sums, const float* scores, const float* weights, float* terms,
                    float* to) {
  for (int64_t j = 0; j < sums.stride; j += Vec::width) {
    const Vec total = crfProduct(sums.tags, sums.stride, weights, sums.weights + j);
    store(to + j, log(total) + broadcast(sums.top));
    const int64_t left = sums.tags - j;
    const int n = static_cast<int>(left < Vec::width ? left : Vec::width);
    if (!any(less(total, broadcast(crfSmallest)) & firstLanes(n))) continue;
    float totals[Vec::width];
    store(totals, total);
    for (int lane = 0; lane < n; ++lane) {
      if (!(totals[lane] < crfSmallest)) continue;
      const float* column = sums.transitions + (j + lane) * sums.kept;
      for (int64_t i = 0; i < sums.tags; ++i) terms[i] = scores[i] + column[i * sums.summed];
      to[j + lane] = logSumExp(sums.tags, terms);
    }
  }
}

// Takes the largest off the scores, unless it is -infinity; weights = exp of what is left.
inline float crfNormalize(int64_t stride, float* scores, float* weights) {
  Vec most = broadcast(-infinity);
  for (int64_t j = 0; j < stride; j += Vec::width) most = Max::join(most, load(scores + j));
  const float largest = Max::across(most), shift = largest == -infinity ? 0 : largest;
  for (int64_t j = 0; j < stride; j += Vec::width) {
    const Vec score = load(scores + j) - broadcast(shift);
    store(scores + j, score);
    store(weights + j, exp(score));
  }
  return shift;
}

// start + emissions of the first step, or 0 + them.
inline void crfBegin(int64_t tags, const float* start, const float* emissions, float* scores) {
  for (int64_t j = 0; j < tags; j += Vec::width) {
    const Vec emitted = loadScores(emissions + j, tags - j);
    const int n = static_cast<int>(tags - j < Vec::width ? tags - j : Vec::width);
    store(scores + j, start == nullptr ? emitted : emitted + loadSome(start + j, n));
  }
}

inline void crfEmit(int64_t tags, const float* emissions, float* scores) {
  for (int64_t j = 0; j < tags; j += Vec::width) {
    store(scores + j, load(scores + j) + loadScores(emissions + j, tags - j));
  }
}

// The score of one path: of sequence b, whose tag at each step is path[step batch + b].
inline double crfPathScore(const CrfShape& s, int64_t b, int64_t length, const float* emissions,
                           const float* transitions, const float* start, const float* end,
                           const int32_t* path) {
  const int64_t tags = s.tags, batch = s.batch;
  double score = 0;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t at = t * batch + b, tag = path[at];
    score += emissions[at * tags + tag];
    if (t > 0) score += transitions[path[at - batch] * tags + tag];
  }
  if (length > 0 && start != nullptr) score += start[path[b]];
  if (length > 0 && end != nullptr) score += end[path[(length - 1) * batch + b]];
  return score;
}

// Per thread: the scores of a step, their exponentials, those of the next step, terms of a sum.
inline int64_t crfScratch(int64_t tags) {
  return 4 * crfStride(tags);
}

inline size_t crfWorkspace(const CrfShape& s, int threads) {
  const int64_t floats = s.tags * crfStride(s.tags) + threads * crfScratch(s.tags);
  return static_cast<size_t>(floats) * sizeof(float);
}

// The log of the sum of exp(score) over all paths of one sequence; the scores of each step, less
// their largest, are kept in `saved` [steps, batch, tags].
inline double crfLogPartition(const CrfShape& s, const CrfSums& sums, int64_t b, int64_t length,
                              const float* emissions, const float* start, const float* end,
                              float* scratch, float* saved) {
  const int64_t tags = s.tags, stride = sums.stride;
  float *scores = scratch, *weights = scratch + stride, *next = scratch + 2 * stride;
  float* terms = scratch + 3 * stride;
  double shift = 0;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t at = (t * s.batch + b) * tags;
    if (t == 0) {
      crfBegin(tags, start, emissions + at, scores);
    } else {
      crfStep(sums, scores, weights, terms, next);
      crfEmit(tags, emissions + at, next);
      float* before = scores;
      scores = next;
      next = before;
    }
    shift += crfNormalize(stride, scores, weights);
    if (saved != nullptr) {
      fillRow(tags, saved + at, [=](int64_t j, int) { return load(scores + j); });
    }
  }
  for (int64_t j = 0; j < tags; ++j) terms[j] = scores[j] + (end == nullptr ? 0 : end[j]);
  return shift + logSumExp(tags, terms);
}

void crf(const CrfShape& s, const Context& context, const float* emissions,
         const float* transitions, const float* start, const float* end, const int32_t* target,
         const int32_t* lengths, float* y, float* saved) {
  if (s.batch == 0) return;
  float* weights = reinterpret_cast<float*>(context.workspace);
  const CrfSums sums = crfSumsBefore(s.tags, transitions, weights);
  float* scratch = weights + s.tags * sums.stride;
  const int64_t group = crfSequences(s);
  context.parallel((s.batch + group - 1) / group, [&](int64_t task, int thread) {
    float* mine = scratch + thread * crfScratch(s.tags);
    const int64_t last = (task + 1) * group;
    for (int64_t b = task * group; b < last && b < s.batch; ++b) {
      const int64_t length = crfLength(s, lengths, b);
      double score = 0;
      if (length > 0) {
        score = crfLogPartition(s, sums, b, length, emissions, start, end, mine, saved);
        if (target != nullptr) {
          score -= crfPathScore(s, b, length, emissions, transitions, start, end, target);
        }
      }
      y[b] = static_cast<float>(score);
      for (int64_t t = length; saved != nullptr && t < s.steps; ++t) {
        fillRow(s.tags, saved + (t * s.batch + b) * s.tags,
                [](int64_t, int) { return broadcast(0); });
      }
    }
  });
}
FOVEA_WORKSPACE(crf, CrfShape, crfWorkspace)

}  // namespace
}  // namespace fovea
