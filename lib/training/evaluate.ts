// Using a model without training it: its loss and metrics on a data set, or its outputs.
import { setImmediate } from 'node:timers/promises';
import { type Batch, DataLoader, type Dataset } from '../data/index.ts';
import type { Module } from '../nn/index.ts';
import { crossEntropy, DataError, fromArray, noGrad, ShapeError, type Tensor } from '../tensor/index.ts';
import { accuracy, type Metric } from './metrics.ts';

/** A loss of a batch as one number: a loss module such as CrossEntropyLoss, or a function. */
export type Loss = Module | ((outputs: Tensor, targets: Tensor) => Tensor);

/** Where batches come from. A Dataset is read in order, or shuffled when training. */
export type Source = DataLoader | Dataset;

export interface EvaluateOptions {
  /** Default: cross-entropy. */
  readonly loss?: Loss | undefined;
  /** Default: accuracy with cross-entropy, else none. Their values are in the result under their names. */
  readonly metrics?: readonly Metric[] | undefined;
  /** For a Dataset. Default 256. */
  readonly batchSize?: number;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of samples done. */
  readonly onBatch?: (samples: number) => void;
}

/** The mean loss over all samples, and each metric by name. */
export interface Evaluation {
  readonly loss: number;
  readonly samples: number;
  readonly [metric: string]: number;
}

/** The loss as a function. */
export function lossFunction(loss: Loss | undefined): (outputs: Tensor, targets: Tensor) => Tensor {
  if (loss === undefined) return crossEntropy;
  return typeof loss === 'function' ? loss : (outputs, targets) => loss.forward(outputs, targets);
}

/** Measures a model on a data set, in evaluation mode; each module's own mode is restored. Yields between batches. */
export async function evaluate(model: Module, data: Source, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { loss, metrics = loss === undefined ? [accuracy()] : [], batchSize = 256, signal, onBatch } = options;
  const loader = data instanceof DataLoader ? data : new DataLoader(data, { batchSize });
  if (loader.length === 0) throw new DataError('evaluate: expected at least one batch of data, but got none');
  const lossOf = lossFunction(loss);
  for (const metric of metrics) metric.reset();
  let sum = 0;
  let samples = 0;
  await inEvaluationMode(model, async () => {
    for await (const { inputs, targets } of loader) {
      signal?.throwIfAborted();
      const outputs = noGrad(() => model.forward(inputs));
      const count = inputs.shape[0] ?? 0;
      sum += noGrad(() => lossOf(outputs, targets)).item() * count;
      samples += count;
      for (const metric of metrics) metric.update(outputs, targets);
      onBatch?.(samples);
      await setImmediate();
    }
  });
  signal?.throwIfAborted();
  return { loss: sum / samples, samples, ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])) };
}

/**
 * The model's outputs [samples, ...] for inputs [samples, ...] or a data set, in evaluation mode and in order.
 * Yields between batches.
 */
export async function predict(
  model: Module,
  data: Tensor | Dataset,
  { batchSize = 256, signal }: { readonly batchSize?: number; readonly signal?: AbortSignal } = {},
): Promise<Tensor> {
  const parts: Tensor[] = [];
  await inEvaluationMode(model, async () => {
    for await (const inputs of batches(data, batchSize)) {
      signal?.throwIfAborted();
      parts.push(noGrad(() => model.forward(inputs)));
      await setImmediate();
    }
  });
  const [first] = parts;
  if (first === undefined) throw new ShapeError('predict: expected at least one sample, but got none');
  const outputs = new Float32Array(parts.reduce((sum, part) => sum + part.size, 0));
  let offset = 0;
  for (const part of parts) {
    outputs.set(part.floats, offset);
    offset += part.size;
  }
  const samples = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  return fromArray(outputs, [samples, ...first.shape.slice(1)]);
}

/** Batches of inputs, zero-copy where the data is a tensor. */
async function* batches(data: Tensor | Dataset, batchSize: number): AsyncGenerator<Tensor> {
  if ('batch' in data) {
    for await (const batch of new DataLoader(data, { batchSize })) yield (batch satisfies Batch).inputs;
    return;
  }
  const [samples = 0, ...example] = data.shape;
  const size = data.size / Math.max(1, samples);
  for (let from = 0; from < samples; from += batchSize) {
    const to = Math.min(samples, from + batchSize);
    yield fromArray(data.data.subarray(from * size, to * size), [to - from, ...example]);
  }
}

/** Runs `work` with every module in evaluation mode, then gives each its mode back. */
async function inEvaluationMode(model: Module, work: () => Promise<void>): Promise<void> {
  const modes = [...model.namedModules().values()].map((module) => [module, module.training] as const);
  model.eval();
  try {
    await work();
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
}
