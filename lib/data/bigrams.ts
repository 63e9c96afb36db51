// What counting alone knows of a text: the baselines that a language model has to beat.

export interface CountingLosses {
  /** Nats per token by how frequent each token is. */
  readonly unigram: number;
  /** Nats per token by how often each followed the one before it. */
  readonly bigram: number;
}

const DISCOUNT = 0.75;

/**
 * Counts pairs within the sequences `train`, then predicts every token of the sequences `test` but the first of each; tokens
 * are below `size`. Each token counts once more than it occurs (Laplace), and each pair 0.75 less, which goes to the
 * frequencies of single tokens (absolute discounting; Ney, Essen and Kneser 1994).
 */
export function countingLosses(
  train: readonly Int32Array[],
  test: readonly Int32Array[],
  size: number,
): CountingLosses {
  const single = new Float64Array(size).fill(1);
  const pairs = new Map<number, number>();
  const followers = new Float64Array(size); // different tokens seen after each
  const begun = new Float64Array(size); // pairs that begin with each
  forEachPair(train, (before, token) => {
    const key = before * size + token;
    const times = pairs.get(key) ?? 0;
    pairs.set(key, times + 1);
    if (times === 0) increment(followers, before);
    increment(begun, before);
    increment(single, token);
  });
  const all = single.reduce((sum, times) => sum + times, 0);
  let targets = 0;
  const losses = { unigram: 0, bigram: 0 };
  forEachPair(test, (before, token) => {
    const alone = (single[token] ?? 0) / all;
    const times = begun[before] ?? 0;
    const seen = Math.max(0, (pairs.get(before * size + token) ?? 0) - DISCOUNT);
    const after = times === 0 ? alone : (seen + DISCOUNT * (followers[before] ?? 0) * alone) / times;
    losses.unigram -= Math.log(alone);
    losses.bigram -= Math.log(after);
    targets++;
  });
  return { unigram: losses.unigram / targets, bigram: losses.bigram / targets };
}

function forEachPair(sequences: readonly Int32Array[], visit: (before: number, token: number) => void): void {
  for (const sequence of sequences) {
    for (let i = 1; i < sequence.length; i++) visit(sequence[i - 1] ?? 0, sequence[i] ?? 0);
  }
}

function increment(counts: Float64Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}
