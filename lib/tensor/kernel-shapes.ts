// Shape records of the binary and copy kernels, filled from dimensions and strides.
import type { Shape as KernelShape } from '../kernels/call.ts';

/** Elementwise over `size` elements; a step of 0 repeats the single element of that operand. */
export function flatBinary(size: number, aStep: 0 | 1, bStep: 0 | 1): KernelShape<'add'> {
  return {
    d0: 1,
    d1: 1,
    d2: 1,
    d3: size,
    a0: 0,
    a1: 0,
    a2: 0,
    a3: aStep,
    b0: 0,
    b1: 0,
    b2: 0,
    b3: bStep,
    aLength: aStep === 0 ? 1 : size,
    bLength: bStep === 0 ? 1 : size,
  };
}

/** Elementwise over at most four dimensions with a stride for each operand. */
export function stridedBinary(
  dims: readonly number[],
  a: readonly number[],
  b: readonly number[],
  aLength: number,
  bLength: number,
): KernelShape<'add'> {
  const lead = 4 - dims.length;
  const dim = (i: number) => dims[i - lead] ?? 1;
  const aStride = (i: number) => a[i - lead] ?? 0;
  const bStride = (i: number) => b[i - lead] ?? 0;
  return {
    d0: dim(0),
    d1: dim(1),
    d2: dim(2),
    d3: dim(3),
    a0: aStride(0),
    a1: aStride(1),
    a2: aStride(2),
    a3: aStride(3),
    b0: bStride(0),
    b1: bStride(1),
    b2: bStride(2),
    b3: bStride(3),
    aLength,
    bLength,
  };
}

/** One side of a copy: where it starts, how it steps, how long its memory is. */
export interface CopySide {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** A copy over at most eight dimensions. */
export function stridedCopy(dims: readonly number[], x: CopySide, y: CopySide): KernelShape<'copy'> {
  const lead = 8 - dims.length;
  const dim = (i: number) => dims[i - lead] ?? 1;
  const xStride = (i: number) => x.strides[i - lead] ?? 0;
  const yStride = (i: number) => y.strides[i - lead] ?? 0;
  return {
    d0: dim(0),
    d1: dim(1),
    d2: dim(2),
    d3: dim(3),
    d4: dim(4),
    d5: dim(5),
    d6: dim(6),
    d7: dim(7),
    x0: xStride(0),
    x1: xStride(1),
    x2: xStride(2),
    x3: xStride(3),
    x4: xStride(4),
    x5: xStride(5),
    x6: xStride(6),
    x7: xStride(7),
    y0: yStride(0),
    y1: yStride(1),
    y2: yStride(2),
    y3: yStride(3),
    y4: yStride(4),
    y5: yStride(5),
    y6: yStride(6),
    y7: yStride(7),
    xOffset: x.offset,
    yOffset: y.offset,
    xLength: x.length,
    yLength: y.length,
  };
}
