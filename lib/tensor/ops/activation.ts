// Functions of one operand, element by element.
import { run } from '../../kernels/backend.ts';
import type { Floats } from '../../kernels/call.ts';
import { savedBy } from '../../kernels/list.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { checkFloat, checkNumber } from './check.ts';

/** Kernels without constants; the gradient is the kernel `<name>Backward` of what `savedBy` says. */
type Plain = Exclude<keyof typeof savedBy, 'leakyRelu' | 'elu' | 'clamp'>;

function plain(kernel: Plain, x: Tensor): Tensor {
  checkFloat(kernel, x);
  const y = empty(x.shape, x.dtype);
  run(kernel, { count: x.size }, { x: x.operand, y: y.operand });
  return differentiable(y, kernel, [x], [savedBy[kernel] === 'x' ? x : y], (gradY, [saved]) => {
    const gradX = empty(saved.shape, saved.dtype);
    const buffers = { saved: saved.operand, gradY: gradY.operand, gradX: gradX.operand };
    run(`${kernel}Backward`, { count: saved.size }, buffers);
    return [gradX];
  });
}

type Forward = (count: number, buffers: { x: Floats; y: Floats }) => void;
type BackwardOfX = (count: number, buffers: { saved: Floats; gradY: Floats; gradX: Floats }) => void;

/** A kernel with constants, whose gradient needs x. */
function withConstants(name: string, x: Tensor, forward: Forward, backward: BackwardOfX): Tensor {
  checkFloat(name, x);
  const y = empty(x.shape, x.dtype);
  forward(x.size, { x: x.operand, y: y.operand });
  return differentiable(y, name, [x], [x], (gradY, [x]) => {
    const gradX = empty(x.shape, x.dtype);
    backward(x.size, { saved: x.operand, gradY: gradY.operand, gradX: gradX.operand });
    return [gradX];
  });
}

/** |x|, with gradient 0 at 0. */
export const abs = (x: Tensor): Tensor => plain('abs', x);
export const exp = (x: Tensor): Tensor => plain('exp', x);
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => plain('log', x);
/** √x; its gradient is infinite at 0. */
export const sqrt = (x: Tensor): Tensor => plain('sqrt', x);
/** max(x, 0), with gradient 0 at 0. */
export const relu = (x: Tensor): Tensor => plain('relu', x);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Tensor): Tensor => plain('sigmoid', x);
export const tanh = (x: Tensor): Tensor => plain('tanh', x);
/** x Φ(x) with the exact normal distribution function, not its tanh approximation. */
export const gelu = (x: Tensor): Tensor => plain('gelu', x);
/** x sigmoid(x). */
export const silu = (x: Tensor): Tensor => plain('silu', x);
/** log(1 + exp(x)). */
export const softplus = (x: Tensor): Tensor => plain('softplus', x);

/** x where x > 0, else `slope` x. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  checkNumber('leakyRelu', 'slope', slope);
  return withConstants(
    'leakyRelu',
    x,
    (count, buffers) => run('leakyRelu', { count, slope }, buffers),
    (count, buffers) => run('leakyReluBackward', { count, slope }, buffers),
  );
}

/** x where x > 0, else `alpha` (exp(x) - 1). */
export function elu(x: Tensor, alpha = 1): Tensor {
  checkNumber('elu', 'alpha', alpha);
  return withConstants(
    'elu',
    x,
    (count, buffers) => run('elu', { count, alpha }, buffers),
    (count, buffers) => run('eluBackward', { count, alpha }, buffers),
  );
}

/** x held between `low` and `high`; the gradient is 0 outside. */
export function clamp(x: Tensor, low = -Infinity, high = Infinity): Tensor {
  checkNumber('clamp', 'low', low, -Infinity, high);
  return withConstants(
    'clamp',
    x,
    (count, buffers) => run('clamp', { count, low, high }, buffers),
    (count, buffers) => run('clampBackward', { count, low, high }, buffers),
  );
}

export function neg(x: Tensor): Tensor {
  checkFloat('neg', x);
  const y = empty(x.shape, x.dtype);
  run('neg', { count: x.size }, { x: x.operand, y: y.operand });
  return differentiable(y, 'neg', [x], [], (gradY) => [neg(gradY)]);
}

/** scale x + shift; `name` is what the caller knows it as. */
export function affine(x: Tensor, scale: number, shift: number, name = 'affine'): Tensor {
  checkFloat(name, x);
  const y = empty(x.shape, x.dtype);
  run('affine', { count: x.size, scale, shift }, { x: x.operand, y: y.operand });
  return differentiable(y, name, [x], [], (gradY) => [scale === 1 ? gradY : affine(gradY, scale, 0)]);
}
