// Cases of the recurrent kernels: sizes around tiles and vectors, either direction, lengths, states given and left out,
// projected states.
import type { KernelName } from '../../../lib/kernels/list.ts';
import type { AnyCase, Case, Fill } from '../case.ts';

type Forward = 'rnn' | 'gru' | 'lstm';
type Backward = 'rnnBackward' | 'gruBackward' | 'lstmBackward';

/** [steps, batch, inputSize, hiddenSize], and projSize of an lstm that has a projection. */
type Size = readonly [number, number, number, number, number?];
const sizes: readonly Size[] = [
  [1, 1, 1, 1],
  [3, 2, 5, 4],
  [2, 3, 7, 15],
  [4, 7, 9, 16],
  [3, 8, 16, 17],
  [5, 9, 3, 31],
  [2, 29, 10, 33],
  [6, 1, 20, 64],
  [3, 2, 12, 65],
  [2, 3, 6, 140],
  [3, 65, 8, 16],
  [4, 33, 30, 130],
  [2, 9, 20, 520],
  [45, 3, 6, 20],
  [47, 3, 6, 20],
  [0, 2, 3, 4],
  [3, 0, 4, 5],
  [2, 3, 0, 4],
  [2, 3, 4, 0],
];
const projectedSizes: readonly Size[] = [
  [1, 1, 1, 2, 1],
  [3, 2, 5, 4, 3],
  [2, 3, 7, 15, 17],
  [4, 7, 9, 16, 16],
  [3, 8, 16, 33, 7],
  [5, 9, 3, 31, 8],
  [2, 29, 10, 65, 33],
  [6, 1, 20, 140, 64],
  [3, 65, 8, 40, 16],
  [4, 33, 30, 130, 31],
  [2, 9, 20, 520, 129],
  [45, 3, 6, 20, 5],
  [0, 2, 3, 4, 2],
  [3, 0, 4, 5, 2],
  [2, 3, 0, 4, 2],
];

/** Weights as layers begin with them, so that gates are neither open nor shut; a prime number of them, repeated. */
const weights = (hidden: number): readonly number[] =>
  Array.from({ length: 997 }, (_, i) => (1.7 * Math.sin(i * i + 1)) / Math.sqrt(Math.max(1, hidden)));
/** What gates have between 0 and 1, and states between -1 and 1. */
const saved: Fill = Array.from({ length: 991 }, (_, i) => 0.5 + 0.45 * Math.sin(i * i + 2));
const states: Fill = Array.from({ length: 991 }, (_, i) => 0.9 * Math.sin(i * i + 3));

interface Variant {
  readonly name: string;
  readonly reverse: number;
  readonly padding: number;
  readonly without: readonly string[];
}
const variants: readonly Variant[] = [
  { name: 'forward, nothing left out', reverse: 0, padding: 0, without: [] },
  {
    name: 'reverse, without lengths and initial states, in wider rows of y',
    reverse: 1,
    padding: 5,
    without: ['lengths', 'h0', 'c0', 'gradH0', 'gradC0', 'gradHN', 'gradCN', 'biasIh', 'peepholes', 'gradPeepholes'],
  },
  {
    name: 'reverse with lengths, without final states',
    reverse: 1,
    padding: 0,
    without: ['hN', 'cN', 'saved', 'biasHh', 'gradX', 'gradY', 'gradBias', 'gradBiasIh', 'gradBiasHh'],
  },
  { name: 'forward without lengths', reverse: 0, padding: 3, without: ['lengths', 'biasIh', 'biasHh', 'peepholes'] },
];

/** The flag of a kernel's own: both values in turn. */
const flags = { rnn: 'relu', gru: 'resetAfter', lstm: undefined } as const;
type Optional<K extends KernelName> = NonNullable<Case<K>['without']>[number] & string;
const optional: { readonly [K in Forward | Backward]: readonly Optional<K>[] } = {
  rnn: ['biasIh', 'biasHh', 'h0', 'lengths', 'hN'],
  gru: ['biasIh', 'biasHh', 'h0', 'lengths', 'hN', 'saved'],
  lstm: ['biasIh', 'biasHh', 'weightHr', 'peepholes', 'h0', 'c0', 'lengths', 'hN', 'cN', 'saved'],
  rnnBackward: ['h0', 'lengths', 'gradY', 'gradHN', 'gradX', 'gradBias', 'gradH0'],
  gruBackward: ['h0', 'lengths', 'gradY', 'gradHN', 'gradX', 'gradBiasIh', 'gradBiasHh', 'gradH0'],
  lstmBackward: [
    'weightHr',
    'peepholes',
    'h0',
    'c0',
    'lengths',
    'gradY',
    'gradHN',
    'gradCN',
    'gradX',
    'gradWeightHr',
    'gradBias',
    'gradPeepholes',
    'gradH0',
    'gradC0',
  ],
};

