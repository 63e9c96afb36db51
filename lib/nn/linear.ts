// Linear: y = x weightᵀ + bias.
import { type Generator, linear, type Tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import { checkInteger } from './check.ts';
import { kaimingUniform_, uniform_ } from './init.ts';
import { Module } from './module.ts';

/** The standard initial values: both uniform over ±1 / sqrt(fanIn), as in PyTorch. */
export function initialize(weight: Tensor, bias: Tensor | null, fanIn: number, generator?: Generator): void {
  kaimingUniform_(weight, { a: Math.sqrt(5), generator });
  const bound = 1 / Math.sqrt(fanIn);
  if (bias) uniform_(bias, -bound, bound, { generator });
}

/** x [..., inFeatures] -> [..., outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures]. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true, generator }: { bias?: boolean; generator?: Generator | undefined } = {},
  ) {
    super();
    checkInteger('Linear', 'inFeatures', inFeatures, 1);
    checkInteger('Linear', 'outFeatures', outFeatures, 1);
    this.weight = zeros([outFeatures, inFeatures], { requiresGrad: true });
    this.bias = bias ? zeros([outFeatures], { requiresGrad: true }) : null;
    initialize(this.weight, this.bias, inFeatures, generator);
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return product(output) * this.inFeatures;
  }

  override extraRepr(): string {
    return `${this.inFeatures}, ${this.outFeatures}, bias=${this.bias !== null}`;
  }
}
