// A saved forecaster with its series, and how far off its forecasts are.
import { type Batch, readSeries, rmse, type Series, type WindowRange, Windows } from '../../data/index.ts';
import { isRecord } from '../../io/json.ts';
import { Forecaster, type ForecasterOptions } from '../../models/index.ts';
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
  return readSeries(where, options.column);
}

function optionsOf(options: object): ForecasterFileOptions | undefined {
  const given: Partial<Record<string, unknown>> = { ...options };
  const { window, hidden, cell, season, deviation, column, test, validation } = given;
  const size = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 1e6;
  const share = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1;
  const right =
    size(window) &&
    size(hidden) &&
    (cell === 'lstm' || cell === 'gru') &&
    size(season) &&
    typeof deviation === 'number' &&
    deviation > 0 &&
    typeof column === 'string' &&
    share(test) &&
    test > 0 &&
    share(validation);
  return right ? { window, hidden, cell, season, deviation, column, test, validation } : undefined;
}

/** Root mean squared errors: of forecasts, and of saying the last value again. */
export interface Errors {
  readonly error: number;
  readonly persistence: number;
  /** Where there are seasons: of saying the value of a season before again, and of what the model begins with. */
  readonly seasonal?: number;
  readonly untrained?: number;
}

/** Forecasts of the values from number `first` on, and how far off they are. */
export interface Forecasts extends Errors {
  readonly first: number;
  readonly forecasts: Tensor['floats'];
}

/** The last of `steps` values forecast from each window of a range. Throws FoveaError where the range has no such. */
export async function forecastsAhead(
  model: Forecaster,
  values: Float64Array,
  range: WindowRange,
  steps: number,
  signal?: AbortSignal,
): Promise<Forecasts> {
  const { window, season } = model;
  const windows = new Windows(values, window, { ...range, ahead: steps });
  const by = async (forecaster: Forecaster) => {
    const objective = ({ inputs }: Batch) => ({ outputs: forecaster.rollOut(inputs, steps).slice(1, steps - 1) });
    return concat(await predict(forecaster, windows, { objective, signal })).floats;
  };
  const forecasts = await by(model);
  const first = Math.max(range.from ?? 0, window) + steps - 1;
  const truth = values.subarray(first, first + windows.length);
  const earlier = (count: number) => rmse(values.subarray(first - count, first - count + truth.length), truth);
  const errors = { error: rmse(forecasts, truth), persistence: earlier(steps) };
  if (season === 1) return { first, forecasts, ...errors };
  // What lies a season before may not be known yet: then it is that of two seasons before, and so on.
  const seasonal = earlier(Math.ceil(steps / season) * season);
  const untrained = rmse(await by(new Forecaster({ window, season, hidden: 1 })), truth);
  return { first, forecasts, ...errors, seasonal, untrained };
}

/** `RMSE 14.2, of the last value again 48.04` and, with seasons, `, of that a season before 41.85, untrained 15.36` */
export const errorLine = ({ error, persistence, seasonal, untrained }: Errors): string =>
  [
    `RMSE ${error.toPrecision(4)}`,
    `of the last value again ${persistence.toPrecision(4)}`,
    ...(seasonal === undefined ? [] : [`of that a season before ${seasonal.toPrecision(4)}`]),
    ...(untrained === undefined ? [] : [`untrained ${untrained.toPrecision(4)}`]),
  ].join(', ');
