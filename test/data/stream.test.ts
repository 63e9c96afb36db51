// A stream cut into rows and windows: every token once, in order, each row going on where its last window ended.
import { describe, expect, test } from 'vitest';
import { StreamLoader } from '../../lib/data/index.ts';
import { DataError, FoveaError } from '../../lib/tensor/index.ts';

const tokens = Int32Array.from({ length: 47 }, (_, i) => i);

async function collect(loader: StreamLoader, atMost = Infinity) {
  const windows: { shape: readonly number[]; inputs: number[]; targets: number[] }[] = [];
  for await (const { inputs, targets } of loader) {
    windows.push({ shape: inputs.shape, inputs: [...inputs.ints], targets: [...targets.ints] });
    if (windows.length === atMost) break;
  }
  return windows;
}

/** What each row reads over the epoch. */
function rowsOf(windows: Awaited<ReturnType<typeof collect>>, rows: number): number[][] {
  const all: number[][] = Array.from({ length: rows }, () => []);
  for (const { inputs } of windows) for (const [i, token] of inputs.entries()) all[i % rows]?.push(token);
  return all;
}

describe('StreamLoader', () => {
  test('rows go on from window to window; the targets are the next tokens', async () => {
    const loader = new StreamLoader(tokens, { rows: 4, steps: 5 });
    const windows = await collect(loader);
    expect(windows.map(({ shape }) => shape)).toEqual([
      [5, 4],
      [5, 4],
      [1, 4],
    ]);
    expect([loader.length, loader.targets]).toEqual([3, 44]);
    expect(rowsOf(windows, 4)).toEqual([0, 11, 22, 33].map((from) => Array.from({ length: 11 }, (_, i) => from + i)));
    for (const { inputs, targets } of windows) expect(targets).toEqual(inputs.map((token) => token + 1));
  });

  test('one row reads all', async () => {
    const windows = await collect(new StreamLoader(Uint8Array.from(tokens), { rows: 1, steps: 100 }));
    expect(rowsOf(windows, 1)).toEqual([Array.from({ length: 46 }, (_, i) => i)]);
  });

  test('with a seed the windows of each epoch begin elsewhere, by seed and epoch alone', async () => {
    const loader = new StreamLoader(tokens, { rows: 2, steps: 6, seed: 3 });
    const begins: (number | undefined)[] = [];
    for (let epoch = 0; epoch < 12; epoch++) begins.push((await collect(loader))[0]?.inputs[0]);
    expect(new Set(begins).size).toBeGreaterThan(2);
    expect(begins.every((begin) => begin !== undefined && begin >= 0 && begin < 6)).toBe(true);
    const again = new StreamLoader(tokens, { rows: 2, steps: 6, seed: 3 });
    again.setEpoch(7);
    expect((await collect(again))[0]?.inputs[0]).toBe(begins[7]);
  });

  test.each([0, 1, 2])('after %i windows the rest is the same as without the break', async (taken) => {
    const options = { rows: 3, steps: 4, seed: 8 };
    const whole = new StreamLoader(tokens, options);
    whole.setEpoch(2);
    const expected = await collect(whole);
    const cut = new StreamLoader(tokens, options);
    cut.setEpoch(2);
    if (taken > 0) await collect(cut, taken);
    const resumed = new StreamLoader(tokens, { ...options, seed: 1 });
    resumed.setState(JSON.parse(JSON.stringify(cut.state())));
    expect(await collect(resumed)).toEqual(expected.slice(taken));
  });

  test('refuses what is too short, wrong sizes, and the state of another stream', () => {
    expect(() => new StreamLoader(tokens.subarray(0, 4), { rows: 4 })).toThrow(
      'StreamLoader: expected a longer stream, because each of 4 rows needs an input and its target, but got 4 tokens',
    );
    expect(new StreamLoader(tokens.subarray(0, 5), { rows: 4 }).length).toBe(1);
    expect(() => new StreamLoader(new Int32Array(0))).toThrow(FoveaError);
    expect(() => new StreamLoader(tokens, { rows: 1, steps: 60, seed: 1 })).toThrow('and windows move');
    for (const options of [{ rows: 0 }, { steps: 1.5 }, { seed: -1 }]) {
      expect(() => new StreamLoader(tokens, options)).toThrow(FoveaError);
    }
    const loader = new StreamLoader(tokens, { rows: 2, steps: 5 });
    expect(() => loader.setState(new StreamLoader(tokens, { rows: 2, steps: 6 }).state())).toThrow(DataError);
    expect(() => loader.setState({ ...loader.state(), position: 99 })).toThrow(/at batch 99/);
  });
});
