// All that a training run must remember to go on as if it had never stopped, as plain JSON beside the tensors.
import { isRecord, type Json } from '../io/json.ts';
import type { Module } from '../nn/index.ts';
import type { ScheduleState } from '../optim/index.ts';
import { DataError, defaultGenerator, Generator } from '../tensor/index.ts';
import type { EpochRow } from './history.ts';

/** The part of a checkpoint that `fit` writes and reads. */
export interface TrainingState {
  /** Epochs done. */
  readonly epoch: number;
  /** Batches of the current epoch done. */
  readonly step: number;
  /** Samples of the current epoch done, and the sum of their losses. */
  readonly samples: number;
  readonly lossSum: number;
  /** Metrics over the current epoch so far, by name. */
  readonly metrics: Readonly<Record<string, Json>>;
  readonly loader: unknown;
  readonly schedule: ScheduleState | null;
  readonly generators: Readonly<Record<string, Json>>;
  readonly callbacks: Readonly<Record<string, Json>>;
  /** Without times, so that equal runs leave equal files. */
  readonly history: readonly EpochRow[];
  /** Why the run ended before its last epoch. */
  readonly stopped: string | null;
  /** Whatever the caller wants to find again, such as how it made model and data. */
  readonly extra: unknown;
}

/** Reads the training part of a checkpoint. Throws DataError, naming `source`, if there is none or it is damaged. */
export function decodeTrainingState(value: unknown, source: string): TrainingState {
  const refuse = (got: string): never => {
    throw new DataError(`resume: expected ${source} to hold the state of a training run, but got ${got}`);
  };
  if (!isRecord(value)) return refuse('none');
  const { history, stopped } = value;
  const count = (name: string) => {
    const number = value[name];
    return typeof number === 'number' && number >= 0 ? number : refuse(`${name} ${JSON.stringify(number)}`);
  };
  const record = (name: string) => {
    const found = value[name];
    return isRecord(found) ? (found as Record<string, Json>) : refuse(`${name} ${JSON.stringify(found)}`);
  };
  if (!Array.isArray(history) || !history.every(isRow)) return refuse('a damaged history');
  return {
    epoch: count('epoch'),
    step: count('step'),
    samples: count('samples'),
    lossSum: Number(value.lossSum),
    metrics: record('metrics'),
    loader: value.loader,
    schedule: value.schedule === null ? null : decodeScheduleState(value.schedule, source),
    generators: record('generators'),
    callbacks: record('callbacks'),
    history,
    stopped: typeof stopped === 'string' ? stopped : null,
    extra: value.extra,
  };
}

function decodeScheduleState(value: unknown, source: string): ScheduleState {
  const { kind, steps, values, after } = isRecord(value) ? value : {};
  if (typeof kind === 'string' && typeof steps === 'number' && isNumbers(values)) {
    return { kind, steps, values, ...(after !== undefined && { after: decodeScheduleState(after, source) }) };
  }
  throw new DataError(`resume: expected ${source} to hold the state of a schedule, but got ${JSON.stringify(value)}`);
}

const isNumbers = (value: unknown): value is Record<string, number | null> =>
  isRecord(value) && Object.values(value).every((item) => item === null || typeof item === 'number');

const isRow = (row: unknown): row is EpochRow =>
  isRecord(row) && Object.values(row).every((item) => typeof item === 'number') && 'epoch' in row && 'loss' in row;

/** The default generator (under '') and those of modules such as Dropout, each once, under its first module's name. */
function generatorsOf(model: Module): Map<string, Generator> {
  const names = new Map<Generator, string>([[defaultGenerator(), '']]);
  for (const [name, module] of model.namedModules()) {
    const own: unknown = Reflect.get(module, 'generator');
    if (own instanceof Generator && !names.has(own)) names.set(own, name);
  }
  return new Map([...names].map(([generator, name]) => [name, generator]));
}

export function generatorStates(model: Module): Record<string, Json> {
  return Object.fromEntries([...generatorsOf(model)].map(([name, generator]) => [name, { ...generator.state() }]));
}

export function restoreGenerators(model: Module, states: Readonly<Record<string, Json>>): void {
  for (const [name, generator] of generatorsOf(model)) {
    const state = states[name];
    if (!isRecord(state)) continue;
    const { key, calls } = state;
    if (Array.isArray(key)) generator.setState({ key: [Number(key[0]), Number(key[1])], calls: Number(calls) });
  }
}
