// Convolution: patches are unfolded into packed panels and multiplied; few output channels per group take a direct loop.
import type { Floats } from '../call.ts';
import { finish, multiplyPacked, pack, packedLength, rowsAtOnce, tile } from './gemm.ts';
import { type Kernel, scratch } from './kernel.ts';
import { type ConvShape, eachRow, tapCount, unfold } from './patches.ts';

const packedWeight = scratch();
const packedPatches = scratch();
const directTotals = scratch();

/** Rows of output whose patches are unfolded at a time. */
export const outputRowsAtOnce = (shape: ConvShape) =>
  Math.min(shape.outHeight, Math.max(1, Math.floor(rowsAtOnce(tapCount(shape)) / Math.max(1, shape.outWidth))));

/** Where tap and position of a patch lie in panels of four positions, [panel][tap][4]. */
function placesByPosition(shape: ConvShape, rows: number) {
  const taps = tapCount(shape);
  return {
    tapPlace: Int32Array.from({ length: taps }, (_, tap) => tap * tile),
    positionPlace: Int32Array.from(
      { length: rows * shape.outWidth },
      (_, position) => Math.floor(position / tile) * tile * taps + (position % tile),
    ),
  };
}

/** Depthwise and the like: one output channel of a group is a sum of weighted, shifted rows. */
function direct(shape: ConvShape, x: Floats, xOffset: number, weight: Floats, w: number, total: Float64Array): void {
  const { height, width, kernelHeight, kernelWidth, strideWidth, dilationWidth } = shape;
  for (let c = 0; c < shape.groupChannels; c++) {
    const plane = xOffset + c * height * width;
    const taps = w + c * kernelHeight * kernelWidth;
    eachRow(shape, {
      inside(tap, outStart, inStart, count) {
        const w0 = weight[taps + tap];
        const end = outStart + count;
        for (let o = outStart, p = plane + inStart; o < end; o++, p += strideWidth) total[o] += w0 * x[p];
      },
      insideThree(tap, outStart, inStart, count) {
        const w0 = weight[taps + tap];
        const w1 = weight[taps + tap + 1];
        const w2 = weight[taps + tap + 2];
        const end = outStart + count;
        for (let o = outStart, p = plane + inStart; o < end; o++, p += strideWidth) {
          total[o] += w0 * x[p] + w1 * x[p + dilationWidth] + w2 * x[p + 2 * dilationWidth];
        }
      },
      outside(tap, outStart, count) {
        const product = weight[taps + tap] * 0; // NaN where the weight is not finite
        if (product !== 0) for (let o = outStart; o < outStart + count; o++) total[o] += product;
      },
    });
  }
}

export const conv2d: Kernel<'conv2d'> = (shape, { x, weight, bias, y }) => {
  const { batch, inChannels, height, width, outChannels, groupChannels, groups, outHeight, outWidth } = shape;
  const outArea = outHeight * outWidth;
  const taps = tapCount(shape);
  const channels = outChannels / groups;
  const xOffset = (image: number, group: number) => (image * inChannels + group * groupChannels) * height * width;
  if (channels < tile / 2) {
    const total = directTotals(outArea);
    for (let image = 0; image < batch; image++) {
      for (let channel = 0; channel < outChannels; channel++) {
        total.fill(0, 0, outArea);
        direct(shape, x, xOffset(image, Math.floor(channel / channels)), weight, channel * taps, total);
        const yOffset = (image * outChannels + channel) * outArea;
        for (let i = 0; i < outArea; i++) y[yOffset + i] = total[i];
      }
    }
  } else {
    const rows = outputRowsAtOnce(shape);
    const { tapPlace, positionPlace } = placesByPosition(shape, rows);
    const left = packedWeight(packedLength(channels, taps));
    const right = packedPatches(packedLength(rows * outWidth, taps));
    for (let group = 0; group < groups; group++) {
      const firstChannel = group * channels;
      pack({ data: weight, offset: firstChannel * taps, step: taps, depthStep: 1 }, 0, channels, taps, left);
      for (let image = 0; image < batch; image++) {
        for (let row = 0; row < outHeight; row += rows) {
          const count = Math.min(rows, outHeight - row);
          unfold(shape, x, xOffset(image, group), row, count, tapPlace, positionPlace, right);
          const yOffset = (image * outChannels + firstChannel) * outArea + row * outWidth;
          multiplyPacked(channels, count * outWidth, taps, left, right, false, y, yOffset, outArea);
        }
      }
    }
  }
  for (let image = 0; image < batch; image++) {
    finish(outChannels, outArea, bias, 'row', shape.activation, y, image * outChannels * outArea);
  }
};
