// Kernels whose reference has several paths, written as their definitions say and nothing else: slow, and easy to check.
import type { Shape } from '../../lib/kernels/call.ts';

type Doubles = Float64Array;
type Input = Doubles | undefined;
type Fields = Readonly<Record<string, number>>;
type Buffers = Readonly<Record<string, Doubles>>;
export type Literal = (shape: Fields, buffers: Buffers) => void;

const at = (values: Input, i: number) => values?.[i] ?? Number.NaN;

function add(values: Input, i: number, term: number): void {
  if (values !== undefined) values[i] = at(values, i) + term;
}

/** Calls `body` with every index below the sizes s0, s1, …, in row-major order. */
function eachIndex(sizes: readonly number[], body: (index: readonly number[]) => void, index: number[] = []): void {
  const size = sizes[index.length];
  if (size === undefined) body(index);
  else for (let i = 0; i < size; i++) eachIndex(sizes, body, [...index, i]);
}

const fields = (shape: Fields, letter: string, rank: number) =>
  Array.from({ length: rank }, (_, i) => shape[`${letter}${i}`] ?? Number.NaN);

const dot = (index: readonly number[], strides: readonly number[]) =>
  index.reduce((total, i, level) => total + i * (strides[level] ?? Number.NaN), 0);

/** y[i] = f(a[i·aStride], b[i·bStride]). */
const binary =
  (f: (a: number, b: number) => number): Literal =>
  (shape, { a, b, y }) => {
    let out = 0;
    eachIndex(fields(shape, 'd', 4), (index) => {
      const value = f(at(a, dot(index, fields(shape, 'a', 4))), at(b, dot(index, fields(shape, 'b', 4))));
      if (y !== undefined) y[out++] = value;
    });
  };

/** y[yOffset + i·yStride] = x[xOffset + i·xStride]. */
const copy: Literal = (shape, { x, y }) => {
  const { xOffset = 0, yOffset = 0 } = shape;
  const xStrides = fields(shape, 'x', 8);
  const yStrides = fields(shape, 'y', 8);
  eachIndex(fields(shape, 'd', 8), (index) => {
    if (y !== undefined) y[yOffset + dot(index, yStrides)] = at(x, xOffset + dot(index, xStrides));
  });
};

const activate = (value: number, activation: number) => (activation === 1 && value < 0 ? 0 : value);

/** y[m, n] = (accumulate ? y : 0) + op(a) op(b) + bias[n], then the activation. */
const matmul = (s: Shape<'matmul'>, { a, b, bias, y }: Buffers) => {
  eachIndex([s.batch, s.m, s.n], ([batch = 0, i = 0, j = 0]) => {
    const left = s.aBatch === 1 ? 0 : batch * s.m * s.k;
    const right = s.bBatch === 1 ? 0 : batch * s.k * s.n;
    const out = (batch * s.m + i) * s.n + j;
    let total = s.accumulate ? at(y, out) : 0;
    for (let d = 0; d < s.k; d++) {
      const p = s.transposeA ? d * s.m + i : i * s.k + d;
      const q = s.transposeB ? j * s.k + d : d * s.n + j;
      total += at(a, left + p) * at(b, right + q);
    }
    if (bias !== undefined) total += at(bias, j);
    if (y !== undefined) y[out] = activate(total, s.activation);
  });
};

/** Calls `body` with the places in x (-1 in the padding), weight and y of every product of a convolution. */
function eachProduct(s: Shape<'conv2dBackwardInput'>, body: (x: number, weight: number, y: number) => void): void {
  const channels = s.outChannels / s.groups;
  for (let n = 0; n < s.batch; n++) {
    for (let o = 0; o < s.outChannels; o++) {
      for (let c = 0; c < s.groupChannels; c++) {
        const channel = Math.floor(o / channels) * s.groupChannels + c;
        for (let oy = 0; oy < s.outHeight; oy++) {
          for (let ox = 0; ox < s.outWidth; ox++) {
            for (let ky = 0; ky < s.kernelHeight; ky++) {
              for (let kx = 0; kx < s.kernelWidth; kx++) {
                const iy = oy * s.strideHeight - s.padTop + ky * s.dilationHeight;
                const ix = ox * s.strideWidth - s.padLeft + kx * s.dilationWidth;
                const inside = iy >= 0 && iy < s.height && ix >= 0 && ix < s.width;
                body(
                  inside ? ((n * s.inChannels + channel) * s.height + iy) * s.width + ix : -1,
                  ((o * s.groupChannels + c) * s.kernelHeight + ky) * s.kernelWidth + kx,
                  ((n * s.outChannels + o) * s.outHeight + oy) * s.outWidth + ox,
                );
              }
            }
          }
        }
      }
    }
  }
}

