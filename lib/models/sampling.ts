// Writing text: one token after the other, each drawn from what a language model expects after those before.
import type { RecurrentState } from '../nn/index.ts';
import { describe, fail } from '../tensor/errors.ts';
import { defaultGenerator, fromArray, type Generator, noGrad, zeros } from '../tensor/index.ts';
import type { LanguageModel } from './language-model.ts';

/** How a token is chosen. */
export interface SamplingOptions {
  /** Logits are divided by it: below 1 makes likely tokens likelier, and 0 takes the likeliest (default 1). */
  readonly temperature?: number;
  /** Only so many of the likeliest tokens come into question (default: all). */
  readonly topK?: number;
  /** Only the likeliest tokens that together have this probability (default 1; Holtzman et al. 2020). */
  readonly topP?: number;
}

/**
 * The index that `uniform`, a number from [0, 1), draws from softmax(logits / temperature) among the tokens in question.
 * A logit of -Infinity is never drawn; of equal ones, the first counts as the likelier. Throws FoveaError for others that
 * are not finite, and for options out of range.
 */
export function sampleIndex(logits: ArrayLike<number>, uniform: number, options: SamplingOptions = {}): number {
  const { temperature, topK, topP } = checked(options);
  const logit = (index: number) => logits[index] ?? -Infinity;
  const order = Array.from({ length: logits.length }, (_, index) => index).filter(
    (index) => logit(index) !== -Infinity,
  );
  if (order.length === 0 || !order.every((index) => Number.isFinite(logit(index)))) {
    fail('sampleIndex', { expected: 'finite logits', got: order.length === 0 ? 'none' : 'NaN or infinity' });
  }
  const likeliest = order.reduce((best, index) => (logit(index) > logit(best) ? index : best));
  if (temperature === 0) return likeliest;
  if (topK < order.length || topP < 1) order.sort((a, b) => logit(b) - logit(a));
  let weights = order.slice(0, topK).map((index) => Math.exp((logit(index) - logit(likeliest)) / temperature));
  if (topP < 1) weights = weights.slice(0, reaching(topP, weights) + 1);
  return order[reaching(uniform, weights)] ?? likeliest;
}

/** The first place up to which (itself included) `weights` make more than this share of their sum. */
function reaching(share: number, weights: readonly number[]): number {
  let left = share * weights.reduce((sum, weight) => sum + weight, 0);
  const place = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return place === -1 ? weights.length - 1 : place;
}

/** The options with their defaults. */
function checked({ temperature = 1, topK = Infinity, topP = 1 }: SamplingOptions): Required<SamplingOptions> {
  const refuse = (expected: string, got: unknown) => fail('sampling', { expected, got: describe(got) });
  if (!(temperature >= 0 && temperature < Infinity)) refuse('a finite temperature of 0 or more', temperature);
  if (topK !== Infinity && !(Number.isSafeInteger(topK) && topK >= 1)) refuse('topK to be at least 1', topK);
  if (!(topP > 0 && topP <= 1)) refuse('topP above 0 and at most 1', topP);
  return { temperature, topK, topP };
}

export interface WritingOptions extends SamplingOptions {
  /** Tokens that are never drawn, such as padding. */
  readonly never?: readonly number[];
  /** A token with which every text begins: the model reads it from a state of zeros. */
  readonly boundary?: number | undefined;
  /** Source of the draws; the default generator if undefined. */
  readonly generator?: Generator | undefined;
}

/** Reads `prompt`, one token or more, then writes without end. The model should be in evaluation mode. */
export function* writeTokens(
  model: LanguageModel,
  prompt: readonly number[],
  { never = [], boundary, generator = defaultGenerator(), ...sampling }: WritingOptions = {},
): IterableIterator<number> {
  checked(sampling);
  if (prompt.length === 0) fail('writeTokens', { expected: 'a prompt of at least one token', got: 'none' });
  const uniform = zeros([1]);
  let state: RecurrentState = {};
  for (let unread = prompt; ; ) {
    const start = boundary === undefined ? -1 : unread.lastIndexOf(boundary);
    if (start >= 0) state = {};
    const inputs = fromArray(Int32Array.from(unread.slice(Math.max(0, start)))).reshape(-1, 1);
    const { logits, state: after } = noGrad(() => model.unroll(inputs, state));
    const next = logits.floats.slice(-model.tokens);
    for (const token of never) next[token] = -Infinity;
    const token = sampleIndex(next, uniform.uniform_(0, 1, generator).item(), sampling);
    yield token;
    state = after;
    unread = [token];
  }
}
