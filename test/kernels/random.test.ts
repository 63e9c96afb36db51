// The generator against its authors' known answers, and what is drawn from it.
import { describe, expect, it } from 'vitest';
import { philox } from '../../lib/kernels/reference/random.ts';
import { reference } from '../../lib/kernels/reference.ts';

describe('Philox 4x32-10', () => {
  // The lines `philox4x32 10` of kat_vectors in Random123: counter, key, answer.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'],
    ],
    [
      [-1, -1, -1, -1],
      [-1, -1],
      ['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd'],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      ['d16cfe09', '94fdcceb', '5001e420', '24126ea1'],
    ],
  ])('gives the known answer for counter %j and key %j', (counter, key, answer) => {
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = counter;
    const [k0 = 0, k1 = 0] = key;
    const out = new Uint32Array(4);
    philox(c0, c1, c2, c3, k0, k1, out);
    expect([...out].map((word) => word.toString(16).padStart(8, '0'))).toEqual(answer);
  });
});

const count = 40_000;
const seedOf = (...words: number[]) => Int32Array.from(words);

function uniforms(seed: Int32Array, length = count): Float64Array {
  const y = new Float64Array(length);
  reference.uniform({ count: length, seedWords: 4, low: 0, high: 1 }, { seed, y });
  return y;
}

const mean = (values: Float64Array) => values.reduce((total, value) => total + value, 0) / values.length;

describe('uniform', () => {
  it('takes the top 24 bits of each word', () => {
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
    expect([...uniforms(seedOf(0, 0, 0, 0), 4)]).toEqual(words.map((word) => (word >>> 8) / 2 ** 24));
  });
  it('goes on from block to block, with carry', () => {
    const from = uniforms(seedOf(5, 6, -2, 7), 16);
    const next = uniforms(seedOf(5, 6, 0, 8), 8);
    expect([...from.subarray(8)]).toEqual([...next]);
  });
  it('has the mean and variance of its distribution, within 5 standard errors', () => {
    const y = uniforms(seedOf(1, 2, 3, 4));
    expect(Math.abs(mean(y) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(mean(y.map((u) => (u - 1 / 2) ** 2)) - 1 / 12)).toBeLessThan(5 * Math.sqrt(1 / 180 / count));
  });
});

describe('normal', () => {
  it('has the moments of its distribution, within 5 standard errors', () => {
    const y = new Float64Array(count);
    reference.normal({ count, seedWords: 4, mean: 0, std: 1 }, { seed: seedOf(1, 2, 3, 4), y });
    for (const [power, moment, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
    ] as const) {
      expect(Math.abs(mean(y.map((z) => z ** power)) - moment)).toBeLessThan(5 * Math.sqrt(variance / count));
    }
  });
  it('is Box-Muller on pairs of words', () => {
    const y = new Float64Array(4);
    reference.normal({ count: 4, seedWords: 4, mean: 0, std: 1 }, { seed: seedOf(0, 0, 0, 0), y });
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map((w) => w >>> 8);
    const pair = (first: number, second: number) => {
      const radius = Math.sqrt(-2 * Math.log((first + 1) / 2 ** 24));
      const angle = (2 * Math.PI * second) / 2 ** 24;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    };
    for (const [i, expected] of [...pair(w0, w1), ...pair(w2, w3)].entries()) expect(y[i]).toBeCloseTo(expected, 12);
  });
});

describe('dropout', () => {
  it('keeps exactly where the uniform number is at or above the probability', () => {
    const seed = seedOf(9, 8, 7, 6);
    const u = uniforms(seed);
    const y = new Float64Array(count);
    reference.dropout({ count, seedWords: 4, probability: 0.25 }, { x: new Float64Array(count).fill(3), seed, y });
    expect([...y]).toEqual([...u].map((v) => (v >= 0.25 ? 4 : 0)));
  });
  it('keeps where the uniform number is the probability as a 32-bit float', () => {
    const seed = seedOf(0, 0, 8_955_381, 0);
    expect(uniforms(seed, 4)[1]).toBe(Math.fround(0.7));
    const y = new Float64Array(4);
    reference.dropout({ count: 4, seedWords: 4, probability: 0.7 }, { x: new Float64Array(4).fill(1), seed, y });
    expect(y[1]).toBeGreaterThan(3);
  });
  it('keeps all with probability 0 and nothing with probability 1', () => {
    const x = Float32Array.from({ length: 100 }, (_, i) => i - 50);
    const y = x.slice();
    reference.dropout({ count: 100, seedWords: 4, probability: 0 }, { x, seed: seedOf(1, 2, 3, 4), y });
    expect([...y]).toEqual([...x]);
    reference.dropout({ count: 100, seedWords: 4, probability: 1 }, { x, seed: seedOf(1, 2, 3, 4), y });
    expect(y.every((value) => value === 0)).toBe(true);
  });
});
