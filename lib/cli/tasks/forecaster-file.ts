// A saved forecaster with its series, and how far off its forecasts are.
import { readSeries, rmse, type Series, type WindowRange, Windows } from '../../data/index.ts';
import type { ModelInfo } from '../../io/index.ts';
import { isRecord } from '../../io/json.ts';
import { Forecaster } from '../../models/index.ts';
import { DataError, noGrad } from '../../tensor/index.ts';
import { predict } from '../../training/index.ts';
import { checkArchitecture, type ModelFile, restore } from '../model-file.ts';

/** What a model file says of a forecaster. */
export interface ForecasterFileOptions {
  readonly window: number;
  readonly hidden: number;
  readonly cell: 'lstm' | 'gru';
  readonly deviation: number;
  /** Of the file. */
  readonly column: string;
  /** Share of the series that was held back. */
  readonly test: number;
}

/** Values before the part that is held back. */
export const cutOf = (values: ArrayLike<number>, test: number) => Math.floor(values.length * (1 - test) + 1e-9);

export interface OpenForecaster {
  readonly model: Forecaster;
  readonly series: Series;
  /** Where the part that was held back begins. */
  readonly cut: number;
}

/** A saved forecaster with its series: that of `data`, else the one it was trained on. Throws DataError for another model. */
export function openForecaster(read: ModelFile, data: string | undefined): OpenForecaster {
  checkArchitecture(read, 'forecaster', 'a forecaster');
  const { file, info } = read;
  const options = optionsOf(info);
  if (options === undefined) {
    throw new DataError(`${file}: expected a forecaster's options, but got ${JSON.stringify(info.options)}`);
  }
  const { model } = restore(read, () => ({ model: new Forecaster(options) }));
  const { training } = read.checkpoint;
  const trainedOn = isRecord(training) && isRecord(training.extra) ? training.extra.data : undefined;
  const where = data ?? trainedOn;
  if (typeof where !== 'string') throw new DataError(`${file}: expected --data, because the file does not name any`);
  const series = readSeries(where, options.column);
  return { model, series, cut: cutOf(series.values, options.test) };
}

function optionsOf({ options }: ModelInfo): ForecasterFileOptions | undefined {
  const { window, hidden, cell, deviation, column, test }: Partial<Record<string, unknown>> = { ...options };
  const size = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < 1e6;
  const right =
    size(window) &&
    size(hidden) &&
    (cell === 'lstm' || cell === 'gru') &&
    typeof deviation === 'number' &&
    deviation > 0 &&
    typeof column === 'string' &&
    typeof test === 'number' &&
    test > 0 &&
    test < 1;
  return right ? { window, hidden, cell, deviation, column, test } : undefined;
}

/** Errors of forecasts one step ahead, and of saying the last value again. */
export async function oneStep(model: Forecaster, values: Float64Array, range: WindowRange, signal?: AbortSignal) {
  const windows = new Windows(values, model.window, range);
  const first = Math.max(range.from ?? 0, model.window);
  const truth = values.subarray(first, first + windows.length);
  const before = values.subarray(first - 1, first - 1 + windows.length);
  const forecasts = (await predict(model, windows, signal ? { signal } : {})).floats;
  return { first, forecasts, truth, error: rmse(forecasts, truth), persistence: rmse(before, truth) };
}

/** Errors of the forecast of the `steps`-th value ahead, from every value of the range on; undefined if it is too short. */
export function stepsAhead(
  model: Forecaster,
  values: Float64Array,
  { from = 0, to = values.length }: WindowRange,
  steps: number,
) {
  const first = Math.max(from, model.window);
  const origins = to - first - steps + 1;
  if (origins < 1) return undefined;
  const windows = new Windows(values, model.window, { from: first, to, ahead: steps });
  const { inputs } = windows.batch(Array.from({ length: origins }, (_, i) => i));
  const forecasts = noGrad(() => model.rollOut(inputs, steps).slice(1, steps - 1)).data;
  const truth = values.subarray(first + steps - 1, to);
  return { error: rmse(forecasts, truth), persistence: rmse(values.subarray(first - 1, to - steps), truth) };
}
