// Checks that several operations share.
import { Tensor } from '../core.ts';
import { describe, fail, failShape } from '../errors.ts';
import { type Shape, sameShape, show } from '../shape.ts';

/** Throws unless `x` is a tensor. */
export function checkTensor(operation: string, x: unknown, name = 'x'): Tensor {
  return x instanceof Tensor ? x : fail(operation, { expected: `${name} to be a tensor`, got: describe(x) });
}

/** Throws unless `x` is a tensor of floats. */
export function checkFloat(operation: string, x: unknown, name = 'x'): Tensor {
  const tensor = checkTensor(operation, x, name);
  if (tensor.dtype === 'int32') {
    const because = 'int32 tensors are for indices; convert with .toFloat()';
    fail(operation, { expected: `${name} of float32 or float64`, because, got: tensor.label });
  }
  return tensor;
}

/** Throws unless all are float tensors of one dtype; `optional` ones may be missing. */
export function checkSameFloat(
  operation: string,
  required: Readonly<Record<string, Tensor>>,
  optional: Readonly<Record<string, Tensor | null | undefined>> = {},
): void {
  let first: Tensor | undefined;
  for (const name in required) first = checkLike(operation, name, required[name], first);
  for (const name in optional) if (optional[name]) checkLike(operation, name, optional[name], first);
}

function checkLike(operation: string, name: string, tensor: Tensor | undefined, first: Tensor | undefined): Tensor {
  const x = checkFloat(operation, tensor, name);
  if (first !== undefined && x.dtype !== first.dtype) {
    const because = 'all must have one dtype; convert with .to()';
    fail(operation, { expected: `${name} of ${first.dtype}`, because, got: x.label });
  }
  return first ?? x;
}

/** Throws unless `x` has the given shape, which follows from the shape of the `cause` (a name and a tensor). */
export function checkShape(
  operation: string,
  name: string,
  x: Tensor,
  shape: Shape,
  cause?: readonly [name: string, tensor: Tensor],
): void {
  if (!sameShape(x.shape, shape)) {
    const because = cause && `${cause[0]} is ${show(cause[1].shape)}`;
    failShape(operation, { expected: `${name} of shape ${show(shape)}`, because, got: show(x.shape) });
  }
}

/** Throws unless `value` is a number in [low, high]. */
export function checkNumber(operation: string, name: string, value: number, low = -Infinity, high = Infinity): void {
  if (typeof value === 'number' && value >= low && value <= high) return;
  const range = low === -Infinity && high === Infinity ? 'a number' : `a number from ${low} to ${high}`;
  fail(operation, { expected: `${name} to be ${range}`, got: describe(value) });
}

/** Indices as an int32 array, each checked to be at or above 0 and below `limit` (or equal to `except`). */
export function checkIndices(
  operation: string,
  indices: Tensor | Int32Array | readonly number[],
  limit: number,
  what: string,
  except?: number,
): Int32Array {
  const values = toInts(operation, indices);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if ((value < 0 || value >= limit) && value !== except) {
      failShape(operation, {
        expected: `indices from 0 to ${limit - 1}`,
        because: what,
        got: `${value} at index ${i}`,
      });
    }
  }
  return values;
}

/** Throws unless `lengths` says for each sequence of a batch how many of the steps it has. */
export function checkLengths(
  operation: string,
  lengths: Tensor | Int32Array | readonly number[],
  { steps, batch }: { readonly steps: number; readonly batch: number },
  what: string,
): Int32Array {
  const values = toInts(operation, lengths, 'lengths');
  if (values.length !== batch) {
    const because = 'there is one for each sequence of the batch';
    failShape(operation, { expected: `${batch} lengths`, because, got: `${values.length}` });
  }
  const wrong = values.findIndex((length) => length < 0 || length > steps);
  if (wrong === -1) return values;
  const because = `${what} ${steps} steps`;
  failShape(operation, {
    expected: `lengths from 0 to ${steps}`,
    because,
    got: `${values[wrong]} of sequence ${wrong}`,
  });
}

function toInts(
  operation: string,
  indices: Tensor | Int32Array | readonly number[],
  name: 'indices' | 'lengths' = 'indices',
): Int32Array {
  if (indices instanceof Int32Array) return indices;
  if (indices instanceof Tensor) {
    if (indices.dtype === 'int32') return indices.indexOperand;
    return fail(operation, { expected: `${name} of int32`, got: `${indices.label}; convert with .to('int32')` });
  }
  if (!Array.isArray(indices)) fail(operation, { expected: `${name} of int32`, got: describe(indices) });
  const wrong = indices.findIndex((value) => !Number.isInteger(value) || Math.abs(value) > 2 ** 31 - 1);
  if (wrong >= 0) {
    fail(operation, { expected: `integer ${name}`, got: `${describe(indices[wrong])} at index ${wrong}` });
  }
  return Int32Array.from(indices);
}
