// A task is what a kind of model is to the command line: its names, its options and data, how it is trained and measured.
import type { Batches } from '../../data/index.ts';
import type { ModelInfo } from '../../io/index.ts';
import type { Module } from '../../nn/index.ts';
import type { OptimizerSpec, ScheduleSpec } from '../../optim/index.ts';
import type { Carried, Measured, Metric } from '../../training/index.ts';
import type { Context } from '../context.ts';
import type { ModelFile } from '../model-file.ts';

/** What an option may hold; a checkpoint keeps it as JSON. */
export type Value = string | number | boolean | null;

/** An option of `fovea train` that only this task has. */
export interface OwnOption<V extends Value> {
  /** As commander writes them: `--limit <n>`, `--no-augment`. Their name in camelCase is the option's key. */
  readonly flags: string;
  readonly description: string;
  /** Throws InvalidArgumentError for what makes no sense. */
  readonly parse?: (text: string) => V;
  readonly default: V;
}

/** All that decides the outcome of a training run; kept in the checkpoint, so that a resumed run is the same run. */
export type Settings<Own = object> = Own & {
  /** The architecture. */
  readonly model: string;
  readonly data: string;
  /** null: as the task's recipe says. */
  readonly epochs: number | null;
  readonly batchSize: number | null;
  readonly lr: number | null;
  readonly seed: number;
};

/** How a model is trained, with what the command line says of it already put in. */
export interface TaskRecipe {
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  readonly epochs: number;
  /** Largest length of the gradient. */
  readonly clipNorm?: number | undefined;
}

/** A training run, ready to begin. */
export interface Plan<B = unknown, O = unknown, T = unknown> {
  readonly model: Module;
  /** What the model's file says of it. */
  readonly info: ModelInfo;
  /** For people: what the data is and how much of it, a line each. */
  readonly description: readonly string[];
  /** What people should know besides, a line each. */
  readonly notes: readonly string[];
  readonly loader: Batches<B>;
  /** Measured after each epoch. */
  readonly validation?: Batches<B> | undefined;
  readonly recipe: TaskRecipe;
  objective(batch: B, carried?: Carried): Measured<O, T>;
  readonly metrics: readonly Metric<O, T>[];
  /** What the objective counts. */
  readonly unit: string;
  /** Measures the trained model on the test data, in a line. */
  test(signal: AbortSignal): Promise<string>;
}

/** What `fovea evaluate` says. */
export interface EvaluateRequest extends ModelFile {
  /** Undefined: the task's own. */
  readonly data: string | undefined;
  readonly split: 'train' | 'test';
  readonly json: boolean;
}

/** A model with something to read: how `fovea summary` finds its shapes. */
export interface Sample {
  readonly model: Module;
  /** For people: what it reads, such as `a sentence of 5 words`. */
  readonly what: string;
  /** Lets the model read it. */
  run(): unknown;
}

/** `Opened` is a saved model as the task works with it, with its vocabularies for one. */
export interface Task<Own extends Readonly<Record<string, Value>> = Readonly<Record<string, Value>>, Opened = unknown> {
  /** The models it trains: names for `fovea train`, and in model files, each with a line of help. */
  readonly architectures: Readonly<Record<string, string>>;
  /** What --data may be. */
  readonly data: { readonly help: string; readonly default?: string };
  readonly options: { readonly [name in keyof Own]: OwnOption<Own[name]> };
  /** Lines for the end of the help. */
  readonly examples: readonly string[];
  prepare(settings: Settings<Own>): Promise<Plan>;
  /** Throws DataError, which names the file, for one that is damaged. */
  open(read: ModelFile): Opened;
  sample(opened: Opened): Sample;
  /** That of a new model of this architecture. Undefined where its size follows from the data it is to learn. */
  sampleOfNew?(architecture: string): Sample;
  /** Measures a saved model, and prints it, as JSON where asked for. */
  evaluate(opened: Opened, request: EvaluateRequest, context: Context): Promise<void>;
}
