// Cases of the conditional random field: sizes around vectors, lengths, parts left out, scores that underflow as products.
import type { AnyCase, Case, Fill } from '../case.ts';

type CrfKernel = 'crf' | 'crfBackward' | 'crfDecode';

/** [steps, batch, tags] */
const sizes = [
  [1, 1, 1],
  [3, 2, 4],
  [5, 7, 15],
  [4, 3, 16],
  [6, 5, 17],
  [2, 37, 5],
  [7, 2, 33],
  [30, 5, 72],
  [9, 130, 9],
  [2, 3, 130],
  [0, 3, 4],
  [3, 0, 4],
  [0, 2, 0],
] as const;

const without: { readonly [K in CrfKernel]: NonNullable<Case<K>['without']> } = {
  crf: ['start', 'end', 'target', 'lengths', 'saved'],
  crfBackward: ['end', 'target', 'lengths', 'gradStart', 'gradEnd'],
  crfDecode: ['start', 'end', 'lengths'],
};

/** Whole numbers far apart: probabilities down to exp(-700), and transitions that are not allowed. */
const apart: Fill = [0, -150, 64, -3, 120, -90, 1, 40, -260, 7, -33];
const some: Fill = [0, -120, -Infinity, 3, -Infinity, -1, -200, 2, -Infinity, 1, 0, -95, -Infinity];

function crf<K extends CrfKernel>(
  kernel: K,
  name: string,
  [steps, batch, tags]: (typeof sizes)[number] | readonly [number, number, number],
  more: Partial<Case<K>> = {},
): Case<K> {
  const shape: Readonly<Record<string, number>> = { steps, batch, tags };
  const rounding = 1 + Math.sqrt(steps * (kernel === 'crfBackward' ? batch : 1));
  return {
    name: `${name} [${steps}, ${batch}, ${tags}]`,
    kernel,
    shape: shape as Case<K>['shape'],
    tolerance: kernel === 'crfDecode' ? { ulps: 1 } : { ulps: 4, absolute: 1e-6 * rounding },
    seed: steps + 3 * batch + 5 * tags,
    ...more,
  };
}

const each = (make: <K extends CrfKernel>(kernel: K) => Case<K>[]): AnyCase[] => [
  ...make('crf'),
  ...make('crfBackward'),
  ...make('crfDecode'),
];

export const cases: readonly AnyCase[] = [
  ...sizes.flatMap((size) =>
    each((kernel) => [
      crf(kernel, 'takes', size),
      crf(kernel, 'takes, with nothing but scores,', size, { without: without[kernel] }),
    ]),
  ),
  ...(
    [
      [6, 4, 11],
      [5, 3, 18],
    ] as const
  ).flatMap((size) => [
    crf('crf', 'takes scores far apart and forbidden transitions', size, {
      fills: { emissions: apart, transitions: some },
      without: ['target'],
      tolerance: { ulps: 4, absolute: 1e-4 },
    }),
    crf('crfBackward', 'takes scores far apart and forbidden transitions', size, {
      fills: { emissions: apart, transitions: some, saved: [0, -140, -2, -1, -Infinity, -60, -3] },
      tolerance: { ulps: 4, absolute: 2e-4 },
    }),
    crf('crfDecode', 'takes scores far apart and forbidden transitions', size, {
      fills: { emissions: apart, transitions: some },
    }),
    crf('crfDecode', 'takes the first of equal paths', size, {
      fills: { emissions: 'ties', transitions: 'ties', start: 'ties', end: 'ties' },
    }),
    crf('crf', 'keeps NaN to its sequence', size, {
      fills: { emissions: [...new Array(40).fill(0.5), Number.NaN, -1, 2], lengths: [size[0]] },
    }),
    crf('crf', 'is NaN where no path is allowed', size, {
      fills: { transitions: [-Infinity], lengths: [1, size[0]] },
    }),
  ]),
];
