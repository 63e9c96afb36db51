// Pictures: what sharp wrote in many formats reads back the same; what is no picture is refused by name.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DataLoader, imageFolder, loadImage, saveImage } from '../../lib/data/index.ts';
import { DataError, FoveaError, fromArray, ShapeError } from '../../lib/tensor/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-image-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

/** A picture of one colour. */
const colour = (width: number, height: number, background: { r: number; g: number; b: number; alpha?: number }) =>
  sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } });

/** Two rows of three: red, green, blue; black, grey, white. */
const six = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 128, 128, 128, 255, 255, 255]);
const raw = { width: 3, height: 2, channels: 3 } as const;
const png = await sharp(six, { raw }).png().toBuffer();

const messageOf = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DataError);
  return String(error);
};

describe('loadImage', () => {
  test('gives [channels, height, width] in 0..1, from a file and from bytes', async () => {
    writeFileSync(path('six.png'), png);
    const image = await loadImage(path('six.png'));
    expect(image.shape).toEqual([3, 2, 3]);
    const grey = Math.fround(128 / 255);
    expect(image.toArray()).toEqual([
      [
        [1, 0, 0],
        [0, grey, 1],
      ],
      [
        [0, 1, 0],
        [0, grey, 1],
      ],
      [
        [0, 0, 1],
        [0, grey, 1],
      ],
    ]);
    expect((await loadImage(new Uint8Array(png))).data).toEqual(image.data);
  });

  test('grey pictures become colour and colour grey', async () => {
    const grey = await sharp(Buffer.from([0, 100, 200, 255]), { raw: { width: 2, height: 2, channels: 1 } })
      .png()
      .toBuffer();
    const one = await loadImage(grey, { channels: 1 });
    expect([...one.data].map((value) => Math.round(value * 255))).toEqual([0, 100, 200, 255]);
    const three = await loadImage(grey);
    expect([...three.data]).toEqual([...one.data, ...one.data, ...one.data]);
    const luminance = await loadImage(png, { channels: 1 });
    expect(luminance.shape).toEqual([1, 2, 3]);
    const [red = 0, green = 0, blue = 0, black, middle = 0, white] = luminance.data;
    expect([green > red, red > blue, black, white]).toEqual([true, true, 0, 1]);
    expect(middle).toBeCloseTo(128 / 255, 2);
  });

  test('16 bits and palettes become 8 bits', async () => {
    const deep = await sharp(six, { raw }).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect((await loadImage(deep)).data).toEqual((await loadImage(png)).data);
    expect((await loadImage(deep, { channels: 1 })).shape).toEqual([1, 2, 3]);
    const palette = await sharp(six, { raw }).png({ palette: true }).toBuffer();
    expect((await loadImage(palette)).shape).toEqual([3, 2, 3]);
  });

  test.each([
    { orientation: 1, width: 3, height: 2, first: ['red', 'green', 'blue'] as const },
    { orientation: 3, width: 3, height: 2, first: ['white', 'grey', 'black'] as const },
    { orientation: 6, width: 2, height: 3, first: ['black', 'red', 'grey'] as const },
    { orientation: 8, width: 2, height: 3, first: ['blue', 'white', 'green'] as const },
  ])('EXIF orientation $orientation', async ({ orientation, width, height, first }) => {
    const big = sharp(six, { raw }).resize(48, 32, { kernel: 'nearest' });
    const jpeg = await big.withMetadata({ orientation }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    const image = await loadImage(jpeg);
    expect(image.shape).toEqual([3, 16 * height, 16 * width]);
    const colours = {
      red: [1, 0, 0],
      green: [0, 1, 0],
      blue: [0, 0, 1],
      black: [0, 0, 0],
      grey: [0.5, 0.5, 0.5],
      white: [1, 1, 1],
    };
    first.forEach((name, i) => {
      const [y, x] = [8 + 16 * Math.floor(i / width), 8 + 16 * (i % width)];
      for (const [channel, level] of colours[name].entries()) {
        const value = image.data[(channel * image.shape[1]! + y) * image.shape[2]! + x];
        expect(Math.abs(value! - level)).toBeLessThan(0.03);
      }
    });
  });

  test('transparency lies on white', async () => {
    const clear = await colour(2, 2, { r: 0, g: 0, b: 0, alpha: 0 }).png().toBuffer();
    expect(new Set((await loadImage(clear)).data)).toEqual(new Set([1]));
    const half = await colour(2, 2, { r: 0, g: 0, b: 0, alpha: 0.5 }).png().toBuffer();
    const image = await loadImage(half, { channels: 1 });
    expect(image.shape).toEqual([1, 2, 2]);
    expect(image.data[0]).toBeCloseTo(0.5, 1);
  });

  test('resizes: fill, cover, contain, inside', async () => {
    const wide = await colour(40, 20, { r: 255, g: 255, b: 255 }).png().toBuffer();
    const shape = async (size: [number, number], fit: 'fill' | 'cover' | 'contain' | 'inside') =>
      (await loadImage(wide, { channels: 1, size, fit })).shape;
    expect(await shape([10, 10], 'fill')).toEqual([1, 10, 10]);
    expect(await shape([10, 10], 'cover')).toEqual([1, 10, 10]);
    expect(await shape([10, 10], 'inside')).toEqual([1, 5, 10]);
    expect(await shape([100, 100], 'inside')).toEqual([1, 20, 40]);
    const contained = await loadImage(wide, { channels: 1, size: 10, fit: 'contain' });
    expect([contained.data[5], contained.data[55]]).toEqual([0, 1]);
  });

  test('names the file that is missing, empty, no picture, or cut short', async () => {
    writeFileSync(path('empty.png'), '');
    writeFileSync(path('text.png'), 'This is no picture.');
    const noisy = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251));
    const pixels = sharp(noisy, { raw: { width: 64, height: 64, channels: 3 } });
    const [jpeg, full] = [await pixels.clone().jpeg().toBuffer(), await pixels.clone().png().toBuffer()];
    writeFileSync(path('cut.jpg'), jpeg.subarray(0, jpeg.length / 2));
    writeFileSync(path('cut.png'), full.subarray(0, full.length / 2));
    for (const name of ['absent.png', 'empty.png', 'text.png', 'cut.jpg', 'cut.png']) {
      expect(await messageOf(loadImage(path(name)))).toContain(
        `expected ${path(name)} to be a picture that can be read`,
      );
    }
    expect(await messageOf(loadImage(new Uint8Array(0)))).toContain('the picture (0 bytes)');
    expect(await messageOf(loadImage(directory))).toContain(directory);
  });

  test('refuses pictures beyond the limit of pixels, and bad options', async () => {
    expect(await messageOf(loadImage(png, { maxPixels: 5 }))).toContain('exceeds pixel limit');
    expect((await loadImage(png, { maxPixels: 6 })).size).toBe(18);
    await expect(loadImage(png, { size: 0 })).rejects.toThrow(/a size of 1 to 16383 pixels, but got 0/);
    const channels = JSON.parse('2');
    await expect(loadImage(png, { channels })).rejects.toThrow(FoveaError);
    const fit = JSON.parse('"stretch"');
    await expect(loadImage(png, { size: 3, fit })).rejects.toThrow(
      /one of cover, contain, fill, inside, but got 'stretch'/,
    );
    await expect(loadImage(JSON.parse('7'))).rejects.toThrow(/a file name or the bytes of a file, but got 7/);
  });
});

