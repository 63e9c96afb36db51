// Cases of strided copies (transpose, slice, pad, concat, reversal) and of filling.
import type { Shape } from '../../../lib/kernels/call.ts';
import { type AnyCase, counts, exact } from '../case.ts';

interface Move {
  readonly sizes: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly xOffset?: number;
  readonly yOffset?: number;
  readonly xLength: number;
  readonly yLength: number;
}

/** Sizes and strides of up to eight dimensions; missing ones come first, with size 1. */
function copy({ sizes, x, y, xOffset = 0, yOffset = 0, xLength, yLength }: Move): Shape<'copy'> {
  const at = (values: readonly number[], i: number, missing: number) => values[i - 8 + values.length] ?? missing;
  const d = (i: number) => at(sizes, i, 1);
  const p = (i: number) => at(x, i, 0);
  const q = (i: number) => at(y, i, 0);
  return {
    ...{ d0: d(0), d1: d(1), d2: d(2), d3: d(3), d4: d(4), d5: d(5), d6: d(6), d7: d(7) },
    ...{ x0: p(0), x1: p(1), x2: p(2), x3: p(3), x4: p(4), x5: p(5), x6: p(6), x7: p(7) },
    ...{ y0: q(0), y1: q(1), y2: q(2), y3: q(3), y4: q(4), y5: q(5), y6: q(6), y7: q(7) },
    ...{ xOffset, yOffset, xLength, yLength },
  };
}

const moves: Readonly<Record<string, Move>> = {
  'one element': { sizes: [1], x: [1], y: [1], xLength: 1, yLength: 1 },
  'a scalar without dimensions': { sizes: [], x: [], y: [], xLength: 1, yLength: 1 },
  'a transposed matrix': { sizes: [17, 33], x: [1, 17], y: [33, 1], xLength: 561, yLength: 561 },
  'a transposed square': { sizes: [64, 64], x: [1, 64], y: [64, 1], xLength: 4096, yLength: 4096 },
  'a matrix transposed to two columns': { sizes: [301, 2], x: [1, 301], y: [2, 1], xLength: 602, yLength: 602 },
  'a matrix transposed to three columns': { sizes: [301, 3], x: [1, 301], y: [3, 1], xLength: 903, yLength: 903 },
  'a matrix transposed to four columns': { sizes: [33, 4], x: [1, 33], y: [4, 1], xLength: 132, yLength: 132 },
  'a matrix of three columns, transposed': { sizes: [3, 301], x: [1, 3], y: [301, 1], xLength: 903, yLength: 903 },
  'a large transposed matrix': { sizes: [301, 257], x: [1, 301], y: [257, 1], xLength: 77_357, yLength: 77_357 },
  'a batch of transposed matrices': {
    sizes: [3, 5, 9],
    x: [45, 1, 5],
    y: [45, 9, 1],
    xLength: 135,
    yLength: 135,
  },
  'channels last': { sizes: [2, 7, 6, 3], x: [126, 6, 1, 42], y: [126, 18, 3, 1], xLength: 252, yLength: 252 },
  'a slice of rows and columns': {
    sizes: [3, 8],
    x: [20, 1],
    y: [8, 1],
    xOffset: 45,
    xLength: 200,
    yLength: 24,
  },
  'every third element': { sizes: [33], x: [3], y: [1], xOffset: 1, xLength: 98, yLength: 33 },
  'a reversed row': { sizes: [17], x: [-1], y: [1], xOffset: 16, xLength: 17, yLength: 17 },
  'a matrix reversed both ways': {
    sizes: [5, 9],
    x: [-9, -1],
    y: [9, 1],
    xOffset: 44,
    xLength: 45,
    yLength: 45,
  },
  'a reversed row into a strided place': { sizes: [9], x: [1], y: [-2], yOffset: 16, xLength: 9, yLength: 17 },
  'a repeated row': { sizes: [6, 15], x: [0, 1], y: [15, 1], xLength: 15, yLength: 90 },
  'a repeated column': { sizes: [6, 15], x: [1, 0], y: [15, 1], xLength: 6, yLength: 90 },
  'an image into a padded one': {
    sizes: [3, 5, 7],
    x: [35, 7, 1],
    y: [63, 9, 1],
    yOffset: 10,
    xLength: 105,
    yLength: 189,
  },
  'a part of a concatenation': { sizes: [4, 65], x: [65, 1], y: [200, 1], yOffset: 100, xLength: 260, yLength: 800 },
  'long rows into longer ones': { sizes: [3, 1000], x: [1000, 1], y: [1024, 1], xLength: 3000, yLength: 3072 },
  'eight dimensions': {
    sizes: [2, 3, 2, 2, 3, 2, 2, 3],
    x: [1, 2, 6, 12, 24, 72, 144, 288],
    y: [432, 144, 72, 36, 12, 6, 3, 1],
    xLength: 864,
    yLength: 864,
  },
  'dimensions that join': { sizes: [2, 3, 4, 5], x: [60, 20, 5, 1], y: [60, 20, 5, 1], xLength: 120, yLength: 120 },
  'an empty dimension': { sizes: [4, 0, 3], x: [0, 3, 1], y: [0, 3, 1], xLength: 0, yLength: 0 },
  'nothing into something': { sizes: [0], x: [1], y: [1], xLength: 5, yLength: 7 },
};

export const cases: readonly AnyCase[] = [
  ...Object.entries(moves).map(
    ([name, move], seed): AnyCase => ({
      name: `moves ${name}`,
      kernel: 'copy',
      shape: copy(move),
      tolerance: exact,
      seed,
    }),
  ),
  {
    name: 'moves NaN and infinities as they are',
    kernel: 'copy',
    shape: copy({ sizes: [9, 11], x: [1, 9], y: [11, 1], xLength: 99, yLength: 99 }),
    tolerance: exact,
    seed: 1,
    fills: { x: 'special' },
  },
  ...counts.flatMap((count): AnyCase[] => [
    {
      name: `moves ${count} elements`,
      kernel: 'copy',
      shape: copy({ sizes: [count], x: [1], y: [1], xLength: count, yLength: count }),
      tolerance: exact,
      seed: count,
    },
    { name: `fills ${count} elements`, kernel: 'fill', shape: { count, value: 2.5 }, tolerance: exact, seed: count },
  ]),
  ...[Number.NaN, -Infinity, 0, 0.1].map(
    (value): AnyCase => ({
      name: `fills with ${value}`,
      kernel: 'fill',
      shape: { count: 70_001, value },
      tolerance: { ulps: 1 },
      seed: 1,
    }),
  ),
];
