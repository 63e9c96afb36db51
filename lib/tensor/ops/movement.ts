// Moving elements: reshape shares memory, everything else copies with strides.
import { differentiable, differentiableAll } from '../autograd.ts';
import { constant, Tensor } from '../core.ts';
import { describe, fail, failShape } from '../errors.ts';
import { sumTo } from '../reduction.ts';
import { normalizeAxis, product, type Shape, sameShape, show, sizeOf, stridesOf } from '../shape.ts';
import { type Dtype, plain, Storage } from '../storage.ts';
import { duplicate, movable, move, moved, readStrided, spread, writeStrided } from '../strided.ts';
import { checkNumber, checkTensor } from './check.ts';

/** The same elements under another shape, sharing memory. One length may be -1: what remains. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const whole = x.shape;
  return differentiable(x.view(resolve(x, shape)), 'reshape', [x], [], (gradY) => [gradY.view(whole)]);
}

function resolve(x: Tensor, shape: Shape): Shape {
  const unknown = shape.indexOf(-1);
  const known = shape.filter((_, axis) => axis !== unknown);
  const size = sizeOf(known, 'reshape');
  const missing = unknown < 0 ? 1 : x.size / size;
  if (size * missing !== x.size || !Number.isInteger(missing)) {
    const because = `x has shape ${show(x.shape)}`;
    failShape('reshape', { expected: `a shape of ${x.size} elements`, because, got: show(shape) });
  }
  return shape.map((length, axis) => (axis === unknown ? missing : length));
}

/** Dimensions `start` to `end` (inclusive, negative from the end) as one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  if (x.rank === 0) return reshape(x, [1]);
  const first = normalizeAxis('flatten', start, x.rank);
  const last = normalizeAxis('flatten', end, x.rank);
  if (first > last) failShape('flatten', { expected: 'start at or before end', got: `${start} and ${end}` });
  const { shape } = x;
  return reshape(x, [...shape.slice(0, first), product(shape, first, last + 1), ...shape.slice(last + 1)]);
}

/** Without dimensions of length 1: all of them, or the one given. */
export function squeeze(x: Tensor, axis?: number): Tensor {
  if (axis === undefined)
    return reshape(
      x,
      x.shape.filter((length) => length !== 1),
    );
  const at = normalizeAxis('squeeze', axis, x.rank);
  return x.shape[at] === 1 ? reshape(x, x.shape.toSpliced(at, 1)) : x;
}

/** With a new dimension of length 1 before `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  return reshape(x, x.shape.toSpliced(normalizeAxis('unsqueeze', axis, x.rank + 1), 0, 1));
}

/** A copy with memory of its own; gradients flow through. */
export function clone(x: Tensor): Tensor {
  return differentiable(duplicate(x), 'clone', [x], [], (gradY) => [gradY]);
}

/** Dimensions in another order: dimension i of the result is dimension `axes[i]` of x. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const { shape, rank } = x;
  const order = axes.map((axis) => normalizeAxis('permute', axis, rank));
  if (order.length !== rank || new Set(order).size !== rank) {
    const because = `x has shape ${show(shape)}`;
    failShape('permute', { expected: `each of ${rank} axes once`, because, got: show(axes) });
  }
  const dense = stridesOf(shape);
  const [permuted, strides] = [order.map((axis) => shape[axis]!), order.map((axis) => dense[axis]!)];
  const inverse = order.map((_, axis) => order.indexOf(axis));
  const y = readStrided('permute', x, permuted, strides);
  return differentiable(y, 'permute', [x], [], (gradY) => [permute(gradY, inverse)]);
}

/** Two dimensions swapped. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  const first = normalizeAxis('transpose', a, x.rank);
  const second = normalizeAxis('transpose', b, x.rank);
  axes[first] = second;
  axes[second] = first;
  return permute(x, axes);
}

/** Repeated along dimensions of length 1 (and new leading ones) up to `shape`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const from = x.shape;
  const lead = shape.length - from.length;
  const target = shape.map((length, axis) => (length === -1 ? (from[axis - lead] ?? -1) : length));
  if (lead < 0 || from.some((length, axis) => length !== 1 && length !== target[axis + lead])) {
    const because = 'only dimensions of length 1 repeat';
    failShape('expand', { expected: `a shape that ${show(from)} broadcasts to`, because, got: show(shape) });
  }
  if (sameShape(from, target)) return x;
  return differentiable(spread(x, target), 'expand', [x], [], (gradY) => [sumTo(gradY, from)]);
}

/** Part of one dimension: [start, end, step]; negative positions count from the end, null is all. */
export type Range = readonly [start: number, end?: number, step?: number] | null;

/** The ranges of the leading dimensions; the rest stay whole. Positions beyond the end are clamped as in Python. */
export function slice(x: Tensor, ranges: readonly Range[]): Tensor {
  if (ranges.length > x.rank) {
    const because = `x has shape ${show(x.shape)}`;
    failShape('slice', { expected: `at most ${x.rank} ranges`, because, got: `${ranges.length}` });
  }
  const dense = stridesOf(x.shape);
  const parts = x.shape.map((length, axis) => bounds(ranges[axis] ?? null, length));
  const shape = parts.map(({ start, end, step }) => Math.max(0, Math.ceil((end - start) / step)));
  const strides = parts.map(({ step }, axis) => step * dense[axis]!);
  const offset = parts.reduce((sum, { start }, axis) => sum + start * dense[axis]!, 0);
  const y = readStrided('slice', x, shape, strides, offset);
  const whole = x.shape;
  return differentiable(y, 'slice', [x], [], (gradY) => [writeStrided('slice', gradY, whole, strides, offset)]);
}

