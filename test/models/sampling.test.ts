// Drawing tokens: the distribution, its limits, and writing with a model.
import { describe, expect, it } from 'vitest';
import { LanguageModel, type SamplingOptions, sampleIndex, writeTokens } from '../../lib/models/index.ts';
import { fromArray, Generator, noGrad, zeros } from '../../lib/tensor/index.ts';

const logits = [1, 3, 2, 0.5, -1];

/** How often each index is drawn. */
function frequencies(options: SamplingOptions, draws = 20_000): number[] {
  const uniform = zeros([draws]).uniform_(0, 1, new Generator(5)).floats;
  const counts = logits.map(() => 0);
  for (const value of uniform) counts[sampleIndex(logits, value, options)]!++;
  return counts;
}

/** Pearson's statistic of counts against probabilities; those of 0 must not occur. */
function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const [draws, total] = [counts, weights].map((all) => all.reduce((sum, value) => sum + value, 0));
  return counts.reduce((sum, count, i) => {
    const expected = (draws! * weights[i]!) / total!;
    if (expected === 0) return count === 0 ? sum : Number.POSITIVE_INFINITY;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

const at = (temperature: number) => logits.map((logit) => Math.exp(logit / temperature));

describe('sampleIndex', () => {
  // 18.5 is exceeded once in a thousand times with 4 degrees of freedom; the seed is fixed.
  it.each([0.7, 1, 1.6])('draws from the softmax of the logits divided by temperature %d', (temperature) => {
    expect(chiSquare(frequencies({ temperature }), at(temperature))).toBeLessThan(18.5);
    expect(chiSquare(frequencies({ temperature }), at(temperature * 1.2))).toBeGreaterThan(18.5);
  });

  it('draws from the topK likeliest, in their proportions', () => {
    const [, second, third] = at(1);
    expect(chiSquare(frequencies({ topK: 2 }), [0, second!, third!, 0, 0])).toBeLessThan(10.8);
  });

  it('draws from the fewest likeliest that together have probability topP', () => {
    const weights = at(1); // 0.087 0.640 0.235 0.053 0.012
    expect(chiSquare(frequencies({ topP: 0.8 }), [0, weights[1]!, weights[2]!, 0, 0])).toBeLessThan(10.8);
    expect(chiSquare(frequencies({ topP: 0.9 }), [weights[0]!, weights[1]!, weights[2]!, 0, 0])).toBeLessThan(13.8);
    expect(frequencies({ topP: 0.5 }, 200)).toEqual([0, 200, 0, 0, 0]);
  });

  it.each([{ temperature: 0 }, { temperature: 1e-3 }, { topK: 1 }])('takes the likeliest with %j', (options) => {
    expect(frequencies(options, 200)).toEqual([0, 200, 0, 0, 0]);
  });

  it('never draws -Infinity, and takes the first of equals', () => {
    const closed = [-Infinity, 0, 0, -Infinity];
    expect([0, 0.49, 0.5, 0.999999].map((uniform) => sampleIndex(closed, uniform))).toEqual([1, 1, 2, 2]);
    expect(sampleIndex(closed, 0.9, { temperature: 0 })).toBe(1);
    expect(sampleIndex(closed, 0.9, { topK: 1 })).toBe(1);
  });

  it('stays finite where exp would not', () => {
    expect(sampleIndex([3e4, 3e4 - 1, -3e4], 0.999, { temperature: 0.01 })).toBe(0);
  });

  it('refuses what is no distribution', () => {
    expect(() => sampleIndex([Number.NaN, 1], 0)).toThrow(/finite logits, but got NaN or infinity/);
    expect(() => sampleIndex([-Infinity], 0)).toThrow(/finite logits, but got none/);
    for (const options of [{ temperature: -1 }, { temperature: Number.NaN }, { topK: 0 }, { topK: 1.5 }, { topP: 0 }]) {
      expect(() => sampleIndex(logits, 0, options)).toThrow(/sampling: expected/);
    }
  });
});

describe('writeTokens', () => {
  const generator = new Generator(3);
  const model = new LanguageModel(6, { embeddingSize: 4, hiddenSize: 8, generator }).eval();
  // Larger than at first, so that what was read makes a difference.
  for (const weight of model.parameters()) noGrad(() => weight.normal_(0, 1, generator));
  const first = (prompt: number[], count: number, options: Parameters<typeof writeTokens>[2]) => {
    const written: number[] = [];
    for (const token of writeTokens(model, prompt, options)) if (written.push(token) === count) break;
    return written;
  };

  it('takes with temperature 0 what is likeliest after all before, as one long pass says', () => {
    const prompt = [2, 3, 1];
    const written = first(prompt, 20, { temperature: 0 });
    const all = Int32Array.from([...prompt, ...written]);
    const expected = noGrad(() => model.forward(fromArray(all).reshape(-1, 1)).argmax(-1)).ints;
    expect(written).toEqual([...expected.slice(prompt.length - 1, -1)]);
  });

  it('writes the same with the same seed, and never what must not be', () => {
    const options = () => ({ generator: new Generator(9), never: [0, 5] });
    const written = first([1], 300, options());
    expect(first([1], 300, options())).toEqual(written);
    expect([...new Set(written)].sort()).toEqual([1, 2, 3, 4]);
    expect(first([1], 300, { ...options(), generator: new Generator(10) })).not.toEqual(written);
  });

  it('begins again at a boundary, given or written', () => {
    const from = (prompt: number[], boundary?: number) => first(prompt, 300, { generator: new Generator(2), boundary });
    expect(from([1, 2, 3, 4, 2], 4)).toEqual(from([4, 2], 4));
    expect(from([1, 2, 3, 4, 2])).not.toEqual(from([4, 2]));
    const written = from([4, 2], 4);
    const end = written.indexOf(4);
    const greedy = (prompt: number[]) => first(prompt, 5, { temperature: 0, boundary: 4 });
    expect(greedy([4, 2, ...written.slice(0, end + 1)])).toEqual(greedy([4]));
  });

  it('refuses an empty prompt', () => {
    expect(() => first([], 1, {})).toThrow(/writeTokens: expected a prompt of at least one token, but got none/);
  });
});
