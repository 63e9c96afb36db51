// Cases of the functions of one variable and of their gradients.
import { type AnyCase, counts, exact, type Fill, type Tolerance } from '../case.ts';

type Plain = 'neg' | 'abs' | 'exp' | 'log' | 'sqrt' | 'relu' | 'sigmoid' | 'tanh' | 'gelu' | 'silu' | 'softplus';
type PlainBackward = `${Exclude<Plain, 'neg'>}Backward`;

/** NaN, limits and large numbers. At -Infinity x Phi(x) and x sigmoid(x) are -∞ · 0, NaN, as in PyTorch. */
// biome-ignore format: many numbers a line
const limits = [
  Number.NaN, Infinity, -Infinity, 0, -0, 1e-40, 1, -1, 3e38, -3e38, 50, -50, 100, -100, -5, 5.5, -13.5, -0.3,
];

/** Kernel, tolerance, fill of the ordinary cases, fill of the special ones. */
const forward: readonly (readonly [Plain, Tolerance, Fill, Fill])[] = [
  ['neg', exact, 'normal', 'special'],
  ['abs', exact, 'normal', 'special'],
  ['exp', { ulps: 2 }, 'normal', 'special'],
  ['log', { ulps: 2 }, 'positive', 'special'],
  ['sqrt', exact, 'positive', 'special'],
  ['relu', exact, 'normal', 'special'],
  ['sigmoid', { ulps: 2 }, 'normal', 'special'],
  ['tanh', { ulps: 2 }, 'normal', 'special'],
  ['gelu', { ulps: 2 }, 'normal', limits],
  ['silu', { ulps: 2 }, 'normal', limits],
  ['softplus', { ulps: 2 }, 'normal', 'special'],
];

/** The same, then the fill of what was saved. 1 - y and the slopes near their zeros lose digits: hence `absolute`. */
const backward: readonly (readonly [PlainBackward, Tolerance, Fill, Fill])[] = [
  ['absBackward', exact, 'ties', 'special'],
  ['expBackward', exact, 'positive', 'special'],
  ['logBackward', exact, 'positive', 'special'],
  ['sqrtBackward', exact, 'positive', 'positive'],
  ['reluBackward', exact, 'ties', 'special'],
  ['sigmoidBackward', { ulps: 3 }, [0.1, 0.25, 0.5, 0.875, 0.9375, 0.3], [0, 1, 1e-7, 0.9999999, Number.NaN]],
  ['tanhBackward', { ulps: 3 }, [-0.75, 0.25, 0.5, -0.1, 0.3, 0.875, 0], [0, 1, -1, 0.9999999, Number.NaN]],
  [
    'geluBackward',
    { ulps: 3, absolute: 1e-7 },
    'normal',
    [0, -0, 30, -30, 6, -6, 1e-30, Number.NaN, Infinity, -Infinity],
  ],
  [
    'siluBackward',
    { ulps: 3, absolute: 1e-7 },
    'normal',
    [0, -0, 30, -30, 6, -6, 1e-30, 200, -200, Number.NaN, Infinity, -Infinity],
  ],
  ['softplusBackward', { ulps: 3 }, 'normal', 'special'],
];

const sizes = counts.map((count) => ({ name: `takes ${count} elements`, count }));

export const cases: readonly AnyCase[] = [
  ...forward.flatMap(([kernel, tolerance, ordinary, special]): AnyCase[] => [
    ...sizes.map(({ name, count }) => ({
      name,
      kernel,
      shape: { count },
      tolerance,
      seed: count,
      fills: { x: ordinary },
    })),
    {
      name: 'takes NaN, infinities and extremes',
      kernel,
      shape: { count: 1003 },
      tolerance,
      seed: 1,
      fills: { x: special },
    },
    { name: 'takes subnormal numbers', kernel, shape: { count: 203 }, tolerance, seed: 2, fills: { x: 'subnormal' } },
    { name: 'takes tiny numbers', kernel, shape: { count: 203 }, tolerance, seed: 3, fills: { x: 'tiny' } },
    { name: 'takes huge numbers', kernel, shape: { count: 203 }, tolerance, seed: 4, fills: { x: 'huge' } },
  ]),
  ...backward.flatMap(([kernel, tolerance, ordinary, special]): AnyCase[] => [
    ...sizes.map(({ name, count }) => ({
      name,
      kernel,
      shape: { count },
      tolerance,
      seed: count,
      fills: { saved: ordinary },
    })),
    { name: 'takes extremes', kernel, shape: { count: 1003 }, tolerance, seed: 1, fills: { saved: special } },
  ]),
  ...[33, 1003].flatMap((count): AnyCase[] => {
    const fills = { x: count > 100 ? ('special' as const) : ('normal' as const) };
    const saved = { saved: count > 100 ? ('special' as const) : ('normal' as const) };
    const name = count > 100 ? 'takes NaN, infinities and extremes' : 'takes 33 elements';
    const low = -0.1; // not a 32-bit float: kernels see the nearest one
    const high = 0.75;
    return [
      { name, kernel: 'leakyRelu', shape: { count, slope: 0.01 }, tolerance: { ulps: 2 }, seed: 1, fills },
      {
        name,
        kernel: 'leakyReluBackward',
        shape: { count, slope: 0.01 },
        tolerance: { ulps: 2 },
        seed: 2,
        fills: saved,
      },
      { name, kernel: 'elu', shape: { count, alpha: 0.75 }, tolerance: { ulps: 3 }, seed: 3, fills },
      { name, kernel: 'eluBackward', shape: { count, alpha: 0.75 }, tolerance: { ulps: 4 }, seed: 4, fills: saved },
      { name, kernel: 'clamp', shape: { count, low, high }, tolerance: exact, seed: 5, fills },
      { name, kernel: 'clampBackward', shape: { count, low, high }, tolerance: exact, seed: 6, fills: saved },
      {
        name,
        kernel: 'affine',
        shape: { count, scale: -1.5, shift: 0.3 },
        tolerance: { ulps: 1, terms: 1 },
        seed: 7,
        fills,
      },
    ];
  }),
  ...(['exp', 'relu', 'gelu'] as const).map(
    (kernel): AnyCase => ({
      name: 'takes more elements than one task',
      kernel,
      shape: { count: 70_001 },
      tolerance: { ulps: 4 },
      seed: 5,
    }),
  ),
  ...(['reluBackward', 'expBackward'] as const).map(
    (kernel): AnyCase => ({
      name: 'takes more elements than one task',
      kernel,
      shape: { count: 70_001 },
      tolerance: exact,
      seed: 6,
    }),
  ),
  {
    name: 'passes at both bounds',
    kernel: 'clampBackward',
    shape: { count: 50, low: -0.1, high: 0.1 },
    tolerance: exact,
    seed: 1,
    fills: { saved: [Math.fround(-0.1), Math.fround(0.1), 0.11, -0.11, Number.NaN, 0] },
  },
];
