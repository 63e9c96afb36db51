// Cases of the reductions over the middle of [outer, count, inner].
import { type AnyCase, exact, type Fill, sumOf } from '../case.ts';

const shapes = [
  [1, 1, 1],
  [1, 7, 1],
  [3, 17, 1],
  [5, 100, 1],
  [2, 1000, 1],
  [1, 200_001, 1],
  [300, 250, 1],
  [16, 256, 1],
  [17, 10, 1],
  [33, 64, 1],
  [2, 257, 1],
  [1, 4095, 1],
  [2, 4097, 1],
  [3, 70, 63],
  [2, 130, 520],
  [1, 67, 1100],
  [2, 600, 70],
  [1, 2, 40_001],
  [4, 1, 9],
  [1, 33, 15],
  [2, 5, 16],
  [3, 9, 17],
  [2, 100, 65],
  [65, 3, 2],
  [0, 4, 3],
  [3, 4, 0],
] as const;

const nothing = [2, 0, 3] as const;
const sums = ['sum', 'mean', 'sumSquares'] as const;
const extremes = ['max', 'min', 'argmax', 'argmin'] as const;

const shapeOf = ([outer, count, inner]: readonly [number, number, number]) => ({ outer, count, inner });
const nameOf = (shape: readonly number[]) => `takes [${shape.join(', ')}]`;
const sumFills: readonly (readonly [string, Fill])[] = [
  ['NaN', [1, 2, Number.NaN, -4, 3, ...new Array(40).fill(0.5)]],
  ['Infinity', [1, 2, Infinity, -4, 3, ...new Array(40).fill(0.5)]],
  ['opposite infinities', [1, Infinity, 2, -Infinity, 3, ...new Array(40).fill(0.5)]],
  ['huge numbers', 'huge'],
  ['tiny numbers', 'tiny'],
];
const extremeFills: readonly (readonly [string, Fill])[] = [
  ['NaN and infinities', 'special'],
  ['equal numbers', 'ties'],
  ['huge numbers', 'huge'],
  ['subnormal numbers', 'subnormal'],
  ['only -Infinity', [-Infinity]],
  ['only Infinity', [Infinity]],
  ['only NaN', [Number.NaN]],
];

export const cases: readonly AnyCase[] = [
  ...sums.flatMap((kernel): AnyCase[] => [
    ...[...shapes, nothing].map(
      (shape): AnyCase => ({
        name: nameOf(shape),
        kernel,
        shape: shapeOf(shape),
        tolerance: sumOf(shape[1]),
        seed: 1,
      }),
    ),
    ...sumFills.flatMap(([name, x]) =>
      [shapeOf([5, 13, 1]), shapeOf([2, 6, 33])].map(
        (shape): AnyCase => ({
          name: `takes ${name}, ${shape.inner} side by side`,
          kernel,
          shape,
          tolerance: sumOf(shape.count),
          seed: 2,
          fills: { x },
        }),
      ),
    ),
    {
      name: 'adds many numbers of one sign',
      kernel,
      shape: { outer: 2, count: 5000, inner: 1 },
      tolerance: sumOf(5000),
      seed: 4,
      fills: { x: 'positive' },
    },
  ]),
  ...extremes.flatMap((kernel) => [
    ...shapes.map(
      (shape): AnyCase => ({ name: nameOf(shape), kernel, shape: shapeOf(shape), tolerance: exact, seed: 1 }),
    ),
    ...extremeFills.flatMap(([name, x]) =>
      [shapeOf([7, 41, 1]), shapeOf([2, 6, 33])].map(
        (shape): AnyCase => ({
          name: `takes ${name}, ${shape.inner} side by side`,
          kernel,
          shape,
          tolerance: exact,
          seed: 2,
          fills: { x },
        }),
      ),
    ),
  ]),
];
