// Reductions of the middle dimension: [outer, count, inner] -> [outer, inner], summed in double precision.
import type { Floats } from '../call.ts';
import { type Kernel, scratch } from './kernel.ts';

const totals = scratch();

/** Calls `reduceInto` with the totals of one outer index, which start at `initial`, and writes them as y. */
function reduction(
  initial: number,
  reduceInto: (x: Floats, start: number, count: number, inner: number, total: Float64Array) => void,
  divisorOf: (count: number) => number = () => 1,
): Kernel<'sum'> {
  return ({ outer, count, inner }, { x, y }) => {
    const total = totals(inner);
    const divisor = divisorOf(count);
    for (let o = 0; o < outer; o++) {
      total.fill(initial, 0, inner);
      reduceInto(x, o * count * inner, count, inner, total);
      for (let i = 0; i < inner; i++) y[o * inner + i] = total[i] / divisor;
    }
  };
}

function addUp(x: Floats, start: number, count: number, inner: number, total: Float64Array): void {
  if (inner === 1) {
    let s0 = 0;
    let s1 = 0;
    let i = start;
    for (const end = start + count - 1; i < end; i += 2) {
      s0 += x[i];
      s1 += x[i + 1];
    }
    total[0] = s0 + s1 + (i < start + count ? x[i] : 0);
    return;
  }
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < inner; i++) total[i] += x[start++];
  }
}

/** 0 for no elements. */
export const sum = reduction(0, addUp);

/** NaN for no elements. */
export const mean = reduction(0, addUp, (count) => count);

export const sumSquares = reduction(0, (x, start, count, inner, total) => {
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < inner; i++, start++) total[i] += x[start] * x[start];
  }
});

/** NaN if any is NaN; -Infinity for no elements. */
export const max = reduction(-Infinity, (x, start, count, inner, total) => {
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < inner; i++) total[i] = Math.max(total[i], x[start++]);
  }
});

/** NaN if any is NaN; Infinity for no elements. */
export const min = reduction(Infinity, (x, start, count, inner, total) => {
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < inner; i++) total[i] = Math.min(total[i], x[start++]);
  }
});

/** The first of equals, or the first NaN; 0 for no elements. */
const position =
  (better: (v: number, best: number) => boolean): Kernel<'argmax' | 'argmin'> =>
  ({ outer, count, inner }, { x, y }) => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const start = o * count * inner + i;
        let best = x[start];
        let index = 0;
        for (let c = 1; c < count && !Number.isNaN(best); c++) {
          const v = x[start + c * inner];
          if (better(v, best) || Number.isNaN(v)) {
            best = v;
            index = c;
          }
        }
        y[o * inner + i] = index;
      }
    }
  };

export const argmax = position((v, best) => v > best);
export const argmin = position((v, best) => v < best);
