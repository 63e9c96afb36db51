// Data sets in memory, subsets and splits; the random numbers under them.
import { describe, expect, test } from 'vitest';
import { ArrayDataset, type Dataset, split, subset } from '../../lib/data/index.ts';
import { Random } from '../../lib/data/random.ts';
import { FoveaError, fromArray, ShapeError } from '../../lib/tensor/index.ts';

/** Sample i has input [i, i + 0.5] and target i. */
const counting = (length: number): ArrayDataset =>
  new ArrayDataset({
    inputs: Float32Array.from({ length: 2 * length }, (_, i) => i / 2),
    inputShape: [2],
    targets: Int32Array.from({ length }, (_, i) => i),
  });

const targetsOf = async (data: Dataset): Promise<number[]> => {
  const { targets } = await data.batch(Int32Array.from({ length: data.length }, (_, i) => i));
  return [...targets.data];
};

describe('ArrayDataset', () => {
  test('gathers samples in the order asked for, into new memory', () => {
    const data = counting(4);
    const { inputs, targets } = data.batch([3, 1, 3]);
    expect(inputs.toArray()).toEqual([
      [3, 3.5],
      [1, 1.5],
      [3, 3.5],
    ]);
    expect(targets.data).toEqual(Int32Array.of(3, 1, 3));
    inputs.data.fill(0);
    expect(data.batch([3]).inputs.toArray()).toEqual([[3, 3.5]]);
  });

  test('scales bytes by 1/255 unless told otherwise, and takes tensors', () => {
    const bytes = Uint8Array.of(0, 255, 128);
    const targets = Float32Array.of(0.5, 1.5, 2.5);
    const unit = new ArrayDataset({ inputs: bytes, inputShape: [1], targets });
    expect([...unit.batch([0, 1, 2]).inputs.data]).toEqual([0, 1, Math.fround(128 / 255)]);
    expect(unit.batch([1]).targets.data).toEqual(Float32Array.of(1.5));
    const raw = new ArrayDataset({ inputs: bytes, inputShape: [1], targets, scale: 2 });
    expect([...raw.batch([2]).inputs.data]).toEqual([256]);
    const tensors = new ArrayDataset({
      inputs: fromArray(new Float32Array(12), [2, 3, 2]),
      targets: fromArray(Int32Array.of(1, 0)),
    });
    expect([tensors.length, tensors.inputShape]).toEqual([2, [3, 2]]);
  });

  test('refuses what does not fit', () => {
    const inputs = new Float32Array(4);
    const make = (targets: Int32Array | Float32Array, more = {}) =>
      new ArrayDataset({ inputs, inputShape: [2], targets, ...more });
    expect(() => make(Int32Array.of(0, 1, 1))).toThrow(/6 numbers in inputs, because there are 3 targets.*but got 4/);
    expect(() => make(Int32Array.of())).toThrow(/at least one sample, but got an empty data set/);
    expect(() => make(Int32Array.of(0, 2), { classes: ['a', 'b'] })).toThrow(
      /labels from 0 to 1.*but got 2 at sample 1/,
    );
    expect(() => make(Int32Array.of(-1, 0))).toThrow(/but got -1 at sample 0/);
    expect(() => make(Float32Array.of(0, 1), { classes: ['a', 'b'] })).toThrow(/int32 targets/);
    expect(() => make(Int32Array.of(0, 1), { inputShape: [2.5] })).toThrow(ShapeError);
    expect(() => make(Int32Array.of(0, 1), { scale: Number.NaN })).toThrow(/finite scale/);
    expect(() => new ArrayDataset({ inputs, targets: Int32Array.of(0, 1) })).toThrow(/an inputShape/);
  });

  test.each([-1, 4, 0.5, Number.NaN])('refuses index %s', (index) => {
    expect(() => counting(4).batch([0, index])).toThrow(/indices from 0 to 3, because the data set has 4 samples/);
  });
});

describe('subset and split', () => {
  test('a subset renumbers', async () => {
    expect(await targetsOf(subset(subset(counting(6), [5, 3, 1]), [2, 0]))).toEqual([1, 5]);
    expect(() => subset(counting(2), [2])).toThrow(ShapeError);
    expect(() => subset(counting(2), [])).toThrow(/at least one index/);
  });

  test('parts are disjoint, complete, seeded, and of the right sizes', async () => {
    const parts = split(counting(101), [0.5, 0.3, 0.2], 7);
    expect(parts.map(({ length }) => length)).toEqual([51, 30, 20]);
    const all = (await Promise.all(parts.map(targetsOf))).flat();
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 101 }, (_, i) => i));
    const first = async (seed: number) => targetsOf(split(counting(101), [0.5], seed)[0]!);
    expect(await first(7)).toEqual(await targetsOf(parts[0]!));
    expect(await first(8)).not.toEqual(await first(7));
  });

  test('refuses fractions that make no sense and parts without samples', () => {
    for (const fractions of [[], [0], [0.6, 0.6], [-0.1], [Number.NaN]]) {
      expect(() => split(counting(10), fractions)).toThrow(FoveaError);
    }
    expect(() => split(counting(3), [0.9, 0.1])).toThrow(/at least one sample per part/);
  });
});

describe('Random', () => {
  test('streams depend on the whole key and on its order', () => {
    const first = (...key: number[]) => new Random(...key).bits();
    const keys = [[1], [2], [1, 0], [0, 1], [1, 2, 3], [1, 3, 2], [2 ** 32], [2 ** 32 + 1], [2 ** 40]];
    expect(new Set(keys.map((key) => first(...key))).size).toBe(keys.length);
    expect(first(5, 6)).toBe(first(5, 6));
  });

  test('numbers have the moments of their distributions, also across neighbouring keys', () => {
    const n = 20_000;
    const moments = (draw: (i: number) => number) => {
      const values = Array.from({ length: n }, (_, i) => draw(i));
      const mean = values.reduce((a, b) => a + b, 0) / n;
      return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / n] as const;
    };
    const random = new Random(3);
    const cases = [
      [moments(() => random.uniform()), 0.5, 1 / 12],
      [moments(() => random.normal(2, 3)), 2, 9],
      [moments((i) => new Random(3, 0, i).uniform()), 0.5, 1 / 12],
    ] as const;
    for (const [[mean, variance], expectedMean, expectedVariance] of cases) {
      // Five standard errors.
      expect(Math.abs(mean - expectedMean)).toBeLessThan(5 * Math.sqrt(expectedVariance / n));
      expect(Math.abs(variance / expectedVariance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    }
  });

  test('a permutation holds every number once, and each place is as likely', () => {
    expect([...new Random(1).permutation(500)].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const firsts = [0, 0, 0, 0];
    for (let seed = 0; seed < 4000; seed++) firsts[new Random(seed).permutation(4)[0]!]! += 1;
    for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(750));
  });
});