/** `slice` of one axis alone. */
export function sliceAxis(x: Tensor, axis: number, start: number, end?: number, step?: number): Tensor {
  const at = normalizeAxis('slice', axis, x.rank);
  const range: Range =
    step === undefined ? (end === undefined ? [start] : [start, end]) : [start, end ?? x.shape[at]!, step];
  return slice(x, [...new Array<null>(at).fill(null), range]);
}

function bounds(range: Range, length: number): { start: number; end: number; step: number } {
  const [from, to = length, step = 1] = range ?? [0];
  if (!Number.isInteger(from) || !Number.isInteger(to) || !Number.isInteger(step) || step < 1) {
    failShape('slice', { expected: 'integers [start, end, step] with a step of 1 or more', got: describe(range) });
  }
  const clamp = (position: number) => Math.min(length, Math.max(0, position < 0 ? position + length : position));
  return { start: clamp(from), end: clamp(to), step };
}

/** x with `padding[axis] = [before, after]` elements of `value` around it; for the last dimensions if fewer are given. */
export function pad(x: Tensor, padding: readonly (readonly [before: number, after: number])[], value = 0): Tensor {
  checkNumber('pad', 'value', value);
  const right = padding.flat().every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!right || padding.length > x.rank) {
    failShape('pad', {
      expected: `at most ${x.rank} pairs of integers of 0 or more`,
      because: `x has shape ${show(x.shape)}`,
      got: describe(padding),
    });
  }
  const lead = x.rank - padding.length;
  const shape = x.shape.map(
    (length, axis) => length + (padding[axis - lead]?.[0] ?? 0) + (padding[axis - lead]?.[1] ?? 0),
  );
  const strides = stridesOf(shape);
  const starts = x.shape.map((_, axis) => padding[axis - lead]?.[0] ?? 0);
  const offset = starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0);
  const y = writeStrided('pad', x, shape, strides, offset, value);
  const ranges = x.shape.map((length, axis) => [starts[axis]!, starts[axis]! + length] as const);
  return differentiable(y, 'pad', [x], [], (gradY) => [slice(gradY, ranges)]);
}

/** Tensors of equal shape, but for `axis`, one after the other along it. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = tensors;
  if (first === undefined) return fail('concat', { expected: 'at least one tensor', got: 'none' });
  const at = normalizeAxis('concat', axis, checkTensor('concat', first).rank);
  for (const x of tensors) {
    checkTensor('concat', x);
    if (x.dtype !== first.dtype || !sameShape(x.shape.toSpliced(at, 1), first.shape.toSpliced(at, 1))) {
      const because = `all but axis ${at} must agree with the first`;
      failShape('concat', { expected: `${first.label}`, because, got: x.label });
    }
  }
  const lengths = tensors.map((x) => x.shape[at]!);
  const shape = first.shape.toSpliced(
    at,
    1,
    lengths.reduce((a, b) => a + b, 0),
  );
  const starts = lengths.map((_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0));
  const y = joined(tensors, shape, at, starts);
  return differentiable(y, 'concat', tensors, [], (gradY, _, needs) =>
    lengths.map((length, i) => {
      const ranges = shape.map((_, dim): Range => (dim === at ? [starts[i]!, starts[i]! + length] : null));
      return needs[i] ? slice(gradY, ranges) : null;
    }),
  );
}

function joined(tensors: readonly Tensor[], shape: Shape, axis: number, starts: readonly number[]): Tensor {
  const strides = stridesOf(shape);
  return moved('concat', shape, tensors[0]!.dtype, (memory) => {
    tensors.forEach((x, i) => {
      const from = { strides: stridesOf(x.shape), offset: 0 };
      move(x.shape, movable(x), from, memory, { strides, offset: starts[i]! * strides[axis]! });
    });
  });
}

/** x in parts of these lengths along `axis`; they add up to the whole. */
export function split(x: Tensor, lengths: readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis('split', axis, checkTensor('split', x).rank);
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  if (whole !== x.shape[at] || lengths.some((length) => !Number.isInteger(length) || length < 0)) {
    const because = `x has shape ${show(x.shape)}`;
    failShape('split', { expected: `lengths that add up to ${x.shape[at]}`, because, got: `[${lengths.join(', ')}]` });
  }
  const strides = stridesOf(x.shape);
  let start = 0;
  const parts = lengths.map((length) => {
    const shape = x.shape.toSpliced(at, 1, length);
    const part = readStrided('split', x, shape, strides, start * strides[at]!);
    start += length;
    return part;
  });
  const shapes = parts.map((part) => part.shape);
  const zero = constant(0, x.dtype);
  differentiableAll(parts, 'split', [x], [], (gradients) => [
    concat(
      gradients.map((gradient, i) => gradient ?? spread(zero, shapes[i]!)),
      at,
    ),
  ]);
  return parts;
}

/** Tensors of one shape, along a new dimension before `axis`. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) fail('stack', { expected: 'at least one tensor', got: 'none' });
  const at = normalizeAxis('stack', axis, checkTensor('stack', tensors[0]).rank + 1);
  return concat(
    tensors.map((x) => unsqueeze(checkTensor('stack', x), at)),
    at,
  );
}

/** The same numbers as another element type; to int32 they are cut towards zero. Between floats gradients flow. */
export function to(x: Tensor, dtype: Dtype): Tensor {
  if (x.dtype === dtype) return x;
  const data = plain(dtype, x.size);
  data.set(x.data);
  const y = new Tensor(new Storage(data), x.shape, dtype, x.size);
  const from = x.dtype;
  return dtype === 'int32' ? y : differentiable(y, 'to', [x], [], (gradY) => [to(gradY, from)]);
}
