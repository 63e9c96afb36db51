// Conv2d: cross-correlation of pictures with learned windows.
import { type ConvOptions, conv2d, type Generator, type Pair, type Tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import { checkGroups, checkInteger, checkPadding, checkPair, type Padding } from './check.ts';
import { initialize } from './linear.ts';
import { Module } from './module.ts';

export interface Conv2dOptions extends ConvOptions {
  readonly bias?: boolean;
  readonly generator?: Generator | undefined;
}

/**
 * x [batch, inChannels, height, width] -> [batch, outChannels, outHeight, outWidth];
 * weight [outChannels, inChannels / groups, kernelHeight, kernelWidth], bias [outChannels].
 */
export class Conv2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: Padding<Pair>;
  readonly dilation: readonly [number, number];
  readonly groups: number;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Pair,
    { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, generator }: Conv2dOptions = {},
  ) {
    super();
    checkInteger('Conv2d', 'inChannels', inChannels, 1);
    checkInteger('Conv2d', 'outChannels', outChannels, 1);
    this.kernelSize = checkPair('Conv2d', 'kernelSize', kernelSize, 1);
    this.stride = checkPair('Conv2d', 'stride', stride, 1);
    this.padding = checkPadding('Conv2d', padding, this.stride, (size) => checkPair('Conv2d', 'padding', size, 0));
    this.dilation = checkPair('Conv2d', 'dilation', dilation, 1);
    this.groups = checkGroups('Conv2d', groups, inChannels, outChannels);
    this.weight = zeros([outChannels, inChannels / groups, ...this.kernelSize], { requiresGrad: true });
    this.bias = bias ? zeros([outChannels], { requiresGrad: true }) : null;
    initialize(this.weight, this.bias, this.weight.size / outChannels, generator);
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this;
    return conv2d(x, this.weight, this.bias, { stride, padding, dilation, groups });
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return (product(output) * this.weight.size) / this.outChannels;
  }

  override extraRepr(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}`, `kernelSize=${show(this.kernelSize)}`];
    parts.push(`stride=${show(this.stride)}`);
    if (String(this.padding) !== '0,0') parts.push(`padding=${show(this.padding)}`);
    if (String(this.dilation) !== '1,1') parts.push(`dilation=${show(this.dilation)}`);
    if (this.groups !== 1) parts.push(`groups=${this.groups}`);
    if (!this.bias) parts.push('bias=false');
    return parts.join(', ');
  }
}

function show(size: Padding<Pair>): string {
  return Array.isArray(size) ? `(${size.join(', ')})` : String(size);
}
