// The task of forecasting a series of numbers: the next value from those before it.
import { type Batch, DataLoader, readSeries, Windows } from '../../data/index.ts';
import { Forecaster } from '../../models/index.ts';
import { Generator } from '../../tensor/index.ts';
import type { Objective } from '../../training/index.ts';
import { type Context, interruptible } from '../context.ts';
import { choice, count, integer, number } from '../options.ts';
import { cutOf, type ForecasterFileOptions, oneStep, openForecaster, stepsAhead } from './forecaster-file.ts';
import type { EvaluateRequest, Plan, Settings, Task } from './task.ts';
import { recipeWith } from './task-recipe.ts';

type Own = {
  readonly column: string | null;
  readonly window: number;
  readonly hidden: number;
  readonly cell: 'lstm' | 'gru';
  readonly ahead: number;
  readonly test: number;
};

/** Steps of a training: a short series is gone through more often. */
const STEPS = 800;

export const forecaster: Task<Own> = {
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
    test: {
      flags: '--test <share>',
      description: 'share of the series, its end, held back to test (default: 0.33)',
      parse: number(0, 1),
      default: 0.33,
    },
  },
  examples: [
    'fovea train forecaster --data airline-passengers.csv',
    'fovea train forecaster --data airline-passengers.csv --ahead 12 --out year.safetensors',
    'fovea train forecaster --data sunspots.csv --window 48 --cell gru --column Sunspots',
  ],
  prepare,
  evaluate: measure,
};

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) || 1;
}

async function prepare(settings: Settings<Own>): Promise<Plan> {
  const { data: file, column, window, hidden, cell, ahead, test, seed, batchSize } = settings;
  const series = readSeries(file, column ?? undefined);
  const { values } = series;
  const cut = cutOf(values, test);
  // Of the part to train on alone: what comes later is not known yet.
  const deviation = deviationOf(values.subarray(0, cut));
  const options: ForecasterFileOptions = { window, hidden, cell, deviation, column: series.name, test };
  const model = new Forecaster({ ...options, generator: new Generator(seed) });
  const loader = new DataLoader(new Windows(values, window, { to: cut, ahead }), {
    batchSize: batchSize ?? 32,
    shuffle: true,
    seed,
  });
  const objective: Objective<Batch> = ({ inputs, targets }) => {
    const error = model.rollOut(inputs, ahead).sub(targets); // [batch, ahead]
    return {
      loss: error
        .mul(1 / deviation)
        .square()
        .mean(),
      count: targets.size,
    };
  };
  const recipe = {
    optimizer: { name: 'adamw', lr: 0.003, weightDecay: 0.01 },
    schedule: { name: 'cosine' },
    epochs: Math.max(1, Math.round(STEPS / loader.length)),
    clipNorm: 1,
  } as const;
  return {
    model,
    info: { architecture: settings.model, options },
    description: [`${file}: ${count(cut)} values of ${series.name} to train, ${count(values.length - cut)} to test`],
    notes: [],
    loader,
    recipe: recipeWith(recipe, settings),
    objective,
    metrics: [],
    unit: 'values',
    async test(signal) {
      return `one step ahead: ${errorLine(await oneStep(model, values, { from: cut }, signal))}`;
    },
  };
}

/** Besides one step, errors are told for a forecast of so many. */
const AHEAD = 12;

async function measure(request: EvaluateRequest, context: Context): Promise<void> {
  const { data, split, json } = request;
  const { model, series, cut } = openForecaster(request, data);
  const range = split === 'test' ? { from: cut } : { to: cut };
  const one = await interruptible(context, (signal) => oneStep(model, series.values, range, signal));
  const many = stepsAhead(model, series.values, range, AHEAD);
  const { stdout } = context;
  if (json) {
    const result = {
      series: series.name,
      values: one.truth.length,
      rmse: one.error,
      persistence: one.persistence,
      ...(many && { ahead: { steps: AHEAD, rmse: many.error, persistence: many.persistence } }),
    };
    stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  stdout.write(`${count(one.truth.length)} values of ${series.name} (${split})\n`);
  stdout.write(`1 step ahead:   ${errorLine(one)}\n`);
  if (many) stdout.write(`${AHEAD} steps ahead: ${errorLine(many)}\n`);
}

const errorLine = ({ error, persistence }: { readonly error: number; readonly persistence: number }) =>
  `RMSE ${error.toPrecision(4)}, of the last value again ${persistence.toPrecision(4)}`;
