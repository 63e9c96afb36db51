// Using a model without training it: its loss and metrics on a data set, or its outputs.
import { setImmediate } from 'node:timers/promises';
import { type Batch, type Batches, DataLoader, type Dataset, type Samples } from '../data/index.ts';
import { compile } from '../graph/index.ts';
import type { Module } from '../nn/index.ts';
import { DataError, fromArray, noGrad, ShapeError, type Tensor } from '../tensor/index.ts';
import { accuracy, type Metric } from './metrics.ts';
import { checkCount, detached, type Loss, type Objective, supervised } from './objective.ts';
import { usesPrograms } from './recordable.ts';
import { Steps } from './steps.ts';

/** Where batches come from: a loader, or samples, which are read in order, or shuffled when training. */
export type Source<B = Batch> = Batches<B> | Samples<B>;

/** What batches mean, for training and for measuring alike. */
export interface Meaning<B, O, T> {
  /** Default, for batches of inputs with targets: a loss of `model(inputs)`. */
  readonly objective?: Objective<B, O, T> | undefined;
  /** Of the default objective. Default: cross-entropy. */
  readonly loss?: Loss | undefined;
  /** Default: accuracy where neither an objective nor a loss is given, else none. */
  readonly metrics?: readonly Metric<O, T>[] | undefined;
}

export interface EvaluateOptions<B = Batch, O = Tensor, T = Tensor> extends Meaning<B, O, T> {
  /** For samples instead of a loader. Default 256. */
  readonly batchSize?: number;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether batches are measured by programs; see the option of `fit`. */
  readonly programs?: boolean | undefined;
  /** Called after each batch with the number of samples (or what the objective counts) done. */
  readonly onBatch?: (samples: number) => void;
}

/** The mean loss over all samples (or what the objective counts), and each metric by name. */
export interface Evaluation {
  readonly loss: number;
  readonly samples: number;
  readonly [metric: string]: number;
}

/** The objective and metrics that are meant. What passes from one to the others is their own affair. */
export function meaningOf<B, O, T>(
  model: Module,
  { objective, loss, metrics }: Meaning<B, O, T>,
): { readonly objective: Objective<B, unknown, unknown>; readonly metrics: readonly Metric<unknown, unknown>[] } {
  return {
    objective: objective ?? supervised(model, loss),
    metrics: metrics ?? (objective === undefined && loss === undefined ? [accuracy()] : []),
  };
}

/** What each metric says, by name, without those that have seen nothing. */
export const valuesOf = (metrics: readonly Pick<Metric, 'name' | 'value'>[]): Record<string, number> =>
  Object.fromEntries(
    metrics.map(({ name, value }) => [name, value] as const).filter(([, value]) => !Number.isNaN(value)),
  );

/** Measures a model on data, in evaluation mode; each module's own mode is restored. Yields between batches. */
export async function evaluate(model: Module, data: Source, options?: EvaluateOptions): Promise<Evaluation>;
/** The same for batches of any kind, with an objective that says what they mean. */
export async function evaluate<B, O, T>(
  model: Module,
  data: Source<B>,
  options: EvaluateOptions<B, O, T> & { readonly objective: Objective<B, O, T> },
): Promise<Evaluation>;
export async function evaluate<B, O, T>(
  model: Module,
  data: Source<B>,
  options: EvaluateOptions<B, O, T> = {},
): Promise<Evaluation> {
  const { batchSize = 256, signal, onBatch } = options;
  const { objective, metrics } = meaningOf(model, options);
  const loader = 'batch' in data ? new DataLoader(data, { batchSize }) : data;
  if (loader.length === 0) throw new DataError('evaluate: expected at least one batch of data, but got none');
  for (const metric of metrics) metric.reset();
  let sum = 0;
  let samples = 0;
  let carried: Record<string, Tensor> | undefined;
  const steps = new Steps(model, objective, { programs: usesPrograms(model, options) });
  await inEvaluationMode(model, async () => {
    for await (const batch of loader) {
      signal?.throwIfAborted();
      const { loss, count, outputs, targets, carry } = await steps.measure(batch, carried, signal);
      carried = detached(carry);
      if (checkCount(count) > 0) {
        sum += loss.item() * count;
        samples += count;
        if (outputs !== undefined) for (const metric of metrics) metric.update(outputs, targets);
      }
      onBatch?.(samples);
      await setImmediate();
    }
  });
  signal?.throwIfAborted();
  if (samples === 0) throw new DataError('evaluate: expected something to measure, but every batch counts 0');
  return { loss: sum / samples, samples, ...valuesOf(metrics) };
}

/**
 * The model's outputs [samples, ...] for inputs [samples, ...] or a data set, in evaluation mode and in order.
 * Yields between batches.
 */
export async function predict(
  model: Module,
  data: Tensor | Dataset,
  options: { readonly batchSize?: number; readonly signal?: AbortSignal; readonly programs?: boolean } = {},
): Promise<Tensor> {
  const { batchSize = 256, signal } = options;
  const parts: Tensor[] = [];
  const forward = (inputs: Tensor) => model.forward(inputs);
  const compiled = usesPrograms(model, options) ? compile(forward) : undefined;
  await inEvaluationMode(model, async () => {
    for await (const inputs of batches(data, batchSize)) {
      signal?.throwIfAborted();
      parts.push(await (compiled?.run(inputs) ?? noGrad(() => forward(inputs))));
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
