// Pooling over windows clipped to the plane, [planes, height, width] -> [planes, outHeight, outWidth], and its gradients.
import type { Floats, Shape } from '../call.ts';
import { type Kernel, scratch } from './kernel.ts';

/** NaN counts as the largest; `indices` are positions within the plane, the first of equals. */
export const maxPool2d: Kernel<'maxPool2d'> = (shape, { x, y, indices }) => {
  const { planes, height, width, outHeight, outWidth } = shape;
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    const start = plane * height * width;
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * shape.strideHeight - shape.padTop;
      const y0 = Math.max(top, 0);
      const y1 = Math.min(height, top + shape.kernelHeight);
      for (let ox = 0; ox < outWidth; ox++, out++) {
        const left = ox * shape.strideWidth - shape.padLeft;
        const x0 = Math.max(left, 0);
        const x1 = Math.min(width, left + shape.kernelWidth);
        let index = y0 * width + x0;
        let best = x[start + index];
        for (let iy = y0; iy < y1; iy++) {
          for (let at = iy * width + x0, end = iy * width + x1; at < end; at++) {
            const v = x[start + at];
            if (v > best || (Number.isNaN(v) && !Number.isNaN(best))) {
              best = v;
              index = at;
            }
          }
        }
        y[out] = best;
        if (indices !== undefined) indices[out] = index;
      }
    }
  }
};

const planeTotals = scratch();

export const maxPool2dBackward: Kernel<'maxPool2dBackward'> = (shape, { gradY, indices, gradX }) => {
  const area = shape.height * shape.width;
  const outArea = shape.outHeight * shape.outWidth;
  const total = planeTotals(area);
  for (let plane = 0; plane < shape.planes; plane++) {
    total.fill(0, 0, area);
    const start = plane * outArea;
    for (let o = start; o < start + outArea; o++) total[indices[o]] += gradY[o];
    for (let i = 0; i < area; i++) gradX[plane * area + i] = total[i];
  }
};

/** Windows of average pooling along one dimension: elements from..to of x, and how many elements the divisor counts. */
interface Windows {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly size: Int32Array;
}

/** Windows given by where they begin and end; what lies beyond x counts in the divisor or not. */
function windows(
  length: number,
  count: number,
  bounds: (i: number) => readonly [begin: number, end: number],
  countPadding = 0,
): Windows {
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const size = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const [begin, end] = bounds(i);
    from[i] = Math.max(0, begin);
    to[i] = Math.min(length, end);
    size[i] = countPadding ? end - begin : to[i] - from[i];
  }
  return { from, to, size };
}

/** From begin to begin + kernel, but not beyond the padding. */
const sliding =
  (length: number, kernel: number, stride: number, padBefore: number, padAfter: number) => (i: number) => {
    const begin = i * stride - padBefore;
    return [begin, Math.min(begin + kernel, length + padAfter)] as const;
  };

const rowsOf = (s: Shape<'avgPool2d'>) => {
  const bounds = sliding(s.height, s.kernelHeight, s.strideHeight, s.padTop, s.padBottom);
  return windows(s.height, s.outHeight, bounds, s.countPadding);
};
const columnsOf = (s: Shape<'avgPool2d'>) => {
  const bounds = sliding(s.width, s.kernelWidth, s.strideWidth, s.padLeft, s.padRight);
  return windows(s.width, s.outWidth, bounds, s.countPadding);
};

/** floor(i length / count) up to ceil((i + 1) length / count). */
const adaptive = (length: number, count: number) =>
  windows(length, count, (i) => [Math.floor((i * length) / count), Math.ceil(((i + 1) * length) / count)]);

type Planes = Shape<'adaptiveAvgPool2d'>;

function average(
  { planes, height, width, outHeight, outWidth }: Planes,
  rows: Windows,
  columns: Windows,
  x: Floats,
  y: Floats,
) {
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        let total = 0;
        for (let iy = rows.from[oy]; iy < rows.to[oy]; iy++) {
          const start = (plane * height + iy) * width;
          for (let ix = columns.from[ox]; ix < columns.to[ox]; ix++) total += x[start + ix];
        }
        y[out++] = total / (rows.size[oy] * columns.size[ox]);
      }
    }
  }
}

function averageBackward(shape: Planes, rows: Windows, columns: Windows, gradY: Floats, gradX: Floats) {
  const { planes, height, width, outHeight, outWidth } = shape;
  const area = height * width;
  const total = planeTotals(area);
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    total.fill(0, 0, area);
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const share = gradY[out++] / (rows.size[oy] * columns.size[ox]);
        for (let iy = rows.from[oy]; iy < rows.to[oy]; iy++) {
          for (let ix = columns.from[ox]; ix < columns.to[ox]; ix++) total[iy * width + ix] += share;
        }
      }
    }
    for (let i = 0; i < area; i++) gradX[plane * area + i] = total[i];
  }
}

/** The divisor is the window's area within the padded plane (countPadding 1) or within the plane itself (0). */
export const avgPool2d: Kernel<'avgPool2d'> = (shape, { x, y }) =>
  average(shape, rowsOf(shape), columnsOf(shape), x, y);

export const avgPool2dBackward: Kernel<'avgPool2dBackward'> = (shape, { gradY, gradX }) =>
  averageBackward(shape, rowsOf(shape), columnsOf(shape), gradY, gradX);

export const adaptiveAvgPool2d: Kernel<'adaptiveAvgPool2d'> = (shape, { x, y }) =>
  average(shape, adaptive(shape.height, shape.outHeight), adaptive(shape.width, shape.outWidth), x, y);

export const adaptiveAvgPool2dBackward: Kernel<'adaptiveAvgPool2dBackward'> = (shape, { gradY, gradX }) =>
  averageBackward(shape, adaptive(shape.height, shape.outHeight), adaptive(shape.width, shape.outWidth), gradY, gradX);
