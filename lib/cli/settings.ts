// The settings of a training run: from the command line and the task, or from the checkpoint that is resumed.
import { type Command, Option } from 'commander';
import type { Checkpoint } from '../io/index.ts';
import { isRecord } from '../io/json.ts';
import { DataError } from '../tensor/index.ts';
import { UsageError } from './context.ts';
import { integer, number } from './options.ts';
import { architectures, taskOf } from './tasks/index.ts';
import type { OwnOption, Settings, Task, Value } from './tasks/task.ts';

/** Settings by name, as far as the command line says them. */
export type Given = Readonly<Record<string, Value>>;

/** A whole run's settings by name: those of every run, and the task's own. */
type AllSettings = Settings<Readonly<Record<string, Value>>>;

/** Options of every task that decide the outcome, besides --data. */
const common: Readonly<Record<string, OwnOption<Value>>> = {
  epochs: {
    flags: '--epochs <n>',
    description: "times through the data (default: the model's recipe)",
    parse: integer(1),
    default: null,
  },
  batchSize: {
    flags: '--batch-size <n>',
    description: 'samples per step (default: the recipe)',
    parse: integer(1),
    default: null,
  },
  lr: {
    flags: '--lr <rate>',
    description: 'learning rate, the highest of the schedule (default: the recipe)',
    parse: number(0),
    default: null,
  },
  seed: { flags: '--seed <n>', description: 'of weights and order (default: 1)', parse: integer(0), default: 1 },
};

/** The options of a task by name; without a task those of all. */
const optionsOf = (task?: Task): Readonly<Record<string, OwnOption<Value>>> => ({ ...common, ...task?.options });

/** The same for commander, which gives no defaults: what is not said is not there. */
export function commandOptions(task?: Task): Option[] {
  const { help = 'data of the model', default: usual } = task?.data ?? {};
  const data = new Option('--data <where>', usual === undefined ? help : `${help} (default: '${usual}')`);
  const others = Object.values(optionsOf(task)).map(({ flags, description, parse }) => {
    const option = new Option(flags, description);
    return parse === undefined ? option : option.argParser((text: string) => parse(text));
  });
  return [data, ...others];
}

/** What the command line says of the settings that a task (or without one, every task) has. */
export function saidOn(command: Command, task?: Task): Given {
  const said: Record<string, Value> = {};
  for (const name of ['data', ...Object.keys(optionsOf(task))]) {
    const value: unknown = command.getOptionValue(name);
    if (command.getOptionValueSource(name) === 'cli' && isValue(value)) said[name] = value;
  }
  return said;
}

/** A run: its task, and its settings by name. */
export interface Run {
  readonly task: Task;
  readonly settings: AllSettings;
}

/** A new run. Throws UsageError without a model, for an unknown one, or without data where the task has none of its own. */
export function begun(model: string | undefined, given: Given): Run {
  const known = architectures.join(', ');
  if (model === undefined) throw new UsageError(`train: expected a model, one of ${known}, or --resume`);
  const task = taskOf(model);
  if (task === undefined) throw new UsageError(`train: expected one of ${known}, but got '${model}'`);
  const defaults = Object.entries(optionsOf(task)).map(([name, option]) => [name, option.default] as const);
  const { data = task.data.default, ...values } = { ...Object.fromEntries(defaults), ...given };
  if (typeof data !== 'string') throw new UsageError(`train: expected --data, ${task.data.help}, but got none`);
  return { task, settings: asSettings({ ...values, model, data }) };
}

/** The run a checkpoint was made by. What the command line repeats must agree, or it would be another run. */
export function resumed({ training }: Checkpoint, file: string, model: string | undefined, given: Given): Run {
  const saved = isRecord(training) && isRecord(training.extra) ? training.extra : {};
  const task = typeof saved.model === 'string' ? taskOf(saved.model) : undefined;
  const settings = task && decode(saved, task);
  if (task === undefined || settings === undefined) {
    throw new DataError(`${file}: expected a checkpoint of 'fovea train', but got a file without its settings`);
  }
  for (const [name, value] of Object.entries(model === undefined ? given : { model, ...given })) {
    const own = settings[name];
    if (name === 'data' || value === own) continue; // the same data may lie elsewhere now
    const flag = optionsOf(task)[name]?.flags.split(' ')[0] ?? name;
    const [expected, got] =
      typeof value === 'boolean' ? otherSwitch(flag, own) : [`${flag} to be ${own ?? 'absent'}`, value];
    throw new UsageError(`train: expected ${expected}, because the run in ${file} has it so, but got ${got}`);
  }
  const { data } = given;
  return { task, settings: typeof data === 'string' ? { ...settings, data } : settings };
}

const otherSwitch = (flag: string, own: Value | undefined): [string, string] =>
  flag.startsWith('--no-') === (own === true) ? [`no ${flag}`, 'one'] : [flag, 'none'];

/** Reads settings back; undefined where one is missing or is nothing that the command line could have said. */
function decode(saved: Record<string, unknown>, task: Task): AllSettings | undefined {
  const values: Record<string, Value> = {};
  for (const [name, option] of Object.entries(optionsOf(task))) {
    const value = saved[name];
    if (!isValue(value) || !couldBeSaid(value, option)) return undefined;
    values[name] = value;
  }
  const { model, data } = saved;
  return typeof model === 'string' && typeof data === 'string' ? asSettings({ ...values, model, data }) : undefined;
}

const isValue = (value: unknown): value is Value =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function couldBeSaid(value: Value, { parse, default: usual }: OwnOption<Value>): boolean {
  if (value === usual) return true;
  if (parse === undefined) return typeof value === (usual === null ? 'string' : typeof usual);
  try {
    return parse(String(value)) === value;
  } catch {
    return false;
  }
}

/** The common settings in their own types; their options made sure of them. */
function asSettings(values: Readonly<Record<string, Value>> & { model: string; data: string }): AllSettings {
  const numberOr = <N extends null | number>(value: Value | undefined, otherwise: N) =>
    typeof value === 'number' ? value : otherwise;
  return {
    ...values,
    epochs: numberOr(values.epochs, null),
    batchSize: numberOr(values.batchSize, null),
    lr: numberOr(values.lr, null),
    seed: numberOr(values.seed, 1),
  };
}
