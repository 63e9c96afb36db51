// fit: trains any module on any data set, tells how it goes, and can be stopped and resumed at any step.
import { setImmediate } from 'node:timers/promises';
import { type Batch, type Batches, DataLoader } from '../data/index.ts';
import { checkWritable } from '../io/atomic.ts';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../io/checkpoint.ts';
import type { ModelInfo } from '../io/model-info.ts';
import type { Module } from '../nn/index.ts';
import { scaleGradients } from '../optim/clip.ts';
import type { Optimizer, Schedule } from '../optim/index.ts';
import { DataError, FoveaError, manualSeed, type Tensor } from '../tensor/index.ts';
import type { Callback } from './callbacks.ts';
import { DivergenceError, firstBadGradient, firstBadOutput, nonFinite } from './divergence.ts';
import { evaluate, type Meaning, meaningOf, type Source, valuesOf } from './evaluate.ts';
import type { EpochRow } from './history.ts';
import type { Metric } from './metrics.ts';
import { checkCount, detached, type Measured, type Objective } from './objective.ts';
import { usesPrograms } from './recordable.ts';
import { type Report, reportTo, silentReport } from './report.ts';
import { decodeTrainingState, generatorStates, restoreGenerators, type TrainingState } from './state.ts';
import { Steps } from './steps.ts';
import { Updates } from './updates.ts';

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

/** The metrics are measured on training batches as they pass, and on the validation data. */
export interface FitOptions<B = Batch, O = Tensor, T = Tensor> extends Meaning<B, O, T> {
  readonly epochs: number;
  readonly optimizer: Optimizer;
  /** Stepped after each batch or epoch, as it says itself; given the loss, of the validation data where there is some. */
  readonly schedule?: Schedule | undefined;
  readonly validation?: Source<B> | undefined;
  readonly callbacks?: readonly Callback[];
  /** Largest length of the gradient of all parameters together. */
  readonly clipNorm?: number | undefined;
  /** For samples instead of a loader. Default 64. */
  readonly batchSize?: number;
  /** Seeds the default generator (dropout), and the order of samples. */
  readonly seed?: number;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** A checkpoint to go on from, made by a run with the same options: the end is the same, bit for bit. */
  readonly resume?: string | Checkpoint | undefined;
  /** Aborting writes the checkpoint after the current step, then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default: a progress bar on a terminal, else one line per epoch, on standard output. `false`: nothing. */
  readonly report?: Report | boolean;
  /**
   * Whether steps run as programs: recorded once for each form of batch, then replayed without JavaScript. Default: where the
   * objective is the default one and all layers are this library's. `true` says that yours, too, make the same kernel calls
   * for all batches of one form: then whatever else they do in JavaScript happens only when they are recorded.
   */
  readonly programs?: boolean | undefined;
  /** What the objective counts, for people. Default: images. */
  readonly unit?: string | undefined;
}

export interface FitResult {
  readonly history: readonly EpochRow[];
  /** Why a callback ended the run early. */
  readonly stopped: string | undefined;
}

/**
 * Trains `model` in place. Yields to the event loop after every step.
 *
 * Throws DivergenceError at the first step whose loss or gradient is not finite, naming step, layer and the last good
 * checkpoint; that step changes no weight. Throws DataError, before the first step, if a checkpoint cannot be written or
 * resumed.
 */
export async function fit(model: Module, data: Source, options: FitOptions): Promise<FitResult>;
/** The same for batches of any kind, with an objective that says what they mean. */
export async function fit<B, O, T>(
  model: Module,
  data: Source<B>,
  options: FitOptions<B, O, T> & { readonly objective: Objective<B, O, T> },
): Promise<FitResult>;
export async function fit<B, O, T>(model: Module, data: Source<B>, options: FitOptions<B, O, T>): Promise<FitResult> {
  const { epochs, batchSize = 64, seed, report = true } = options;
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw new FoveaError(`fit: expected epochs to be an integer of 0 or more, but got ${epochs}`);
  }
  if (seed !== undefined) manualSeed(seed);
  const loader = 'batch' in data ? new DataLoader(data, { batchSize, shuffle: true, seed: seed ?? 0 }) : data;
  const shown = typeof report === 'object' ? report : report ? reportTo(process.stdout) : silentReport;
  return new Training(model, loader, options, shown).run();
}

class Training<B, O, T> {
  readonly history: EpochRow[] = [];
  private readonly objective: Objective<B, unknown, unknown>;
  private readonly metrics: readonly Metric<unknown, unknown>[];
  private readonly callbacks: readonly Callback[];
  /** Of the model, and what else the optimizer moves. */
  private readonly learnt: readonly Tensor[];
  private readonly updates: Updates;
  private readonly steps: Steps<B, Measured<unknown, unknown>>;
  private epoch = 0;
  private step = 0;
  private samples = 0;
  private lossSum = 0;
  private carried: Record<string, Tensor> | undefined;
  private stopped: string | undefined;
  private lastSaved: string | undefined;

