// The idx format of MNIST and Fashion-MNIST (http://yann.lecun.com/exdb/mnist): read whole, checked whole.
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError, describe, fail } from '../tensor/errors.ts';
import { ArrayDataset, checkLabels } from './dataset.ts';

/** What an idx file holds: a shape and numbers, the last dimension fastest. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

interface ElementType {
  readonly bytes: number;
  readonly read: (view: DataView, start: number, count: number) => Idx['data'];
}

const numbers =
  <A extends Exclude<Idx['data'], Uint8Array>>(
    bytes: number,
    Numbers: new (length: number) => A,
    get: (view: DataView, at: number) => number,
  ): ElementType['read'] =>
  (view, start, count) => {
    const data = new Numbers(count);
    for (let i = 0; i < count; i++) data[i] = get(view, start + i * bytes);
    return data;
  };

// Big-endian, by the third byte of the file.
const elementTypes: Readonly<Record<number, ElementType>> = {
  8: { bytes: 1, read: ({ buffer, byteOffset }, start, count) => new Uint8Array(buffer, byteOffset + start, count) },
  9: { bytes: 1, read: numbers(1, Int8Array, (view, at) => view.getInt8(at)) },
  11: { bytes: 2, read: numbers(2, Int16Array, (view, at) => view.getInt16(at)) },
  12: { bytes: 4, read: numbers(4, Int32Array, (view, at) => view.getInt32(at)) },
  13: { bytes: 4, read: numbers(4, Float32Array, (view, at) => view.getFloat32(at)) },
  14: { bytes: 8, read: numbers(8, Float64Array, (view, at) => view.getFloat64(at)) },
};

export interface IdxOptions {
  /** Refuse to unpack a .gz beyond this many bytes. Default 1 GiB. */
  readonly maxBytes?: number;
}

/** Reads an idx file, gzipped or not (told by its first bytes). Throws DataError naming the file and what is wrong. */
export async function readIdx(file: string, { maxBytes = 2 ** 30 }: IdxOptions = {}): Promise<Idx> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new DataError(`readIdx: expected to read ${file}, but got: ${error.message}`, { cause: error });
  });
  return parseIdx(await unpack(bytes, file, maxBytes), file);
}

async function unpack(bytes: Uint8Array, file: string, maxBytes: number): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const reason = error instanceof Error ? error.message : String(error);
    const got = code === 'ERR_BUFFER_TOO_LARGE' ? `more than ${maxBytes} bytes` : reason;
    throw new DataError(`readIdx: expected ${file} to unpack as gzip, but got: ${got}`, { cause: error });
  }
}

/** The contents of an unpacked idx file; `name` is for messages. Bytes are used without a copy. Throws DataError. */
export function parseIdx(bytes: Uint8Array, name = 'the idx data'): Idx {
  const [zero = -1, zeroToo = -1, code = -1, rank = -1] = bytes;
  const type = elementTypes[code];
  if (zero !== 0 || zeroToo !== 0 || type === undefined || rank < 0) {
    const got = bytes.length < 4 ? `${bytes.length} bytes` : `bytes ${[...bytes.subarray(0, 4)].join(' ')}`;
    wrong(name, 'to begin with 0 0, a type of 8, 9, 11, 12, 13 or 14, and a rank', got);
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) wrong(name, `a header of ${header} bytes, because its rank is ${rank}`, sizeOf(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  // A product of 255 dimensions may round to infinity, but never to the size of a file by mistake: it is exact below 2^53.
  const count = shape.includes(0) ? 0 : shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== header + count * type.bytes) {
    const because = `its header says [${shape.join(', ')}] of ${type.bytes}-byte numbers`;
    wrong(name, `${header + count * type.bytes} bytes, because ${because}`, sizeOf(bytes));
  }
  return { shape, data: type.read(view, header, count) };
}

const sizeOf = (bytes: Uint8Array) => `${bytes.length} bytes`;

function wrong(name: string, expected: string, got: string): never {
  throw new DataError(
    `readIdx: expected ${name} ${expected.startsWith('to ') ? '' : 'to have '}${expected}, but got ${got}`,
  );
}

const classNames = {
  digits: [...'0123456789'],
  fashion: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
} as const;

export interface MnistOptions extends IdxOptions {
  /** Only the first samples. */
  readonly limit?: number;
  /** `digits` (default) for MNIST, `fashion` for Fashion-MNIST, or names of your own. */
  readonly classes?: keyof typeof classNames | readonly string[];
}

/**
 * MNIST, Fashion-MNIST, or any folder of the same four files (`train-images-idx3-ubyte`, also `train-images.idx3-ubyte`,
 * each with or without `.gz`): inputs [1, height, width] in 0..1, held as bytes. Throws DataError for files that are
 * missing, corrupt, or do not belong together.
 */
export async function loadMnist(
  dir: string,
  part: 'train' | 'test',
  { limit, classes = 'digits', ...options }: MnistOptions = {},
): Promise<ArrayDataset> {
  if (part !== 'train' && part !== 'test') fail('loadMnist', { expected: "'train' or 'test'", got: describe(part) });
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    fail('loadMnist', { expected: 'a limit of at least 1', got: describe(limit) });
  }
  const names = typeof classes === 'string' ? classNames[classes] : classes;
  if (names === undefined) fail('loadMnist', { expected: "classes 'digits' or 'fashion'", got: describe(classes) });
  const prefix = part === 'train' ? 'train' : 't10k';
  // One after the other: where several things are wrong, it is always the same one that is reported.
  const imagesFile = await find(dir, prefix, 'images', 3);
  const labelsFile = await find(dir, prefix, 'labels', 1);
  const images = await readIdx(imagesFile, options);
  const labels = await readIdx(labelsFile, options);
  const pixels = checkRank(imagesFile, images, 3);
  const targets = checkRank(labelsFile, labels, 1);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (count !== targets.length) {
    throw new DataError(
      `loadMnist: expected ${count} labels, because ${imagesFile} has ${count} images, but got ${targets.length} in ${labelsFile}`,
    );
  }
  if (pixels.length === 0)
    throw new DataError(`loadMnist: expected ${imagesFile} to have images, but got an empty file`);
  checkLabels(`loadMnist: ${labelsFile}`, targets, names.length);
  const used = Math.min(count, limit ?? count);
  return new ArrayDataset({
    inputs: pixels.subarray(0, used * height * width),
    inputShape: [1, height, width],
    targets: targets.subarray(0, used),
    classes: names,
  });
}

async function find(dir: string, prefix: string, kind: string, rank: number): Promise<string> {
  const stems = [`${prefix}-${kind}-idx${rank}-ubyte`, `${prefix}-${kind}.idx${rank}-ubyte`];
  const tried = stems.flatMap((stem) => [join(dir, `${stem}.gz`), join(dir, stem)]);
  for (const file of tried) {
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new DataError(
    `loadMnist: expected one of ${stems.join(' or ')}, each with or without .gz, in ${dir}, but got none`,
  );
}

function checkRank(file: string, { shape, data }: Idx, rank: number): Uint8Array {
  if (shape.length === rank && data instanceof Uint8Array) return data;
  const got = `${data.constructor.name} [${shape.join(', ')}]`;
  throw new DataError(`loadMnist: expected ${file} to hold unsigned bytes of rank ${rank}, but got ${got}`);
}
