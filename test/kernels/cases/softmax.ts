// Cases of softmax, its logarithm and cross-entropy.
import { type AnyCase, exact, type Fill } from '../case.ts';

const shapes = [
  [1, 1, 1],
  [1, 2, 1],
  [3, 10, 1],
  [64, 10, 1],
  [5, 17, 1],
  [2, 65, 1],
  [2, 1000, 1],
  [16, 256, 1],
  [33, 255, 1],
  [2, 257, 1],
  [2, 4353, 1],
  [400, 100, 1],
  [3, 20, 600],
  [1, 7, 9],
  [3, 16, 17],
  [2, 5, 65],
  [0, 4, 1],
  [3, 4, 0],
  [2, 0, 3],
] as const;

const fills: readonly (readonly [string, Fill])[] = [
  ['huge numbers', 'huge'],
  ['tiny numbers', 'tiny'],
  ['large numbers', [1000, 999, 998.5, -1000, 0, 1001]],
  ['some -Infinity', [0.5, -Infinity, 1, 2, -Infinity, 0.25, -3]],
  ['only -Infinity in places', [...new Array(20).fill(-Infinity), 1, 2, 3, 0.5]],
  ['NaN', [1, 2, 0.5, Number.NaN, 1, 1, 2, 3, 0, 4, 2.5, 0, 1, 1, 0, 3]],
  ['Infinity', [1, 2, 0.5, Infinity, 1, 1, 2, 3, 0, 4, 2.5, 0, 1, 1, 0, 3]],
];

const rows = 13;
const ignoreIndex = -100;

export const cases: readonly AnyCase[] = [
  ...shapes.flatMap(([outer, count, inner], seed): AnyCase[] => {
    const name = `takes [${outer}, ${count}, ${inner}]`;
    const shape = { outer, count, inner };
    return [
      { name, kernel: 'softmax', shape, tolerance: { ulps: 5 }, seed },
      { name, kernel: 'logSoftmax', shape, tolerance: { ulps: 4, absolute: 4e-7 }, seed },
      {
        name,
        kernel: 'softmaxBackward',
        shape,
        tolerance: { ulps: 2, absolute: 2e-7 * (1 + Math.sqrt(count)) },
        seed,
        fills: { y: [0.1, 0.2, 0.05, 0.3, 0.01, 0.25] },
      },
      {
        name,
        kernel: 'logSoftmaxBackward',
        shape,
        tolerance: { ulps: 2, absolute: 2e-7 * (1 + Math.sqrt(count)) },
        seed,
        fills: { y: [-2, -1.5, -3, -10, -6, -7.25] },
      },
    ];
  }),
  ...fills.flatMap(([name, x], seed): AnyCase[] =>
    [
      { outer: 6, count: 11, inner: 1 },
      { outer: 2, count: 4, inner: 33 },
    ].flatMap((shape): AnyCase[] => [
      {
        name: `takes ${name}, ${shape.inner} side by side`,
        kernel: 'softmax',
        shape,
        tolerance: { ulps: 5 },
        seed,
        fills: { x },
      },
      {
        name: `takes ${name}, ${shape.inner} side by side`,
        kernel: 'logSoftmax',
        shape,
        tolerance: { ulps: 4, absolute: 4e-7 },
        seed,
        fills: { x },
      },
    ]),
  ),
  ...[1, 2, 10, 17, 65].flatMap((classes): AnyCase[] =>
    [0, 0.125].flatMap((smoothing) =>
      [true, false].flatMap((weighted): AnyCase[] => {
        const shape = { rows, classes, ignoreIndex, smoothing };
        const name = `of ${classes} classes, smoothing ${smoothing}, ${weighted ? 'weighted' : 'not weighted'}`;
        const without = weighted ? [] : (['weight'] as const);
        const weight = { weight: 'positive' } as const;
        return [
          {
            name: `takes the loss ${name}`,
            kernel: 'crossEntropy',
            shape,
            tolerance: { ulps: 5, absolute: 1e-6 },
            seed: classes,
            without,
            fills: weight,
          },
          {
            name: `takes the gradient ${name}`,
            kernel: 'crossEntropyBackward',
            shape,
            tolerance: { ulps: 3, absolute: 1e-6 },
            seed: classes,
            without,
            fills: { ...weight, probabilities: [0.1, 0.2, 0.05, 0.3, 0.01, 0.25, 0.005] },
          },
        ];
      }),
    ),
  ),
  {
    name: 'ignores a class that is a valid index',
    kernel: 'crossEntropy',
    shape: { rows: 9, classes: 4, ignoreIndex: 2, smoothing: 0 },
    tolerance: { ulps: 5, absolute: 1e-6 },
    seed: 1,
    without: ['weight'],
  },
  {
    name: 'takes large logits',
    kernel: 'crossEntropy',
    shape: { rows: 9, classes: 6, ignoreIndex, smoothing: 0 },
    tolerance: { ulps: 5, absolute: 1e-6 },
    seed: 2,
    without: ['weight'],
    fills: { x: [1000, 990, -1000, 50, 0, 1e4, -1e4] },
  },
  {
    name: 'takes -Infinity for classes that are not the target',
    kernel: 'crossEntropy',
    shape: { rows: 4, classes: 3, ignoreIndex, smoothing: 0 },
    tolerance: { ulps: 5, absolute: 1e-6 },
    seed: 3,
    without: ['weight'],
    fills: { x: [1, -Infinity, 0.5], target: [0, 2] },
  },
  {
    name: 'gives Infinity where the target has probability 0',
    kernel: 'crossEntropy',
    shape: { rows: 4, classes: 3, ignoreIndex, smoothing: 0 },
    tolerance: { ulps: 5, absolute: 1e-6 },
    seed: 4,
    without: ['weight'],
    fills: { x: [1, -Infinity, 0.5], target: [1] },
  },
  {
    name: 'keeps NaN within its row',
    kernel: 'crossEntropy',
    shape: { rows: 5, classes: 3, ignoreIndex, smoothing: 0.25 },
    tolerance: { ulps: 5, absolute: 1e-6 },
    seed: 5,
    without: ['weight'],
    fills: { x: [1, 0, 0.5, 2, Number.NaN, 1, 0, 0, 1], target: [0, 1, 2] },
  },
  ...(['crossEntropy', 'crossEntropyBackward'] as const).map(
    (kernel): AnyCase => ({
      name: 'takes more rows than one task',
      kernel,
      shape: { rows: 700, classes: 50, ignoreIndex, smoothing: 0.125 },
      tolerance: { ulps: 5, absolute: 2e-6 },
      seed: 7,
      fills: { weight: 'positive' },
    }),
  ),
  ...(['crossEntropy', 'crossEntropyBackward'] as const).map(
    (kernel): AnyCase => ({
      name: 'takes no rows',
      kernel,
      shape: { rows: 0, classes: 3, ignoreIndex, smoothing: 0 },
      tolerance: exact,
      seed: 6,
    }),
  ),
];
