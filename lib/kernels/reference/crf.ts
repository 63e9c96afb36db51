// A linear-chain conditional random field (Lafferty et al. 2001): forward and backward algorithm, Viterbi's path.
import type { Floats, Shape } from '../call.ts';
import { type Kernel, scratch } from './kernel.ts';

type Sizes = Shape<'crf'>;

const scoresOf = scratch();
const nextOf = scratch();
const afterOf = scratch();
const fromOf = scratch();

/** The largest of the first `count`; NaN where there is one. */
function largestOf(count: number, scores: Float64Array): number {
  let largest = -Infinity;
  for (let i = 0; i < count; i++) largest = Math.max(largest, scores[i]);
  return largest;
}

/** log Σ exp(terms(i)), safe for any size of the terms; -Infinity if all are. */
function logSumExp(count: number, term: (i: number) => number): number {
  let largest = -Infinity;
  for (let i = 0; i < count; i++) largest = Math.max(largest, term(i));
  if (largest === -Infinity) return largest;
  let total = 0;
  for (let i = 0; i < count; i++) total += Math.exp(term(i) - largest);
  return largest + Math.log(total);
}

/** Takes the largest off the scores, unless it is -Infinity. */
function normalize(count: number, scores: Float64Array): number {
  const largest = largestOf(count, scores);
  const shift = largest === -Infinity ? 0 : largest;
  for (let i = 0; i < count; i++) scores[i] -= shift;
  return shift;
}

/** The score of the path of sequence b. */
function pathScore(
  { batch, tags }: Sizes,
  b: number,
  length: number,
  emissions: Floats,
  transitions: Floats,
  start: Floats | undefined,
  end: Floats | undefined,
  path: Int32Array,
): number {
  let score = 0;
  for (let t = 0; t < length; t++) {
    const at = t * batch + b;
    score += emissions[at * tags + path[at]];
    if (t > 0) score += transitions[path[at - batch] * tags + path[at]];
  }
  if (length > 0 && start !== undefined) score += start[path[b]];
  if (length > 0 && end !== undefined) score += end[path[(length - 1) * batch + b]];
  return score;
}

/**
 * y = log Σ over all paths of exp(score) - the score of the target, or without it; 0 where there are no steps.
 * saved: the log of the sum over the paths to each tag at each step, less the largest of the step.
 */
export const crf: Kernel<'crf'> = (shape, { emissions, transitions, start, end, target, lengths, y, saved }) => {
  const { steps, batch, tags } = shape;
  let scores = scoresOf(tags);
  let next = nextOf(tags);
  for (let b = 0; b < batch; b++) {
    const length = lengths?.[b] ?? steps;
    let shift = 0;
    for (let t = 0; t < steps; t++) {
      const at = (t * batch + b) * tags;
      if (t >= length) {
        saved?.fill(0, at, at + tags);
        continue;
      }
      for (let j = 0; j < tags; j++) {
        const before =
          t === 0
            ? start === undefined
              ? 0
              : start[j]
            : logSumExp(tags, (i) => scores[i] + transitions[i * tags + j]);
        next[j] = before + emissions[at + j];
      }
      [scores, next] = [next, scores];
      shift += normalize(tags, scores);
      if (saved !== undefined) for (let j = 0; j < tags; j++) saved[at + j] = scores[j];
    }
    const all = logSumExp(tags, (j) => scores[j] + (end === undefined ? 0 : end[j]));
    const score = target === undefined ? 0 : pathScore(shape, b, length, emissions, transitions, start, end, target);
    y[b] = length === 0 ? 0 : shift + all - score;
  }
};

/** The probability of each tag at each step, and of each pair of neighbouring tags, less what the target says. */
export const crfBackward: Kernel<'crfBackward'> = ({ steps, batch, tags }, buffers) => {
  const { emissions, transitions, end, target, lengths, saved, gradY } = buffers;
  const { gradEmissions, gradTransitions, gradStart, gradEnd } = buffers;
  const after = afterOf(tags);
  const from = fromOf(tags);
  const pairs = new Float64Array(tags * tags);
  const starts = new Float64Array(tags);
  const ends = new Float64Array(tags);
  gradEmissions.fill(0, 0, steps * batch * tags);
  for (let b = 0; b < batch; b++) {
    const length = lengths?.[b] ?? steps;
    const factor = gradY[b];
    for (let j = 0; j < tags; j++) after[j] = end === undefined ? 0 : end[j];
    for (let t = length - 1; t >= 0; t--) {
      const step = t * batch + b;
      const at = step * tags;
      const total = logSumExp(tags, (j) => saved[at + j] + after[j]);
      for (let j = 0; j < tags; j++) {
        const probability = factor * Math.exp(saved[at + j] + after[j] - total);
        gradEmissions[at + j] = probability;
        if (t === 0) starts[j] += probability;
        if (t === length - 1) ends[j] += probability;
      }
      for (let i = 0; i < tags && t + 1 < length; i++) {
        for (let j = 0; j < tags; j++) {
          const score = saved[at + i] + transitions[i * tags + j] + from[j];
          pairs[i * tags + j] += factor * Math.exp(score - total);
        }
      }
      if (target !== undefined) {
        gradEmissions[at + target[step]] -= factor;
        if (t === 0) starts[target[step]] -= factor;
        if (t === length - 1) ends[target[step]] -= factor;
        else pairs[target[step] * tags + target[step + batch]] -= factor;
      }
      for (let j = 0; j < tags; j++) from[j] = emissions[at + j] + after[j];
      normalize(tags, from);
      for (let i = 0; i < tags; i++) after[i] = logSumExp(tags, (j) => transitions[i * tags + j] + from[j]);
    }
  }
  gradTransitions.set(pairs);
  gradStart?.set(starts);
  gradEnd?.set(ends);
};

/** The best path, the first of equal ones seen from its end, -1 after it; its score, 0 where there are no steps. */
export const crfDecode: Kernel<'crfDecode'> = (shape, buffers) => {
  const { steps, batch, tags } = shape;
  const { emissions, transitions, start, end, lengths, paths, scores } = buffers;
  let best = scoresOf(tags);
  let next = nextOf(tags);
  const before = new Int32Array(steps * tags);
  for (let b = 0; b < batch; b++) {
    const length = lengths?.[b] ?? steps;
    for (let t = 0; t < length; t++) {
      const at = (t * batch + b) * tags;
      for (let j = 0; j < tags; j++) {
        let from = 0;
        for (let i = 1; i < tags && t > 0; i++) {
          if (best[i] + transitions[i * tags + j] > best[from] + transitions[from * tags + j]) from = i;
        }
        before[t * tags + j] = from;
        const arriving = t === 0 ? (start === undefined ? 0 : start[j]) : best[from] + transitions[from * tags + j];
        next[j] = arriving + emissions[at + j];
      }
      [best, next] = [next, best];
    }
    let tag = 0;
    const final = (j: number) => best[j] + (end === undefined ? 0 : end[j]);
    for (let j = 1; j < tags; j++) if (final(j) > final(tag)) tag = j;
    for (let t = steps - 1; t >= 0; t--) {
      paths[t * batch + b] = t < length ? tag : -1;
      if (t < length) tag = before[t * tags + tag];
    }
    scores[b] = pathScore(shape, b, length, emissions, transitions, start, end, paths);
  }
};
