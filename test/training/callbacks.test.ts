// Callbacks on made-up rows: stopping early, keeping the best, and logs that survive a resumed run.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Identity } from '../../lib/nn/index.ts';
import { bestCheckpoint, type Callback, csvLog, earlyStopping, jsonLinesLog } from '../../lib/training/callbacks.ts';
import type { EpochRow } from '../../lib/training/history.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-callbacks-'));
afterAll(() => rmSync(directory, { recursive: true }));

const rows = (losses: readonly number[], name = 'validationLoss'): EpochRow[] =>
  losses.map((value, i) => ({ epoch: i + 1, loss: 1, learningRate: 0.1, [name]: value }));

/** Feeds rows until a callback stops the run; says after which epoch it did and which epochs were saved. */
async function feed(callback: Callback, all: readonly EpochRow[], earlier: readonly EpochRow[] = []) {
  const history = [...earlier];
  const saved: number[] = [];
  let stopped: string | undefined;
  const run = {
    model: new Identity(),
    history,
    stop: (reason: string) => {
      stopped = reason;
    },
    save: async () => {
      saved.push(history.length);
    },
  };
  await callback.begin?.(run);
  for (const row of all) {
    history.push(row);
    await callback.epoch?.(row, run);
    if (stopped) break;
  }
  return { epochs: history.length, saved, stopped };
}

describe('earlyStopping', () => {
  test('stops after more than patience epochs without improvement', async () => {
    const result = await feed(earlyStopping({ patience: 2 }), rows([3, 2, 2, 2.5, 2, 1]));
    expect(result).toMatchObject({ epochs: 5, stopped: 'no improvement for 3 epochs' });
    expect((await feed(earlyStopping({ patience: 2 }), rows([3, 2, 2, 2.5, 1, 1]))).stopped).toBeUndefined();
  });

  test('watches an accuracy upwards, a small gain does not count, NaN is none', async () => {
    const options = { monitor: 'validationAccuracy', patience: 0, minDelta: 0.01 };
    expect((await feed(earlyStopping(options), rows([0.5, 0.6, 0.605], 'validationAccuracy'))).epochs).toBe(3);
    expect((await feed(earlyStopping({ patience: 0 }), rows([1, Number.NaN]))).stopped).toBeDefined();
  });

  test('its state continues elsewhere', async () => {
    const first = earlyStopping({ patience: 1 });
    await feed(first, rows([1, 2]));
    const second = earlyStopping({ patience: 1 });
    second.setState?.(JSON.parse(JSON.stringify(first.state?.())));
    expect((await feed(second, rows([2]))).stopped).toBe('no improvement for 2 epochs');
  });

  test('an unknown name lists the known ones', async () => {
    await expect(feed(earlyStopping({ monitor: 'valLoss' }), rows([1]))).rejects.toThrow(
      'expected monitor to be one of epoch, loss, learningRate, validationLoss, but got valLoss',
    );
  });
});

describe('bestCheckpoint', () => {
  test('saves when better, also by loss alone', async () => {
    const file = join(directory, 'best');
    expect((await feed(bestCheckpoint(file), rows([3, 2, 4, 1, 1]))).saved).toEqual([1, 2, 4]);
    const byLoss = [3, 5, 2].map((loss, i) => ({ epoch: i + 1, loss, learningRate: 0 }));
    expect((await feed(bestCheckpoint(file), byLoss)).saved).toEqual([1, 3]);
  });

  test('an unwritable file is found before the first epoch', async () => {
    await expect(feed(bestCheckpoint(join(directory, 'no/such')), [])).rejects.toThrow('no such file or directory');
  });
});

describe('logs', () => {
  const all = rows([0.5, 0.25, 1e-7, 4]);

  test.each([
    ['csv', csvLog],
    ['jsonl', jsonLinesLog],
  ])('a %s log that was cut and resumed is that of one run', async (kind, make) => {
    const [whole, cut] = [join(directory, `whole.${kind}`), join(directory, `cut.${kind}`)];
    await feed(make(whole), all);
    await feed(make(cut), all.slice(0, 3));
    appendFileSync(cut, '4,half a li'); // killed while writing, after the checkpoint of epoch 2
    await feed(make(cut), all.slice(2), all.slice(0, 2));
    expect(readFileSync(cut, 'utf8')).toBe(readFileSync(whole, 'utf8'));
    expect(readFileSync(whole, 'utf8').trim().split('\n').length).toBe(kind === 'csv' ? 5 : 4);
  });

  test('hold the numbers exactly', async () => {
    const [csv, jsonl] = [join(directory, 'exact.csv'), join(directory, 'exact.jsonl')];
    const row = { epoch: 1, loss: 0.1 + 0.2, learningRate: 1 / 3 };
    await feed(csvLog(csv), [row]);
    await feed(jsonLinesLog(jsonl), [row]);
    const [names, values] = readFileSync(csv, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    expect(Object.fromEntries(names?.map((name, i) => [name, Number(values?.[i])]) ?? [])).toEqual(row);
    expect(JSON.parse(readFileSync(jsonl, 'utf8'))).toEqual(row);
  });

  test('a resumed run whose log is gone begins a new one', async () => {
    const file = join(directory, 'gone.csv');
    await feed(csvLog(file), all.slice(2), all.slice(0, 2));
    expect(readFileSync(file, 'utf8').split('\n')[0]).toBe('epoch,loss,learningRate,validationLoss');
  });
});
