// Gradients of convolution: of its input by folding columns back, of its weight by a product with the unfolded patches.
import type { Floats } from '../call.ts';
import { outputRowsAtOnce } from './conv2d.ts';
import { multiplyPacked, pack, packedLength, tile } from './gemm.ts';
import { type Kernel, scratch } from './kernel.ts';
import { type ConvShape, eachRow, fold, tapCount, unfold } from './patches.ts';

const packedLeft = scratch();
const packedRight = scratch();
const columnTotals = scratch();
const imageTotals = scratch();
const weightTotals = scratch();

export const conv2dBackwardInput: Kernel<'conv2dBackwardInput'> = (shape, { weight, gradY, gradX }) => {
  const { batch, inChannels, height, width, outChannels, groupChannels, groups, outHeight, outWidth } = shape;
  const outArea = outHeight * outWidth;
  const taps = tapCount(shape);
  const channels = outChannels / groups;
  const imageLength = groupChannels * height * width;
  const total = imageTotals(imageLength);
  const rows = outputRowsAtOnce(shape);
  const packed = channels >= tile / 2;
  const left = packedLeft(packed ? packedLength(taps, channels) : 0);
  const right = packedRight(packed ? packedLength(rows * outWidth, channels) : 0);
  const columns = columnTotals(packed ? taps * rows * outWidth : 0);
  const finite = weight.every((value) => Number.isFinite(value));
  for (let group = 0; group < groups; group++) {
    const firstChannel = group * channels;
    if (packed) pack({ data: weight, offset: firstChannel * taps, step: 1, depthStep: taps }, 0, taps, channels, left);
    for (let image = 0; image < batch; image++) {
      total.fill(0, 0, imageLength);
      const gradOffset = (image * outChannels + firstChannel) * outArea;
      if (packed) {
        for (let row = 0; row < outHeight; row += rows) {
          const count = Math.min(rows, outHeight - row);
          const positions = count * outWidth;
          const from = { data: gradY, offset: gradOffset + row * outWidth, step: 1, depthStep: outArea };
          pack(from, 0, positions, channels, right);
          multiplyPacked(taps, positions, channels, left, right, false, columns, 0, positions);
          fold(shape, columns, row, count, total);
        }
      } else {
        for (let c = 0; c < channels; c++) {
          spread(shape, gradY, gradOffset + c * outArea, weight, (firstChannel + c) * taps, total);
        }
      }
      for (let c = 0; c < channels && !finite; c++) addPadding(shape, weight, (firstChannel + c) * taps, total);
      const start = (image * inChannels + group * groupChannels) * height * width;
      for (let i = 0; i < imageLength; i++) gradX[start + i] = total[i];
    }
  }
};

/** Adds one output channel's gradient, times its weights, to the inputs it came from. */
function spread(shape: ConvShape, gradY: Floats, at: number, weight: Floats, w: number, total: Float64Array): void {
  const { height, width, kernelHeight, kernelWidth, strideWidth, dilationWidth } = shape;
  for (let c = 0; c < shape.groupChannels; c++) {
    const plane = c * height * width;
    const taps = w + c * kernelHeight * kernelWidth;
    eachRow(shape, {
      inside(tap, outStart, inStart, count) {
        const w0 = weight[taps + tap];
        const end = at + outStart + count;
        for (let o = at + outStart, p = plane + inStart; o < end; o++, p += strideWidth) total[p] += w0 * gradY[o];
      },
      insideThree(tap, outStart, inStart, count) {
        const w0 = weight[taps + tap];
        const w1 = weight[taps + tap + 1];
        const w2 = weight[taps + tap + 2];
        const end = at + outStart + count;
        for (let o = at + outStart, p = plane + inStart; o < end; o++, p += strideWidth) {
          const grad = gradY[o];
          total[p] += w0 * grad;
          total[p + dilationWidth] += w1 * grad;
          total[p + 2 * dilationWidth] += w2 * grad;
        }
      },
      outside() {},
    });
  }
}

/**
 * Seen from gradX, turned weights slide over a gradY that is padded with zeros; 0 times a weight that is not finite is
 * NaN. Adds these for the output channel whose weights begin at w.
 */
function addPadding(shape: ConvShape, weight: Floats, w: number, total: Float64Array): void {
  const { height, width, kernelHeight, kernelWidth, outHeight, outWidth } = shape;
  for (let tap = 0; tap < tapCount(shape); tap++) {
    if (Number.isFinite(weight[w + tap])) continue;
    const kx = tap % kernelWidth;
    const ky = Math.floor(tap / kernelWidth) % kernelHeight;
    const plane = Math.floor(tap / (kernelHeight * kernelWidth)) * height * width;
    for (let iy = 0; iy < height; iy++) {
      const oy = (iy + shape.padTop - ky * shape.dilationHeight) / shape.strideHeight;
      if (!Number.isInteger(oy)) continue;
      for (let ix = 0; ix < width; ix++) {
        const ox = (ix + shape.padLeft - kx * shape.dilationWidth) / shape.strideWidth;
        const inside = oy >= 0 && oy < outHeight && ox >= 0 && ox < outWidth;
        if (Number.isInteger(ox) && !inside) total[plane + iy * width + ix] = Number.NaN;
      }
    }
  }
}

