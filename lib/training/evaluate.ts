// Using a model without training it: its loss and metrics on a data set, or its outputs.
import { setImmediate } from 'node:timers/promises';
import { type Batch, type Batches, DataLoader, type Dataset, type Samples } from '../data/index.ts';
import type { Module } from '../nn/index.ts';
import { fail } from '../tensor/errors.ts';
import { concat, DataError, fromArray, noGrad, ShapeError, Tensor } from '../tensor/index.ts';
import { accuracy, type Metric } from './metrics.ts';
import {
  type Carried,
  checkCount,
  detached,
  inputsOf,
  type Loss,
  type Measured,
  type Objective,
  supervised,
} from './objective.ts';
import { usesPrograms } from './recordable.ts';
import { type Said, Steps } from './steps.ts';

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
  const loader = loaderOf(data, batchSize);
  if (loader.length === 0) throw new DataError('evaluate: expected at least one batch of data, but got none');
  for (const metric of metrics) metric.reset();
  let sum = 0;
  let samples = 0;
  const programs = usesPrograms(model, options);
  await throughBatches(model, loader, { objective, signal, programs }, ({ loss, count, outputs, targets }) => {
    if (checkCount(count) > 0) {
      sum += loss.item() * count;
      samples += count;
      if (outputs !== undefined) for (const metric of metrics) metric.update(outputs, targets);
    }
    onBatch?.(samples);
  });
  signal?.throwIfAborted();
  if (samples === 0) throw new DataError('evaluate: expected something to measure, but every batch counts 0');
  return { loss: sum / samples, samples, ...valuesOf(metrics) };
}

/** What `predict` asks of an objective: all else is left to `evaluate`. */
export type Answer<O> = Pick<Measured<O, unknown>, 'outputs' | 'carry'>;

export interface PredictOptions {
  /** For samples and tensors instead of a loader. Default 256. */
  readonly batchSize?: number;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether batches go through programs; see the option of `fit`. */
  readonly programs?: boolean | undefined;
}

/**
 * What an objective gives as outputs, for each batch in the order in which they come, in evaluation mode. What it gives as
 * `carry` it gets with the next batch. Yields between batches.
 */
export async function predict<B, O>(
  model: Module,
  data: Source<B>,
  options: PredictOptions & { readonly objective: (batch: B, carried?: Carried) => Answer<O> },
): Promise<O[]>;
/** The same for inputs [samples, ...] or a data set: the model's outputs [samples, ...] in order, as one tensor. */
export async function predict(model: Module, data: Tensor | Dataset, options?: PredictOptions): Promise<Tensor>;
export async function predict<B, O>(
  model: Module,
  data: Tensor | Source<B>,
  options: PredictOptions & { readonly objective?: (batch: B, carried?: Carried) => Answer<O> } = {},
): Promise<Tensor | O[]> {
  const { objective, batchSize = 256, signal } = options;
  const programs = options.programs ?? (objective === undefined && usesPrograms(model, {}));
  if (objective !== undefined) {
    if (data instanceof Tensor) fail('predict', { expected: 'batches for the objective', got: data.label });
    return outputsOf(model, loaderOf(data, batchSize), { objective, signal, programs });
  }
  const batches = data instanceof Tensor ? slices(data, batchSize) : loaderOf(data, batchSize);
  const forward = (batch: unknown) => ({ outputs: model.forward(inputsOf(batch)) });
  const parts = await outputsOf<unknown, Tensor>(model, batches, { objective: forward, signal, programs });
  if (parts.length === 0) throw new ShapeError('predict: expected at least one sample, but got none');
  return noGrad(() => concat(parts));
}

async function outputsOf<B, O>(model: Module, batches: AsyncIterable<B>, how: Passing<B, Answer<O>>): Promise<O[]> {
  const all: O[] = [];
  await throughBatches(model, batches, how, ({ outputs }) => {
    if (outputs === undefined) {
      fail('predict', { expected: 'an objective that gives outputs', got: `none for batch ${all.length}` });
    }
    all.push(outputs);
  });
  return all;
}

/** Inputs [samples, ...] in batches, without a copy. */
async function* slices(data: Tensor, batchSize: number): AsyncGenerator<{ inputs: Tensor }, void, undefined> {
  const [samples = 0, ...example] = data.shape;
  const size = data.size / Math.max(1, samples);
  for (let from = 0; from < samples; from += batchSize) {
    const to = Math.min(samples, from + batchSize);
    yield { inputs: fromArray(data.data.subarray(from * size, to * size), [to - from, ...example]) };
  }
}

const loaderOf = <B>(data: Source<B>, batchSize: number): Batches<B> =>
  'batch' in data ? new DataLoader(data, { batchSize }) : data;

interface Passing<B, R> {
  readonly objective: (batch: B, carried?: Carried) => R;
  readonly signal: AbortSignal | undefined;
  readonly programs: boolean;
}

/**
 * Gives each batch to the objective, with what it carried from the one before, and what it says to `use`: in evaluation
 * mode, without gradients, and with a turn of the event loop after each.
 */
async function throughBatches<B, R extends Said>(
  model: Module,
  batches: AsyncIterable<B>,
  { objective, signal, programs }: Passing<B, R>,
  use: (said: R) => void,
): Promise<void> {
  let carried: Carried | undefined;
  const steps = new Steps(model, objective, { programs });
  await inEvaluationMode(model, async () => {
    for await (const batch of batches) {
      signal?.throwIfAborted();
      const said = await steps.measure(batch, carried, signal);
      carried = detached(said.carry);
      use(said);
      await setImmediate();
    }
  });
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
