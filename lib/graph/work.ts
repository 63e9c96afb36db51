// How much arithmetic a kernel call is, for those whose time is arithmetic.
import type { Fields } from '../kernels/caller.ts';
import type { Call } from './graph.ts';

/** Operations on floats, a multiply-add as two; undefined where moving memory counts for more. */
export function flopsOf({ kernel, shape }: Call): number | undefined {
  const count = counts[kernel];
  return count === undefined ? undefined : 2 * count(shape);
}

const product = (shape: Fields, ...names: readonly string[]): number =>
  names.reduce((size, name) => size * (shape[name] ?? 0), 1);

const convolution = (shape: Fields): number =>
  product(shape, 'batch', 'outChannels', 'outHeight', 'outWidth', 'groupChannels', 'kernelHeight', 'kernelWidth');

const recurrent =
  (gates: number, products = 1) =>
  (shape: Fields) => {
    const { inputSize = 0, hiddenSize = 0, stateSize = hiddenSize, projSize = 0 } = shape;
    return products * product(shape, 'steps', 'batch', 'hiddenSize') * (gates * (inputSize + stateSize) + projSize);
  };

/** Multiply-adds. Backward, recurrent kernels make two products for one. */
const counts: Readonly<Record<string, ((shape: Fields) => number) | undefined>> = {
  matmul: (shape) => product(shape, 'batch', 'm', 'n', 'k'),
  conv2d: convolution,
  conv2dBackwardInput: convolution,
  conv2dBackwardWeight: convolution,
  rnn: recurrent(1),
  gru: recurrent(3),
  lstm: recurrent(4),
  rnnBackward: recurrent(1, 2),
  gruBackward: recurrent(3, 2),
  lstmBackward: recurrent(4, 2),
};
