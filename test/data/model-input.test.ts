// Pictures as model inputs: whatever the size, colour and place of a digit, the model sees nearly the same.

import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { builtinDigits, type InputOptions, loadModelInput, toModelInput } from '../../lib/data/index.ts';
import { FoveaError, fromArray, ShapeError } from '../../lib/tensor/index.ts';

const plain: InputOptions = { size: [28, 28], channels: 1, mean: [0], std: [1] };
const figure: InputOptions = { ...plain, center: true, invert: 'auto' };

describe('toModelInput', () => {
  test('leaves an image that fits as it is, then normalises', () => {
    const image = fromArray(Float32Array.of(0, 0.25, 0.5, 1), [1, 2, 2]);
    const options: InputOptions = { size: [2, 2], channels: 1, mean: [0.5], std: [0.25] };
    expect(toModelInput(image, options).toArray()).toEqual([
      [
        [-2, -1],
        [0, 2],
      ],
    ]);
    expect(toModelInput(image, { ...options, invert: true }).toArray()).toEqual([
      [
        [2, 1],
        [0, -2],
      ],
    ]);
  });

  test('channels: repeats grey, weighs colours, normalises each', () => {
    const grey = fromArray(Float32Array.of(0.5), [1, 1, 1]);
    const three: InputOptions = { size: [1, 1], channels: 3, mean: [0, 0.5, 0.25], std: [1, 1, 0.5] };
    expect([...toModelInput(grey, three).data]).toEqual([0.5, 0, 0.5]);
    const green = fromArray(Float32Array.of(0, 1, 0), [3, 1, 1]);
    expect(toModelInput(green, { ...plain, size: [1, 1] }).item()).toBeCloseTo(0.587, 6);
  });

  test('keeps proportions, and fills up with the colour of the border', () => {
    const wide = fromArray(new Float32Array(8 * 4).fill(0.5), [1, 4, 8]);
    expect(new Set(toModelInput(wide, { ...plain, size: [6, 6] }).data)).toEqual(new Set([0.5]));
    wide.data.fill(0.25);
    for (let y = 1; y < 3; y++) wide.data.fill(1, y * 8 + 1, y * 8 + 7);
    const square = toModelInput(wide, { ...plain, size: [8, 8] }).data;
    expect([square[0], square[7 * 8], square[2 * 8], square[3 * 8 + 4], square[4 * 8 + 4]]).toEqual([
      0.25, 0.25, 0.25, 1, 1,
    ]);
  });

  test('shrinks by averaging, so that nothing falls between the pixels', () => {
    const fine = fromArray(
      Float32Array.from({ length: 64 * 64 }, (_, p) => (p % 64) % 2),
      [1, 64, 64],
    );
    for (const value of toModelInput(fine, { ...plain, size: [8, 8] }).data) expect(value).toBeCloseTo(0.5, 1);
  });

  test('an empty sheet is an empty input', () => {
    const white = fromArray(new Float32Array(3 * 50 * 40).fill(1), [3, 50, 40]);
    expect(new Set(toModelInput(white, figure).data)).toEqual(new Set([0]));
  });

  test('NaN is black; what does not fit is refused', () => {
    const image = fromArray(Float32Array.of(Number.NaN, 1), [1, 1, 2]);
    expect([...toModelInput(image, { ...plain, size: [1, 2] }).data]).toEqual([0, 1]);
    expect(() => toModelInput(fromArray(new Float32Array(4), [2, 2]), plain)).toThrow(ShapeError);
    expect(() => toModelInput(fromArray(new Float32Array(8), [2, 2, 2]), plain)).toThrow(ShapeError);
    expect(() => toModelInput(fromArray(new Float32Array(0), [1, 0, 2]), plain)).toThrow(ShapeError);
    for (const wrong of [{ size: [0, 1] as const }, { mean: [] }, { std: [0] }, { mean: [1, 2] }]) {
      expect(() => toModelInput(image, { ...plain, ...wrong })).toThrow(FoveaError);
    }
    const colour: InputOptions = { size: [1, 2], channels: 3, mean: [0], std: [1], invert: 'auto' };
    expect(() => toModelInput(image, colour)).toThrow(/1 channel with center or invert 'auto'/);
  });
});

