// What the tests of tensors share: seeded inputs, comparison, and error messages.
import { expect } from 'vitest';
import { fromArray, rand, randn, type Shape, type Tensor } from '../../lib/tensor/index.ts';

/** Normally distributed float64 numbers. */
export const normal = (shape: Shape, seed: number): Tensor => randn(shape, { seed, dtype: 'float64' });

/** float64 numbers from 0.5 to 2: away from the poles of log, sqrt and division. */
export const positive = (shape: Shape, seed: number): Tensor =>
  rand(shape, { seed, low: 0.5, high: 2, dtype: 'float64' });

/** float32 numbers that any language can repeat, between -scale/2 and scale/2; fixtures/make.py has the same. */
export function fill(shape: Shape, seed: number, scale = 1): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = (((i * 7919 + seed * 104729) % 1009) / 1009 - 0.5) * scale;
  return fromArray(data, shape);
}

/** Every element within `tolerance`, relative to the larger of 1 and the expected value; NaN equals NaN. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i] ?? 0, expected[i] ?? 0];
    const same = Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
    if (!same) expect.fail(`element ${i}: got ${a}, expected ${b}`);
  }
}

/** The message `fn` throws. */
export function messageOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
  }
  return expect.fail('nothing was thrown');
}

/** A value the types forbid, as callers without types may pass it. */
export const wrong = (value: unknown) => value as never;
