// Element by element: sums and products, activations, optimizer steps. Sized by all their bytes: for level 1, level 2, memory.
import type { Call, Row } from './row.ts';

const footprints = [
  ['32KB', 2 ** 15],
  ['1MB', 2 ** 20],
  ['192MB', 192 * 2 ** 20],
] as const;

interface Kernel {
  readonly family: string;
  readonly name: string;
  readonly op: string;
  /** Floats read and written for each element. */
  readonly reads: number;
  readonly writes: number;
  readonly fields?: (count: number) => Partial<Call>;
  /** Streams, where a written one is also read. */
  readonly streams?: number;
}

const binary = (op: string): Kernel => ({
  family: 'elementwise',
  name: op,
  op,
  reads: 2,
  writes: 1,
  fields: (count) => ({
    ...{ d0: 1, d1: 1, d2: 1, d3: count, a0: 0, a1: 0, a2: 0, a3: 1, b0: 0, b1: 0, b2: 0, b3: 1 },
    aLength: count,
    bLength: count,
  }),
});

const unary = (family: string, op: string): Kernel => ({ family, name: op, op, reads: 1, writes: 1 });
const gradient = (family: string, op: string): Kernel => ({ family, name: op, op, reads: 2, writes: 1 });

const optimizer = (name: string, op: string, state: number, settings: number, given = ''): Kernel => ({
  family: 'optimizer',
  name,
  op,
  reads: 2 + state,
  writes: 1 + state,
  streams: 2 + state,
  fields: () => ({ settingsLength: settings, with: given }),
});

const kernels: readonly Kernel[] = [
  binary('add'),
  binary('mul'),
  unary('elementwise', 'relu'),
  gradient('elementwise', 'reluBackward'),
  ...['exp', 'tanh', 'sigmoid', 'gelu'].map((op) => unary('activation', op)),
  ...['tanhBackward', 'sigmoidBackward', 'geluBackward'].map((op) => gradient('activation', op)),
  optimizer('sgd', 'sgd', 0, 7),
  optimizer('momentum', 'sgd', 1, 7, 'velocity'),
  optimizer('adam', 'adam', 2, 9),
];

export const pointwise: readonly Row[] = kernels.flatMap(
  ({ family, name, op, reads, writes, fields, streams = reads + writes }) =>
    footprints.map(([size, all]): Row => {
      const count = Math.floor(all / 4 / streams / 256) * 256;
      return {
        family,
        name: `${name} ${size}`,
        call: { op, count, ...fields?.(count) },
        flops: 0,
        reads: 4 * reads * count,
        writes: 4 * writes * count,
        ...(streams < reads + writes && { inPlace: 4 * streams * count }),
      };
    }),
);
