// Linear: y = x weightᵀ + bias.
import { fail } from '../tensor/errors.ts';
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

export interface LinearOptions {
  readonly bias?: boolean;
  /** A weight to share with another layer, such as an embedding, instead of one of its own. */
  readonly weight?: Tensor;
  readonly generator?: Generator | undefined;
}

/** x [..., inFeatures] -> [..., outFeatures]; weight [outFeatures, inFeatures], bias [outFeatures]. */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true, weight, generator }: LinearOptions = {},
  ) {
    super();
    checkInteger('Linear', 'inFeatures', inFeatures, 1);
    checkInteger('Linear', 'outFeatures', outFeatures, 1);
    this.bias = bias ? zeros([outFeatures], { requiresGrad: true }) : null;
    if (weight) {
      const shape = [outFeatures, inFeatures];
      if (weight.shape.join() !== shape.join()) {
        fail('Linear', { expected: `weight [${shape.join(', ')}]`, got: `[${weight.shape.join(', ')}]` });
      }
      this.weight = weight;
      return;
    }
    this.weight = zeros([outFeatures, inFeatures], { requiresGrad: true });
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
