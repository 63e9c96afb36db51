// The best path through a linear-chain conditional random field (Viterbi 1967): at each step the
// best score of a path to each tag, and the tag before it.
#pragma once

#include "crf.h"

namespace fovea {
namespace {

// Per thread: the best scores at two steps, and for each step and tag the tag before.
inline int64_t crfDecodeScratch(const CrfShape& s) {
  return (2 + static_cast<int64_t>(s.steps)) * crfStride(s.tags);
}

inline size_t crfDecodeWorkspace(const CrfShape& s, int threads) {
  const int64_t words = s.tags * crfStride(s.tags) + threads * crfDecodeScratch(s);
  return static_cast<size_t>(words) * sizeof(float);
}

// next[j] = the largest of scores[i] + transitions[i, j], before[j] the first i that has it.
// transitions [tags, stride] end in -infinity.
inline void crfBestBefore(int64_t tags, int64_t stride, const float* transitions,
                          const float* scores, float* next, int32_t* before) {
  for (int64_t j = 0; j < stride; j += Vec::width) {
    Vec best = broadcast(scores[0]) + load(transitions + j);
    Ints from = broadcastInts(0);
    for (int64_t i = 1; i < tags; ++i) {
      const Vec score = broadcast(scores[i]) + load(transitions + i * stride + j);
      const Mask better = less(best, score);
      best = select(better, score, best);
      from = select(better, broadcastInts(static_cast<int32_t>(i)), from);
    }
    store(next + j, best);
    storeInts(before + j, from);
  }
}

// Takes the largest off the scores, so that those of a long sequence keep their digits.
inline void crfRecenter(int64_t stride, float* scores) {
  Vec most = broadcast(-infinity);
  for (int64_t j = 0; j < stride; j += Vec::width) {
    most = MaxOfNumbers::join(most, load(scores + j));
  }
  const float largest = MaxOfNumbers::across(most);
  if (largest == -infinity) return;
  for (int64_t j = 0; j < stride; j += Vec::width) {
    store(scores + j, load(scores + j) - broadcast(largest));
  }
}

// The best path of sequence b, written from its last step to its first.
inline void crfBestPath(const CrfShape& s, const float* transitions, int64_t b, int64_t length,
                        const float* emissions, const float* start, const float* end,
                        float* scratch, int32_t* paths) {
  const int64_t tags = s.tags, stride = crfStride(tags);
  float *scores = scratch, *next = scratch + stride;
  int32_t* before = reinterpret_cast<int32_t*>(scratch + 2 * stride);
  for (int64_t t = 0; t < length; ++t) {
    const float* emitted = emissions + (t * s.batch + b) * tags;
    if (t == 0) {
      crfBegin(tags, start, emitted, scores);
    } else {
      crfBestBefore(tags, stride, transitions, scores, next, before + t * stride);
      crfEmit(tags, emitted, next);
      float* last = scores;
      scores = next;
      next = last;
    }
    crfRecenter(stride, scores);
  }
  int32_t best = 0;
  const auto finalScore = [=](int64_t j) { return scores[j] + (end == nullptr ? 0 : end[j]); };
  for (int32_t j = 1; j < tags; ++j) {
    if (finalScore(best) < finalScore(j)) best = j;
  }
  for (int64_t t = length - 1; t >= 0; --t) {
    paths[t * s.batch + b] = best;
    if (t > 0) best = before[t * stride + best];
  }
}

void crfDecode(const CrfShape& s, const Context& context, const float* emissions,
               const float* transitions, const float* start, const float* end,
               const int32_t* lengths, int32_t* paths, float* scores) {
  if (s.batch == 0) return;
  const int64_t tags = s.tags, stride = crfStride(tags);
  float* padded = reinterpret_cast<float*>(context.workspace);
  for (int64_t i = 0; i < tags; ++i) {
    for (int64_t j = 0; j < tags; j += Vec::width) {
      store(padded + i * stride + j, loadScores(transitions + i * tags + j, tags - j));
    }
  }
  float* scratch = padded + tags * stride;
  const int64_t group = crfSequences(s);
  context.parallel((s.batch + group - 1) / group, [&](int64_t task, int thread) {
    float* mine = scratch + thread * crfDecodeScratch(s);
    const int64_t last = (task + 1) * group;
    for (int64_t b = task * group; b < last && b < s.batch; ++b) {
      const int64_t length = crfLength(s, lengths, b);
      if (length > 0) {
        crfBestPath(s, padded, b, length, emissions, start, end, mine, paths);
      }
      for (int64_t t = length; t < s.steps; ++t) paths[t * s.batch + b] = -1;
      scores[b] =
          static_cast<float>(crfPathScore(s, b, length, emissions, transitions, start, end, paths));
    }
  });
}
FOVEA_WORKSPACE(crfDecode, CrfShape, crfDecodeWorkspace)

}  // namespace
}  // namespace fovea
