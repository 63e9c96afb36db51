// fit: trains any module on any data set, tells how it goes, and can be stopped and resumed at any step.
import { setImmediate } from 'node:timers/promises';
import { type Batch, DataLoader } from '../data/index.ts';
import { checkWritable } from '../io/atomic.ts';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../io/checkpoint.ts';
import type { ModelInfo } from '../io/model-info.ts';
import type { Module } from '../nn/index.ts';
import { clipGradNorm_, type Optimizer, type Schedule } from '../optim/index.ts';
import { DataError, FoveaError, manualSeed, type Tensor } from '../tensor/index.ts';
import type { Callback } from './callbacks.ts';
import { evaluate, type Loss, lossFunction, type Source } from './evaluate.ts';
import type { EpochRow } from './history.ts';
import { accuracy, type Metric } from './metrics.ts';
import { type Report, reportTo, silentReport } from './report.ts';
import { decodeTrainingState, generatorStates, restoreGenerators, type TrainingState } from './state.ts';

export interface CheckpointOptions {
  /** Written at the end of each epoch and when aborted, atomically. */
  readonly file: string;
  /** Also after every so many steps. */
  readonly every?: number | undefined;
  /** What the model is, so that the file can be used alone. */
  readonly model?: ModelInfo | undefined;
  /** Kept in the file for the caller. */
  readonly extra?: unknown;
}

export interface FitOptions {
  readonly epochs: number;
  readonly optimizer: Optimizer;
  /** Default: cross-entropy. */
  readonly loss?: Loss | undefined;
  /** Stepped after each batch or epoch, as it says itself; given the loss, of the validation data where there is some. */
  readonly schedule?: Schedule | undefined;
  readonly validation?: Source | undefined;
  /** Measured on training batches as they pass, and on the validation data. Default: accuracy with cross-entropy, else none. */
  readonly metrics?: readonly Metric[] | undefined;
  readonly callbacks?: readonly Callback[];
  /** Largest length of the gradient of all parameters together. */
  readonly clipNorm?: number | undefined;
  /** For a Dataset instead of a DataLoader. Default 64. */
  readonly batchSize?: number;
  /** Seeds the default generator (dropout), and the order of a Dataset. */
  readonly seed?: number;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** A checkpoint to go on from, made by a run with the same options: the end is the same, bit for bit. */
  readonly resume?: string | Checkpoint | undefined;
  /** Aborting writes the checkpoint after the current step, then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default: a progress bar on a terminal, else one line per epoch, on standard output. `false`: nothing. */
  readonly report?: Report | boolean;
}

export interface FitResult {
  readonly history: readonly EpochRow[];
  /** Why a callback ended the run early. */
  readonly stopped: string | undefined;
}

/**
 * Trains `model` in place. Yields to the event loop after every step.
 *
 * Throws FoveaError if the loss or a weight is no longer finite, naming the step and the last good checkpoint; DataError,
 * before the first step, if a checkpoint cannot be written or resumed.
 */
export async function fit(model: Module, data: Source, options: FitOptions): Promise<FitResult> {
  const { epochs, batchSize = 64, seed, report = true } = options;
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw new FoveaError(`fit: expected epochs to be an integer of 0 or more, but got ${epochs}`);
  }
  if (seed !== undefined) manualSeed(seed);
  const loader =
    data instanceof DataLoader ? data : new DataLoader(data, { batchSize, shuffle: true, seed: seed ?? 0 });
  const shown = typeof report === 'object' ? report : report ? reportTo(process.stdout) : silentReport;
  return new Training(model, loader, options, shown).run();
}

class Training {
  readonly history: EpochRow[] = [];
  private readonly lossOf: (outputs: Tensor, targets: Tensor) => Tensor;
  private readonly metrics: readonly Metric[];
  private readonly callbacks: readonly Callback[];
  private epoch = 0;
  private step = 0;
  private samples = 0;
  private lossSum = 0;
  private stopped: string | undefined;
  private lastSaved: string | undefined;

