// The settings of a training run: from the command line and the model's recipe, or from the checkpoint that is resumed.
import type { Checkpoint } from '../io/index.ts';
import { isRecord } from '../io/json.ts';
import { models } from '../models/index.ts';
import { DataError } from '../tensor/index.ts';
import { UsageError } from './context.ts';

/** All that decides the outcome; kept in the checkpoint, so that a resumed run is the same run. */
export type Settings = {
  readonly model: string;
  readonly data: string;
  /** null: as the recipe says. */
  readonly epochs: number | null;
  readonly batchSize: number | null;
  readonly lr: number | null;
  readonly seed: number;
  /** Use only so many of the training pictures; null: all. */
  readonly limit: number | null;
  /** Share of the training pictures held out to measure after each epoch. */
  readonly validation: number;
  readonly augment: boolean;
};

const defaults = {
  data: 'builtin',
  epochs: null,
  batchSize: null,
  lr: null,
  seed: 1,
  limit: null,
  validation: 0,
  augment: true,
} as const satisfies Omit<Settings, 'model'>;

/** What the command line says; undefined where it says nothing. */
export type Given = { readonly [name in keyof Settings]?: Settings[name] | undefined };

/** Settings of a new run. Throws UsageError without a model, or for an unknown one. */
export function newSettings(given: Given): Settings {
  const known = Object.keys(models).join(', ');
  const { model, ...rest } = withoutUndefined(given);
  if (model === undefined) throw new UsageError(`train: expected a model, one of ${known}, or --resume`);
  if (!Object.hasOwn(models, model)) throw new UsageError(`train: expected one of ${known}, but got '${model}'`);
  return { ...defaults, ...rest, model };
}

/** Settings of the run a checkpoint was made by. What the command line repeats must agree, or it would be another run. */
export function resumedSettings({ training }: Checkpoint, file: string, given: Given): Settings {
  const settings = isRecord(training) && isRecord(training.extra) ? decode(training.extra) : undefined;
  if (settings === undefined) {
    throw new DataError(`${file}: expected a checkpoint of 'fovea train', but got a file without its settings`);
  }
  for (const [name, value] of Object.entries(withoutUndefined(given))) {
    const own = settings[name as keyof Settings];
    if (name === 'data' || value === own) continue; // the same data may lie elsewhere now
    const option = name === 'model' ? 'model' : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const [expected, got] =
      name === 'augment' ? ['no --no-augment', 'one'] : [`${option} to be ${own ?? 'absent'}`, value];
    throw new UsageError(`train: expected ${expected}, because the run in ${file} has it so, but got ${got}`);
  }
  return { ...settings, data: given.data ?? settings.data };
}

function decode(saved: Record<string, unknown>): Settings | undefined {
  const { model, data, epochs, batchSize, lr, seed, limit, validation, augment } = saved;
  const optional = (value: unknown): value is number | null => value === null || typeof value === 'number';
  const right =
    typeof model === 'string' &&
    typeof data === 'string' &&
    optional(epochs) &&
    optional(batchSize) &&
    optional(lr) &&
    typeof seed === 'number' &&
    optional(limit) &&
    typeof validation === 'number' &&
    typeof augment === 'boolean';
  return right ? { model, data, epochs, batchSize, lr, seed, limit, validation, augment } : undefined;
}

function withoutUndefined(given: Given): Partial<Settings> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
