// fovea forecast: the next values of a series, printed and drawn.
import { rmse, type Series } from '../data/index.ts';
import { checkWritable, writeAtomic } from '../io/atomic.ts';
import { type AddCommand, type Context, UsageError } from './context.ts';
import { lineChart } from './line-chart.ts';
import { readModelFile } from './model-file.ts';
import { examples, integer } from './options.ts';
import {
  forecastsAhead,
  measuredPart,
  type OpenForecaster,
  openForecaster,
  seriesOf,
} from './tasks/forecaster-file.ts';

interface Options {
  readonly data?: string;
  readonly steps: number;
  readonly holdout?: true;
  readonly plot?: string;
  readonly json?: true;
}

export const addForecast: AddCommand = (program, context) => {
  program
    .command('forecast')
    .description('say the next values of a series')
    .argument('<model>', 'a forecaster that fovea trained')
    .option('--data <file>', 'the series (default: the file the model was trained on)')
    .option('--steps <n>', 'values to forecast, each from the ones before it', integer(1), 12)
    .option('--holdout', 'forecast the last values of the series instead of those after it, and compare')
    .option('--plot <file>', 'draw forecasts against the truth, as .svg')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'fovea forecast forecaster.safetensors --steps 24',
        'fovea forecast forecaster.safetensors --steps 48 --holdout --plot airline.svg',
      ),
    )
    .action((file: string, options: Options) => forecast(file, options, context));
};

async function forecast(file: string, options: Options, { stdout }: Context): Promise<void> {
  const { steps, holdout = false, plot, json } = options;
  if (plot !== undefined && !plot.endsWith('.svg')) throw new UsageError(`--plot writes .svg, but got ${plot}`);
  if (plot !== undefined) checkWritable(plot);
  const opened = openForecaster(readModelFile(file));
  const series = seriesOf(opened, options.data);
  const { model } = opened;
  const { values, labels } = series;
  const begin = holdout ? values.length - steps : values.length;
  if (begin < model.window) {
    throw new UsageError(
      `forecast: expected at least ${model.window} values before the first forecast, but got ${Math.max(0, begin)}`,
    );
  }
  const forecasts = model.forecast(values.subarray(0, begin), steps);
  const rows = Array.from(forecasts, (value, i) => ({
    label: labels[begin + i] ?? `+${i + 1}`,
    forecast: value,
    ...(holdout && { truth: values[begin + i] ?? Number.NaN }),
  }));
  const truth = values.subarray(begin);
  const last = truth.map(() => values[begin - 1] ?? 0);
  const errors = holdout ? { rmse: rmse(forecasts, truth), persistence: rmse(last, truth) } : {};
  if (plot !== undefined) await writeAtomic(plot, await draw(opened, series, begin, forecasts));
  if (json) {
    stdout.write(`${JSON.stringify({ series: series.name, forecasts: rows, ...errors }, null, 2)}\n`);
    return;
  }
  for (const { label, forecast: value, truth: real } of rows) {
    stdout.write(`${label.padEnd(12)} ${value.toPrecision(6).padStart(12)}${real === undefined ? '' : `  ${real}`}\n`);
  }
  if (errors.rmse !== undefined) {
    const [own, other] = [errors.rmse.toPrecision(4), errors.persistence.toPrecision(4)];
    stdout.write(`RMSE of these ${steps}: ${own}, of the last value again ${other}\n`);
  }
}

/** The end of the series, at most so many values of it. */
const SHOWN = 160;

/** Truth, forecasts one step ahead over what was held back in training, and the forecasts of many steps. */
async function draw(
  { model, options }: OpenForecaster,
  series: Series,
  begin: number,
  forecasts: Float64Array,
): Promise<string> {
  const { values, labels, name } = series;
  const from = Math.max(0, values.length - SHOWN);
  const cut = measuredPart(values.length, options).from;
  const one = await forecastsAhead(model, values, { from: Math.max(cut, from) }, 1);
  const ahead = Array.from({ length: Math.max(0, begin + forecasts.length - values.length) }, (_, i) => `+${i + 1}`);
  return lineChart({
    title: `${name}: forecasts against the truth`,
    labels: [...labels.slice(from), ...ahead],
    lines: [
      { name: 'truth', colour: '#222', from: 0, values: values.subarray(from) },
      { name: 'one step ahead', colour: '#1f6fb2', from: one.first - from, values: one.forecasts },
      {
        name: `${forecasts.length} steps from ${labels[begin - 1] ?? 'the end'} on`,
        colour: '#c4551a',
        dashed: true,
        from: begin - from,
        values: forecasts,
      },
    ],
  });
}