  constructor(
    readonly model: Module,
    private readonly loader: DataLoader,
    private readonly options: FitOptions,
    private readonly report: Report,
  ) {
    this.lossOf = lossFunction(options.loss);
    this.metrics = options.metrics ?? (options.loss === undefined ? [accuracy()] : []);
    this.callbacks = options.callbacks ?? [];
  }

  async run(): Promise<FitResult> {
    const { epochs, checkpoint, resume, signal } = this.options;
    signal?.throwIfAborted();
    if (this.loader.length === 0)
      throw new DataError('fit: expected at least one batch of training data, but got none');
    if (checkpoint) checkWritable(checkpoint.file);
    if (resume !== undefined) this.resume(resume);
    for (const callback of this.callbacks) await callback.begin?.(this);
    this.report.begin({ epochs, steps: this.loader.length, samples: this.loader.dataset.length });
    this.model.train();
    try {
      while (this.epoch < epochs && this.stopped === undefined) await this.trainEpoch();
    } finally {
      this.report.end();
    }
    return { history: this.history, stopped: this.stopped };
  }

  stop(reason: string): void {
    this.stopped = reason;
  }

  private async trainEpoch(): Promise<void> {
    const { optimizer, schedule, checkpoint, signal } = this.options;
    const begun = performance.now();
    const before = this.samples;
    if (this.step === 0) {
      this.loader.setEpoch(this.epoch);
      for (const metric of this.metrics) metric.reset();
    }
    if (this.loader.epoch === this.epoch) {
      for await (const batch of this.loader) {
        this.trainStep(batch);
        await setImmediate();
        const due = checkpoint?.every !== undefined && this.step % checkpoint.every === 0;
        if (checkpoint && (due || signal?.aborted)) await this.save(checkpoint.file);
        signal?.throwIfAborted();
      }
    }
    const seconds = (performance.now() - begun) / 1000;
    const learningRate = optimizer.paramGroups[0]?.lr ?? 0;
    const values = { loss: this.lossSum / this.samples, ...valuesOf(this.metrics) };
    const row: { loss: number; learningRate: number; readonly [metric: string]: number } = {
      ...values,
      ...(await this.validate()),
      learningRate,
    };
    const perSecond = (this.samples - before) / seconds;
    this.epoch++;
    this.step = 0;
    this.samples = 0;
    this.lossSum = 0;
    const timed: EpochRow = { epoch: this.epoch, ...row, seconds: (performance.now() - begun) / 1000, perSecond };
    this.history.push(timed);
    if (schedule?.every === 'epoch') schedule.step(row.validationLoss ?? row.loss);
    this.report.epoch(timed);
    for (const callback of this.callbacks) await callback.epoch?.(timed, this);
    if (checkpoint) await this.save(checkpoint.file);
  }

  /** One batch: forward, loss, backward, update. */
  private trainStep({ inputs, targets }: Batch): void {
    const { optimizer, schedule, clipNorm } = this.options;
    optimizer.zeroGrad();
    const outputs = this.model.forward(inputs);
    const loss = this.lossOf(outputs, targets);
    const value = loss.item();
    if (!Number.isFinite(value)) this.diverged(`a loss of ${value}`);
    loss.backward();
    if (clipNorm !== undefined) clipGradNorm_(this.model.parameters(), clipNorm);
    optimizer.step();
    if (schedule?.every === 'batch') schedule.step(value);
    const count = inputs.shape[0] ?? 0;
    this.step++;
    this.samples += count;
    this.lossSum += value * count;
    for (const metric of this.metrics) metric.update(outputs, targets);
    this.report.step({
      epoch: this.epoch,
      step: this.step,
      samples: this.samples,
      loss: this.lossSum / this.samples,
      accuracy: this.metrics.find(({ name }) => name === 'accuracy')?.value,
    });
  }

