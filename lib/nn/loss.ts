// Losses as modules: each is the op of the same name with its options fixed.
import {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type ClassLossOptions,
  type CrossEntropyOptions,
  crossEntropy,
  type HuberOptions,
  huberLoss,
  type LossOptions,
  type LossReduction,
  l1Loss,
  mseLoss,
  nllLoss,
  type Tensor,
} from '../tensor/index.ts';
import { checkInteger, checkNumber } from './check.ts';
import { Module } from './module.ts';

/** input logits [batch, classes, ...], target int32 [batch, ...]: -log softmax(input)[target]. `weight` is a buffer. */
export class CrossEntropyLoss extends Module {
  readonly weight: Tensor | null;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: LossReduction;

  constructor({ weight = null, ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' }: CrossEntropyOptions = {}) {
    super();
    this.weight = weight;
    this.ignoreIndex = checkInteger('CrossEntropyLoss', 'ignoreIndex', ignoreIndex, Number.MIN_SAFE_INTEGER);
    this.labelSmoothing = checkNumber('CrossEntropyLoss', 'labelSmoothing', labelSmoothing, 0, 1);
    this.reduction = reduction;
    this.registerBuffer('weight');
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, labelSmoothing, reduction } = this;
    return crossEntropy(input, target, { weight, ignoreIndex, labelSmoothing, reduction });
  }
}

/** input log-probabilities [batch, classes, ...], target int32 [batch, ...]: -input[target]. */
export class NLLLoss extends Module {
  readonly weight: Tensor | null;
  readonly ignoreIndex: number;
  readonly reduction: LossReduction;

  constructor({ weight = null, ignoreIndex = -100, reduction = 'mean' }: ClassLossOptions = {}) {
    super();
    this.weight = weight;
    this.ignoreIndex = checkInteger('NLLLoss', 'ignoreIndex', ignoreIndex, Number.MIN_SAFE_INTEGER);
    this.reduction = reduction;
    this.registerBuffer('weight');
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}

/** (input - target)², input and target of one shape. */
export class MSELoss extends Module {
  constructor(readonly options: LossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}

/** |input - target|, input and target of one shape. */
export class L1Loss extends Module {
  constructor(readonly options: LossOptions = {}) {
    super();
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/** d²/2 where the difference d is at most delta, else delta (|d| - delta/2) (Huber 1964). */
export class HuberLoss extends Module {
  readonly delta: number;
  readonly reduction: LossReduction;

  constructor({ delta = 1, reduction = 'mean' }: HuberOptions = {}) {
    super();
    this.delta = checkNumber('HuberLoss', 'delta', delta, Number.MIN_VALUE);
    this.reduction = reduction;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, { delta: this.delta, reduction: this.reduction });
  }
}

/** -posWeight target log s - (1 - target) log(1 - s), s = sigmoid(input); target in 0..1, of the shape of input. */
export class BCEWithLogitsLoss extends Module {
  readonly weight: Tensor | null;
  readonly posWeight: Tensor | null;
  readonly reduction: LossReduction;

  constructor({ weight = null, posWeight = null, reduction = 'mean' }: BinaryCrossEntropyOptions = {}) {
    super();
    this.weight = weight;
    this.posWeight = posWeight;
    this.reduction = reduction;
    this.registerBuffer('weight', 'posWeight');
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return binaryCrossEntropyWithLogits(input, target, { weight, posWeight, reduction });
  }
}
