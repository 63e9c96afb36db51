// Series of numbers over time: reading them from a file, and cutting them into windows, each with the value that follows.
import { DataError, describe, fail } from '../tensor/errors.ts';
import { fromArray } from '../tensor/index.ts';
import { type Batch, checkIndices, type Dataset, type Indices } from './dataset.ts';
import { readLines } from './text-file.ts';

export interface Series {
  /** Of the column. */
  readonly name: string;
  /** What the first column says of each value: its month or day. */
  readonly labels: readonly string[];
  readonly values: Float64Array;
}

/**
 * Reads one column of a file of comma-separated values with a line of names (fields may be quoted as in RFC 4180, on one
 * line each; .gz is decompressed). Default: the last column. Empty lines are skipped. Throws DataError, with file and line,
 * for a value that is missing or no finite number, a line with another number of fields, or a column that is not there.
 */
export function readSeries(file: string, column?: string): Series {
  const labels: string[] = [];
  const values: number[] = [];
  let names: readonly string[] | undefined;
  let index = -1;
  let number = 0;
  for (const line of readLines(file)) {
    number++;
    if (line.trim() === '') continue;
    const refuse = (expected: string, got: string): never => {
      throw new DataError(`${file}:${number}: expected ${expected}, but got ${got}`);
    };
    const fields = fieldsOf(line) ?? refuse('fields with paired quotes', line.slice(0, 60));
    if (names === undefined) {
      names = fields;
      index = column === undefined ? names.length - 1 : names.indexOf(column);
      if (index === -1) refuse(`a column '${column}'`, names.join(', '));
      continue;
    }
    if (fields.length !== names.length) refuse(`${names.length} fields`, `${fields.length}`);
    const text = fields[index]?.trim() ?? '';
    const value = text === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) refuse(`a number in column '${names[index]}'`, `'${text.slice(0, 60)}'`);
    labels.push(fields[0] ?? '');
    values.push(value);
  }
  if (values.length === 0) throw new DataError(`${file}: expected a line of names and then values, but got no values`);
  return { name: names?.[index] ?? '', labels, values: Float64Array.from(values) };
}

/** The fields of a line; undefined where quotes do not pair. */
function fieldsOf(line: string): string[] | undefined {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) return undefined;
    const [, quoted, plain, end] = match;
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '') return fields;
  }
}

/** Which values are forecast: those from number `from` to before `to`. Default: all that have a whole window before them. */
export interface WindowRange {
  readonly from?: number;
  readonly to?: number;
  /** Values forecast from each window (default 1). */
  readonly ahead?: number;
}

/**
 * Windows of `length` values as inputs [batch, length], with the `ahead` values after each as its targets [batch, ahead]. A
 * window may begin before the range: what is known by then may be used. Throws FoveaError for a range without targets.
 */
export class Windows implements Dataset {
  readonly length: number;
  readonly inputShape: readonly number[];
  readonly classes = undefined;
  readonly ahead: number;
  readonly #values: Float64Array;
  readonly #from: number;

  constructor(
    values: Float64Array,
    length: number,
    { from = length, to = values.length, ahead = 1 }: WindowRange = {},
  ) {
    for (const [name, value] of Object.entries({ window: length, ahead })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      fail('Windows', { expected: `${name} of at least 1 value`, got: describe(value) });
    }
    const first = Math.max(from, length);
    const last = Math.min(to, values.length);
    this.length = last - first - ahead + 1;
    if (!(this.length > 0)) {
      const because = `a window of ${length} comes before each${ahead > 1 ? ` ${ahead}` : ''}`;
      fail('Windows', { expected: `at least ${first + ahead} values`, because, got: `${last}` });
    }
    this.inputShape = [length];
    this.ahead = ahead;
    this.#values = values;
    this.#from = first;
  }

  batch(indices: Indices): Batch {
    checkIndices('batch', indices, this.length);
    const [width = 0] = this.inputShape;
    const { ahead } = this;
    const inputs = new Float32Array(indices.length * width);
    const targets = new Float32Array(indices.length * ahead);
    for (let row = 0; row < indices.length; row++) {
      const at = this.#from + (indices[row] ?? 0);
      inputs.set(this.#values.subarray(at - width, at), row * width);
      targets.set(this.#values.subarray(at, at + ahead), row * ahead);
    }
    return {
      inputs: fromArray(inputs, [indices.length, width]),
      targets: fromArray(targets, [indices.length, ahead]),
    };
  }
}

/** Root of the mean squared error of forecasts. Both of one length, at least 1. */
export function rmse(forecasts: ArrayLike<number>, truth: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < truth.length; i++) squares += ((forecasts[i] ?? Number.NaN) - (truth[i] ?? 0)) ** 2;
  return Math.sqrt(squares / truth.length);
}
