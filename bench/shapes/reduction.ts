// Reductions over the last, the first and all dimensions; softmax; norms, forward and backward.
import { bytes, type Row } from './row.ts';

const reduced = [
  ['last 32x256', 32, 256, 1],
  ['last 256x1024', 256, 1024, 1],
  ['first 256x1024', 1, 256, 1024],
  ['all 192MB', 1, 3 * 2 ** 24, 1],
] as const;

const reductions: readonly Row[] = ['sum', 'mean', 'max', 'argmax'].flatMap((op) =>
  reduced.map(
    ([name, outer, count, inner]): Row => ({
      family: 'reduction',
      name: `${op} ${name}`,
      call: { op, outer, count, inner },
      flops: 0,
      reads: bytes(outer * count * inner),
      writes: bytes(outer * inner),
    }),
  ),
);

const softmaxed = [
  ['64x10', 64, 10],
  ['64x1000', 64, 1000],
  ['4096x4096', 4096, 4096],
] as const;

const softmax: readonly Row[] = softmaxed.flatMap(([name, outer, count]) =>
  ['softmax', 'logSoftmax', 'softmaxBackward'].map((op): Row => {
    const size = outer * count;
    return {
      family: 'softmax',
      name: `${op} ${name}`,
      call: { op, outer, count, inner: 1 },
      flops: 0,
      reads: op === 'softmaxBackward' ? bytes(size, size) : bytes(size),
      writes: bytes(size),
    };
  }),
);

const images = [
  ['32x32x14x14', 32, 32, 196],
  ['32x64x56x56', 32, 64, 3136],
] as const;

/** The gradient reads x and gradY, and x once more after the sums are known: but each operand counts once. */
const batchNorm: readonly Row[] = images.flatMap(([name, batch, channels, inner]) =>
  (
    [
      ['batchNorm', 'weight,bias,runningMean,runningVar', 1],
      ['batchNormInference', 'weight,bias', 1],
      ['batchNormBackward', 'weight', 2],
    ] as const
  ).map(([op, given, inputs]): Row => {
    const size = batch * channels * inner;
    return {
      family: 'norm',
      name: `${op} ${name}`,
      call: { op, batch, channels, inner, momentum: 0.1, eps: 1e-5, with: given },
      flops: 0,
      reads: bytes(inputs * size),
      writes: bytes(size),
    };
  }),
);

const layerNorm: readonly Row[] = (
  [
    ['32x256', 32, 256],
    ['512x768', 512, 768],
    ['16384x1024', 16384, 1024],
  ] as const
).flatMap(([name, rows, columns]) =>
  (
    [
      ['layerNorm', 'weight,bias', 1],
      ['layerNormBackward', 'weight', 2],
    ] as const
  ).map(
    ([op, given, inputs]): Row => ({
      family: 'norm',
      name: `${op} ${name}`,
      call: { op, rows, columns, eps: 1e-5, with: given },
      flops: 0,
      reads: bytes(inputs * rows * columns),
      writes: bytes(rows * columns),
    }),
  ),
);

export const reduction: readonly Row[] = [...reductions, ...softmax, ...batchNorm, ...layerNorm];