describe('saveImage', () => {
  test('writes what loadImage reads, clamped', async () => {
    const image = fromArray(Float32Array.of(-1, 0.2, 0.4, 0.6, 2, Number.NaN), [1, 2, 3]);
    await saveImage(image, path('out.png'));
    const levels = [...(await loadImage(path('out.png'), { channels: 1 })).data].map((value) =>
      Math.round(255 * value),
    );
    expect(levels).toEqual([0, 51, 102, 153, 255, 0]);
    const coloured = await loadImage(png);
    await saveImage(coloured, path('colour.webp'));
    await saveImage(coloured, path('colour.tiff'));
    expect((await loadImage(path('colour.tiff'))).shape).toEqual([3, 2, 3]);
    await saveImage(coloured, path('colour.png'));
    expect((await loadImage(path('colour.png'))).data).toEqual(coloured.data);
  });

  test('refuses what is no image and names where it cannot write; nothing is left there', async () => {
    const image = fromArray(new Float32Array(4), [2, 2]);
    await expect(saveImage(fromArray(new Float32Array(4)), path('no.png'))).rejects.toThrow(ShapeError);
    await expect(saveImage(fromArray(new Float32Array(8), [2, 2, 2]), path('no.png'))).rejects.toThrow(ShapeError);
    expect(await messageOf(saveImage(image, path('no.xyz')))).toContain("a name that ends in 'xyz'");
    expect(await messageOf(saveImage(image, path('absent/no.png')))).toContain(path('absent/no.png'));
    expect(readdirSync(directory).filter((name) => name.startsWith('no'))).toEqual([]);
  });
});

