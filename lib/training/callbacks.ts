// What may happen after each epoch of a training run: stopping early, keeping the best weights, writing a log.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { checkWritable, reasonOf, writeAtomic } from '../io/atomic.ts';
import type { Json } from '../io/json.ts';
import type { Module } from '../nn/index.ts';
import { DataError, FoveaError } from '../tensor/index.ts';
import type { EpochRow } from './history.ts';

/** The run as its callbacks see it. */
export interface Run {
  readonly model: Module;
  /** Rows of the epochs done, the newest last. */
  readonly history: readonly EpochRow[];
  /** Ends the run after this epoch. */
  stop(reason: string): void;
  /** Writes a checkpoint of this moment. */
  save(file: string): Promise<void>;
}

/** Something that watches a run. `state` and `setState` are kept in checkpoints under `name`. */
export interface Callback {
  readonly name: string;
  /** Before the first epoch, and before the next one of a resumed run (`history` then has the earlier ones). */
  begin?(run: Run): void | Promise<void>;
  /** After each epoch and its validation. */
  epoch?(row: EpochRow, run: Run): void | Promise<void>;
  state?(): Json;
  setState?(state: Json): void;
}

export interface Monitor {
  /** A name in the epoch's row. Default: `validationLoss` where there is validation, else `loss`. */
  readonly monitor?: string;
  /** Default: 'min' for a name that ends in loss, else 'max'. */
  readonly mode?: 'min' | 'max';
  /** What is no better than this much does not count. */
  readonly minDelta?: number;
}

/** Remembers the best value of one number of the rows. */
class Best {
  value: number | undefined;
  private readonly owner: string;
  private readonly options: Monitor;

  constructor(owner: string, options: Monitor) {
    this.owner = owner;
    this.options = options;
  }

  /** Whether this row is better than all before it. NaN never is. */
  improves(row: EpochRow): boolean {
    const { monitor = 'validationLoss' in row ? 'validationLoss' : 'loss', minDelta = 0 } = this.options;
    const { mode = /loss$/i.test(monitor) ? 'min' : 'max' } = this.options;
    const value = row[monitor];
    if (value === undefined) {
      throw new FoveaError(
        `${this.owner}: expected monitor to be one of ${Object.keys(row).join(', ')}, but got ${monitor}`,
      );
    }
    const gain = mode === 'min' ? (this.value ?? Infinity) - value : value - (this.value ?? -Infinity);
    if (!(gain > minDelta)) return false;
    this.value = value;
    return true;
  }
}

/** Stops when the monitored number has not improved for more than `patience` epochs in a row. */
export function earlyStopping({ patience = 3, ...monitor }: Monitor & { readonly patience?: number } = {}): Callback {
  const best = new Best('earlyStopping', monitor);
  let waited = 0;
  return {
    name: 'earlyStopping',
    epoch(row, run) {
      waited = best.improves(row) ? 0 : waited + 1;
      if (waited > patience) run.stop(`no improvement for ${waited} epochs`);
    },
    state: () => [best.value ?? null, waited],
    setState(state) {
      const [value, count] = Array.isArray(state) ? state : [];
      best.value = typeof value === 'number' ? value : undefined;
      waited = Number(count ?? 0);
    },
  };
}

/** Keeps a checkpoint of the best epoch in `file`. */
export function bestCheckpoint(file: string, monitor: Monitor = {}): Callback {
  const best = new Best('bestCheckpoint', monitor);
  return {
    name: `bestCheckpoint ${monitor.monitor ?? ''}`.trim(),
    begin: () => checkWritable(file),
    epoch: (row, run) => (best.improves(row) ? run.save(file) : undefined),
    state: () => best.value ?? null,
    setState(state) {
      best.value = typeof state === 'number' ? state : undefined;
    },
  };
}

/** Writes each epoch's numbers as a line of comma-separated values under a line of names. */
export function csvLog(file: string): Callback {
  let names: string[] = [];
  return log(file, {
    epochOf: (line) => (line.startsWith('epoch,') ? 0 : Number.parseInt(line, 10)),
    format(row, first) {
      if (names.length === 0) names = first ? Object.keys(row) : headerOf(file, row);
      const line = names.map((name) => row[name] ?? '').join(',');
      return first ? `${names.join(',')}\n${line}\n` : `${line}\n`;
    },
  });
}

const headerOf = (file: string, row: EpochRow) =>
  readFileSync(file, 'utf8').split('\n')[0]?.split(',') ?? Object.keys(row);

/** Writes each epoch's numbers as a line of JSON. */
export function jsonLinesLog(file: string): Callback {
  return log(file, {
    epochOf(line) {
      try {
        return Number(JSON.parse(line).epoch);
      } catch {
        return Number.NaN;
      }
    },
    format: (row) => `${JSON.stringify(row)}\n`,
  });
}

interface LogFormat {
  /** The epoch a line is of, 0 for a heading, NaN for what is no line of this log. */
  epochOf(line: string): number;
  format(row: EpochRow, first: boolean): string;
}

/** A log that a resumed run continues: lines of epochs that will be done again are taken away first. */
function log(file: string, { epochOf, format }: LogFormat): Callback {
  let empty = true;
  return {
    name: 'log',
    async begin({ history }) {
      checkWritable(file);
      empty = true;
      if (history.length === 0 || !existsSync(file)) return writeFileSync(file, '');
      const lines = readFileSync(file, 'utf8').split('\n');
      const kept = lines.filter((line) => line !== '' && epochOf(line) <= history.length);
      empty = kept.length === 0;
      await writeAtomic(file, kept.map((line) => `${line}\n`).join(''));
    },
    epoch(row) {
      try {
        appendFileSync(file, format(row, empty));
      } catch (error) {
        throw new DataError(`log: expected to append to ${file}, but got: ${reasonOf(error)}`, { cause: error });
      }
      empty = false;
    },
  };
}
