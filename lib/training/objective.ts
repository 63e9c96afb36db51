// What a batch means to a model: a loss, how much of it there is, what the metrics see, and a state for the next batch.
import type { Module } from '../nn/index.ts';
import { describe, fail } from '../tensor/errors.ts';
import { crossEntropy, Tensor } from '../tensor/index.ts';

/** Tensors that go from one batch of an epoch to the next, by name: the state of a recurrent network. */
export type Carried = Readonly<Record<string, Tensor | null | undefined>>;

/** What an objective says of a batch; `O` and `T` are what its metrics take. */
export interface Measured<O = Tensor, T = Tensor> {
  /** One number: the mean over `count` things. */
  readonly loss: Tensor;
  /**
   * How many things (pictures, words, letters) that mean is of; they weigh it in the mean of an epoch. A batch with a count
   * of 0, such as one of nothing but padding, is passed over: its loss is not looked at.
   */
  readonly count: number;
  /** For the metrics; without outputs they do not see this batch. */
  readonly outputs?: O | undefined;
  readonly targets?: T | undefined;
  /** Given to the objective with the next batch, cut off from this one's history: truncated backpropagation through time. */
  readonly carry?: Carried | undefined;
}

/**
 * Measures a batch. `carried` is what the batch before gave as `carry`; undefined for the first batch of an epoch. Dropout
 * and the like follow the model's own mode, and so may an objective (`model.training`).
 */
export type Objective<B, O = Tensor, T = Tensor> = (batch: B, carried?: Carried) => Measured<O, T>;

/** A loss of a batch as one number: a loss module such as CrossEntropyLoss, or a function. */
export type Loss = Module | ((outputs: Tensor, targets: Tensor) => Tensor);

/** The objective of batches of inputs with their targets: a loss (default: cross-entropy) of `model(inputs)`. */
export function supervised(model: Module, loss: Loss = crossEntropy): Objective<unknown> {
  const lossOf =
    typeof loss === 'function' ? loss : (outputs: Tensor, targets: Tensor) => loss.forward(outputs, targets);
  return (batch) => {
    const { inputs, targets } = pairOf(batch);
    const outputs = model.forward(inputs);
    return { loss: lossOf(outputs, targets), count: inputs.shape[0] ?? 0, outputs, targets };
  };
}

function pairOf(batch: unknown): { inputs: Tensor; targets: Tensor } {
  const { inputs, targets }: { inputs?: unknown; targets?: unknown } = Object(batch);
  if (inputs instanceof Tensor && targets instanceof Tensor) return { inputs, targets };
  return failBatch('batches { inputs, targets } of two tensors', batch);
}

/** The inputs of a batch. Throws FoveaError for one of another kind. */
export function inputsOf(batch: unknown): Tensor {
  const { inputs }: { inputs?: unknown } = Object(batch);
  return inputs instanceof Tensor ? inputs : failBatch('batches { inputs } of a tensor', batch);
}

const failBatch = (expected: string, batch: unknown): never =>
  fail('objective', { expected, because: 'no objective says what others mean', got: describe(batch) });

/** Throws unless an objective's count can be one. */
export function checkCount(count: number): number {
  if (Number.isFinite(count) && count >= 0) return count;
  return fail('objective', { expected: 'a count of 0 or more', got: describe(count) });
}

/** What the next batch gets: the same numbers without history. */
export function detached(carry: Carried | undefined): Record<string, Tensor> | undefined {
  if (carry === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(carry).flatMap(([name, tensor]) => (tensor ? [[name, tensor.detach()]] : [])),
  );
}