const padded = (x: Input, place: number) => (place < 0 ? 0 : at(x, place));

const conv2d = (s: Shape<'conv2d'>, { x, weight, bias, y }: Buffers) => {
  const area = s.outHeight * s.outWidth;
  const channelOf = (i: number) => Math.floor(i / area) % s.outChannels;
  y?.forEach((_, i) => {
    y[i] = bias === undefined ? 0 : at(bias, channelOf(i));
  });
  eachProduct(s, (xAt, weightAt, yAt) => add(y, yAt, padded(x, xAt) * at(weight, weightAt)));
  y?.forEach((value, i) => {
    y[i] = activate(value, s.activation);
  });
};

/** For each element of x and each tap the output that it reaches it from, or a zero beyond gradY. */
const conv2dBackwardInput = (s: Shape<'conv2dBackwardInput'>, { weight, gradY, gradX }: Buffers) => {
  const channels = s.outChannels / s.groups;
  const output = (i: number, pad: number, tap: number, dilation: number, stride: number, count: number) => {
    const o = (i + pad - tap * dilation) / stride;
    return Number.isInteger(o) ? (o >= 0 && o < count ? o : -1) : undefined;
  };
  gradX?.forEach((_, place) => {
    const ix = place % s.width;
    const iy = Math.floor(place / s.width) % s.height;
    const channel = Math.floor(place / (s.width * s.height)) % s.inChannels;
    const n = Math.floor(place / (s.width * s.height * s.inChannels));
    const group = Math.floor(channel / s.groupChannels);
    let total = 0;
    for (let o = group * channels; o < (group + 1) * channels; o++) {
      for (let ky = 0; ky < s.kernelHeight; ky++) {
        for (let kx = 0; kx < s.kernelWidth; kx++) {
          const oy = output(iy, s.padTop, ky, s.dilationHeight, s.strideHeight, s.outHeight);
          const ox = output(ix, s.padLeft, kx, s.dilationWidth, s.strideWidth, s.outWidth);
          if (oy === undefined || ox === undefined) continue;
          const tap = ((o * s.groupChannels + (channel % s.groupChannels)) * s.kernelHeight + ky) * s.kernelWidth + kx;
          const yAt = oy < 0 || ox < 0 ? -1 : ((n * s.outChannels + o) * s.outHeight + oy) * s.outWidth + ox;
          total += at(weight, tap) * padded(gradY, yAt);
        }
      }
    }
    gradX[place] = total;
  });
};

const conv2dBackwardWeight = (s: Shape<'conv2dBackwardWeight'>, { x, gradY, gradWeight, gradBias }: Buffers) => {
  gradWeight?.fill(0);
  eachProduct(s, (xAt, weightAt, yAt) => add(gradWeight, weightAt, padded(x, xAt) * at(gradY, yAt)));
  gradBias?.fill(0);
  const area = s.outHeight * s.outWidth;
  gradY?.forEach((value, i) => {
    add(gradBias, Math.floor(i / area) % s.outChannels, value);
  });
};

/** By kernel name; shapes are those of the list. */
export const literal: Readonly<Record<string, (shape: never, buffers: Buffers) => void>> = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  maximum: binary((a, b) => (Number.isNaN(a) || a > b ? a : b)),
  minimum: binary((a, b) => (Number.isNaN(a) || a < b ? a : b)),
  equal: binary((a, b) => Number(a === b)),
  less: binary((a, b) => Number(a < b)),
  pow: binary((a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b)),
  copy,
  matmul,
  conv2d,
  conv2dBackwardInput,
  conv2dBackwardWeight,
};
