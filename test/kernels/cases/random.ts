// Cases of the random kernels: the same numbers on every backend, from any counter.
import { type AnyCase, counts, exact } from '../case.ts';

const seedWords = 4;

const seeds: readonly (readonly [string, readonly number[]])[] = [
  ['key and counter 0', [0, 0, 0, 0]],
  ['key and counter of all ones', [-1, -1, -1, -1]],
  ['a counter whose low word overflows', [7, 9, -3, 5]],
  ['a counter whose words both overflow', [7, 9, -3, -1]],
];

export const cases: readonly AnyCase[] = [
  ...counts.flatMap((count): AnyCase[] => [
    {
      name: `draws ${count} numbers`,
      kernel: 'uniform',
      shape: { count, seedWords, low: 0, high: 1 },
      tolerance: exact,
      seed: count,
    },
    {
      name: `draws ${count} numbers`,
      kernel: 'normal',
      shape: { count, seedWords, mean: 0, std: 1 },
      tolerance: { ulps: 2, absolute: 1e-6 },
      seed: count,
    },
    {
      name: `takes ${count} elements`,
      kernel: 'dropout',
      shape: { count, seedWords, probability: 0.5 },
      tolerance: exact,
      seed: count,
    },
  ]),
  ...seeds.flatMap(([name, seed]): AnyCase[] => [
    {
      name: `draws from ${name}`,
      kernel: 'uniform',
      shape: { count: 65, seedWords, low: 0, high: 1 },
      tolerance: exact,
      seed: 1,
      fills: { seed },
    },
    {
      name: `draws from ${name}`,
      kernel: 'normal',
      shape: { count: 65, seedWords, mean: 0, std: 1 },
      tolerance: { ulps: 2, absolute: 1e-6 },
      seed: 1,
      fills: { seed },
    },
    {
      name: `draws from ${name}`,
      kernel: 'dropout',
      shape: { count: 65, seedWords, probability: 0.25 },
      tolerance: { ulps: 1 },
      seed: 1,
      fills: { seed },
    },
  ]),
  {
    name: 'scales to a range',
    kernel: 'uniform',
    shape: { count: 1000, seedWords, low: -0.3, high: 1.7 },
    tolerance: { ulps: 1, absolute: 3e-7 },
    seed: 2,
  },
  {
    name: 'scales to a mean and a deviation',
    kernel: 'normal',
    shape: { count: 1001, seedWords, mean: 3, std: 0.125 },
    tolerance: { ulps: 2, absolute: 2e-7 },
    seed: 3,
  },
  {
    name: 'draws more numbers than one task',
    kernel: 'normal',
    shape: { count: 70_003, seedWords, mean: 0, std: 1 },
    tolerance: { ulps: 2, absolute: 1e-6 },
    seed: 4,
  },
  {
    name: 'draws more numbers than one task',
    kernel: 'uniform',
    shape: { count: 70_003, seedWords, low: 0, high: 1 },
    tolerance: exact,
    seed: 5,
  },
  ...[0, 0.1, 0.3, 0.7, 0.999, 1].map(
    (probability, i): AnyCase => ({
      name: `drops with probability ${probability}`,
      kernel: 'dropout',
      shape: { count: i === 2 ? 70_003 : 1003, seedWords, probability },
      tolerance: { ulps: 2 },
      seed: 6,
    }),
  ),
  {
    // The top 24 bits of word 1 of this block are those of 0.7 as a 32-bit float, which is below 0.7.
    name: 'keeps where the uniform number is the probability as a 32-bit float',
    kernel: 'dropout',
    shape: { count: 4, seedWords, probability: 0.7 },
    tolerance: { ulps: 2 },
    seed: 6,
    fills: { seed: [0, 0, 8_955_381, 0] },
  },
  {
    name: 'drops NaN and infinity to 0',
    kernel: 'dropout',
    shape: { count: 100, seedWords, probability: 0.5 },
    tolerance: exact,
    seed: 7,
    fills: { x: [Number.NaN, Infinity, -Infinity, 1] },
  },
];
