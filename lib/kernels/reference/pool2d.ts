// Pooling over windows clipped to the plane, [planes, height, width] -> [planes, outHeight, outWidth], and its gradients.
import type { Shape } from '../list.ts';
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

/** The windows of average pooling along one dimension: elements from..to of x, out of `size` counted with padding. */
function windows(
  length: number,
  kernel: number,
  stride: number,
  padBefore: number,
  padAfter: number,
  count: number,
): { readonly from: Int32Array; readonly to: Int32Array; readonly size: Int32Array } {
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const size = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * stride - padBefore;
    const end = Math.min(start + kernel, length + padAfter);
    from[i] = Math.max(0, start);
    to[i] = Math.min(length, end);
    size[i] = end - start;
  }
  return { from, to, size };
}

const rowsOf = (s: Shape<'avgPool2d'>) =>
  windows(s.height, s.kernelHeight, s.strideHeight, s.padTop, s.padBottom, s.outHeight);
const columnsOf = (s: Shape<'avgPool2d'>) =>
  windows(s.width, s.kernelWidth, s.strideWidth, s.padLeft, s.padRight, s.outWidth);

/** The divisor is the window's area within the padded plane (countPadding 1) or within the plane itself (0). */
export const avgPool2d: Kernel<'avgPool2d'> = (shape, { x, y }) => {
  const { planes, height, width, outHeight, outWidth } = shape;
  const rows = rowsOf(shape);
  const columns = columnsOf(shape);
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        let total = 0;
        for (let iy = rows.from[oy]; iy < rows.to[oy]; iy++) {
          const start = (plane * height + iy) * width;
          for (let ix = columns.from[ox]; ix < columns.to[ox]; ix++) total += x[start + ix];
        }
        const area = (rows.to[oy] - rows.from[oy]) * (columns.to[ox] - columns.from[ox]);
        y[out++] = total / (shape.countPadding ? rows.size[oy] * columns.size[ox] : area);
      }
    }
  }
};

export const avgPool2dBackward: Kernel<'avgPool2dBackward'> = (shape, { gradY, gradX }) => {
  const { planes, height, width, outHeight, outWidth } = shape;
  const rows = rowsOf(shape);
  const columns = columnsOf(shape);
  const area = height * width;
  const total = planeTotals(area);
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    total.fill(0, 0, area);
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const inside = (rows.to[oy] - rows.from[oy]) * (columns.to[ox] - columns.from[ox]);
        const share = gradY[out++] / (shape.countPadding ? rows.size[oy] * columns.size[ox] : inside);
        for (let iy = rows.from[oy]; iy < rows.to[oy]; iy++) {
          for (let ix = columns.from[ox]; ix < columns.to[ox]; ix++) total[iy * width + ix] += share;
        }
      }
    }
    for (let i = 0; i < area; i++) gradX[plane * area + i] = total[i];
  }
};

/** Elements of x under output i: floor(i length / count) up to ceil((i + 1) length / count). */
const adaptiveFrom = (i: number, length: number, count: number) => Math.floor((i * length) / count);
const adaptiveTo = (i: number, length: number, count: number) => Math.ceil(((i + 1) * length) / count);

export const adaptiveAvgPool2d: Kernel<'adaptiveAvgPool2d'> = (shape, { x, y }) => {
  const { planes, height, width, outHeight, outWidth } = shape;
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const y0 = adaptiveFrom(oy, height, outHeight);
      const y1 = adaptiveTo(oy, height, outHeight);
      for (let ox = 0; ox < outWidth; ox++) {
        const x0 = adaptiveFrom(ox, width, outWidth);
        const x1 = adaptiveTo(ox, width, outWidth);
        let total = 0;
        for (let iy = y0; iy < y1; iy++) {
          const start = (plane * height + iy) * width;
          for (let ix = x0; ix < x1; ix++) total += x[start + ix];
        }
        y[out++] = total / ((y1 - y0) * (x1 - x0));
      }
    }
  }
};

export const adaptiveAvgPool2dBackward: Kernel<'adaptiveAvgPool2dBackward'> = (shape, { gradY, gradX }) => {
  const { planes, height, width, outHeight, outWidth } = shape;
  const area = height * width;
  const total = planeTotals(area);
  let out = 0;
  for (let plane = 0; plane < planes; plane++) {
    total.fill(0, 0, area);
    for (let oy = 0; oy < outHeight; oy++) {
      const y0 = adaptiveFrom(oy, height, outHeight);
      const y1 = adaptiveTo(oy, height, outHeight);
      for (let ox = 0; ox < outWidth; ox++) {
        const x0 = adaptiveFrom(ox, width, outWidth);
        const x1 = adaptiveTo(ox, width, outWidth);
        const share = gradY[out++] / ((y1 - y0) * (x1 - x0));
        for (let iy = y0; iy < y1; iy++) {
          for (let ix = x0; ix < x1; ix++) total[iy * width + ix] += share;
        }
      }
    }
    for (let i = 0; i < area; i++) gradX[plane * area + i] = total[i];
  }
};
