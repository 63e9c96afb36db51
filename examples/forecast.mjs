// Forecasting a series: windows, a recurrent network, one step and a year ahead. node examples/forecast.mjs [file.csv]
import { Generator } from 'fovea';
import { DataLoader, readSeries, rmse, Windows } from 'fovea/data';
import { Forecaster } from 'fovea/models';
import { AdamW, CosineAnnealingLR } from 'fovea/optim';
import { fit, predict } from 'fovea/training';

// A file with a line of names, its last column the values; without one, twelve years of sales that grow and have a summer.
const [file] = process.argv.slice(2);
const made = Float64Array.from({ length: 144 }, (_, month) => {
  const season = Math.sin((2 * Math.PI * month) / 12);
  return (100 + 2 * month) * (1 + 0.2 * season) + 6 * Math.sin(month * month);
});
const values = file === undefined ? made : readSeries(file).values;

// The last third is held back: neither the windows nor the scale of the model know of it.
const cut = Math.floor(values.length * 0.67);
const window = 24;
const known = values.subarray(0, cut);
const mean = known.reduce((sum, value) => sum + value, 0) / cut;
const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cut);

const model = new Forecaster({ window, hidden: 32, deviation, generator: new Generator(1) });
const loader = new DataLoader(new Windows(values, window, { to: cut }), { batchSize: 16, shuffle: true, seed: 1 });
const epochs = Math.ceil(800 / loader.length);
const optimizer = new AdamW(model.parameters(), { lr: 3e-3 });
const schedule = new CosineAnnealingLR(optimizer, { tMax: epochs * loader.length, every: 'batch' });
const objective = ({ inputs, targets }) => ({
  loss: model.loss(model.rollOut(inputs, 1), targets), // [batch, 1]
  count: targets.size,
});
await fit(model, loader, {
  epochs,
  optimizer,
  schedule,
  objective,
  clipNorm: 1,
  seed: 1,
  unit: 'values',
  report: false,
});

// One step ahead: each value from the true ones before it, beside saying the last value again.
const truth = values.subarray(cut);
const forecasts = await predict(model, new Windows(values, window, { from: cut }));
console.log(`one step ahead: RMSE ${rmse(forecasts.data, truth).toPrecision(4)}`);
console.log(`the last value again: ${rmse(values.subarray(cut - 1), truth).toPrecision(4)}`);

// Twelve steps ahead, each from the forecasts before it.
console.log('\nthe next twelve, and what came:');
for (const [i, value] of model.forecast(known, 12).entries()) {
  console.log(`  ${value.toFixed(1).padStart(8)}  ${(truth[i] ?? Number.NaN).toFixed(1).padStart(8)}`);
}
