// Binary operations with broadcasting: dimensions are merged where memory allows, then each row is one plain loop.
import type { Floats } from '../call.ts';
import type { Kernel } from './kernel.ts';

/** y[yStart + i] = f(a[aStart + i aStep], b[bStart + i bStep]) for i below count. */
type Row = (
  a: Floats,
  aStart: number,
  aStep: number,
  b: Floats,
  bStart: number,
  bStep: number,
  y: Floats,
  yStart: number,
  count: number,
) => void;

function broadcast(row: Row): Kernel<'add'> {
  return (shape, { a, b, y }) => {
    const sizes = [shape.d0, shape.d1, shape.d2, shape.d3];
    if (sizes.includes(0)) return;
    // Drop dimensions of one, and join a dimension to the one before it where both inputs step through them evenly.
    const d: number[] = [];
    const aStrides: number[] = [];
    const bStrides: number[] = [];
    const aGiven = [shape.a0, shape.a1, shape.a2, shape.a3];
    const bGiven = [shape.b0, shape.b1, shape.b2, shape.b3];
    for (let i = 0; i < 4; i++) {
      if (sizes[i] === 1) continue;
      const last = d.length - 1;
      if (last >= 0 && aStrides[last] === aGiven[i] * sizes[i] && bStrides[last] === bGiven[i] * sizes[i]) {
        d[last] *= sizes[i];
        aStrides[last] = aGiven[i];
        bStrides[last] = bGiven[i];
      } else {
        d.push(sizes[i]);
        aStrides.push(aGiven[i]);
        bStrides.push(bGiven[i]);
      }
    }
    while (d.length < 4) {
      d.unshift(1);
      aStrides.unshift(0);
      bStrides.unshift(0);
    }
    const [d0, d1, d2, d3] = d;
    const [a0, a1, a2, a3] = aStrides;
    const [b0, b1, b2, b3] = bStrides;
    let start = 0;
    for (let i = 0; i < d0; i++) {
      for (let j = 0; j < d1; j++) {
        for (let k = 0; k < d2; k++) {
          row(a, i * a0 + j * a1 + k * a2, a3, b, i * b0 + j * b1 + k * b2, b3, y, start, d3);
          start += d3;
        }
      }
    }
  };
}

export const add = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = a[p] + b[q];
});

export const sub = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = a[p] - b[q];
});

export const mul = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = a[p] * b[q];
});

export const div = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = a[p] / b[q];
});

/** C's pow, as in PyTorch: unlike JavaScript's, pow(1, anything) and pow(-1, ±Infinity) are 1. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

export const pow = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = power(a[p], b[q]);
});

/** NaN where either is NaN. */
export const maximum = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = Math.max(a[p], b[q]);
});

/** NaN where either is NaN. */
export const minimum = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = Math.min(a[p], b[q]);
});

export const equal = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = a[p] === b[q] ? 1 : 0;
});

export const less = broadcast((a, p, aStep, b, q, bStep, y, start, count) => {
  for (let i = 0; i < count; i++, p += aStep, q += bStep) y[start + i] = a[p] < b[q] ? 1 : 0;
});