  private async validate(): Promise<Record<string, number>> {
    const { validation, loss, signal, checkpoint } = this.options;
    if (validation === undefined) return {};
    // The metrics begin anew here; should the run end during validation, the file must still hold the epoch's own values.
    const states = this.metrics.map((metric) => metric.state());
    try {
      const measured = await evaluate(this.model, validation, { loss, metrics: this.metrics, signal });
      const { samples: _, ...values } = measured;
      return Object.fromEntries(Object.entries(values).map(([name, value]) => [validationName(name), value]));
    } catch (error) {
      for (const [i, metric] of this.metrics.entries()) metric.setState(states[i] ?? null);
      if (signal?.aborted && checkpoint) await this.save(checkpoint.file);
      throw error;
    }
  }

  async save(file: string): Promise<void> {
    const { optimizer, schedule, checkpoint } = this.options;
    for (const [name, { data }] of this.model.namedParameters()) {
      for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) this.diverged(`${data[i]} in ${name}`);
    }
    const weights = this.model.stateDict();
    const training: TrainingState = {
      epoch: this.epoch,
      step: this.step,
      samples: this.samples,
      lossSum: this.lossSum,
      metrics: Object.fromEntries(this.metrics.map((metric) => [metric.name, metric.state()])),
      loader: this.loader.state(),
      schedule: schedule?.stateDict() ?? null,
      generators: generatorStates(this.model),
      callbacks: Object.fromEntries(this.callbacks.map((callback) => [callback.name, callback.state?.() ?? null])),
      history: this.history.map(({ seconds: _, perSecond: __, ...row }) => row as EpochRow),
      stopped: this.stopped ?? null,
      extra: checkpoint?.extra ?? null,
    };
    await saveCheckpoint(file, { weights, model: checkpoint?.model, optimizer: optimizer.stateDict(), training });
    this.lastSaved = `${file} (${this.step === 0 ? `end of epoch ${this.epoch}` : `epoch ${this.epoch + 1}, step ${this.step}`})`;
  }

  private resume(from: string | Checkpoint): void {
    const source = typeof from === 'string' ? from : 'the checkpoint';
    const { weights, optimizer, training } = typeof from === 'string' ? loadCheckpoint(from) : from;
    const state = decodeTrainingState(training, source);
    if (optimizer === undefined)
      throw new DataError(`resume: expected ${source} to hold an optimizer's state, but got none`);
    this.model.loadStateDict(weights);
    this.options.optimizer.loadStateDict(optimizer);
    const { schedule } = this.options;
    if (schedule && state.schedule) schedule.loadStateDict(state.schedule);
    if ((schedule === undefined) !== (state.schedule === null)) {
      const [own, given] = [schedule?.kind ?? 'no schedule', state.schedule?.kind ?? 'none'];
      throw new DataError(`resume: expected ${source} to hold the state of ${own}, but got that of ${given}`);
    }
    this.loader.setState(state.loader);
    restoreGenerators(this.model, state.generators);
    this.epoch = state.epoch;
    this.step = state.step;
    this.samples = state.samples;
    this.lossSum = state.lossSum;
    this.stopped = state.stopped ?? undefined;
    this.history.push(...state.history);
    for (const metric of this.metrics) {
      const own = state.metrics[metric.name];
      if (own !== undefined) metric.setState(own);
    }
    for (const callback of this.callbacks) {
      const own = state.callbacks[callback.name];
      if (own !== undefined && own !== null) callback.setState?.(own);
    }
    this.lastSaved = source;
  }

  private diverged(what: string): never {
    const saved = this.lastSaved ? `the last good checkpoint is ${this.lastSaved}` : 'no checkpoint was kept';
    const at = `epoch ${this.epoch + 1}, step ${this.step + 1}`;
    throw new FoveaError(
      `fit: expected finite numbers, but got ${what} in ${at}; ${saved}; a lower learning rate may help`,
    );
  }
}

const valuesOf = (metrics: readonly Metric[]): Record<string, number> =>
  Object.fromEntries(metrics.map(({ name, value }) => [name, value]));

const validationName = (name: string) => `validation${name[0]?.toUpperCase()}${name.slice(1)}`;
