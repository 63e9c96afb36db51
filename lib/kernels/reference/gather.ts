// Selecting along an axis by index, y[o, j, i] = x[o, indices[j], i], one element per row, and their gradients.
import type { Kernel } from './kernel.ts';

export const gather: Kernel<'gather'> = ({ outer, axisLength, inner, count }, { x, indices, y }) => {
  let out = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      const start = (o * axisLength + indices[j]) * inner;
      if (inner >= 64) {
        y.set(x.subarray(start, start + inner), out);
        out += inner;
      } else {
        for (let i = 0; i < inner; i++) y[out++] = x[start + i];
      }
    }
  }
};

/** Adds into gradX, in the order of the indices. */
export const gatherBackward: Kernel<'gatherBackward'> = (shape, { gradY, indices, gradX }) => {
  const { outer, axisLength, inner, count } = shape;
  let from = 0;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < count; j++) {
      const start = (o * axisLength + indices[j]) * inner;
      for (let i = 0; i < inner; i++) gradX[start + i] += gradY[from++];
    }
  }
};

export const pick: Kernel<'pick'> = ({ rows, columns }, { x, indices, y }) => {
  for (let row = 0; row < rows; row++) y[row] = x[row * columns + indices[row]];
};

export const pickBackward: Kernel<'pickBackward'> = ({ rows, columns }, { gradY, indices, gradX }) => {
  gradX.fill(0, 0, rows * columns);
  for (let row = 0; row < rows; row++) gradX[row * columns + indices[row]] = gradY[row];
};
