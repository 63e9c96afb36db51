// The forecaster: begins as persistence, learns a small batch, follows level and spread, and forecasts step by step.
import { describe, expect, test } from 'vitest';
import { Windows } from '../../lib/data/index.ts';
import { Forecaster } from '../../lib/models/index.ts';
import { Adam } from '../../lib/optim/index.ts';
import { fromArray, Generator, noGrad, tensor } from '../../lib/tensor/index.ts';

/** A wave of 8 values that grows. */
const wave = Float64Array.from({ length: 60 }, (_, i) => 20 + i + 5 * Math.sin((2 * Math.PI * i) / 8));
const make = (cell: 'lstm' | 'gru' = 'lstm') =>
  new Forecaster({ window: 8, hidden: 12, cell, deviation: 18, generator: new Generator(2) });

describe('Forecaster', () => {
  test('before any training it says the last value again', () => {
    const { inputs } = new Windows(wave, 8).batch([0, 17, 40]);
    expect([...make().forward(inputs).data]).toEqual([7, 24, 47].map((i) => Math.fround(wave[i] ?? 0)));
  });

  test('with a season it begins with the last value and what changed a season before', () => {
    // A season of three on something that grows evenly: that goes on for ever.
    const next = (i: number) => 10 + i + [0, 4, -2][i % 3]!;
    const said = new Forecaster({ window: 8, season: 3 }).forecast(
      Array.from({ length: 8 }, (_, i) => next(i)),
      7,
    );
    expect([...said]).toEqual(Array.from({ length: 7 }, (_, i) => next(8 + i)));
  });

  test('its loss is the mean squared error in deviations', () => {
    const [one, other] = [tensor([1, 2]), tensor([4, 2])];
    expect(new Forecaster({ deviation: 3 }).loss(one, other).item()).toBeCloseTo(0.5, 6);
  });

  test.each(['lstm', 'gru'] as const)('%s overfits a small batch, and goes on with the wave', (cell) => {
    const model = make(cell);
    const { inputs, targets } = new Windows(wave, 8, { to: 40 }).batch(Array.from({ length: 32 }, (_, i) => i));
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    const step = () => {
      optimizer.zeroGrad();
      const loss = model.rollOut(inputs, 1).sub(targets).square().mean();
      loss.backward();
      optimizer.step();
      return loss.item();
    };
    const first = step();
    for (let i = 0; i < 300; i++) step();
    expect(step()).toBeLessThan(first / 500);
    const ahead = model.forecast(wave.subarray(0, 40), 20);
    for (const [i, value] of ahead.entries()) expect(Math.abs(value - (wave[40 + i] ?? 0))).toBeLessThan(3);
  });

  test('level and spread of a window become those of its forecast', () => {
    const model = make();
    for (const parameter of model.parameters()) parameter.floats.fill(0.1);
    const { inputs } = new Windows(wave, 8).batch([3]);
    const [one, other] = noGrad(() => [model.forward(inputs).item(), model.forward(inputs.mul(10).add(7)).item()]);
    expect(other).toBeCloseTo(10 * (one ?? 0) + 7, 2);
  });

  test('a window of equal values is nothing to divide by', () => {
    const model = make();
    for (const parameter of model.parameters()) parameter.floats.fill(0.1);
    const flat = fromArray(new Float32Array(8).fill(5), [1, 8]);
    expect(Number.isFinite(model.forward(flat).item())).toBe(true);
  });

  test('rollOut of many windows is forecast of each', () => {
    const model = make();
    for (const parameter of model.parameters()) parameter.floats.fill(0.05);
    const { inputs } = new Windows(wave, 8).batch([0, 20]);
    const together = noGrad(() => model.rollOut(inputs, 4));
    expect(together.shape).toEqual([2, 4]);
    const alone = [0, 20].flatMap((i) => [...model.forecast(wave.subarray(0, i + 8), 4)]);
    for (const [i, value] of together.data.entries()) expect(value).toBeCloseTo(alone[i] ?? Number.NaN, 3);
  });

  test('refuses what makes no sense', () => {
    expect(() => make().forecast(wave.subarray(0, 7), 1)).toThrow('at least 8 values');
    expect(() => make().forecast(wave, 0)).toThrow('steps');
    expect(() => new Forecaster({ window: 0 })).toThrow('window');
    expect(() => new Forecaster({ window: 4, season: 4 })).toThrow('season below the window, 4');
    expect(() => new Forecaster({ cell: 'elman' as never })).toThrow("one of lstm, gru, but got 'elman'");
  });
});
