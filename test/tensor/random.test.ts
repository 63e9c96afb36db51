// Seeded randomness: the same numbers again, different ones next, of the right distribution.
import { describe, expect, test } from 'vitest';
import { defaultGenerator, dropout, Generator, manualSeed, ones, rand, randn, zeros } from '../../lib/tensor/index.ts';

describe('Generator', () => {
  test('hands out key and counter, one call after the other', () => {
    const generator = new Generator(2 ** 32 * 5 + 7);
    expect([...generator.nextSeed()]).toEqual([7, 5, 0, 0]);
    expect([...generator.nextSeed()]).toEqual([7, 5, 0, 1]);
    expect(generator.state()).toEqual({ key: [7, 5], calls: 2 });
  });

  test('continues from a state that went through JSON', () => {
    const generator = new Generator(3);
    randn([5], { generator });
    const state = JSON.parse(JSON.stringify(generator.state()));
    const next = [...randn([5], { generator }).data];
    const other = new Generator(0);
    other.setState(state);
    expect([...randn([5], { generator: other }).data]).toEqual(next);
  });

  test('forks into streams of their own, the same each time', () => {
    const streams = (seed: number) => {
      const generator = new Generator(seed);
      return [generator.fork(), generator.fork(), generator].map((each) =>
        [...rand([3], { generator: each }).data].join(),
      );
    };
    expect(streams(1)).toEqual(streams(1));
    expect(new Set([...streams(1), ...streams(2)]).size).toBe(6);
  });

  test('beyond 2^32 calls the key changes instead of the numbers repeating', () => {
    const generator = new Generator(1);
    generator.setState({ key: [1, 0], calls: 2 ** 32 });
    expect([...generator.nextSeed()]).toEqual([1, 1, 0, 0]);
  });

  test('refuses seeds and states that are none', () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => new Generator(seed)).toThrow(`Generator: expected a seed from 0 to 2^53 - 1, but got ${seed}`);
    }
    expect(() => new Generator(1).setState({ key: [1, -1], calls: 0 })).toThrow('a state as state() gives');
    expect(() => new Generator(1).setState({ key: [1, 1], calls: 0.5 })).toThrow('calls 0.5');
  });
});

describe('random tensors', () => {
  test('a seed gives the same numbers again, the default generator goes on', () => {
    expect([...randn([10], { seed: 4 }).data]).toEqual([...randn([10], { seed: 4 }).data]);
    expect([...randn([10], { seed: 4 }).data]).not.toEqual([...randn([10], { seed: 5 }).data]);
    manualSeed(9);
    const first = [...rand([4]).data, ...rand([4]).data];
    expect(new Set(first).size).toBe(8);
    manualSeed(9);
    expect([...rand([4]).data, ...rand([4]).data]).toEqual(first);
    expect(defaultGenerator().state()).toEqual({ key: [9, 0], calls: 2 });
  });

  test('have the mean and spread they should', () => {
    const x = randn([100_000], { seed: 1, mean: 3, std: 2 });
    expect(Math.abs(x.mean().item() - 3)).toBeLessThan(0.03); // five standard errors
    expect(Math.abs(x.sub(3).square().mean().item() - 4)).toBeLessThan(0.09);
    const u = rand([100_000], { seed: 1, low: -1, high: 3 });
    expect(Math.abs(u.mean().item() - 1)).toBeLessThan(0.02);
    expect(u.min().item()).toBeGreaterThanOrEqual(-1);
    expect(u.max().item()).toBeLessThan(3);
  });

  test('refuse a spread or range that is none', () => {
    expect(() => randn([1], { std: -1 })).toThrow(
      'normal_: expected std to be a number from 0 to Infinity, but got -1',
    );
    expect(() => rand([1], { low: 2, high: 1 })).toThrow('uniform_: expected low');
    expect(() => rand([1], { high: Number.NaN })).toThrow('but got 0');
    expect(() => zeros([1], { dtype: 'int32' }).normal_()).toThrow('int32 tensors are for indices');
  });
});

describe('dropout', () => {
  test('zeroes the share it should, scales the rest, and sends gradients the same way', () => {
    const x = ones([10_000], { requiresGrad: true });
    const y = dropout(x, 0.3, { generator: new Generator(1) });
    const kept = [...y.data].filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.7)]));
    expect(Math.abs(kept.length / 10_000 - 0.7)).toBeLessThan(0.023); // five standard errors
    y.sum().backward();
    expect(x.grad?.data).toEqual(y.data);
  });

  test('gives another mask each call', () => {
    const generator = new Generator(1);
    const mask = () => [...dropout(ones([64]), 0.5, { generator }).data].join();
    expect(mask()).not.toBe(mask());
  });

  test('does nothing outside training or at 0, and drops all at 1', () => {
    const x = ones([3]);
    expect(dropout(x, 0.5, { training: false })).toBe(x);
    expect(dropout(x, 0)).toBe(x);
    expect(dropout(x, 1).toArray()).toEqual([0, 0, 0]);
    expect(() => dropout(x, 1.5)).toThrow('dropout: expected p to be a number from 0 to 1, but got 1.5');
    expect(() => dropout(x, Number.NaN)).toThrow('but got NaN');
  });
});
