// Cases of selection by index and its gradients.
import { type AnyCase, exact, sumOf } from '../case.ts';

const shapes = [
  [1, 1, 1, 1],
  [1, 10, 1, 7],
  [1, 10, 33, 25],
  [3, 5, 1, 9],
  [2, 7, 65, 3],
  [4, 3, 15, 3],
  [1, 4, 100, 64],
  [1, 50, 130, 600],
  [70, 20, 3, 400],
  [2, 5, 3, 0],
  [0, 5, 3, 4],
  [2, 5, 0, 4],
] as const;

const rowShapes = [
  [1, 1],
  [5, 7],
  [33, 3],
  [64, 10],
  [9000, 10],
  [0, 4],
] as const;

export const cases: readonly AnyCase[] = [
  ...shapes.flatMap(([outer, axisLength, inner, count], seed): AnyCase[] => {
    const shape = { outer, axisLength, inner, count };
    const name = `${count} of [${outer}, ${axisLength}, ${inner}]`;
    return [
      { name: `takes ${name}`, kernel: 'gather', shape, tolerance: exact, seed, fills: { x: 'special' } },
      { name: `adds up ${name}`, kernel: 'gatherBackward', shape, tolerance: sumOf(count), seed },
    ];
  }),
  {
    name: 'adds up many gradients of one index',
    kernel: 'gatherBackward',
    shape: { outer: 1, axisLength: 3, inner: 17, count: 200 },
    tolerance: sumOf(200),
    seed: 1,
    fills: { indices: [1] },
  },
  ...rowShapes.flatMap(([rows, columns], seed): AnyCase[] => [
    {
      name: `picks from [${rows}, ${columns}]`,
      kernel: 'pick',
      shape: { rows, columns },
      tolerance: exact,
      seed,
      fills: { x: 'special' },
    },
    {
      name: `puts into [${rows}, ${columns}]`,
      kernel: 'pickBackward',
      shape: { rows, columns },
      tolerance: exact,
      seed,
    },
  ]),
];
