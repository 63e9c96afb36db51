// Conv1d: cross-correlation of sequences with learned windows.
import { type ConvOptions1d, conv1d, type Generator, type Tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import { checkGroups, checkInteger, checkPadding, type Padding } from './check.ts';
import { initialize } from './linear.ts';
import { Module } from './module.ts';

export interface Conv1dOptions extends ConvOptions1d {
  readonly bias?: boolean;
  readonly generator?: Generator | undefined;
}

/** x [batch, inChannels, length] -> [batch, outChannels, outLength]; weight [outChannels, inChannels / groups, kernelSize]. */
export class Conv1d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly stride: number;
  readonly padding: Padding<number>;
  readonly dilation: number;
  readonly groups: number;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, generator }: Conv1dOptions = {},
  ) {
    super();
    checkInteger('Conv1d', 'inChannels', inChannels, 1);
    checkInteger('Conv1d', 'outChannels', outChannels, 1);
    checkInteger('Conv1d', 'kernelSize', kernelSize, 1);
    this.stride = checkInteger('Conv1d', 'stride', stride, 1);
    this.padding = checkPadding('Conv1d', padding, [stride], (size) => checkInteger('Conv1d', 'padding', size, 0));
    this.dilation = checkInteger('Conv1d', 'dilation', dilation, 1);
    this.groups = checkGroups('Conv1d', groups, inChannels, outChannels);
    this.weight = zeros([outChannels, inChannels / groups, kernelSize], { requiresGrad: true });
    this.bias = bias ? zeros([outChannels], { requiresGrad: true }) : null;
    initialize(this.weight, this.bias, this.weight.size / outChannels, generator);
  }

  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this;
    return conv1d(x, this.weight, this.bias, { stride, padding, dilation, groups });
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return (product(output) * this.weight.size) / this.outChannels;
  }

  override extraRepr(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}`, `kernelSize=${this.kernelSize}`, `stride=${this.stride}`];
    if (this.padding !== 0) parts.push(`padding=${this.padding}`);
    if (this.dilation !== 1) parts.push(`dilation=${this.dilation}`);
    if (this.groups !== 1) parts.push(`groups=${this.groups}`);
    if (!this.bias) parts.push('bias=false');
    return parts.join(', ');
  }
}
