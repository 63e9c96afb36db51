// Cases of the optimizer steps.
import { type AnyCase, counts, type Tolerance } from '../case.ts';

/** Parameters near 1 that move by less; the moments are sums of two terms. */
const tolerance: Tolerance = { ulps: 4, absolute: 4e-7 };

const sgd: readonly (readonly [string, readonly number[], boolean])[] = [
  ['moves down the gradient', [0.1, 0, 0, 0, 0, 0, 0], false],
  ['decays weights', [0.1, 0, 0, 0.01, 0, 0, 0], false],
  ['pulls to 0 by their sign', [0.1, 0, 0, 0, 0.05, 0, 0], false],
  ['starts momentum', [0.1, 0.9, 0, 0.01, 0, 0, 1], true],
  ['keeps momentum', [0.1, 0.9, 0, 0.01, 0.05, 0, 0], true],
  ['dampens momentum', [0.1, 0.9, 0.5, 0, 0, 0, 0], true],
  ['starts dampened momentum', [0.1, 0.9, 0.5, 0, 0, 0, 1], true],
  ["looks ahead as Nesterov's", [0.1, 0.9, 0, 0.01, 0, 1, 0], true],
];

const adam: readonly (readonly [string, readonly number[]])[] = [
  ['takes a first step', [0.001, 0.9, 0.999, 1e-8, 0, 0, 0, 0.1, 0.001]],
  ['takes a later step with a large eps', [0.01, 0.9, 0.99, 0.125, 0, 0, 0, 0.5, 0.25]],
  ['decays weights in the gradient', [0.01, 0.9, 0.99, 1e-8, 0.125, 0.01, 0, 0.5, 0.25]],
  ['decays weights apart (AdamW)', [0.01, 0.9, 0.99, 1e-8, 0.125, 0.01, 1, 0.5, 0.25]],
];

const rmsprop: readonly (readonly [string, readonly number[], readonly ('velocity' | 'average')[]])[] = [
  ['divides by the mean square', [0.01, 0.99, 1e-8, 0, 0, 0, 0], ['velocity', 'average']],
  ['decays weights', [0.01, 0.9, 1e-8, 0.125, 0.01, 0, 0], ['velocity', 'average']],
  ['keeps momentum with a large eps', [0.01, 0.9, 0.125, 0, 0, 0.9, 0], ['average']],
  ['subtracts the mean, with a large eps', [0.01, 0.9, 0.125, 0, 0, 0, 1], ['velocity']],
  ['subtracts the mean and keeps momentum', [0.01, 0.9, 1e-8, 0.125, 0.01, 0.9, 1], []],
];

export const cases: readonly AnyCase[] = [
  ...counts.flatMap((count): AnyCase[] => [
    ...sgd.map(
      ([name, settings, velocity]): AnyCase => ({
        name: `${name}, ${count} parameters`,
        kernel: 'sgd',
        shape: { count, settingsLength: 7 },
        tolerance,
        seed: count,
        without: velocity ? [] : ['velocity'],
        fills: { settings },
      }),
    ),
    ...adam.map(
      ([name, settings]): AnyCase => ({
        name: `${name}, ${count} parameters`,
        kernel: 'adam',
        shape: { count, settingsLength: 9 },
        tolerance,
        seed: count,
        fills: { settings, squareAverage: 'positive' },
      }),
    ),
    ...rmsprop.map(
      ([name, settings, without]): AnyCase => ({
        name: `${name}, ${count} parameters`,
        kernel: 'rmsprop',
        shape: { count, settingsLength: 7 },
        // A mean square well above the squared mean: their difference would lose digits else.
        tolerance,
        seed: count,
        without,
        fills: { settings, squareAverage: [4, 5.5, 3.25, 7], average: [0.5, -0.75, 0.25] },
      }),
    ),
    {
      name: `divides by the sum of squares, ${count} parameters`,
      kernel: 'adagrad',
      shape: { count, settingsLength: 4 },
      tolerance,
      seed: count,
      fills: { settings: [0.05, 0.0625, 0.125, 0.01], squareSum: 'positive' },
    },
  ]),
  {
    name: 'takes more parameters than one task',
    kernel: 'sgd',
    shape: { count: 70_001, settingsLength: 7 },
    tolerance,
    seed: 1,
    fills: { settings: [0.1, 0.9, 0, 0.01, 0, 0, 0] },
  },
  {
    name: 'takes more parameters than one task',
    kernel: 'adam',
    shape: { count: 70_001, settingsLength: 9 },
    tolerance,
    seed: 1,
    fills: { settings: [0.01, 0.9, 0.99, 1e-8, 0, 0, 0, 0.5, 0.25], squareAverage: 'positive' },
  },
  {
    name: 'leaves zeros alone when it pulls by sign',
    kernel: 'sgd',
    shape: { count: 33, settingsLength: 7 },
    tolerance,
    seed: 2,
    without: ['velocity'],
    fills: { settings: [0.5, 0, 0, 0, 0.25, 0, 0], param: [0, -0, 1, -1], grad: [0] },
  },
];
