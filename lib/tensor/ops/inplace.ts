// Changes of a tensor's own memory: allowed where no gradient is recorded.
import { run } from '../../kernels/backend.ts';
import { everyRun } from '../../kernels/recording.ts';
import { isGradEnabled } from '../autograd.ts';
import type { Tensor } from '../core.ts';
import { fail, failShape } from '../errors.ts';
import { broadcastShapes, sameShape, show } from '../shape.ts';
import { copyTo } from '../strided.ts';
import { checkSameFloat } from './check.ts';
import { binaryInto, type Operand, operand } from './elementwise.ts';
import { to } from './movement.ts';

/** Throws if a change of `x` would escape its gradient. */
export function checkInPlace(operation: string, x: Tensor): void {
  if (x.requiresGrad && isGradEnabled()) {
    fail(operation, {
      expected: 'a tensor without gradients',
      because: 'a change in place is not recorded; use noGrad(() => …) or the form that gives a new tensor',
      got: `${x.label} that requires gradients`,
    });
  }
}

function changeInPlace(kernel: 'add' | 'sub' | 'mul' | 'div', x: Tensor, other: Operand): Tensor {
  const operation = `${kernel}_`;
  checkInPlace(operation, x);
  const b = operand(other, x);
  checkSameFloat(operation, { x, other: b });
  if (!sameShape(broadcastShapes(operation, x.shape, b.shape), x.shape)) {
    const because = 'x keeps its shape in place';
    failShape(operation, { expected: `an operand that broadcasts to ${show(x.shape)}`, because, got: show(b.shape) });
  }
  binaryInto(kernel, x, b, x.shape, x.operand);
  x.touch();
  return x;
}

/** x = x + other, in x's memory. */
export const addInPlace = (x: Tensor, other: Operand): Tensor => changeInPlace('add', x, other);
/** x = x - other, in x's memory. */
export const subInPlace = (x: Tensor, other: Operand): Tensor => changeInPlace('sub', x, other);
/** x = x other, in x's memory. */
export const mulInPlace = (x: Tensor, other: Operand): Tensor => changeInPlace('mul', x, other);
/** x = x / other, in x's memory. */
export const divInPlace = (x: Tensor, other: Operand): Tensor => changeInPlace('div', x, other);

/** Every element of x becomes `value`. */
export function fill(x: Tensor, value: number): Tensor {
  checkInPlace('fill_', x);
  if (x.dtype === 'int32') everyRun(() => x.indexOperand.fill(value));
  else run('fill', { count: x.size, value }, { y: x.operand });
  x.touch();
  return x;
}

/** x takes the numbers of `from`, broadcast to its shape and converted to its dtype. */
export function copyInto(x: Tensor, from: Tensor): Tensor {
  checkInPlace('copy_', x);
  if (!sameShape(broadcastShapes('copy_', x.shape, from.shape), x.shape)) {
    failShape('copy_', { expected: `a tensor that broadcasts to ${show(x.shape)}`, got: show(from.shape) });
  }
  copyTo(x, to(from, x.dtype));
  x.touch();
  return x;
}