describe('imageFolder', () => {
  const root = path('classes');
  beforeAll(async () => {
    for (const [name, g] of [
      ['b', 100],
      ['a', 200],
      ['c', 50],
    ] as const) {
      mkdirSync(join(root, name), { recursive: true });
      for (const i of [0, 1]) {
        writeFileSync(
          join(root, name, `${i}.png`),
          await colour(4 + i, 6, { r: 255, g: g + i, b: 0 })
            .png()
            .toBuffer(),
        );
      }
      writeFileSync(join(root, name, 'notes.txt'), 'no picture');
      writeFileSync(join(root, name, '.hidden.png'), 'no picture');
    }
  });

  test('has one class per directory, in order of their names', async () => {
    const data = await imageFolder(root, { size: [3, 2] });
    expect([data.length, data.classes, data.inputShape]).toEqual([6, ['a', 'b', 'c'], [3, 3, 2]]);
    const { inputs, targets } = await data.batch([0, 3, 5]);
    expect(targets.data).toEqual(Int32Array.of(0, 1, 2));
    expect(inputs.shape).toEqual([3, 3, 3, 2]);
    const greens = [0, 1, 2].map((row) => Math.round(255 * inputs.data[row * 18 + 6]!));
    expect(greens).toEqual([200, 101, 51]);
    expect(inputs.data[0]).toBe(1);
    const chosen = await imageFolder(root, { size: 3, channels: 1, classes: ['c', 'a'] });
    expect([chosen.length, chosen.classes, chosen.inputShape]).toEqual([4, ['c', 'a'], [1, 3, 3]]);
  });

  test('feeds a loader, with and without room in memory', async () => {
    const seen: number[][] = [];
    for (const memory of [0, 30, 2 ** 20]) {
      const data = await imageFolder(root, { size: 3, memory });
      for (const _epoch of [0, 1]) {
        const rows: number[] = [];
        for await (const { inputs } of new DataLoader(data, { batchSize: 4, shuffle: true, seed: 3 }))
          rows.push(...inputs.data);
        seen.push(rows);
      }
    }
    for (const rows of seen) expect(rows).toEqual(seen[0]);
  });

  test('keeps resized pictures on disk, until they change', async () => {
    const source = path('cached');
    const cacheDir = path('cache');
    mkdirSync(join(source, 'x'), { recursive: true });
    const file = join(source, 'x', '1.png');
    writeFileSync(file, await colour(8, 8, { r: 10, g: 0, b: 0 }).png().toBuffer());
    const red = async (size: number) => {
      const data = await imageFolder(source, { size, cacheDir, memory: 0 });
      return Math.round(255 * (await data.batch([0])).inputs.data[0]!);
    };
    expect(await red(2)).toBe(10);
    const [name] = readdirSync(cacheDir);
    expect([...readFileSync(join(cacheDir, name!))]).toEqual([10, 0, 0, 10, 0, 0, 10, 0, 0, 10, 0, 0]);
    writeFileSync(join(cacheDir, name!), Buffer.alloc(12, 99));
    expect(await red(2)).toBe(99);
    expect(await red(3)).toBe(10);
    writeFileSync(join(cacheDir, name!), 'short');
    expect(await red(2)).toBe(10);
    writeFileSync(file, await colour(9, 9, { r: 20, g: 0, b: 0 }).png({ compressionLevel: 0 }).toBuffer());
    expect(await red(2)).toBe(20);
  });

  test('a picture that cannot be read is an error when used, or is left out by name', async () => {
    const source = path('broken');
    mkdirSync(join(source, 'x'), { recursive: true });
    writeFileSync(join(source, 'x', '1.png'), png);
    writeFileSync(join(source, 'x', '2.png'), png.subarray(0, 40));
    const strict = await imageFolder(source, { size: 2 });
    expect(strict.length).toBe(2);
    expect((await strict.batch([0])).inputs.shape).toEqual([1, 3, 2, 2]);
    expect(await messageOf(strict.batch([0, 1]))).toContain(join(source, 'x', '2.png'));
    const lenient = await imageFolder(source, { size: 2, unreadable: 'skip' });
    expect(lenient.length).toBe(1);
    expect(lenient.skipped.map(({ file }) => file)).toEqual([join(source, 'x', '2.png')]);
    rmSync(join(source, 'x', '1.png'));
    expect(await messageOf(imageFolder(source, { size: 2, unreadable: 'skip' }))).toContain('but got none; loadImage:');
  });

  test('names directories that are missing or empty', async () => {
    const empty = path('nothing');
    mkdirSync(join(empty, 'one'), { recursive: true });
    expect(await messageOf(imageFolder(path('not there'), { size: 2 }))).toContain(path('not there'));
    expect(await messageOf(imageFolder(join(empty, 'one'), { size: 2 }))).toContain('one directory per class');
    expect(await messageOf(imageFolder(empty, { size: 2 }))).toContain(`pictures in ${join(empty, 'one')}`);
    await expect(imageFolder(root, { size: -1 })).rejects.toThrow(/a size of 1 to 16383 pixels/);
  });
});
