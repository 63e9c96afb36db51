// Dropout: while training, each element is zeroed with probability p.
import { defaultGenerator, dropout, type Generator, type Tensor } from '../tensor/index.ts';
import { checkNumber } from './check.ts';
import { Module } from './module.ts';

/** What stays is divided by 1 - p, so that evaluation needs no scaling (Srivastava et al. 2014). */
export class Dropout extends Module {
  /** The default generator if undefined; seen from outside so that a training run can save its state. */
  readonly generator: Generator | undefined;

  constructor(
    readonly p = 0.5,
    { generator }: { generator?: Generator | undefined } = {},
  ) {
    super();
    checkNumber('Dropout', 'p', p, 0, 1);
    this.generator = generator;
  }

  override forward(x: Tensor): Tensor {
    return dropout(x, this.p, { training: this.training, generator: this.generator ?? defaultGenerator() });
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}
