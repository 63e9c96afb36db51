// The gradient of a table of which few rows were used: those rows alone, so that its cost does not grow with the table.
import { run } from '../kernels/backend.ts';
import { decidesBy } from '../kernels/recording.ts';
import { empty, Tensor } from './core.ts';
import { fail } from './errors.ts';
import { type Shape, show, sizeOf } from './shape.ts';

/**
 * A gradient [count, width] that is 0 but for some rows, as `embedding` with `sparse` gives it. It has the shape of the
 * table but not its memory: `data` and everything that needs it refuse; `toDense()` makes an ordinary tensor.
 */
export class SparseGradient extends Tensor {
  /** The rows that are there, rising, each once. */
  readonly indices: Int32Array;
  /** [indices.length, width] */
  readonly rows: Tensor;

  /** @internal `indices` rising, each once. */
  constructor(shape: Shape, indices: Int32Array, rows: Tensor) {
    super(rows.storage, shape, rows.dtype, sizeOf(shape));
    this.indices = indices;
    this.rows = rows;
  }

  override get data(): never {
    const expected = 'a dense gradient';
    return fail('gradient', { expected, because: 'all of its elements are asked for', got: `${this}; use toDense()` });
  }

  override get operand(): never {
    return this.data;
  }

  override toString(): string {
    return `a sparse one ${show(this.shape)} with ${this.indices.length} rows`;
  }

  /** The same numbers as an ordinary tensor. */
  toDense(): Tensor {
    const y = empty(this.shape, this.dtype);
    clear(y);
    this.addTo(y);
    return y;
  }

  /** Adds its rows to those of a dense tensor of its shape, in place. */
  addTo(total: Tensor): void {
    scatterAdd(this.rows, this.indices, total);
  }
}

/** total[indices[j]] += rows[j], in the order of the indices. */
function scatterAdd(rows: Tensor, indices: Int32Array, total: Tensor): void {
  const [axisLength = 0, inner = 0] = total.shape;
  const shape = { outer: 1, axisLength, inner, count: indices.length };
  run('gatherBackward', shape, { gradY: rows.operand, indices, gradX: total.operand });
}

/** The sparse gradient of rows [count, width] that were used in any order, each as often as `indices` says. */
export function sparseGradient(shape: Shape, indices: Int32Array, rows: Tensor): SparseGradient {
  decidesBy('sparse gradient', indices);
  const distinct = Int32Array.from(new Set(indices)).sort();
  const place = new Map<number, number>();
  for (const [i, index] of distinct.entries()) place.set(index, i);
  const y = empty([distinct.length, shape[1]!], rows.dtype);
  clear(y);
  scatterAdd(
    rows,
    indices.map((index) => place.get(index)!),
    y,
  );
  return new SparseGradient(shape, distinct, y);
}

/** What a leaf's gradient is after another has come, at least one of the two sparse. `before` may be changed in place. */
export function addGradients(before: Tensor | null, more: Tensor, inPlace: boolean): Tensor {
  if (before === null) return more;
  if (before instanceof SparseGradient && more instanceof SparseGradient) {
    const indices = Int32Array.from([...before.indices, ...more.indices]);
    const rows = empty([indices.length, before.shape[1]!], before.dtype);
    rows.data.set(before.rows.data);
    rows.data.set(more.rows.data, before.rows.size);
    return sparseGradient(before.shape, indices, rows);
  }
  const [dense, sparse] = before instanceof SparseGradient ? [more, before] : [before, more];
  const total = inPlace && dense === before ? dense : copyOf(dense);
  if (sparse instanceof SparseGradient) sparse.addTo(total);
  return total;
}

function clear(y: Tensor): void {
  run('fill', { count: y.size, value: 0 }, { y: y.operand });
}

function copyOf(x: Tensor): Tensor {
  const y = empty(x.shape, x.dtype);
  y.operand.set(x.operand);
  return y;
}

/** The tensor that holds the numbers of a gradient: itself, or its rows. Changing it in place changes the gradient. */
export const gradientValues = (gradient: Tensor): Tensor =>
  gradient instanceof SparseGradient ? gradient.rows : gradient;
