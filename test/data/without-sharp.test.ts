// Where sharp is not installed: only what needs pictures fails, and says what to do.
import { expect, test, vi } from 'vitest';
import { builtinDigits, imageFolder, loadImage, saveImage, toModelInput } from '../../lib/data/index.ts';
import { FoveaError, fromArray } from '../../lib/tensor/index.ts';

vi.mock('sharp', () => ({
  get default() {
    throw new Error("Cannot find package 'sharp'");
  },
}));

test('reading and writing pictures say how to install it', async () => {
  const image = fromArray(new Float32Array(4), [1, 2, 2]);
  for (const action of [() => loadImage('a.png'), () => saveImage(image, '/does/not/exist/a.png')]) {
    const error: unknown = await action().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FoveaError);
    expect(String(error)).toMatch(/expected the package sharp .* Install it with: npm install sharp/);
  }
});

test('everything else works', async () => {
  expect(builtinDigits({ count: 1 }).length).toBe(1);
  const image = fromArray(new Float32Array(4), [1, 2, 2]);
  expect(toModelInput(image, { size: [2, 2], channels: 1, mean: [0], std: [1] }).size).toBe(4);
  await expect(imageFolder('/does/not/exist', { size: 2 })).rejects.toThrow(/no such file or directory/);
});
