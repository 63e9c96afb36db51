// Pooling over windows of images, by the rules of PyTorch.
import { run } from '../../kernels/backend.ts';
import type { Shape as KernelShape } from '../../kernels/call.ts';
import { differentiable, willRecord } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { failShape } from '../errors.ts';
import { type Pair, pairOf, product, type Shape, show } from '../shape.ts';
import { checkFloat } from './check.ts';

export interface PoolOptions {
  /** Step of the window (default: its size). */
  readonly stride?: Pair;
  /** Border on both sides, at most half the window: ignored by max, zeros for average (default 0). */
  readonly padding?: Pair;
  /** Whether a last window that is partly outside counts (default false). */
  readonly ceilMode?: boolean;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether the padding counts in the divisor (default true). */
  readonly countIncludePad?: boolean;
}

/**
 * Largest element of each window; NaN counts as the largest, and the first of equals gets the gradient.
 * x: [..., height, width]; y: [..., outHeight, outWidth] with outHeight = floor((height + 2 padding - kernel) / stride) + 1,
 * or ceil in ceilMode. Throws ShapeError where no window fits.
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: PoolOptions = {}): Tensor {
  const { shape, outer } = poolShape('maxPool2d', x, kernelSize, options);
  const y = empty([...outer, shape.outHeight, shape.outWidth], x.dtype, 'maxPool2d');
  const indices = willRecord([x]) ? empty(y.shape, 'int32') : undefined;
  run('maxPool2d', shape, { x: x.operand, y: y.operand, indices: indices?.indexOperand });
  const xShape = x.shape;
  return differentiable(y, 'maxPool2d', [x], [indices], (gradY, [indices]) => {
    const gradX = empty(xShape, gradY.dtype);
    if (indices)
      run<'maxPool2dBackward'>('maxPool2dBackward', shape, {
        gradY: gradY.operand,
        indices: indices.indexOperand,
        gradX: gradX.operand,
      });
    return [gradX];
  });
}

/** Mean of each window, of as many as maxPool2d has. x: [..., height, width]; y: [..., outHeight, outWidth]. */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: AvgPoolOptions = {}): Tensor {
  const { shape, outer, padding } = poolShape('avgPool2d', x, kernelSize, options);
  const countPadding = Number(options.countIncludePad ?? true);
  const avgShape = { ...shape, countPadding, padBottom: padding[0], padRight: padding[1] };
  const y = empty([...outer, shape.outHeight, shape.outWidth], x.dtype, 'avgPool2d');
  run('avgPool2d', avgShape, { x: x.operand, y: y.operand });
  const xShape = x.shape;
  return differentiable(y, 'avgPool2d', [x], [], (gradY) => {
    const gradX = empty(xShape, gradY.dtype);
    run('avgPool2dBackward', avgShape, { gradY: gradY.operand, gradX: gradX.operand });
    return [gradX];
  });
}

/** Means of as many windows as give y [..., ...outputSize]; they overlap where sizes do not divide. x: [..., height, width]. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Pair): Tensor {
  const op = 'adaptiveAvgPool2d';
  const { height, width, outer } = imageOf(op, x);
  const [outHeight, outWidth] = pairOf(op, 'outputSize', outputSize, 1);
  const shape = { planes: product(outer), height, width, outHeight, outWidth };
  const y = empty([...outer, outHeight, outWidth], x.dtype, op);
  run('adaptiveAvgPool2d', shape, { x: x.operand, y: y.operand });
  const xShape = x.shape;
  return differentiable(y, op, [x], [], (gradY) => {
    const gradX = empty(xShape, gradY.dtype);
    run('adaptiveAvgPool2dBackward', shape, { gradY: gradY.operand, gradX: gradX.operand });
    return [gradX];
  });
}

function imageOf(operation: string, x: Tensor): { height: number; width: number; outer: Shape } {
  checkFloat(operation, x);
  const [height = 0, width = 0] = x.shape.slice(-2);
  if (x.rank < 2 || height === 0 || width === 0) {
    failShape(operation, { expected: 'x [..., height, width] with at least one element', got: `x ${show(x.shape)}` });
  }
  return { height, width, outer: x.shape.slice(0, -2) };
}

function poolShape(operation: string, x: Tensor, kernelSize: Pair, options: PoolOptions) {
  const { height, width, outer } = imageOf(operation, x);
  const kernel = pairOf(operation, 'kernelSize', kernelSize, 1);
  const stride = pairOf(operation, 'stride', options.stride ?? kernel, 1);
  const padding = pairOf(operation, 'padding', options.padding ?? 0, 0);
  if (padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2) {
    const because = 'a window must hold at least one element';
    failShape(operation, { expected: `padding at most half of kernel ${show(kernel)}`, because, got: show(padding) });
  }
  const ceilMode = options.ceilMode ?? false;
  const outHeight = windows(height, kernel[0], stride[0], padding[0], ceilMode);
  const outWidth = windows(width, kernel[1], stride[1], padding[1], ceilMode);
  if (outHeight < 1 || outWidth < 1) {
    const expected = `a padded input of at least ${kernel[0]} x ${kernel[1]}`;
    failShape(operation, { expected, because: `the kernel is ${show(kernel)}`, got: `x ${show(x.shape)}` });
  }
  const shape: KernelShape<'maxPool2d'> = {
    planes: product(outer),
    height,
    width,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    padTop: padding[0],
    padLeft: padding[1],
    outHeight,
    outWidth,
  };
  return { shape, outer, padding };
}

/** Number of windows along one dimension; with ceilMode, one that would start in the padding at the end is dropped. */
function windows(length: number, kernel: number, stride: number, padding: number, ceilMode: boolean): number {
  const steps = (length + 2 * padding - kernel) / stride;
  if (!ceilMode) return Math.floor(steps) + 1;
  const count = Math.ceil(steps) + 1;
  return (count - 1) * stride >= length + padding ? count - 1 : count;
}
