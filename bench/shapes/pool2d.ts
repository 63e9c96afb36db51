// Pools: after a stem at batch 1 and 32, and LeNet-sized; forward without and with the places of the maxima, and backward.
import { bytes, type Row } from './row.ts';

const planes = [
  ['1x64', 64, 64, 112],
  ['32x64', 2048, 64, 112],
  ['64x16', 1024, 16, 28],
] as const;
const windows = [
  { name: '2x2 s2', kernel: 2, pad: 0 },
  { name: '3x3 s2 p1', kernel: 3, pad: 1 },
] as const;

/** An average saves nothing for its gradient, so that its forward passes are one. */
const kinds = [
  { kind: 'max', pass: 'fwd-inf', op: 'maxPool2d', indices: 0 },
  { kind: 'max', pass: 'fwd-train', op: 'maxPool2d', indices: 1 },
  { kind: 'max', pass: 'bwd', op: 'maxPool2dBackward', indices: 1 },
  { kind: 'avg', pass: 'fwd', op: 'avgPool2d', indices: 0 },
  { kind: 'avg', pass: 'bwd', op: 'avgPool2dBackward', indices: 0 },
] as const;

export const pool2d: readonly Row[] = planes.flatMap(([name, count, channels, size]) =>
  windows.flatMap(({ name: window, kernel, pad }) =>
    kinds.map(({ kind, pass, op, indices }): Row => {
      const out = Math.floor((size + 2 * pad - kernel) / 2) + 1;
      const x = count * size * size;
      const y = count * out * out;
      const backward = pass === 'bwd';
      return {
        family: 'pool2d',
        name: `${name}x${size}x${size} ${kind} ${window} ${pass}`,
        call: {
          op,
          planes: count,
          channels,
          height: size,
          width: size,
          kernelHeight: kernel,
          kernelWidth: kernel,
          strideHeight: 2,
          strideWidth: 2,
          padTop: pad,
          padLeft: pad,
          outHeight: out,
          outWidth: out,
          countPadding: 1,
          padBottom: pad,
          padRight: pad,
          with: pass === 'fwd-train' ? 'indices' : '',
        },
        flops: 0,
        reads: backward ? bytes(y, indices * y) : bytes(x),
        writes: backward ? bytes(x) : bytes(y, indices * y),
      };
    }),
  ),
);
