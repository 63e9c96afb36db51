// Cases of the binary kernels: broadcasts of every kind, and numbers of every kind.
import { type AnyCase, counts, exact, type Fill } from '../case.ts';

const operations = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'equal', 'less'] as const;

/** [what it is, sizes, strides of a, length of a, strides of b, length of b]. */
type Pattern = readonly [string, readonly number[], readonly number[], number, readonly number[], number];

const patterns: readonly Pattern[] = [
  ['adds a bias per channel', [2, 3, 5, 7], [105, 35, 7, 1], 210, [0, 1, 0, 0], 3],
  ['repeats a row', [1, 1, 9, 17], [0, 0, 17, 1], 153, [0, 0, 0, 1], 17],
  ['repeats a column', [1, 1, 9, 33], [0, 0, 33, 1], 297, [0, 0, 1, 0], 9],
  ['repeats one number on the left', [1, 1, 5, 13], [0, 0, 0, 0], 1, [0, 0, 13, 1], 65],
  ['repeats one number on the right', [1, 1, 1, 65], [0, 0, 0, 1], 65, [0, 0, 0, 0], 1],
  ['joins a column and a row', [1, 1, 7, 19], [0, 0, 1, 0], 7, [0, 0, 0, 1], 19],
  ['repeats the outermost dimension', [4, 3, 2, 5], [30, 10, 5, 1], 120, [0, 10, 5, 1], 30],
  ['repeats alternate dimensions', [3, 4, 5, 6], [4, 1, 0, 0], 12, [30, 0, 6, 1], 90],
  ['reads a transposed operand', [1, 1, 6, 11], [0, 0, 11, 1], 66, [0, 0, 1, 6], 66],
  ['reads a transposed operand beside a row', [1, 1, 6, 11], [0, 0, 1, 6], 66, [0, 0, 0, 1], 11],
  ['joins a column and one number', [1, 1, 9, 7], [0, 0, 1, 0], 9, [0, 0, 0, 0], 1],
  ['takes single-element dimensions', [1, 5, 1, 3], [0, 3, 0, 1], 15, [0, 3, 0, 1], 15],
  ['takes an empty dimension', [2, 0, 3, 4], [0, 12, 4, 1], 0, [0, 0, 4, 1], 12],
];

function make(
  kernel: (AnyCase['kernel'] & (typeof operations)[number]) | 'pow',
  [name, d, a, aLength, b, bLength]: Pattern,
  seed: number,
  tolerance = exact,
  fills: { readonly a?: Fill; readonly b?: Fill } = {},
): AnyCase {
  const [d0 = 1, d1 = 1, d2 = 1, d3 = 1] = d;
  const [a0 = 0, a1 = 0, a2 = 0, a3 = 0] = a;
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = b;
  const shape = { d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, aLength, bLength };
  return { name, kernel, shape, tolerance, seed, fills };
}

const dense = (count: number, name = `takes ${count} elements`): Pattern => [
  name,
  [1, 1, 1, count],
  [0, 0, 0, 1],
  count,
  [0, 0, 0, 1],
  count,
];

export const cases: readonly AnyCase[] = [
  ...operations.flatMap((kernel) => [
    ...counts.map((count) => make(kernel, dense(count), count)),
    ...patterns.map((pattern, i) => make(kernel, pattern, i)),
    make(kernel, dense(1000, 'takes NaN, infinities and the ends of the range'), 1, exact, {
      a: 'special',
      b: 'special',
    }),
    make(kernel, dense(100, 'takes equal numbers'), 2, exact, { a: 'ties', b: 'ties' }),
    make(kernel, dense(100, 'takes subnormal numbers'), 3, exact, { a: 'subnormal', b: 'subnormal' }),
  ]),
  ...(['add', 'less'] as const).flatMap((kernel) => [
    make(kernel, dense(70_001, 'takes more elements than one task'), 4),
    make(
      kernel,
      ['adds a bias to more elements than one task', [2, 3, 120, 110], [39600, 13200, 110, 1], 79200, [0, 1, 0, 0], 3],
      5,
    ),
    make(kernel, ['repeats a column over many rows', [1, 1, 40_001, 2], [0, 0, 2, 1], 80_002, [0, 0, 1, 0], 40_001], 6),
  ]),
  ...counts.map((count) => make('pow', dense(count), count, { ulps: 2 }, { a: 'positive' })),
  ...patterns.map((pattern, i) => make('pow', pattern, i, { ulps: 2 }, { a: 'positive' })),
  make(
    'pow',
    dense(1000, "takes NaN, infinities and the ends of the range as C's does"),
    1,
    { ulps: 2 },
    {
      a: 'special',
      b: 'special',
    },
  ),
  make('pow', dense(200, 'takes whole exponents of negative numbers'), 2, { ulps: 2 }, { b: 'ties' }),
];
