// What counting alone knows of a text: the baselines that a language model has to beat.

export interface CountingLosses {
  /** Nats per token by how frequent each token is. */
  readonly unigram: number;
  /** Nats per token by how often each followed the one before it. */
  readonly bigram: number;
}

const DISCOUNT = 0.75;

/**
 * Counts `train`, then predicts every token of `test` but the first; tokens are below `size`. Each token counts once more
 * than it occurs (Laplace), and each pair 0.75 less, which goes to the frequencies of single tokens (absolute discounting;
 * Ney, Essen and Kneser 1994).
 */
export function countingLosses(train: Int32Array, test: Int32Array, size: number): CountingLosses {
  const single = new Float64Array(size).fill(1);
  const pairs = new Map<number, number>();
  const followers = new Float64Array(size); // different tokens seen after each
  const begun = new Float64Array(size); // pairs that begin with each
  for (let i = 0; i < train.length; i++) {
    const token = train[i] ?? 0;
    single[token] = (single[token] ?? 0) + 1;
    if (i === 0) continue;
    const before = train[i - 1] ?? 0;
    const key = before * size + token;
    const count = pairs.get(key) ?? 0;
    pairs.set(key, count + 1);
    begun[before] = (begun[before] ?? 0) + 1;
    if (count === 0) followers[before] = (followers[before] ?? 0) + 1;
  }
  const all = train.length + size;
  const losses = { unigram: 0, bigram: 0 };
  for (let i = 1; i < test.length; i++) {
    const before = test[i - 1] ?? 0;
    const token = test[i] ?? 0;
    const alone = (single[token] ?? 0) / all;
    const times = begun[before] ?? 0;
    const seen = Math.max(0, (pairs.get(before * size + token) ?? 0) - DISCOUNT);
    const after = times === 0 ? alone : (seen + DISCOUNT * (followers[before] ?? 0) * alone) / times;
    losses.unigram -= Math.log(alone) / (test.length - 1);
    losses.bigram -= Math.log(after) / (test.length - 1);
  }
  return losses;
}
