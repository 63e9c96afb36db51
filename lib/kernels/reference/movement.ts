// Moving elements: a copy between any two strided views of up to eight dimensions, and filling.
import type { Kernel } from './kernel.ts';

/** y[yOffset + i·yStride] = x[xOffset + i·xStride] for every index i below d; the rest of y stays. */
export const copy: Kernel<'copy'> = (s, { x, y }) => {
  const sizes = [s.d0, s.d1, s.d2, s.d3, s.d4, s.d5, s.d6, s.d7];
  if (sizes.includes(0)) return;
  const xGiven = [s.x0, s.x1, s.x2, s.x3, s.x4, s.x5, s.x6, s.x7];
  const yGiven = [s.y0, s.y1, s.y2, s.y3, s.y4, s.y5, s.y6, s.y7];
  // Drop dimensions of one, and join a dimension to the one before it where both sides step through them evenly.
  const d: number[] = [];
  const xStrides: number[] = [];
  const yStrides: number[] = [];
  for (let i = 0; i < 8; i++) {
    if (sizes[i] === 1) continue;
    const last = d.length - 1;
    if (last >= 0 && xStrides[last] === xGiven[i] * sizes[i] && yStrides[last] === yGiven[i] * sizes[i]) {
      d[last] *= sizes[i];
      xStrides[last] = xGiven[i];
      yStrides[last] = yGiven[i];
    } else {
      d.push(sizes[i]);
      xStrides.push(xGiven[i]);
      yStrides.push(yGiven[i]);
    }
  }
  const count = d.pop() ?? 1;
  const xStep = xStrides.pop() ?? 1;
  const yStep = yStrides.pop() ?? 1;
  const index = new Array<number>(d.length).fill(0);
  let p = s.xOffset;
  let q = s.yOffset;
  for (;;) {
    if (xStep === 1 && yStep === 1 && count >= 64) y.set(x.subarray(p, p + count), q);
    else for (let i = 0, from = p, to = q; i < count; i++, from += xStep, to += yStep) y[to] = x[from];
    let level = d.length - 1;
    for (; level >= 0; level--) {
      p += xStrides[level];
      q += yStrides[level];
      if (++index[level] < d[level]) break;
      p -= xStrides[level] * d[level];
      q -= yStrides[level] * d[level];
      index[level] = 0;
    }
    if (level < 0) return;
  }
};

export const fill: Kernel<'fill'> = ({ count, value }, { y }) => {
  y.fill(value, 0, count);
};
