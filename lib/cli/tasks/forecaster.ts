// The task of forecasting a series of numbers: the next value from those before it.
import { type Batch, DataLoader, readSeries, Windows } from '../../data/index.ts';
import { Forecaster } from '../../models/index.ts';
import { Generator, ones } from '../../tensor/index.ts';
import type { Objective } from '../../training/index.ts';
import { type Context, interruptible } from '../context.ts';
import { choice, count, integer, number } from '../options.ts';
import {
  type Errors,
  errorLine,
  type ForecasterFileOptions,
  forecastsAhead,
  measuredPart,
  type OpenForecaster,
  openForecaster,
  seriesOf,
} from './forecaster-file.ts';
import type { EvaluateRequest, Plan, Sample, Settings, Task } from './task.ts';
import { recipeWith } from './task-recipe.ts';

type Own = {
  readonly column: string | null;
  readonly window: number;
  readonly hidden: number;
  readonly cell: 'lstm' | 'gru';
  readonly ahead: number;
  readonly season: number;
  readonly test: number;
  readonly validation: number;
};

/** Steps of a training: a short series is gone through more often. */
const STEPS = 800;

export const forecaster: Task<Own, OpenForecaster> = {
  architectures: { forecaster: 'the next values of a series of numbers: a recurrent network and a linear rule' },
  data: { help: 'a file of comma-separated values with a line of names' },
  options: {
    column: {
      flags: '--column <name>',
      description: 'column of the file to forecast (default: the last)',
      parse: (text) => text,
      default: null,
    },
    window: {
      flags: '--window <n>',
      description: 'values that a forecast looks at (default: 24)',
      parse: integer(1),
      default: 24,
    },
    hidden: {
      flags: '--hidden <n>',
      description: 'units of the recurrent layer (default: 32)',
      parse: integer(1),
      default: 32,
    },
    cell: {
      flags: '--cell <kind>',
      description: 'lstm (default) or gru',
      parse: choice('lstm', 'gru'),
      default: 'lstm',
    },
    ahead: {
      flags: '--ahead <n>',
      description: 'learn to forecast so many steps, each from the ones before it (default: 1)',
      parse: integer(1),
      default: 1,
    },
    season: {
      flags: '--season <n>',
      description:
        'steps of a season, such as 12 for months: begin with what changed a season before (default: 1, none)',
      parse: integer(1),
      default: 1,
    },
    test: {
      flags: '--test <share>',
      description: 'share of the series, its end, held back to test (default: 0.33)',
      parse: number(0, 1),
      default: 0.33,
    },
    validation: {
      flags: '--validation <share>',
      description:
        'measure on this share of what is not held back, its end, to choose settings: the test part stays unseen',
      parse: number(0, 1),
      default: 0,
    },
  },
  examples: [
    'fovea train forecaster --data airline-passengers.csv',
    'fovea train forecaster --data airline-passengers.csv --season 12 --epochs 100',
    'fovea train forecaster --data sunspots.csv --window 48 --cell gru --column Sunspots',
  ],
  prepare,
  open: openForecaster,
  sample: ({ model }) => sampleOf(model),
  sampleOfNew: () => sampleOf(new Forecaster()),
  evaluate: measure,
};

const sampleOf = (model: Forecaster): Sample => ({
  model,
  what: `a window of ${model.window} values`,
  run: () => model.forward(ones([1, model.window])),
});

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) || 1;
}

async function prepare(settings: Settings<Own>): Promise<Plan> {
  const { data: file, column, window, hidden, cell, ahead, season, test, validation, seed, batchSize } = settings;
  const series = readSeries(file, column ?? undefined);
  const { values } = series;
  const part = measuredPart(values.length, { test, validation });
  // Of the part to train on alone: what comes later is not known yet.
  const known = values.subarray(0, part.from);
  const deviation = deviationOf(known);
  const sizes = { window, hidden, cell, season, deviation };
  const options: ForecasterFileOptions = { ...sizes, column: series.name, test, validation };
  const model = new Forecaster({ ...options, generator: new Generator(seed) });
  const loader = new DataLoader(new Windows(known, window, { ahead }), {
    batchSize: batchSize ?? 32,
    shuffle: true,
    seed,
  });
  const objective: Objective<Batch> = ({ inputs, targets }) => ({
    loss: model.loss(model.rollOut(inputs, ahead), targets), // [batch, ahead]
    count: targets.size,
  });
  const recipe = {
    optimizer: { name: 'adamw', lr: 0.003, weightDecay: 0.01 },
    schedule: { name: 'cosine' },
    epochs: Math.max(1, Math.round(STEPS / loader.length)),
    clipNorm: 1,
  } as const;
  const amounts = `${count(part.from)} values of ${series.name} to train, ${count(part.to - part.from)}`;
  return {
    model,
    info: { architecture: settings.model, options },
    description: [`${file}: ${amounts} ${part.name === 'test' ? 'to test' : 'for validation'}`],
    notes: [],
    loader,
    recipe: recipeWith(recipe, settings),
    objective,
    metrics: [],
    unit: 'values',
    async test(signal) {
      const line = errorLine(await forecastsAhead(model, values, part, 1, signal));
      return `one step ahead: ${line}${part.name === 'test' ? '' : ' (validation)'}`;
    },
  };
}

/** Besides one step, errors are told for a forecast of so many. */
const AHEAD = 12;

async function measure(opened: OpenForecaster, request: EvaluateRequest, context: Context): Promise<void> {
  const { data, split, json } = request;
  const { model, options } = opened;
  const series = seriesOf(opened, data);
  const part = measuredPart(series.values.length, options);
  const range = split === 'test' ? part : { from: 0, to: part.from };
  const long = range.to - Math.max(range.from, model.window) >= AHEAD;
  const [one, many] = await interruptible(context, async (signal) => [
    await forecastsAhead(model, series.values, range, 1, signal),
    long ? await forecastsAhead(model, series.values, range, AHEAD, signal) : undefined,
  ]);
  const { stdout } = context;
  const values = one.forecasts.length;
  if (json) {
    const result = {
      series: series.name,
      part: split === 'test' ? part.name : split,
      values,
      ...asJson(one),
      ...(many && { ahead: { steps: AHEAD, ...asJson(many) } }),
    };
    stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  stdout.write(`${count(values)} values of ${series.name} (${split === 'test' ? part.name : split})\n`);
  stdout.write(`1 step ahead:   ${errorLine(one)}\n`);
  if (many) stdout.write(`${AHEAD} steps ahead: ${errorLine(many)}\n`);
}

const asJson = ({ error, persistence, seasonal, untrained }: Errors) => ({
  rmse: error,
  persistence,
  seasonal,
  untrained,
});
