// Arithmetic of two operands with broadcasting.
import { run } from '../../kernels/backend.ts';
import type { Floats } from '../../kernels/call.ts';
import { differentiable } from '../autograd.ts';
import { constant, empty, type Tensor } from '../core.ts';
import { flatBinary, stridedBinary } from '../kernel-shapes.ts';
import { sumTo } from '../reduction.ts';
import { broadcastShapes, broadcastStrides, coalesce, type Shape, sameShape } from '../shape.ts';
import { spread } from '../strided.ts';
import { affine, log, neg } from './activation.ts';
import { checkFloat, checkSameFloat, checkTensor } from './check.ts';
import { to } from './movement.ts';

export type Operand = Tensor | number;
export type Binary = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'less';

/** a with b by a binary kernel, broadcast to a common shape; nothing is recorded. */
export function binary(kernel: Binary, a: Tensor, b: Tensor): Tensor {
  checkSameFloat(kernel, { a, b });
  const shape = broadcastShapes(kernel, a.shape, b.shape);
  const y = empty(shape, a.dtype, kernel);
  binaryInto(kernel, a, b, shape, y.operand);
  return y;
}

/** The same into memory of `shape`, which may be that of an operand of the same size. */
export function binaryInto(kernel: Binary, a: Tensor, b: Tensor, shape: Shape, y: Floats): void {
  const aWhole = sameShape(a.shape, shape);
  const bWhole = sameShape(b.shape, shape);
  if ((aWhole || a.size === 1) && (bWhole || b.size === 1)) {
    const kernelShape = flatBinary(y.length, aWhole ? 1 : 0, bWhole ? 1 : 0);
    run<Binary>(kernel, kernelShape, { a: a.operand, b: b.operand, y });
    return;
  }
  const walk = coalesce(shape, [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)]);
  if (walk.dims.length > 4) {
    binaryInto(kernel, spread(a, shape), spread(b, shape), shape, y);
    return;
  }
  const [aStrides = [], bStrides = []] = walk.strides;
  const kernelShape = stridedBinary(walk.dims, aStrides, bStrides, a.size, b.size);
  run<Binary>(kernel, kernelShape, { a: a.operand, b: b.operand, y });
}

/** A number as a tensor that goes with `x`. */
export const operand = (value: Operand, x: Tensor): Tensor =>
  typeof value === 'number' ? constant(value, x.dtype) : value;

/** a + b. Shapes broadcast: aligned at the end, a length of 1 repeats. Throws ShapeError where they do not. */
export function add(a: Tensor, b: Operand): Tensor {
  if (typeof b === 'number') return affine(a, 1, b, 'add');
  const y = binary('add', a, b);
  const [aShape, bShape] = [a.shape, b.shape];
  return differentiable(y, 'add', [a, b], [], (gradY, _, needs) => [
    needs[0] ? sumTo(gradY, aShape) : null,
    needs[1] ? sumTo(gradY, bShape) : null,
  ]);
}

/** a - b, broadcast. */
export function sub(a: Tensor, b: Operand): Tensor {
  if (typeof b === 'number') return affine(a, 1, -b, 'sub');
  const y = binary('sub', a, b);
  const [aShape, bShape] = [a.shape, b.shape];
  return differentiable(y, 'sub', [a, b], [], (gradY, _, needs) => [
    needs[0] ? sumTo(gradY, aShape) : null,
    needs[1] ? neg(sumTo(gradY, bShape)) : null,
  ]);
}

/** a b element by element, broadcast. */
export function mul(a: Tensor, b: Operand): Tensor {
  if (typeof b === 'number') return affine(a, b, 0, 'mul');
  const y = binary('mul', a, b);
  const [aShape, bShape] = [a.shape, b.shape];
  const saved = [b.requiresGrad ? a : undefined, a.requiresGrad ? b : undefined] as const;
  return differentiable(y, 'mul', [a, b], saved, (gradY, [a, b]) => [
    b ? sumTo(mul(gradY, b), aShape) : null,
    a ? sumTo(mul(gradY, a), bShape) : null,
  ]);
}

