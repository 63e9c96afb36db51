// Initial values have the ranges and deviations of their formulas and follow the seed.
import { describe, expect, it } from 'vitest';
import { Conv2d, Dropout, init, Linear } from '../../lib/nn/index.ts';
import { Generator, manualSeed, ones, type Tensor, zeros } from '../../lib/tensor/index.ts';

const weight = () => zeros([64, 32, 3, 3]); // fanIn 288, fanOut 576
const generator = () => new Generator(7);

const deviation = (values: Tensor) => {
  const data = Array.from(values.data);
  const mean = data.reduce((sum, one) => sum + one, 0) / data.length;
  return Math.sqrt(data.reduce((sum, one) => sum + (one - mean) ** 2, 0) / data.length);
};
const largest = ({ data }: Tensor) => Array.from(data).reduce((most, one) => Math.max(most, Math.abs(one)), 0);

describe('uniform initial values fill ±bound', () => {
  it.each([
    [
      'kaimingUniform_',
      () => init.kaimingUniform_(weight(), { nonlinearity: 'relu', generator: generator() }),
      Math.sqrt(6 / 288),
    ],
    [
      'kaimingUniform_ out',
      () => init.kaimingUniform_(weight(), { nonlinearity: 'relu', mode: 'out', generator: generator() }),
      Math.sqrt(6 / 576),
    ],
    [
      'kaimingUniform_ of slope √5',
      () => init.kaimingUniform_(weight(), { a: Math.sqrt(5), generator: generator() }),
      Math.sqrt(1 / 288),
    ],
    [
      'xavierUniform_',
      () => init.xavierUniform_(weight(), { gain: 5 / 3, generator: generator() }),
      (5 / 3) * Math.sqrt(6 / 864),
    ],
    ['lecunUniform_', () => init.lecunUniform_(weight(), { generator: generator() }), Math.sqrt(3 / 288)],
  ])('%s', (_, make, bound) => {
    const values = make();
    expect(largest(values)).toBeLessThanOrEqual(bound * (1 + 1e-6));
    expect(largest(values)).toBeGreaterThan(bound * 0.999);
    expect(deviation(values) / (bound / Math.sqrt(3))).toBeCloseTo(1, 1.7);
  });
});

describe('normal initial values have their standard deviation, to 2 % (four of its own deviations)', () => {
  it.each([
    [
      'kaimingNormal_',
      () => init.kaimingNormal_(weight(), { nonlinearity: 'relu', generator: generator() }),
      Math.sqrt(2 / 288),
    ],
    [
      'kaimingNormal_ leaky',
      () => init.kaimingNormal_(weight(), { a: 0.2, nonlinearity: 'leakyRelu', generator: generator() }),
      Math.sqrt(2 / 1.04 / 288),
    ],
    ['xavierNormal_', () => init.xavierNormal_(weight(), { generator: generator() }), Math.sqrt(2 / 864)],
    ['lecunNormal_', () => init.lecunNormal_(weight(), { generator: generator() }), Math.sqrt(1 / 288)],
    ['normal_', () => init.normal_(weight(), 0, 3, { generator: generator() }), 3],
  ])('%s', (_, make, std) => {
    expect(Math.abs(deviation(make()) / std - 1)).toBeLessThan(0.02);
  });
});

describe('initial values', () => {
  it('raise the version of what they fill', () => {
    const values = weight();
    const { version } = values;
    init.constant_(values, 0.5);
    expect(values.version).toBeGreaterThan(version);
    expect(new Set(values.data)).toEqual(new Set([0.5]));
  });

  it('may fill a parameter, which stays a leaf', () => {
    const layer = new Linear(3, 2);
    init.xavierUniform_(layer.weight);
    expect([layer.weight.isLeaf, layer.weight.requiresGrad]).toEqual([true, true]);
  });

  it('are the same for the same seed and different for another', () => {
    const make = (seed: number) => new Conv2d(3, 4, 3, { generator: new Generator(seed) }).stateDict();
    expect(make(1).weight!.data).toEqual(make(1).weight!.data);
    expect(make(1).weight!.data).not.toEqual(make(2).weight!.data);
    expect(make(1).weight!.data.slice(0, 4)).not.toEqual(make(1).bias!.data);
  });

  it('follow manualSeed where no generator is given', () => {
    const make = () => {
      manualSeed(5);
      return new Linear(4, 4).weight.data;
    };
    expect(make()).toEqual(make());
  });

  it('refuse a vector, which has no fans, and a negative deviation', () => {
    expect(() => init.kaimingUniform_(zeros([3]))).toThrow(
      'init: expected a weight of rank 2 or more, but got shape [3]',
    );
    expect(() => init.normal_(zeros([3]), 0, -1)).toThrow('std');
  });
});

describe('Dropout', () => {
  it('drops a share of p, scales the rest, follows its generator, and rests while evaluating', () => {
    const x = ones([10_000]);
    const drop = (seed: number) => new Dropout(0.25, { generator: new Generator(seed) }).forward(x).data;
    const y = drop(3);
    const kept = y.filter((one) => one !== 0);
    expect(Math.abs(kept.length / y.length - 0.75)).toBeLessThan(0.02);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
    expect(drop(3)).toEqual(y);
    expect(drop(4)).not.toEqual(y);
    expect(new Dropout(0.25).eval().forward(x).data).toEqual(x.data);
  });
});
