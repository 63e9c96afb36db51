// Patches of an image as the columns of a matrix, [taps, positions]: taps are (channel, ky, kx), positions (oy, ox).
import type { Floats, Shape } from '../call.ts';

/** The shape of a convolution, forward or backward. */
export type ConvShape = Shape<'conv2dBackwardInput'>;

/** Number of taps of one output: channels of a group times kernel area. */
export const tapCount = (shape: ConvShape) => shape.groupChannels * shape.kernelHeight * shape.kernelWidth;

/** The first output position for which position * stride + offset >= 0. */
const firstInside = (offset: number, stride: number, count: number) =>
  Math.min(count, Math.max(0, Math.ceil(-offset / stride)));

/** One past the last output position for which position * stride + offset < size. */
const endInside = (offset: number, stride: number, count: number, size: number) =>
  Math.min(count, Math.max(0, Math.floor((size - 1 - offset) / stride) + 1));

/** patches[tapPlace[tap] + positionPlace[position]] = x at that tap, for `rows` rows of output from firstRow on. */
export function unfold(
  shape: ConvShape,
  x: Floats,
  xOffset: number,
  firstRow: number,
  rows: number,
  tapPlace: Int32Array,
  positionPlace: Int32Array,
  patches: Float64Array,
): void {
  const { height, width, kernelHeight, kernelWidth, strideHeight, strideWidth, outWidth } = shape;
  let tap = 0;
  for (let c = 0; c < shape.groupChannels; c++) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++, tap++) {
        const offset = kx * shape.dilationWidth - shape.padLeft;
        const start = firstInside(offset, strideWidth, outWidth);
        const end = Math.max(start, endInside(offset, strideWidth, outWidth, width));
        const place = tapPlace[tap];
        let position = 0;
        for (let r = 0; r < rows; r++, position += outWidth) {
          const iy = (firstRow + r) * strideHeight - shape.padTop + ky * shape.dilationHeight;
          const inside = iy >= 0 && iy < height;
          const from = inside ? start : outWidth;
          const to = inside ? end : outWidth;
          for (let i = 0; i < from; i++) patches[place + positionPlace[position + i]] = 0;
          let p = xOffset + (c * height + iy) * width + offset + from * strideWidth;
          for (let i = from; i < to; i++, p += strideWidth) patches[place + positionPlace[position + i]] = x[p];
          for (let i = to; i < outWidth; i++) patches[place + positionPlace[position + i]] = 0;
        }
      }
    }
  }
}

/** The transpose of unfold: adds columns [taps, rows * outWidth] to where they came from in `image`. */
export function fold(
  shape: ConvShape,
  columns: Float64Array,
  firstRow: number,
  rows: number,
  image: Float64Array,
): void {
  const { height, width, kernelHeight, kernelWidth, strideHeight, strideWidth, outWidth } = shape;
  let column = 0;
  for (let c = 0; c < shape.groupChannels; c++) {
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++) {
        const offset = kx * shape.dilationWidth - shape.padLeft;
        const start = firstInside(offset, strideWidth, outWidth);
        const end = endInside(offset, strideWidth, outWidth, width);
        for (let r = 0; r < rows; r++, column += outWidth) {
          const iy = (firstRow + r) * strideHeight - shape.padTop + ky * shape.dilationHeight;
          if (iy < 0 || iy >= height) continue;
          let p = (c * height + iy) * width + offset + start * strideWidth;
          for (let i = start; i < end; i++, p += strideWidth) image[p] += columns[column + i];
        }
      }
    }
  }
}

/** What is done with a run of `count` positions of a row of output, from `outStart`, at which taps lie alike. */
export interface TapVisitor {
  /** This tap lies in the input plane, from `inStart` on. */
  inside(tap: number, outStart: number, inStart: number, count: number): void;
  /** This tap and the two after it do, `dilationWidth` apart. */
  insideThree(tap: number, outStart: number, inStart: number, count: number): void;
  /** This tap lies in the padding. */
  outside(tap: number, outStart: number, count: number): void;
}

/** Visits every tap of one output plane at every position, three taps of a kernel row at once where they lie inside. */
export function eachRow(shape: ConvShape, visitor: TapVisitor): void {
  const { height, width, strideHeight, strideWidth, outHeight, outWidth, kernelWidth, dilationWidth } = shape;
  const offset = (kx: number) => kx * dilationWidth - shape.padLeft;
  const start = (kx: number) => firstInside(offset(kx), strideWidth, outWidth);
  const end = (kx: number) => Math.max(start(kx), endInside(offset(kx), strideWidth, outWidth, width));
  const starts = Array.from({ length: kernelWidth }, (_, kx) => start(kx));
  const ends = Array.from({ length: kernelWidth }, (_, kx) => end(kx));
  for (let ky = 0; ky < shape.kernelHeight; ky++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const row = oy * outWidth;
      const iy = oy * strideHeight - shape.padTop + ky * shape.dilationHeight;
      const one = (kx: number, from: number, to: number) => {
        const tap = ky * kernelWidth + kx;
        if (to > from) visitor.inside(tap, row + from, iy * width + offset(kx) + from * strideWidth, to - from);
      };
      for (let kx = 0; kx < kernelWidth; kx++) {
        const tap = ky * kernelWidth + kx;
        const within = iy >= 0 && iy < height;
        const first = within ? starts[kx] : outWidth;
        const last = within ? ends[kx] : outWidth;
        if (first > 0) visitor.outside(tap, row, first);
        if (last < outWidth) visitor.outside(tap, row + last, outWidth - last);
      }
      if (iy < 0 || iy >= height) continue;
      for (let kx = 0; kx < kernelWidth; ) {
        const from = starts[kx];
        const to = kx + 2 < kernelWidth ? ends[kx + 2] : 0;
        if (to <= from) {
          one(kx, from, ends[kx]);
          kx++;
          continue;
        }
        // Later taps begin and end no later than earlier ones.
        for (let k = kx; k < kx + 3; k++) {
          one(k, starts[k], from);
          one(k, to, ends[k]);
        }
        const tap = ky * kernelWidth + kx;
        visitor.insideThree(tap, row + from, iy * width + offset(kx) + from * strideWidth, to - from);
        kx += 3;
      }
    }
  }
}
