// Pooling layers: the maximum or the mean of each window of each channel.
import {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  maxPool2d,
  type Pair,
  type PoolOptions,
  type Tensor,
} from '../tensor/index.ts';
import { checkPair } from './check.ts';
import { Module } from './module.ts';

/** x [batch, channels, height, width] -> [batch, channels, outHeight, outWidth], the maximum of each window. */
export class MaxPool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly ceilMode: boolean;

  constructor(kernelSize: Pair, { stride = kernelSize, padding = 0, ceilMode = false }: PoolOptions = {}) {
    super();
    this.kernelSize = checkPair('MaxPool2d', 'kernelSize', kernelSize, 1);
    this.stride = checkPair('MaxPool2d', 'stride', stride, 1);
    this.padding = checkPair('MaxPool2d', 'padding', padding, 0);
    this.ceilMode = ceilMode;
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, ceilMode } = this;
    return maxPool2d(x, this.kernelSize, { stride, padding, ceilMode });
  }

  override extraRepr(): string {
    return show(this);
  }
}

/** x [batch, channels, height, width] -> [batch, channels, outHeight, outWidth], the mean of each window. */
export class AvgPool2d extends Module {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;

  constructor(
    kernelSize: Pair,
    { stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true }: AvgPoolOptions = {},
  ) {
    super();
    this.kernelSize = checkPair('AvgPool2d', 'kernelSize', kernelSize, 1);
    this.stride = checkPair('AvgPool2d', 'stride', stride, 1);
    this.padding = checkPair('AvgPool2d', 'padding', padding, 0);
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, ceilMode, countIncludePad } = this;
    return avgPool2d(x, this.kernelSize, { stride, padding, ceilMode, countIncludePad });
  }

  override extraRepr(): string {
    return show(this);
  }
}

/** x [batch, channels, height, width] -> [batch, channels, ...outputSize], whatever the height and width. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: readonly [number, number];

  constructor(outputSize: Pair) {
    super();
    this.outputSize = checkPair('AdaptiveAvgPool2d', 'outputSize', outputSize, 1);
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }

  override extraRepr(): string {
    return `outputSize=(${this.outputSize.join(', ')})`;
  }
}

function show({ kernelSize, stride, padding, ceilMode }: MaxPool2d | AvgPool2d): string {
  const sizes = `kernelSize=(${kernelSize.join(', ')}), stride=(${stride.join(', ')}), padding=(${padding.join(', ')})`;
  return ceilMode ? `${sizes}, ceilMode=true` : sizes;
}
