// idx files: good ones read exactly, damaged ones are refused by name, and nothing crashes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parseIdx } from '../../lib/data/idx.ts';
import { loadMnist, readIdx } from '../../lib/data/index.ts';
import { DataError, FoveaError } from '../../lib/tensor/index.ts';
import { dataFolder, hasData } from './folders.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-idx-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** An idx file of unsigned bytes. */
function idx(shape: readonly number[], bytes: readonly number[], type = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = type;
  header[3] = shape.length;
  for (const [axis, n] of shape.entries()) header.writeUInt32BE(n, 4 + 4 * axis);
  return Buffer.concat([header, Buffer.from(bytes)]);
}

const images = idx([3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8]);
const labels = idx([3], [7, 0, 9]);

/** A folder of the two training files. */
function folder(name: string, files: Record<string, Buffer>): string {
  const dir = mkdtempSync(join(directory, name));
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(dir, file), bytes);
  return dir;
}

describe('readIdx', () => {
  test('reads every element type, big-endian', () => {
    expect(parseIdx(images)).toEqual({ shape: [3, 2, 2], data: new Uint8Array(images.subarray(16)) });
    expect(parseIdx(idx([2], [255, 1], 9)).data).toEqual(Int8Array.of(-1, 1));
    expect(parseIdx(idx([2], [1, 2, 255, 254], 11)).data).toEqual(Int16Array.of(258, -2));
    expect(parseIdx(idx([1], [0, 1, 0, 2], 12)).data).toEqual(Int32Array.of(65538));
    expect(parseIdx(idx([1], [0x3f, 0xc0, 0, 0], 13)).data).toEqual(Float32Array.of(1.5));
    expect(parseIdx(idx([1], [0xbf, 0xf8, 0, 0, 0, 0, 0, 0], 14)).data).toEqual(Float64Array.of(-1.5));
  });

  test('reads gzip and plain alike', async () => {
    const dir = folder('both', { plain: images, packed: gzipSync(images) });
    expect(await readIdx(join(dir, 'packed'))).toEqual(await readIdx(join(dir, 'plain')));
  });

  test.each([
    ['empty', Buffer.alloc(0), /begin with 0 0.*but got 0 bytes/],
    ['another magic', Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), /but got bytes 80 75 3 4/],
    ['an unknown type', idx([1], [1], 10), /a type of 8, 9, 11/],
    ['a cut header', images.subarray(0, 14), /header of 16 bytes, because its rank is 3, but got 14 bytes/],
    ['cut data', images.subarray(0, 27), /28 bytes, because its header says \[3, 2, 2\].*but got 27 bytes/],
    ['bytes too many', Buffer.concat([images, Buffer.alloc(1)]), /but got 29 bytes/],
    ['sizes beyond all memory', idx([4294967295, 4294967295, 4294967295], [1]), /4294967295, 4294967295/],
  ])('refuses %s', async (name, bytes, message) => {
    const file = join(directory, `bad ${name}`);
    writeFileSync(file, bytes);
    const error = await readIdx(file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(file);
  });

  test('refuses a truncated or corrupt gzip file, and one that unpacks to too much', async () => {
    const packed = gzipSync(Buffer.concat([images, Buffer.alloc(100_000)]));
    const corrupt = Buffer.from(packed);
    corrupt[corrupt.length - 6]! ^= 1;
    const dir = folder('gzip', { cut: packed.subarray(0, -9), corrupt, bomb: packed });
    await expect(readIdx(join(dir, 'cut'))).rejects.toThrow(/cut to unpack as gzip, but got: unexpected end/);
    await expect(readIdx(join(dir, 'corrupt'))).rejects.toThrow(/corrupt to unpack as gzip, but got: incorrect data/);
    await expect(readIdx(join(dir, 'bomb'), { maxBytes: 50_000 })).rejects.toThrow(/more than 50000 bytes/);
    await expect(readIdx(join(dir, 'absent'))).rejects.toThrow(/absent.*no such file/);
  });

  test('any mutation gives a valid result or a DataError', () => {
    const mutation = fc.array(fc.tuple(fc.nat(images.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    let refused = 0;
    fc.assert(
      fc.property(mutation, fc.nat(images.length), fc.uint8Array({ maxLength: 4 }), (changes, length, tail) => {
        const bytes = Buffer.concat([images.subarray(0, length), tail]);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          const { shape, data } = parseIdx(bytes);
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
          refused++;
        }
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe('loadMnist', () => {
  test('gives images in 0..1 and labels, under both ways to name the files', async () => {
    const names = [
      { 'train-images-idx3-ubyte.gz': gzipSync(images), 'train-labels-idx1-ubyte': labels },
      { 'train-images.idx3-ubyte': images, 'train-labels.idx1-ubyte.gz': gzipSync(labels) },
    ];
    for (const files of names) {
      const data = await loadMnist(folder('good', files), 'train');
      expect([data.length, data.inputShape]).toEqual([3, [1, 2, 2]]);
      const { inputs, targets } = data.batch([2, 0]);
      expect(inputs.shape).toEqual([2, 1, 2, 2]);
      expect([...inputs.data]).toEqual([5, 6, 7, 8, 0, 51, 102, 255].map((level) => Math.fround(level / 255)));
      expect(targets.data).toEqual(Int32Array.of(9, 7));
      expect(data.classes?.[7]).toBe('7');
    }
  });

  test('can be limited, and named for Fashion-MNIST', async () => {
    const dir = folder('few', { 't10k-images-idx3-ubyte': images, 't10k-labels-idx1-ubyte': labels });
    const data = await loadMnist(dir, 'test', { limit: 2, classes: 'fashion' });
    expect(data.length).toBe(2);
    expect(data.classes?.[9]).toBe('Ankle boot');
    expect((await loadMnist(dir, 'test', { limit: 99 })).length).toBe(3);
  });

  test('refuses files that do not belong together, bad labels, and what is not there', async () => {
    const withLabels = (bytes: Buffer) =>
      folder('bad', { 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': bytes });
    await expect(loadMnist(withLabels(idx([2], [1, 2])), 'train')).rejects.toThrow(/3 labels, because .* but got 2/);
    await expect(loadMnist(withLabels(idx([3], [1, 10, 2])), 'train')).rejects.toThrow(
      /labels from 0 to 9, because there are 10 classes, but got 10 at sample 1/,
    );
    await expect(loadMnist(withLabels(images), 'train')).rejects.toThrow(/rank 1, but got Uint8Array \[3, 2, 2\]/);
    await expect(loadMnist(withLabels(labels), 'test')).rejects.toThrow(/t10k-images-idx3-ubyte.*but got none/);
    await expect(loadMnist(withLabels(labels), 'train', { limit: 0 })).rejects.toThrow(FoveaError);
    const empty = folder('empty', {
      'train-images-idx3-ubyte': idx([0, 28, 28], []),
      'train-labels-idx1-ubyte': idx([0], []),
    });
    await expect(loadMnist(empty, 'train')).rejects.toThrow(/to have images, but got an empty file/);
  });

  test.skipIf(!hasData('mnist'))('MNIST itself is as published (skipped without the data folder)', async () => {
    const data = await loadMnist(join(dataFolder, 'mnist'), 'train');
    expect([data.length, data.inputShape]).toEqual([60_000, [1, 28, 28]]);
    expect([...data.targets.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    const { inputs } = data.batch(Int32Array.from({ length: 60_000 }, (_, i) => i));
    let sum = 0;
    for (const value of inputs.data) sum += value;
    expect(sum / inputs.size).toBeCloseTo(0.1307, 4);
  });
});
