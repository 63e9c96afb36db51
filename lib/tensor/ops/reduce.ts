// Sums, means, extremes and their positions, over any axes.
import { run } from '../../kernels/backend.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { failShape } from '../errors.ts';
import { reduce, reducedShape } from '../reduction.ts';
import { normalizeAxes, product, show } from '../shape.ts';
import { spread } from '../strided.ts';
import { checkFloat } from './check.ts';
import { div, equal, mul } from './elementwise.ts';
import { permute } from './movement.ts';

/** One axis or several; negative ones count from the end. */
export type Axes = number | readonly number[];

/** Sum over `axes` (default all); `keepDims` leaves them as length 1. The sum of nothing is 0. */
export function sum(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return linearReduction('sum', x, axes, keepDims);
}

/** Mean over `axes` (default all). The mean of nothing is NaN. */
export function mean(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return linearReduction('mean', x, axes, keepDims);
}

function linearReduction(kernel: 'sum' | 'mean', x: Tensor, axes: Axes | undefined, keepDims: boolean): Tensor {
  checkFloat(kernel, x);
  const along = normalizeAxes(kernel, axes, x.rank);
  const y = reduce(kernel, x, along, keepDims);
  const { shape } = x;
  return differentiable(y, kernel, [x], [], (gradY) => {
    const kept = gradY.view(reducedShape(shape, along, true));
    return [spread(kernel === 'sum' ? kept : div(kept, product(shape) / gradY.size), shape)];
  });
}

/** Sum of squares over `axes` (default all). */
export function sumSquares(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  checkFloat('sumSquares', x);
  const along = normalizeAxes('sumSquares', axes, x.rank);
  const y = reduce('sumSquares', x, along, keepDims);
  return differentiable(y, 'sumSquares', [x], [x], (gradY, [x]) => [
    mul(x, mul(gradY.view(reducedShape(x.shape, along, true)), 2)),
  ]);
}

/** Largest elements over `axes` (default all). Equal ones share the gradient evenly. NaN counts as the largest. */
export function max(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return extreme('max', x, axes, keepDims);
}

/** Smallest elements over `axes` (default all). Equal ones share the gradient evenly. NaN counts as the smallest. */
export function min(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return extreme('min', x, axes, keepDims);
}

function extreme(kernel: 'max' | 'min', x: Tensor, axes: Axes | undefined, keepDims: boolean): Tensor {
  checkFloat(kernel, x);
  const along = normalizeAxes(kernel, axes, x.rank);
  checkNotEmpty(kernel, x, along);
  const y = reduce(kernel, x, along, keepDims);
  return differentiable(y, kernel, [x], [x, y], (gradY, [x, y]) => {
    const kept = reducedShape(x.shape, along, true);
    const hits = equal(x, y.view(kept));
    return [mul(hits, div(gradY.view(kept), reduce('sum', hits, along, true)))];
  });
}

function checkNotEmpty(operation: string, x: Tensor, axes: readonly number[]): void {
  if (axes.some((axis) => x.shape[axis] === 0)) {
    failShape(operation, { expected: 'at least one element along the axes', got: `x ${show(x.shape)}` });
  }
}

/**
 * Position (int32) of the largest element over `axes` (default all), counted row by row among the elements of these
 * axes; the first of equals. NaN is largest.
 */
export function argmax(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return position('argmax', x, axes, keepDims);
}

/** Position (int32) of the smallest element over `axes` (default all), as argmax. NaN is smallest. */
export function argmin(x: Tensor, axes?: Axes, keepDims = false): Tensor {
  return position('argmin', x, axes, keepDims);
}

function position(kernel: 'argmax' | 'argmin', x: Tensor, axes: Axes | undefined, keepDims: boolean): Tensor {
  checkFloat(kernel, x);
  const along = normalizeAxes(kernel, axes, x.rank);
  checkNotEmpty(kernel, x, along);
  const y = empty(reducedShape(x.shape, along, keepDims), 'int32');
  const [first = 0, last = first - 1] = [along[0], along.at(-1)];
  const count = product(along.map((axis) => x.shape[axis]!));
  if (last - first + 1 === along.length) {
    const shape = { outer: product(x.shape, 0, first), count, inner: product(x.shape, last + 1) };
    run(kernel, shape, { x: x.operand, y: y.indexOperand });
  } else {
    const kept = [...x.shape.keys()].filter((axis) => !along.includes(axis));
    const reordered = permute(x.detach(), [...kept, ...along]);
    run(kernel, { outer: y.size, count, inner: 1 }, { x: reordered.operand, y: y.indexOperand });
  }
  return y;
}
