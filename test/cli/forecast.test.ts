// Forecasting from end to end: training, measuring, forecasting, the picture, and data that does not serve.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../lib/io/index.ts';
import { cli, type Printed } from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-forecast-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);
const model = path('wave.safetensors');
const rows = Array.from({ length: 120 }, (_, i) => `day ${i},${(50 + i / 4 + 9 * Math.sin(i / 2)).toFixed(3)}`);
let printed: Printed;

beforeAll(async () => {
  writeFileSync(
    path('wave.csv'),
    `Day,Wave & "more"\n${rows.join('\n')}\n`.replace('Wave & "more"', '"Wave & <more>"'),
  );
  printed = await cli(
    'train',
    'forecaster',
    '--data',
    path('wave.csv'),
    '--window',
    '14',
    '--epochs',
    '80',
    '--out',
    model,
  );
});

describe('fovea train forecaster', () => {
  test('says what it does, and beats the last value', () => {
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toContain('wave.csv: 80 values of Wave & <more> to train, 40 to test');
    expect(printed.stdout).toMatch(/ \d+ values\/s /);
    const [, own, last] = /^test .*RMSE (\S+), of the last value again (\S+)$/m.exec(printed.stdout) ?? [];
    expect(Number(own)).toBeLessThan(Number(last) / 3);
  });

  test('options of another task, data that is missing, and windows longer than the data are refused', async () => {
    expect(await cli('train', 'forecaster', '--no-augment')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown option '--no-augment'"),
    });
    expect(await cli('train', 'lenet5', '--window', '3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown option '--window'"),
    });
    expect(await cli('train', 'forecaster')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('train: expected --data'),
    });
    expect(await cli('train', 'forecaster', '--data', path('wave.csv'), '--window', '80')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a window of 80 comes before each'),
    });
    expect(await cli('train', 'forecaster', '--data', path('wave.csv'), '--cell', 'elman')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected one of lstm, gru.'),
    });
  });

  test('options may stand before the name of the model', async () => {
    const data = ['--data', path('wave.csv'), '--out', path('early.safetensors')];
    const { code, stdout } = await cli('train', '--epochs', '2', '--seed', '7', 'forecaster', ...data);
    expect(code).toBe(0);
    expect(stdout).toMatch(/parameters, seed 7\n(.*\n)*epoch 2\/2 /);
    expect(await cli('train', '--window', '9', 'forecaster', ...data)).toMatchObject({ code: 2 });
  });

  test('resumed, a setting of its own must agree', async () => {
    expect(await cli('train', '--resume', model, '--quiet')).toMatchObject({ code: 0 });
    expect(await cli('train', 'forecaster', '--resume', model, '--window', '9')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected --window to be 14'),
    });
  });
});

describe('season and validation', () => {
  const short = ['--data', path('wave.csv'), '--window', '14', '--epochs', '20', '--out', path('season.safetensors')];

  test('a season: what it is compared with, and the same again from the file', async () => {
    const options = ['--season', '12', '--ahead', '3'];
    const { stdout } = await cli('train', 'forecaster', ...short, ...options);
    const [, line = ''] = /^test +one step ahead: (.*)$/m.exec(stdout) ?? [];
    expect(line).toMatch(/^RMSE \S+, of the last value again \S+, of that a season before \S+, untrained \S+$/);
    const evaluated = await cli('evaluate', path('season.safetensors'));
    expect(evaluated.stdout).toContain(`1 step ahead:   ${line}\n`);
    const { ahead } = JSON.parse((await cli('evaluate', path('season.safetensors'), '--json')).stdout);
    expect(ahead.seasonal).toBe(ahead.persistence); // 12 steps ahead they are the same value
    expect((await cli('forecast', path('season.safetensors'), '--steps', '3')).stdout).not.toContain('NaN');
  });

  test('--validation measures on the end of what is trained on otherwise', async () => {
    const { stdout } = await cli('train', 'forecaster', ...short, '--validation', '0.25');
    expect(stdout).toContain('60 values of Wave & <more> to train, 20 for validation');
    expect(stdout).toMatch(/^test +one step ahead: .* \(validation\)$/m);
    expect((await cli('evaluate', path('season.safetensors'))).stdout).toMatch(/^20 values of .* \(validation\)\n/);
  });

  test('a season as long as the window is refused', async () => {
    expect(await cli('train', 'forecaster', ...short, '--season', '14')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected season below the window, 14'),
    });
  });
});

describe('fovea evaluate and fovea forecast', () => {
  test('fovea summary describes it', async () => {
    expect((await cli('summary', model)).stdout).toMatch(/^linear +Linear +\[1, 1\] +14 /m);
  });

  test('evaluate agrees with the end of training', async () => {
    const { code, stdout } = await cli('evaluate', model, '--json');
    const result = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(printed.stdout).toContain(
      `RMSE ${result.rmse.toPrecision(4)}, of the last value again ${result.persistence.toPrecision(4)}`,
    );
    expect(result).toMatchObject({ series: 'Wave & <more>', values: 40, ahead: { steps: 12 } });
    expect(result.ahead.rmse).toBeLessThan(result.ahead.persistence);
    expect((await cli('evaluate', model)).stdout).toMatch(/^40 values of .*\n1 step ahead: .*\n12 steps ahead: .*\n$/);
  });

  test('forecasts what is not known yet', async () => {
    const { stdout } = await cli('forecast', model, '--steps', '3');
    expect(stdout).toMatch(/^\+1 +\S+\n\+2 +\S+\n\+3 +\S+\n$/);
    const { forecasts } = JSON.parse((await cli('forecast', model, '--steps', '3', '--json')).stdout);
    expect(forecasts).toHaveLength(3);
    expect(forecasts[0]).not.toHaveProperty('truth');
  });

  test('against the truth, with a picture', async () => {
    const picture = path('wave.svg');
    const { code, stdout } = await cli('forecast', model, '--holdout', '--steps', '20', '--plot', picture, '--json');
    expect(code).toBe(0);
    const { forecasts, rmse, persistence } = JSON.parse(stdout);
    expect(forecasts[0]).toMatchObject({ label: 'day 100', truth: Number(rows[100]?.split(',')[1]) });
    expect(rmse).toBeLessThan(persistence);
    const svg = readFileSync(picture, 'utf8');
    expect(svg).toContain('Wave &amp; &lt;more&gt;');
    expect(svg.match(/<path d="M[^"]*L/g)).toHaveLength(3);
    expect(svg).not.toContain('NaN');
  });

  test('a window longer than what is known, a plot of another kind, another model, damaged options', async () => {
    writeFileSync(path('short.csv'), 'd,"Wave & <more>"\n1,2\n2,3\n');
    expect(await cli('forecast', model, '--data', path('short.csv'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected at least 14 values before the first forecast, but got 2'),
    });
    expect((await cli('forecast', model, '--plot', 'a.png')).stderr).toContain('--plot writes .svg');
    const checkpoint = loadCheckpoint(model);
    const options = { ...checkpoint.model?.options, window: -3 };
    await saveCheckpoint(path('bad'), { ...checkpoint, model: { architecture: 'forecaster', options } });
    expect(await cli('forecast', path('bad'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('bad: expected a forecaster'),
    });
    const wider = { ...checkpoint.model?.options, window: 15 };
    await saveCheckpoint(path('wide'), { ...checkpoint, model: { architecture: 'forecaster', options: wider } });
    expect(await cli('evaluate', path('wide'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('wide: loadStateDict'),
    });
  });
});
