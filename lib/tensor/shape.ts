// Arithmetic on shapes, axes and strides: pure functions, no tensors.
import { constants } from 'node:buffer';
import { describe, failShape } from './errors.ts';

/** Lengths of the dimensions, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Largest number of elements of one tensor: indices are int32. */
const maxElements = 2 ** 31 - 1;
/** Largest number of bytes of one tensor. */
export const maxBytes = constants.MAX_LENGTH;

/** `[2, 3]` for messages. */
export const show = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Number of elements. Throws ShapeError for a dimension that is no length, or a product beyond `maxElements`. */
export function sizeOf(shape: Shape, operation = 'tensor'): number {
  let size = 1;
  let beyond = false;
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (!Number.isSafeInteger(length) || length < 0) {
      failShape(operation, { expected: 'dimensions that are integers of 0 or more', got: describe(shape) });
    }
    size *= length;
    if (size > maxElements) beyond = true;
  }
  if (beyond && size !== 0) {
    failShape(operation, { expected: `at most ${maxElements} elements`, got: `shape ${show(shape)}` });
  }
  return size;
}

/** Product of `shape[start..end)`. */
export function product(shape: Shape, start = 0, end = shape.length): number {
  let result = 1;
  for (let axis = start; axis < end; axis++) result *= shape[axis]!;
  return result;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Strides of dense row-major memory. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Strides that read a tensor of shape `from` as if it had shape `to`: 0 where it repeats. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const dense = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : dense[axis - lead]!));
}

/** The common shape of two operands: aligned at the end, where a length of 1 repeats. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let fromEnd = 1; fromEnd <= rank; fromEnd++) {
    const lengthA = a[a.length - fromEnd] ?? 1;
    const lengthB = b[b.length - fromEnd] ?? 1;
    if (lengthA !== lengthB && lengthA !== 1 && lengthB !== 1) {
      failShape(operation, {
        expected: 'shapes that broadcast',
        because: 'dimensions counted from the end must be equal or 1',
        got: `${show(a)} and ${show(b)}`,
      });
    }
    shape[rank - fromEnd] = lengthA === 1 ? lengthB : lengthA;
  }
  return shape;
}

/** Axis counted from the front; negative ones count from the end. */
export function normalizeAxis(operation: string, axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(result) || result < 0 || result >= rank) {
    failShape(operation, {
      expected: rank === 0 ? 'no axis' : `an axis from ${-rank} to ${rank - 1}`,
      because: `the tensor has ${rank} dimensions`,
      got: describe(axis),
    });
  }
  return result;
}

/** Axes in rising order, each once; undefined means all. */
export function normalizeAxes(operation: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === 'number' ? [axes] : [...axes]).map((axis) => normalizeAxis(operation, axis, rank));
  list.sort((a, b) => a - b);
  if (new Set(list).size !== list.length) {
    failShape(operation, { expected: 'every axis at most once', got: describe(axes) });
  }
  return list;
}

/** A walk over nested dimensions that steps through several memories at once, each with its own strides. */
export interface Walk {
  readonly dims: number[];
  readonly strides: number[][];
}

/** The same walk with as few dimensions as possible: neighbours that step as one are merged, lengths of 1 dropped. */
export function coalesce(dims: Shape, strides: readonly (readonly number[])[]): Walk {
  const merged: Walk = { dims: [], strides: strides.map(() => []) };
  for (let axis = 0; axis < dims.length; axis++) {
    const length = dims[axis]!;
    if (length === 1) continue;
    const last = merged.dims.length - 1;
    const joins = last >= 0 && strides.every((own, i) => merged.strides[i]![last] === own[axis]! * length);
    if (joins) merged.dims[last]! *= length;
    else merged.dims.push(length);
    for (let i = 0; i < strides.length; i++) merged.strides[i]![joins ? last : last + 1] = strides[i]![axis]!;
  }
  return merged;
}

/** [outer, count, inner] of one axis. */
export function splitAt(shape: Shape, axis: number): { outer: number; count: number; inner: number } {
  return { outer: product(shape, 0, axis), count: shape[axis]!, inner: product(shape, axis + 1) };
}

/** `(2, 3)` and `([2, 3])` alike. */
export function dimsOf(dims: readonly number[] | readonly [Shape]): Shape {
  const first = dims[0];
  return Array.isArray(first) ? (first as Shape) : (dims as Shape);
}

/** A size given as one number for both directions, or as [height, width]. */
export type Pair = number | readonly [height: number, width: number];

/** [height, width], each an integer of at least `least`. */
export function pairOf(operation: string, name: string, value: Pair, least: number): readonly [number, number] {
  const pair = typeof value === 'number' ? ([value, value] as const) : value;
  const right = Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isSafeInteger(n) && n >= least);
  if (!right) {
    failShape(operation, {
      expected: `${name} to be an integer of ${least} or more, or two of them`,
      got: describe(value),
    });
  }
  return pair;
}