/** a / b, broadcast. */
export function div(a: Tensor, b: Operand): Tensor {
  checkFloat('div', a, 'a');
  const by = operand(b, a);
  const y = binary('div', a, by);
  const aShape = a.shape;
  return differentiable(y, 'div', [a, by], [by, y], (gradY, [b, y], needs) => {
    const quotient = div(gradY, b);
    const gradB = needs[1] ? neg(sumTo(mul(quotient, y), b.shape)) : null;
    return [needs[0] ? sumTo(quotient, aShape) : null, gradB];
  });
}

/** x². */
export function square(x: Tensor): Tensor {
  return differentiable(binary('mul', x, x), 'square', [x], [x], (gradY, [x]) => [mul(mul(gradY, x), 2)]);
}

/**
 * a to the power of b, broadcast. As in PyTorch, a power of 0 gives a gradient of 0 to its base, and a base of 0 a
 * gradient of 0 to its power.
 */
export function pow(a: Tensor, b: Operand): Tensor {
  checkFloat('pow', a, 'a');
  if (b === 2) return square(a);
  const power = operand(b, a);
  const y = binary('pow', a, power);
  const saved = [a, power, power.requiresGrad ? y : undefined] as const;
  return differentiable(y, 'pow', [a, power], saved, (gradY, [a, b, y], needs) => {
    // gradA = gradY b a^(b - 1): where b is 0, an exponent of 0 instead of -1 keeps 0 · ∞ away.
    const lowered = needs[0] ? sub(b, affine(equal(b, constant(0, b.dtype)), -1, 1)) : null;
    const gradA = lowered === null ? null : sumTo(mul(mul(gradY, b), binary('pow', a, lowered)), a.shape);
    // gradB = gradY y log a: where a is 0, log 1 keeps 0 · -∞ away.
    const logA = y ? log(add(a, equal(a, constant(0, a.dtype)))) : null;
    return [gradA, y && logA ? sumTo(mul(mul(gradY, y), logA), b.shape) : null];
  });
}

/** The larger of a and b, broadcast; equal ones share the gradient evenly. NaN wins. */
export function maximum(a: Tensor, b: Operand): Tensor {
  return larger('maximum', a, b);
}

/** The smaller of a and b, broadcast; equal ones share the gradient evenly. NaN wins. */
export function minimum(a: Tensor, b: Operand): Tensor {
  return larger('minimum', a, b);
}

function larger(kernel: 'maximum' | 'minimum', a: Tensor, b: Operand): Tensor {
  checkFloat(kernel, a, 'a');
  const other = operand(b, a);
  return differentiable(binary(kernel, a, other), kernel, [a, other], [a, other], (gradY, [a, b]) => {
    const aBehind = kernel === 'maximum' ? binary('less', a, b) : binary('less', b, a);
    // 0 where a loses, 1 where it wins, 1/2 where they are equal.
    const share = sub(affine(aBehind, -1, 1), affine(binary('equal', a, b), 0.5, 0));
    const gradA = mul(gradY, share);
    return [sumTo(gradA, a.shape), sumTo(sub(gradY, gradA), b.shape)];
  });
}

/** 1 where a equals b, else 0, as floats. Both may also be int32. No gradient. */
export function equal(a: Tensor, b: Operand): Tensor {
  return compare('equal', a, b);
}

/** 1 where a < b, else 0, as floats. Both may also be int32. No gradient. */
export function less(a: Tensor, b: Operand): Tensor {
  return compare('less', a, b);
}

function compare(kernel: 'equal' | 'less', a: Tensor, b: Operand): Tensor {
  const other = checkTensor(kernel, operand(b, checkTensor(kernel, a, 'a')), 'b');
  if (a.dtype !== 'int32' || other.dtype !== 'int32') return binary(kernel, a, other);
  return to(binary(kernel, to(a, 'float64'), to(other, 'float64')), 'float32'); // float64 holds every int32
}
