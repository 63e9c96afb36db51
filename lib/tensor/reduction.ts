// The reduction kernels over any axes, without gradients: one call for each run of neighbouring axes.
import { run } from '../kernels/backend.ts';
import { empty, type Tensor } from './core.ts';
import { product, type Shape, sameShape } from './shape.ts';

export type Reduction = 'sum' | 'mean' | 'max' | 'min' | 'sumSquares';

/** What remains of a shape after reducing `axes`, which stay as 1 or vanish. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  if (keepDims) return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return axes.length === shape.length ? [] : shape.filter((_, axis) => !axes.includes(axis));
}

/** Reduces `axes`, given in rising order. */
export function reduce(kernel: Reduction, x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  const kept = reducedShape(x.shape, axes, true);
  const shape = reducedShape(x.shape, axes, keepDims);
  let current = x.operand;
  let y = x;
  let step = kernel;
  for (const [start, end, isLast] of runsFromEnd(axes)) {
    const outer = product(x.shape, 0, start);
    const inner = product(kept, end);
    y = empty(isLast ? shape : [outer, inner], x.dtype);
    run(step, { outer, count: product(x.shape, start, end), inner }, { x: current, y: y.operand });
    current = y.operand;
    if (kernel === 'sumSquares') step = 'sum';
  }
  return y;
}

/** Runs of neighbours among rising axes as [start, end, isLast], the innermost first; one empty run for no axes. */
function runsFromEnd(axes: readonly number[]): [start: number, end: number, isLast: boolean][] {
  if (axes.length === 0) return [[0, 0, true]];
  const runs: [number, number, boolean][] = [];
  for (let last = axes.length - 1; last >= 0; last--) {
    const end = axes[last]! + 1;
    while (last > 0 && axes[last - 1] === axes[last]! - 1) last--;
    runs.push([axes[last]!, end, last === 0]);
  }
  return runs;
}

/** The sum over everything that broadcasting `shape` to the shape of x repeated; x itself if nothing was. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return axes.length === 0 ? x.view(shape) : reduce('sum', x, axes, true).view(shape);
}
