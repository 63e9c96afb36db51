// Normalisation layers: to mean 0 and variance 1 over the batch or over the features of one example.
import { decidesBy, everyRun } from '../kernels/recording.ts';
import { fail } from '../tensor/errors.ts';
import { batchNorm, layerNorm, ones, scalar, type Tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import { checkInteger, checkNumber } from './check.ts';
import { Module } from './module.ts';

export interface BatchNormOptions {
  eps?: number;
  /** Share of the new batch in the running estimates; null averages over all batches equally. */
  momentum?: number | null;
  /** Whether there is a trained scale and shift. */
  affine?: boolean;
  /** Without running estimates evaluation also looks at the batch. */
  trackRunningStats?: boolean;
}

/** Ioffe & Szegedy 2015; one mean and one variance for each channel. Buffers: running_mean, running_var, num_batches_tracked. */
abstract class BatchNorm extends Module {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  readonly numBatchesTracked: Tensor | null;
  readonly eps: number;
  readonly momentum: number | null;
  /** Ranks that x may have. */
  protected abstract readonly ranks: readonly number[];

  constructor(
    readonly features: number,
    { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNormOptions = {},
  ) {
    super();
    const name = new.target.name;
    checkInteger(name, 'features', features, 1);
    this.eps = checkNumber(name, 'eps', eps, 0);
    this.momentum = momentum === null ? null : checkNumber(name, 'momentum', momentum, 0, 1);
    this.weight = affine ? ones([features], { requiresGrad: true }) : null;
    this.bias = affine ? zeros([features], { requiresGrad: true }) : null;
    this.runningMean = trackRunningStats ? zeros([features]) : null;
    this.runningVar = trackRunningStats ? ones([features]) : null;
    this.numBatchesTracked = trackRunningStats ? scalar(0, { dtype: 'int32' }) : null;
    this.registerBuffer('runningMean', 'runningVar', 'numBatchesTracked');
  }

  override forward(x: Tensor): Tensor {
    if (!this.ranks.includes(x.rank)) {
      const expected = `x of rank ${this.ranks.join(' or ')}`;
      fail(this.constructor.name, { expected, got: `x [${x.shape.join(', ')}]` });
    }
    const { runningMean, runningVar, numBatchesTracked, weight, bias, eps } = this;
    let momentum = this.momentum ?? 0;
    if (this.training && numBatchesTracked) {
      everyRun(() => numBatchesTracked.ints[0]!++);
      numBatchesTracked.touch();
      const batches = numBatchesTracked.ints[0]!;
      if (this.momentum === null) decidesBy(this.constructor.name, numBatchesTracked.indexOperand);
      momentum = this.momentum ?? 1 / batches;
    }
    const training = this.training || runningMean === null;
    return batchNorm(x, { runningMean, runningVar, weight, bias, training, momentum, eps });
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return product(output);
  }

  override extraRepr(): string {
    const { features, eps, momentum } = this;
    const flags = `affine=${this.weight !== null}, trackRunningStats=${this.runningMean !== null}`;
    return `${features}, eps=${eps}, momentum=${momentum}, ${flags}`;
  }
}

/** x [batch, features] or [batch, features, length], of the same shape after. */
export class BatchNorm1d extends BatchNorm {
  protected override readonly ranks = [2, 3];
}

/** x [batch, features, height, width], of the same shape after. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly ranks = [4];
}

export interface LayerNormOptions {
  eps?: number;
  /** Whether there is a trained scale, and shift. */
  elementwiseAffine?: boolean;
  bias?: boolean;
}

/** Ba, Kiros & Hinton 2016; over the last dimensions of x, which are `normalizedShape`. */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly eps: number;

  constructor(
    normalizedShape: number | readonly number[],
    { eps = 1e-5, elementwiseAffine = true, bias = true }: LayerNormOptions = {},
  ) {
    super();
    const shape: readonly number[] = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    checkInteger('LayerNorm', 'the rank of normalizedShape', shape.length, 1);
    for (const size of shape) checkInteger('LayerNorm', 'normalizedShape', size, 1);
    this.normalizedShape = [...shape];
    this.eps = checkNumber('LayerNorm', 'eps', eps, 0);
    this.weight = elementwiseAffine ? ones(shape, { requiresGrad: true }) : null;
    this.bias = elementwiseAffine && bias ? zeros(shape, { requiresGrad: true }) : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, this.normalizedShape, { weight, bias, eps });
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return product(output);
  }

  override extraRepr(): string {
    return `(${this.normalizedShape.join(', ')}), eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }
}
