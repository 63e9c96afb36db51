// Picking elements by int32 indices.
import { run } from '../../kernels/backend.ts';
import type { Shape as KernelShape } from '../../kernels/call.ts';
import { differentiable } from '../autograd.ts';
import { empty, Tensor } from '../core.ts';
import { failShape } from '../errors.ts';
import { normalizeAxis, product, type Shape, show, splitAt } from '../shape.ts';
import { sparseGradient } from '../sparse.ts';
import { Storage } from '../storage.ts';
import { movable, moved } from '../strided.ts';
import { checkFloat, checkIndices } from './check.ts';

/** Integers as the caller has them. */
export type Indices = Tensor | Int32Array | readonly number[];

/** @internal Indices as a tensor that autograd can guard. */
export const savedIndices = (values: Int32Array): Tensor =>
  new Tensor(new Storage(values), [values.length], 'int32', values.length);

/** The slices of x at `indices` along `axis`: y[.., j, ..] = x[.., indices[j], ..]. Indices count from 0. */
export function indexSelect(x: Tensor, axis: number, indices: Indices): Tensor {
  const at = normalizeAxis('indexSelect', axis, x.rank);
  const limit = x.shape[at]!;
  const values = checkIndices('indexSelect', indices, limit, `axis ${at} of x ${show(x.shape)} has length ${limit}`);
  return gather('indexSelect', x, at, values, [...x.shape.slice(0, at), values.length, ...x.shape.slice(at + 1)]);
}

export interface EmbeddingOptions {
  /** This row gets no gradient. */
  readonly paddingIdx?: number | null;
  /** Whether the gradient of a leaf `weight` is a `SparseGradient`, whose cost does not grow with `count`. */
  readonly sparse?: boolean;
}

/** Rows of `weight` [count, width] at `indices` of any shape; y: [...indices shape, width]. */
export function embedding(
  weight: Tensor,
  indices: Indices,
  { paddingIdx = null, sparse = false }: EmbeddingOptions = {},
): Tensor {
  checkFloat('embedding', weight, 'weight');
  const [count, width] = weight.shape;
  if (count === undefined || width === undefined || weight.rank !== 2) {
    failShape('embedding', { expected: 'weight [count, width]', got: show(weight.shape) });
  }
  const values = checkIndices('embedding', indices, count, `weight ${show(weight.shape)} has ${count} rows`);
  const lead = indices instanceof Tensor ? indices.shape : [values.length];
  const shape = { outer: 1, axisLength: count, inner: width, count: values.length };
  const y = gathered('embedding', weight, values, shape, [...lead, width]);
  const rowsOnly = sparse && weight.isLeaf;
  return differentiable(y, 'embedding', [weight], [savedIndices(values)], (gradY, [indices]) => {
    if (rowsOnly) return [usedRows(weight.shape, indices.indexOperand, gradY, paddingIdx)];
    const gradWeight = empty(weight.shape, gradY.dtype);
    run('fill', { count: gradWeight.size, value: 0 }, { y: gradWeight.operand });
    run('gatherBackward', shape, { gradY: gradY.operand, indices: indices.indexOperand, gradX: gradWeight.operand });
    if (paddingIdx !== null) {
      const row = gradWeight.operand.subarray(paddingIdx * width, (paddingIdx + 1) * width);
      run('fill', { count: width, value: 0 }, { y: row });
    }
    return [gradWeight];
  });
}

/** The gradient of the rows that were looked up, but for the padding. */
function usedRows(shape: Shape, indices: Int32Array, gradY: Tensor, paddingIdx: number | null): Tensor {
  const width = shape[1]!;
  const rows = gradY.view([indices.length, width]);
  if (paddingIdx === null || !indices.includes(paddingIdx)) return sparseGradient(shape, indices, rows);
  const kept = Int32Array.from(indices.keys()).filter((i) => indices[i] !== paddingIdx);
  const few = empty([kept.length, width], gradY.dtype);
  const gathering = { outer: 1, axisLength: indices.length, inner: width, count: kept.length };
  run('gather', gathering, { x: rows.operand, indices: kept, y: few.operand });
  return sparseGradient(
    shape,
    kept.map((i) => indices[i]!),
    few,
  );
}

function gather(operation: string, x: Tensor, axis: number, values: Int32Array, yShape: Shape): Tensor {
  const { outer, count: axisLength, inner } = splitAt(x.shape, axis);
  const shape = { outer, axisLength, inner, count: values.length };
  const from = x.shape;
  return differentiable(
    gathered(operation, x, values, shape, yShape),
    operation,
    [x],
    [savedIndices(values)],
    (gradY, [indices]) => {
      const gradX = empty(from, gradY.dtype);
      run('fill', { count: gradX.size, value: 0 }, { y: gradX.operand });
      run('gatherBackward', shape, { gradY: gradY.operand, indices: indices.indexOperand, gradX: gradX.operand });
      return [gradX];
    },
  );
}

function gathered(
  operation: string,
  x: Tensor,
  indices: Int32Array,
  shape: KernelShape<'gather'>,
  yShape: Shape,
): Tensor {
  return moved(operation, yShape, x.dtype, (y) => run('gather', shape, { x: movable(x), indices, y }));
}

/** One element of each row: y[.., i] = x[.., i, indices[.., i]]. x: [..., columns], y: [...]. */
export function pick(x: Tensor, indices: Indices): Tensor {
  checkFloat('pick', x);
  const columns = x.shape.at(-1);
  if (columns === undefined) failShape('pick', { expected: 'x [..., columns]', got: show(x.shape) });
  const rows = product(x.shape, 0, x.rank - 1);
  const values = checkIndices('pick', indices, columns, `x ${show(x.shape)} has ${columns} columns`);
  if (values.length !== rows) {
    failShape('pick', { expected: `${rows} indices`, because: `x is ${show(x.shape)}`, got: `${values.length}` });
  }
  const y = empty(x.shape.slice(0, -1), x.dtype);
  run('pick', { rows, columns }, { x: x.operand, indices: values, y: y.operand });
  const xShape = x.shape;
  return differentiable(y, 'pick', [x], [savedIndices(values)], (gradY, [indices]) => {
    const gradX = empty(xShape, gradY.dtype);
    run(
      'pickBackward',
      { rows, columns },
      { gradY: gradY.operand, indices: indices.indexOperand, gradX: gradX.operand },
    );
    return [gradX];
  });
}