  constructor(
    readonly model: Module,
    private readonly loader: Batches<B>,
    private readonly options: FitOptions<B, O, T>,
    private readonly report: Report,
  ) {
    const { objective, metrics } = meaningOf(model, options);
    this.objective = objective;
    this.metrics = metrics;
    this.callbacks = options.callbacks ?? [];
    this.learnt = [
      ...new Set([...model.parameters(), ...options.optimizer.paramGroups.flatMap(({ params }) => params)]),
    ];
    const programs = usesPrograms(model, options);
    this.steps = new Steps(model, objective, { parameters: this.learnt, programs });
    this.updates = new Updates(options.optimizer, programs);
  }

  async run(): Promise<FitResult> {
    const { epochs, checkpoint, resume, signal, unit = 'images' } = this.options;
    signal?.throwIfAborted();
    if (this.loader.length === 0)
      throw new DataError('fit: expected at least one batch of training data, but got none');
    if (checkpoint) checkWritable(checkpoint.file);
    if (resume !== undefined) this.resume(resume);
    for (const callback of this.callbacks) await callback.begin?.(this);
    this.report.begin({ epochs, steps: this.loader.length, unit });
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
      this.carried = undefined;
      for (const metric of this.metrics) metric.reset();
    }
    if (this.loader.epoch === this.epoch) {
      for await (const batch of this.loader) {
        await this.trainStep(batch);
        await setImmediate();
        const due = checkpoint?.every !== undefined && this.step % checkpoint.every === 0;
        if (checkpoint && (due || signal?.aborted)) await this.save(checkpoint.file);
        signal?.throwIfAborted();
      }
    }
    this.carried = undefined;
    if (this.samples === 0) throw new DataError('fit: expected something to learn from, but every batch counts 0');
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
  private async trainStep(batch: B): Promise<void> {
    const { optimizer, schedule, clipNorm } = this.options;
    const { carried } = this;
    optimizer.zeroGrad();
    const { loss, count, outputs, targets, carry, gradNorm } = await this.steps.measure(batch, carried);
    if (checkCount(count) > 0) {
      const value = loss.item();
      if (!Number.isFinite(value)) {
        this.diverged(
          `a loss of ${value}`,
          firstBadOutput(this.model, () => this.objective(batch, carried)),
        );
      }
      this.checkGradients(gradNorm);
      if (clipNorm !== undefined) scaleGradients(this.learnt, gradNorm, clipNorm);
      await this.updates.step();
      if (schedule?.every === 'batch') schedule.step(value);
      this.samples += count;
      this.lossSum += value * count;
      if (outputs !== undefined) for (const metric of this.metrics) metric.update(outputs, targets);
    }
    this.carried = detached(carry);
    this.step++;
    this.report.step({
      epoch: this.epoch,
      step: this.step,
      samples: this.samples,
      loss: this.lossSum / this.samples,
      accuracy: this.metrics.find(({ name }) => name === 'accuracy')?.value,
    });
  }

  /** The norm of all gradients tells in one number whether each is finite. */
  private checkGradients(norm: number): void {
    if (Number.isFinite(norm)) return;
    const layer = firstBadGradient(this.model);
    // Finite gradients whose squares overflow are no harm, unless clipping has just divided by their length.
    if (layer !== undefined) this.diverged('a gradient that is not', layer);
    if (this.options.clipNorm !== undefined) this.diverged(`gradients of length ${norm}`, 'all gradients together');
  }

  private async validate(): Promise<Record<string, number>> {
    const { validation, signal, checkpoint } = this.options;
    const { objective, metrics } = this;
    if (validation === undefined) return {};
    // The metrics begin anew here; should the run end during validation, the file must still hold the epoch's own values.
    const states = this.metrics.map((metric) => metric.state());
    // The same batches after each epoch, also in a resumed run.
    if ('setEpoch' in validation) validation.setEpoch(0);
    try {
      const measured = await evaluate(this.model, validation, { objective, metrics, signal });
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
    const weights = this.model.stateDict();
    for (const [name, tensor] of [...Object.entries(weights), ...Object.entries(this.carried ?? {})]) {
      const bad = nonFinite(tensor);
      if (bad !== undefined) this.diverged(String(bad), name);
    }
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
    const { carried } = this;
    await saveCheckpoint(file, {
      weights,
      model: checkpoint?.model,
      optimizer: optimizer.stateDict(),
      training,
      carried,
    });
    this.lastSaved = `${file} (${this.step === 0 ? `end of epoch ${this.epoch}` : `epoch ${this.epoch + 1}, step ${this.step}`})`;
  }

  private resume(from: string | Checkpoint): void {
    const source = typeof from === 'string' ? from : 'the checkpoint';
    const { weights, optimizer, training, carried } = typeof from === 'string' ? loadCheckpoint(from) : from;
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
    this.carried = carried;
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

  private diverged(what: string, layer: string): never {
    const [epoch, step] = [this.epoch + 1, this.step + 1];
    const saved = this.lastSaved ? `the last good checkpoint is ${this.lastSaved}` : 'no checkpoint was kept';
    throw new DivergenceError(
      `fit: expected finite numbers, but got ${what} in epoch ${epoch}, step ${step}, first seen in ${layer}; ${saved}; ` +
        'a lower learning rate may help',
      ...([epoch, step, layer, this.lastSaved] as const),
    );
  }
}

const validationName = (name: string) => `validation${name[0]?.toUpperCase()}${name.slice(1)}`;
