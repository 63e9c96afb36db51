// A saved forecaster with its series, and how far off its forecasts are.
import { readSeries, rmse, type Series, type WindowRange, Windows } from '../../data/index.ts';
import { isRecord } from '../../io/json.ts';
import { Forecaster, type ForecasterOptions, type Scale } from '../../models/index.ts';
import { concat, DataError, type Tensor } from '../../tensor/index.ts';
import { predict } from '../../training/index.ts';
import { checkArchitecture, type ModelFile, restore } from '../model-file.ts';

/** What is kept from training. */
export interface HeldBack {
  /** Share of the series, its end. */
  readonly test: number;
  /** Share of the rest, its end, on which settings are chosen; 0 for none. */
  readonly validation: number;
}

/** What a model file says of a forecaster. */
export interface ForecasterFileOptions extends HeldBack, Required<Omit<ForecasterOptions, 'generator'>> {
  /** Of the file. */
  readonly column: string;
}

/** The part that is measured: of `validation` where there is one, so that the test part stays unseen. Up to `from` is trained on. */
export function measuredPart(length: number, { test, validation }: HeldBack) {
  const before = (end: number, share: number) => Math.floor(end * (1 - share) + 1e-9);
  const known = before(length, test);
  return validation === 0
    ? { name: 'test', from: known, to: length }
    : { name: 'validation', from: before(known, validation), to: known };
}

export interface OpenForecaster {
  readonly file: string;
  readonly model: Forecaster;
  readonly options: ForecasterFileOptions;
  /** The file it was trained on, where that is known. */
  readonly trainedOn: string | undefined;
}

/** The forecaster in a file. Throws DataError for another model, or a damaged one. */
export function openForecaster(read: ModelFile): OpenForecaster {
  checkArchitecture(read, 'forecaster', 'a forecaster');
  const { file, info } = read;
  const options = optionsOf(info.options);
  if (options === undefined) {
    throw new DataError(`${file}: expected a forecaster's options, but got ${JSON.stringify(info.options)}`);
  }
  const { model } = restore(read, () => ({ model: new Forecaster(options) }));
  const { training } = read.checkpoint;
  const trainedOn = isRecord(training) && isRecord(training.extra) ? training.extra.data : undefined;
  return { file, model, options, trainedOn: typeof trainedOn === 'string' ? trainedOn : undefined };
}

/** The series that a forecaster is for: that of `data`, else the one it was trained on. Throws DataError without either. */
export function seriesOf({ file, trainedOn, options }: OpenForecaster, data: string | undefined): Series {
  const where = data ?? trainedOn;
  if (where === undefined) throw new DataError(`${file}: expected --data, because the file does not name any`);
  return readFor(options.scale, where, options.column);
}

/** A series that fits the scale. */
export function readFor(scale: Scale, file: string, column: string | undefined): Series {
  const series = readSeries(file, column);
  const at = scale === 'log' ? series.values.findIndex((value) => value <= 0) : -1;
  if (at === -1) return series;
  const because = 'the scale is logarithmic';
  throw new DataError(
    `${file}: expected values above 0, because ${because}, but got ${series.values[at]} at ${series.labels[at]}`,
  );
}

function optionsOf(options: object): ForecasterFileOptions | undefined {
  const { window, hidden, cell, season, scale, deviation, column, test, validation }: Partial<Record<string, unknown>> =
    {
      ...options,
    };
  const size = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 1e6;
  const share = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1;
  const right =
    size(window) &&
    size(hidden) &&
    (cell === 'lstm' || cell === 'gru') &&
    size(season) &&
    (scale === 'linear' || scale === 'log') &&
    typeof deviation === 'number' &&
    deviation > 0 &&
    typeof column === 'string' &&
    share(test) &&
    share(validation);
  return right ? { window, hidden, cell, season, scale, deviation, column, test, validation } : undefined;
}

/** Root mean squared errors: of forecasts, and of saying again the last value, or that of a season before. */
export interface Errors {
  readonly error: number;
  readonly persistence: number;
  /** Undefined where a season is a step. */
  readonly seasonal: number | undefined;
}

/** Forecasts of each value of a range, one step ahead, and their errors. */
export async function oneStep(model: Forecaster, values: Float64Array, range: WindowRange, signal?: AbortSignal) {
  const first = Math.max(range.from ?? 0, model.window);
  const forecasts = await forecastsAhead(model, values, range, 1, signal);
  return { first, forecasts, ...errorsOf(model, values, forecasts, first, 1) };
}

/** Errors of the forecast of the `steps`-th value ahead, from every value of the range on; undefined if it is too short. */
export async function stepsAhead(
  model: Forecaster,
  values: Float64Array,
  range: WindowRange,
  steps: number,
  signal?: AbortSignal,
): Promise<Errors | undefined> {
  const { from = 0, to = values.length } = range;
  const first = Math.max(from, model.window);
  if (to - first < steps) return undefined;
  const forecasts = await forecastsAhead(model, values, range, steps, signal);
  return errorsOf(model, values, forecasts, first + steps - 1, steps);
}

/** The last of `steps` values forecast from each window of the range. */
async function forecastsAhead(
  model: Forecaster,
  values: Float64Array,
  range: WindowRange,
  steps: number,
  signal: AbortSignal | undefined,
): Promise<Tensor['floats']> {
  const windows = new Windows(values, model.window, { ...range, ahead: steps });
  const parts = await predict(model, windows, {
    objective: ({ inputs }) => ({ outputs: model.rollOut(inputs, steps).slice(1, steps - 1) }),
    signal,
  });
  return concat(parts).floats;
}

/** Of forecasts of the values from number `first` on, made `steps` before each. */
function errorsOf(
  { season }: Forecaster,
  values: Float64Array,
  forecasts: Tensor['floats'],
  first: number,
  steps: number,
): Errors {
  const truth = values.subarray(first, first + forecasts.length);
  const earlier = (by: number) => rmse(values.subarray(first - by, first - by + truth.length), truth);
  // What lies a season before may not be known yet: then it is that of two seasons before, and so on.
  const known = Math.ceil(steps / season) * season;
  return {
    error: rmse(forecasts, truth),
    persistence: earlier(steps),
    seasonal: season > 1 ? earlier(known) : undefined,
  };
}

/** `RMSE 19.62, of the last value again 48.04, of that a season before 41.85` */
export const errorLine = ({ error, persistence, seasonal }: Errors): string =>
  [
    `RMSE ${error.toPrecision(4)}`,
    `of the last value again ${persistence.toPrecision(4)}`,
    ...(seasonal === undefined ? [] : [`of that a season before ${seasonal.toPrecision(4)}`]),
  ].join(', ');
