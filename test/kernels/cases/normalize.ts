// Cases of batch and layer normalization.
import { type AnyCase, exact, type Fill, type Tolerance } from '../case.ts';

const batchShapes = [
  [1, 1, 1],
  [4, 3, 1],
  [2, 5, 7],
  [3, 17, 16],
  [64, 6, 1],
  [2, 4, 65],
  [8, 3, 100],
  [1, 2, 1003],
  [20, 12, 160],
  [2, 0, 5],
] as const;

const rowShapes = [
  [1, 1],
  [3, 7],
  [5, 16],
  [2, 17],
  [4, 65],
  [33, 3],
  [2, 1003],
  [130, 256],
  [65, 257],
  [3, 520],
  [700, 50],
  [0, 5],
] as const;

/** Normalized numbers are near 1 and lose what their mean was larger than them; so do the gradients. */
const close: Tolerance = { ulps: 4, absolute: 1e-6 };
/** Gradients of weight and bias add up `count` terms. */
const gradients = (count: number): Tolerance => ({ ulps: 4, absolute: 1e-6 * (2 + Math.sqrt(count)) });

const inverseStd: Fill = [0.5, 1.25, 0.875, 2];
const choices: readonly (readonly [string, readonly ('weight' | 'bias')[]])[] = [
  ['with weight and bias', []],
  ['without weight', ['weight']],
  ['without bias', ['bias']],
  ['without weight and bias', ['weight', 'bias']],
];

export const cases: readonly AnyCase[] = [
  ...batchShapes.flatMap(([batch, channels, inner], seed): AnyCase[] => {
    const shape = { batch, channels, inner };
    const name = `takes [${batch}, ${channels}, ${inner}]`;
    const running = ['runningMean', 'runningVar'] as const;
    return [
      ...choices.flatMap(([choice, without]): AnyCase[] => [
        {
          name: `${name} ${choice}`,
          kernel: 'batchNorm',
          shape: { ...shape, momentum: 0.1, eps: 1e-5 },
          tolerance: close,
          seed,
          without: [...without, ...running],
        },
        {
          name: `${name} ${choice}`,
          kernel: 'batchNormInference',
          shape: { ...shape, eps: 1e-3 },
          tolerance: close,
          seed,
          without,
          fills: { variance: 'positive' },
        },
      ]),
      {
        name: `${name} and moves the running estimates`,
        kernel: 'batchNorm',
        shape: { ...shape, momentum: 0.25, eps: 1e-5 },
        tolerance: close,
        seed,
        fills: { runningVar: 'positive' },
      },
      ...(['with', 'without'] as const).map(
        (weight): AnyCase => ({
          name: `${name} ${weight} weight`,
          kernel: 'batchNormBackward',
          shape,
          tolerance: gradients(batch * inner),
          seed,
          without: weight === 'with' ? [] : ['weight'],
          fills: { inverseStd },
        }),
      ),
    ];
  }),
  ...rowShapes.flatMap(([rows, columns], seed): AnyCase[] => {
    const shape = { rows, columns };
    const name = `takes [${rows}, ${columns}]`;
    return [
      ...choices.map(
        ([choice, without]): AnyCase => ({
          name: `${name} ${choice}`,
          kernel: 'layerNorm',
          shape: { ...shape, eps: 1e-5 },
          tolerance: close,
          seed,
          without,
        }),
      ),
      ...(['with', 'without'] as const).map(
        (weight): AnyCase => ({
          name: `${name} ${weight} weight`,
          kernel: 'layerNormBackward',
          shape,
          tolerance: gradients(Math.max(rows, columns)),
          seed,
          without: weight === 'with' ? [] : ['weight'],
          fills: { inverseStd },
        }),
      ),
    ];
  }),
  {
    name: 'does not lose the variance of numbers far from 0',
    kernel: 'batchNorm',
    shape: { batch: 4, channels: 2, inner: 9, momentum: 0.1, eps: 1e-5 },
    tolerance: close,
    seed: 1,
    without: ['runningMean', 'runningVar'],
    fills: { x: [4096, 4097, 4098.5, 4095.5, 4096.25] },
  },
  {
    name: 'does not lose the variance of numbers far from 0',
    kernel: 'layerNorm',
    shape: { rows: 3, columns: 35, eps: 1e-5 },
    tolerance: close,
    seed: 1,
    fills: { x: [4096, 4097, 4098.5, 4095.5, 4096.25] },
  },
  {
    name: 'gives the bias for equal numbers',
    kernel: 'layerNorm',
    shape: { rows: 3, columns: 33, eps: 1e-5 },
    tolerance: { ulps: 1 },
    seed: 2,
    fills: { x: [2] },
  },
  {
    name: 'keeps NaN within its channel',
    kernel: 'batchNorm',
    shape: { batch: 1, channels: 4, inner: 33, momentum: 0.1, eps: 1e-5 },
    tolerance: close,
    seed: 3,
    fills: { x: [...new Array(40).fill(1), Number.NaN, ...new Array(91).fill(0.5)] },
  },
  {
    name: 'keeps NaN within its row',
    kernel: 'layerNorm',
    shape: { rows: 4, columns: 33, eps: 1e-5 },
    tolerance: close,
    seed: 3,
    fills: { x: [...new Array(40).fill(1), Number.NaN, ...new Array(91).fill(0.5)] },
  },
  {
    name: 'takes no rows',
    kernel: 'layerNormBackward',
    shape: { rows: 0, columns: 9 },
    tolerance: exact,
    seed: 4,
  },
];
