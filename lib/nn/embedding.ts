// Embedding: a learned row of numbers for each of a fixed set of indices.
import { embedding, type Generator, type Tensor, zeros } from '../tensor/index.ts';
import { checkInteger } from './check.ts';
import { normal_ } from './init.ts';
import { Module } from './module.ts';

/** indices [...] int32, each below `count` -> [..., features]; weight [count, features] starts normal with std 1. */
export class Embedding extends Module {
  readonly weight: Tensor;

  constructor(
    readonly count: number,
    readonly features: number,
    { generator }: { generator?: Generator | undefined } = {},
  ) {
    super();
    checkInteger('Embedding', 'count', count, 1);
    checkInteger('Embedding', 'features', features, 1);
    this.weight = zeros([count, features], { requiresGrad: true });
    normal_(this.weight, 0, 1, { generator });
  }

  override forward(indices: Tensor): Tensor {
    return embedding(this.weight, indices);
  }

  override extraRepr(): string {
    return `${this.count}, ${this.features}`;
  }
}