/** Adds to total [taps] the products of one output channel's gradient with the inputs under each tap. */
function correlate(shape: ConvShape, x: Floats, xOffset: number, gradY: Floats, at: number, total: Float64Array): void {
  const { height, width, kernelHeight, kernelWidth, strideWidth, dilationWidth } = shape;
  for (let c = 0; c < shape.groupChannels; c++) {
    const plane = xOffset + c * height * width;
    const taps = c * kernelHeight * kernelWidth;
    eachRow(shape, {
      inside(tap, outStart, inStart, count) {
        let sum = 0;
        const end = at + outStart + count;
        for (let o = at + outStart, p = plane + inStart; o < end; o++, p += strideWidth) sum += gradY[o] * x[p];
        total[taps + tap] += sum;
      },
      insideThree(tap, outStart, inStart, count) {
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        const end = at + outStart + count;
        for (let o = at + outStart, p = plane + inStart; o < end; o++, p += strideWidth) {
          const grad = gradY[o];
          s0 += grad * x[p];
          s1 += grad * x[p + dilationWidth];
          s2 += grad * x[p + 2 * dilationWidth];
        }
        total[taps + tap] += s0;
        total[taps + tap + 1] += s1;
        total[taps + tap + 2] += s2;
      },
      outside(tap, outStart, count) {
        let sum = 0;
        for (let o = at + outStart; o < at + outStart + count; o++) sum += gradY[o] * 0;
        total[taps + tap] += sum;
      },
    });
  }
}

/** Where tap and position of a patch lie in panels of four taps, [panel][position][4]. */
function placesByTap(shape: ConvShape, positions: number) {
  return {
    tapPlace: Int32Array.from(
      { length: tapCount(shape) },
      (_, tap) => Math.floor(tap / tile) * tile * positions + (tap % tile),
    ),
    positionPlace: Int32Array.from({ length: positions }, (_, position) => position * tile),
  };
}

/** gradBias is the plain sum of gradY over images and positions: y = … + bias, so its derivative by bias is 1. */
export const conv2dBackwardWeight: Kernel<'conv2dBackwardWeight'> = (shape, { x, gradY, gradWeight, gradBias }) => {
  const { batch, inChannels, height, width, outChannels, groupChannels, groups, outHeight, outWidth } = shape;
  const outArea = outHeight * outWidth;
  const taps = tapCount(shape);
  const channels = outChannels / groups;
  const total = weightTotals(channels * taps);
  const rows = outputRowsAtOnce(shape);
  const packed = channels >= tile / 2;
  const left = packedLeft(packed ? packedLength(channels, rows * outWidth) : 0);
  const right = packedRight(packed ? packedLength(taps, rows * outWidth) : 0);
  const whole = placesByTap(shape, rows * outWidth);
  const rest = placesByTap(shape, (outHeight % Math.max(1, rows)) * outWidth);
  for (let group = 0; group < groups; group++) {
    const firstChannel = group * channels;
    total.fill(0, 0, channels * taps);
    for (let image = 0; image < batch; image++) {
      const xOffset = (image * inChannels + group * groupChannels) * height * width;
      const gradOffset = (image * outChannels + firstChannel) * outArea;
      if (packed) {
        for (let row = 0; row < outHeight; row += rows) {
          const count = Math.min(rows, outHeight - row);
          const positions = count * outWidth;
          const { tapPlace, positionPlace } = count === rows ? whole : rest;
          const from = { data: gradY, offset: gradOffset + row * outWidth, step: outArea, depthStep: 1 };
          pack(from, 0, channels, positions, left);
          unfold(shape, x, xOffset, row, count, tapPlace, positionPlace, right);
          multiplyPacked(channels, taps, positions, left, right, true, total, 0, taps);
        }
      } else {
        for (let c = 0; c < channels; c++) {
          correlate(shape, x, xOffset, gradY, gradOffset + c * outArea, total.subarray(c * taps, (c + 1) * taps));
        }
      }
    }
    const start = firstChannel * taps;
    for (let i = 0; i < channels * taps; i++) gradWeight[start + i] = total[i];
  }
  if (gradBias === undefined) return;
  for (let channel = 0; channel < outChannels; channel++) {
    let sum = 0;
    for (let image = 0; image < batch; image++) {
      const start = (image * outChannels + channel) * outArea;
      for (let i = 0; i < outArea; i++) sum += gradY[start + i];
    }
    gradBias[channel] = sum;
  }
};
