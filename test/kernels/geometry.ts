// Geometries of convolutions as people give them, and the shape records they mean.
import type { Shape } from '../../lib/kernels/call.ts';
import { convAlgorithms } from '../../lib/kernels/spec.ts';

export interface Geometry {
  readonly batch?: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly size: number | readonly [number, number];
  readonly kernel: number | readonly [number, number];
  readonly stride?: number | readonly [number, number];
  readonly dilation?: number | readonly [number, number];
  /** top, left, bottom, right; or one number for all. */
  readonly padding?: number | readonly [number, number, number, number];
  readonly groups?: number;
  readonly algorithm?: keyof typeof convAlgorithms;
}

const pair = (value: number | readonly [number, number]) =>
  typeof value === 'number' ? ([value, value] as const) : value;

/** The shape record of a convolution with the given geometry. */
export function convolution(g: Geometry): Shape<'conv2dBackwardInput'> {
  const [height, width] = pair(g.size);
  const [kernelHeight, kernelWidth] = pair(g.kernel);
  const [strideHeight, strideWidth] = pair(g.stride ?? 1);
  const [dilationHeight, dilationWidth] = pair(g.dilation ?? 1);
  const padding = g.padding ?? 0;
  const [padTop, padLeft, padBottom, padRight] =
    typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
  const { batch = 1, inChannels, outChannels, groups = 1 } = g;
  const outHeight =
    Math.floor((height + padTop + padBottom - dilationHeight * (kernelHeight - 1) - 1) / strideHeight) + 1;
  const outWidth = Math.floor((width + padLeft + padRight - dilationWidth * (kernelWidth - 1) - 1) / strideWidth) + 1;
  return {
    batch,
    inChannels,
    height,
    width,
    outChannels,
    groupChannels: inChannels / groups,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    padTop,
    padLeft,
    dilationHeight,
    dilationWidth,
    groups,
    outHeight,
    outWidth,
    algorithm: convAlgorithms[g.algorithm ?? 'auto'],
  };
}