function recurrent<K extends Forward | Backward>(
  kernel: K,
  name: string,
  [steps, batch, inputSize, hiddenSize, projSize = 0]: Size,
  variant: Variant,
  flag: number,
  more: { readonly x?: Fill } = {},
): Case<K> {
  const backward = kernel.endsWith('Backward');
  const cell = kernel.replace('Backward', '') as Forward;
  const own = flags[cell];
  const stateSize = projSize || hiddenSize;
  const rows = Math.sqrt(steps * batch + hiddenSize + inputSize + projSize);
  const terms = Math.sqrt(inputSize + hiddenSize + projSize);
  const weight = weights(hiddenSize);
  const shape: Readonly<Record<string, number>> = {
    steps,
    batch,
    inputSize,
    hiddenSize,
    reverse: variant.reverse,
    ...(cell === 'lstm' ? { projSize, stateSize } : {}),
    yStride: stateSize + variant.padding,
    yOffset: Math.floor(variant.padding / 2),
    ...(own === undefined ? {} : { [own]: flag }),
    ...(backward ? { accumulate: variant.padding > 0 ? 1 : 0 } : {}),
  };
  return {
    name,
    kernel,
    shape: shape as Case<K>['shape'],
    tolerance: backward
      ? { ulps: 8, absolute: 1e-6 * (2 + rows) }
      : { ulps: 4, absolute: more.x ? 2e-5 : 1e-6 * (2 + terms / 8) },
    seed: steps + 3 * batch + 5 * hiddenSize,
    fills: {
      weightIh: weight,
      weightHh: weight,
      ...(cell === 'lstm' ? { weightHr: weight } : {}),
      ...(backward ? { saved, y: states, h0: states } : {}),
      ...more,
    } as NonNullable<Case<K>['fills']>,
    without: optional[kernel].filter((buffer) => {
      // Without a projection its buffers are left out, or given and empty.
      if (buffer === 'weightHr' || buffer === 'gradWeightHr') return projSize === 0 && variant.reverse === 1;
      return variant.without.includes(buffer);
    }),
  };
}

const cells = ['rnn', 'gru', 'lstm'] as const;
const values = (cell: Forward) => (flags[cell] === undefined ? [0] : [0, 1]);
const flagName = (cell: Forward, flag: number) => (flags[cell] === undefined ? '' : `, ${flags[cell]} ${flag}`);
const sizesOf = (cell: Forward) => (cell === 'lstm' ? [...sizes, ...projectedSizes] : sizes);
/** Sizes at the beginning of either list. */
const isSmall = (size: Size) => sizes.indexOf(size) < 6 && projectedSizes.indexOf(size) < 6;

export const cases: readonly AnyCase[] = cells.flatMap((cell) => [
  ...sizesOf(cell).flatMap((size, i) =>
    values(cell).flatMap((flag) =>
      // Small sizes go through every variant, larger ones through two.
      variants
        .filter((_, v) => isSmall(size) || v % 2 === i % 2)
        .flatMap((variant) =>
          ([cell, `${cell}Backward`] as const).map((kernel) =>
            recurrent(kernel, `[${size.join(', ')}] ${variant.name}${flagName(cell, flag)}`, size, variant, flag),
          ),
        ),
    ),
  ),
  ...values(cell).flatMap((flag) =>
    (
      [
        ['NaN', Number.NaN],
        ['Infinity', Infinity],
        ['large numbers', 300],
      ] as const
    ).flatMap(([what, value]) =>
      (cell === 'lstm' ? [0, 7] : [0]).map((projSize) =>
        recurrent(
          cell,
          `keeps ${what} to its sequence${flagName(cell, flag)}${projSize > 0 ? ', projected' : ''}`,
          [4, 5, 3, 18, projSize],
          variants[0] as Variant,
          flag,
          { x: [0.5, -1, 0.25, 1, value, -0.5, 2, 0.75, -0.25, 1, 0.5] },
        ),
      ),
    ),
  ),
]);
