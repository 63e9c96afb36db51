// What console.log shows of a tensor.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { arange, ones, tensor, zeros } from '../../lib/tensor/index.ts';

test('whole numbers plainly, aligned', () => {
  expect(
    inspect(
      tensor([
        [1, -2],
        [30, 4],
      ]),
    ),
  ).toBe('tensor([[ 1, -2],\n        [30,  4]], float32)');
  expect(inspect(tensor(new Int32Array([1, 2])))).toBe('tensor([1, 2], int32)');
  expect(inspect(tensor(5))).toBe('tensor(5, float32)');
});

test('fractions with four decimals, and what is not finite', () => {
  expect(String(tensor([1.5, -2.25, Number.NaN, -Infinity, Infinity]))).toBe(
    'tensor([ 1.5000, -2.2500,     nan,    -inf,     inf], float32)',
  );
});

test('tiny and huge numbers with exponents', () => {
  expect(String(tensor([1e-5, 2e-5]))).toBe('tensor([1.0000e-5, 2.0000e-5], float32)');
  expect(String(tensor([1.5e9, 0.5]))).toBe('tensor([1.5000e+9, 5.0000e-1], float32)');
});

test('whether it requires gradients', () => {
  expect(String(tensor([1], { requiresGrad: true }))).toBe('tensor([1], float32, requiresGrad)');
});

test('an empty tensor with its shape', () => {
  expect(String(zeros([2, 0]))).toBe('tensor([], shape [2, 0], float32)');
});

test('blank lines between matrices', () => {
  expect(String(ones([2, 1, 2]))).toBe('tensor([[[1, 1]],\n\n        [[1, 1]]], float32)');
});

test('the edges of a large tensor only, and its shape', () => {
  const text = String(arange(10_000).reshape(100, 100));
  expect(text.split('\n')).toHaveLength(7);
  expect(text).toContain('[   0,    1,    2, …,   97,   98,   99]');
  expect(text).toContain('[9900, 9901, 9902, …, 9997, 9998, 9999]], shape [100, 100], float32)');
});

test('long rows are broken into lines', () => {
  const lines = String(arange(200)).split('\n');
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(110);
});