describe('a digit, however it is photographed', () => {
  const data = builtinDigits({ count: 10, seed: 5 });
  const digits = Array.from({ length: 10 }, (_, i) => data.batch([i]).inputs.data);
  const bytesOf = (digit: ArrayLike<number>) => Buffer.from(Array.from(digit, (value) => Math.round(255 * value)));
  const pictureOf = (digit: ArrayLike<number>) =>
    sharp(bytesOf(digit), { raw: { width: 28, height: 28, channels: 1 } });

  /** Correlation of two images. */
  function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
    const mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / x.length;
    const [meanA, meanB] = [mean(a), mean(b)];
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      ab += (a[i]! - meanA) * (b[i]! - meanB);
      aa += (a[i]! - meanA) ** 2;
      bb += (b[i]! - meanB) ** 2;
    }
    return ab / Math.sqrt(aa * bb);
  }

  /** The best correlation when moved by up to a pixel. */
  const likenessOf = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Math.max(
      ...[-29, -28, -27, -1, 0, 1, 27, 28, 29].map((shift) =>
        correlation(
          a,
          Float32Array.from(b, (_, p) => b[p + shift] ?? 0),
        ),
      ),
    );

  /** Paints a digit in one colour on another. */
  const paint = (digit: ArrayLike<number>, ink: number[], paper: number[]) =>
    sharp(
      Buffer.from(
        Array.from(digit).flatMap((value) =>
          ink.map((level, c) => Math.round(value * level + (1 - value) * paper[c]!)),
        ),
      ),
      { raw: { width: 28, height: 28, channels: 3 } },
    );

  const ways: [string, (digit: ArrayLike<number>) => Promise<Buffer>][] = [
    ['as it is', (digit) => pictureOf(digit).png().toBuffer()],
    ['ten times as large', (digit) => pictureOf(digit).resize(280, 280).png().toBuffer()],
    ['far larger than is looked at', (digit) => pictureOf(digit).resize(2000, 2000).jpeg().toBuffer()],
    ['black on white', (digit) => pictureOf(digit).negate().resize(200, 200).jpeg({ quality: 80 }).toBuffer()],
    [
      'dark red on light blue',
      (digit) => paint(digit, [130, 10, 20], [170, 200, 255]).resize(150, 150).png().toBuffer(),
    ],
    [
      'red on a green of the same lightness',
      (digit) => paint(digit, [255, 0, 0], [0, 130, 0]).resize(150, 150).png().toBuffer(),
    ],
    [
      'turned, as EXIF says',
      (digit) => pictureOf(digit).resize(140, 140).rotate(-90).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    ],
    [
      'in the corner of a large sheet',
      async (digit) => {
        // Two steps, since sharp negates after it extends.
        const black = await pictureOf(digit).negate().resize(100, 100).png().toBuffer();
        return sharp(black).extend({ right: 300, bottom: 200, background: '#fff' }).png().toBuffer();
      },
    ],
    [
      'on transparent ground',
      (digit) =>
        sharp({ create: { width: 28, height: 28, channels: 3, background: '#203050' } })
          .joinChannel(bytesOf(digit), { raw: { width: 28, height: 28, channels: 1 } })
          .resize(112, 112)
          .png()
          .toBuffer(),
    ],
  ];

  test.each(ways)('%s', async (_, photograph) => {
    for (const [own, digit] of digits.entries()) {
      const input = await loadModelInput(await photograph(digit), figure);
      expect(input.shape).toEqual([1, 28, 28]);
      // Centring by whole pixels may move a thin line by most of its width: 0.88 was the least seen.
      const likeness = digits.map((other) => likenessOf(input.data, other));
      expect(likeness[own]).toBeGreaterThan(0.85);
      expect(likeness.indexOf(Math.max(...likeness))).toBe(own);
    }
  });
});
