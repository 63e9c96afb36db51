// The copy kernel on whole tensors: reading or writing memory with strides, without gradients.
import { run } from '../kernels/backend.ts';
import type { Floats } from '../kernels/call.ts';
import { empty, type Tensor } from './core.ts';
import { type CopySide, stridedCopy } from './kernel-shapes.ts';
import { broadcastStrides, coalesce, type Shape, stridesOf } from './shape.ts';
import type { Dtype } from './storage.ts';

/** Copies a walk of `dims` from x to y; more than eight separate dimensions take several calls. */
export function move(
  dims: Shape,
  x: Floats,
  from: Omit<CopySide, 'length'>,
  y: Floats,
  to: Omit<CopySide, 'length'>,
): void {
  if (dims.includes(0)) return;
  const walk = coalesce(dims, [from.strides, to.strides]);
  const [xStrides = [], yStrides = []] = walk.strides;
  if (walk.dims.length > 8) {
    const [outer = 0, ...rest] = walk.dims;
    const [xStep = 0, ...xRest] = xStrides;
    const [yStep = 0, ...yRest] = yStrides;
    for (let i = 0; i < outer; i++) {
      const xAt = { strides: xRest, offset: from.offset + i * xStep };
      move(rest, x, xAt, y, { strides: yRest, offset: to.offset + i * yStep });
    }
    return;
  }
  const xSide = { strides: xStrides, offset: from.offset, length: x.length };
  run('copy', stridedCopy(walk.dims, xSide, { strides: yStrides, offset: to.offset, length: y.length }), { x, y });
}

/** Elements as the copy kernel takes them: integers go through float64, which holds every int32 exactly. */
export const movable = (x: Tensor): Floats => (x.dtype === 'int32' ? Float64Array.from(x.indexOperand) : x.operand);

/** A new tensor filled by `write`, which gets memory of the kind `movable` gives. */
export function moved(operation: string, shape: Shape, dtype: Dtype, write: (y: Floats) => void): Tensor {
  const y = empty(shape, dtype, operation);
  const memory = dtype === 'int32' ? new Float64Array(y.size) : y.operand;
  write(memory);
  if (dtype === 'int32') y.indexOperand.set(memory);
  return y;
}

/** y[i] = x[offset + i·strides]. */
export function readStrided(
  operation: string,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
): Tensor {
  return moved(operation, shape, x.dtype, (y) =>
    move(shape, movable(x), { strides, offset }, y, { strides: stridesOf(shape), offset: 0 }),
  );
}

/** Zeros of `shape` but for x at offset + i·strides. */
export function writeStrided(
  operation: string,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  value = 0,
): Tensor {
  return moved(operation, shape, x.dtype, (y) => {
    run('fill', { count: y.length, value }, { y });
    move(x.shape, movable(x), { strides: stridesOf(x.shape), offset: 0 }, y, { strides, offset });
  });
}

/** A copy with memory of its own. */
export const duplicate = (x: Tensor): Tensor => readStrided('clone', x, x.shape, stridesOf(x.shape));

/** x repeated along dimensions of length 1 (and new leading ones) up to `shape`. */
export const spread = (x: Tensor, shape: Shape): Tensor =>
  readStrided('expand', x, shape, broadcastStrides(x.shape, shape));

/** Overwrites y with x, of the same dtype and broadcast to its shape. */
export function copyTo(y: Tensor, x: Tensor): void {
  if (x.storage === y.storage) return;
  const memory = y.dtype === 'int32' ? new Float64Array(y.size) : y.operand;
  const from = { strides: broadcastStrides(x.shape, y.shape), offset: 0 };
  move(y.shape, movable(x), from, memory, { strides: stridesOf(y.shape), offset: 0 });
  if (y.dtype === 'int32') y.indexOperand.set(memory);
}
