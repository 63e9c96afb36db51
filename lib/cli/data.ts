// From --data to data sets: the built-in digits, a directory of idx files, or directories of pictures.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { builtinDigits, type Dataset, imageFolder, loadMnist, split } from '../data/index.ts';
import type { ModelInfo } from '../io/index.ts';
import { DataError, ShapeError } from '../tensor/index.ts';
import { count } from './options.ts';

export interface TrainAndTest {
  readonly train: Dataset;
  readonly test: Dataset;
  /** For people: what it is and how much. */
  readonly description: string;
}

/** How pictures of any size become inputs. */
type Wanted = Pick<ModelInfo, 'inputShape' | 'preprocessing'>;

const BUILTIN = { train: 12_000, test: 2_000 };
/** Share of the pictures kept for testing where the directory does not say. */
const TEST_SHARE = 0.1;

/**
 * Opens what --data names. `limit` bounds how many built-in digits are drawn to train; of other data all is opened. Throws DataError for a directory that is none of the kinds, or an empty one.
 */
export async function openData(where: string, wanted: Wanted, limit: number | null = null): Promise<TrainAndTest> {
  const { train, test, kind } = where === 'builtin' ? openBuiltin(limit) : await openDirectory(where, wanted);
  for (const [part, set] of Object.entries({ train, test })) {
    if (set.length === 0) throw new DataError(`data: expected pictures to ${part} in ${where}, but got none`);
  }
  return { train, test, description: `${kind}: ${count(train.length)} to train, ${count(test.length)} to test` };
}

interface Opened {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly kind: string;
}

function openBuiltin(limit: number | null): Opened {
  return {
    train: builtinDigits({ count: Math.min(limit ?? BUILTIN.train, BUILTIN.train), seed: 1 }),
    test: builtinDigits({ count: BUILTIN.test, seed: 2 }),
    kind: 'built-in digits',
  };
}

async function openDirectory(directory: string, wanted: Wanted): Promise<Opened> {
  const found = statSync(directory, { throwIfNoEntry: false });
  const expected = "'builtin', or a directory with idx files, with train/ and test/, or with one directory per class";
  if (!found?.isDirectory()) {
    throw new DataError(
      `data: expected ${expected}, but got ${directory}, which ${found ? 'is no directory' : 'does not exist'}`,
    );
  }
  if (readdirSync(directory).some((name) => /[-.]idx\d-ubyte(\.gz)?$/.test(name))) {
    // The files of the two sets look alike, and do not say what their classes are called.
    const options = { classes: /fashion/i.test(basename(resolve(directory))) ? 'fashion' : 'digits' } as const;
    const [train, test] = [await loadMnist(directory, 'train', options), await loadMnist(directory, 'test', options)];
    return { train, test, kind: directory };
  }
  const { size, channels } = wanted.preprocessing ?? { size: [28, 28] as const, channels: 1 as const };
  const open = (folder: string) => imageFolder(folder, { size, channels });
  if (existsSync(join(directory, 'train')) && existsSync(join(directory, 'test'))) {
    return { train: await open(join(directory, 'train')), test: await open(join(directory, 'test')), kind: directory };
  }
  if (readdirSync(directory, { withFileTypes: true }).some((entry) => entry.isDirectory())) {
    const all = await open(directory);
    const [train, test] = split(all, [1 - TEST_SHARE, TEST_SHARE], 1);
    if (train && test) return { train, test, kind: directory };
  }
  throw new DataError(`data: expected ${expected}, but got ${directory}, which holds none of these`);
}

/** Throws unless a model that takes `inputShape` and knows `classes` can use this data. */
export function checkFits(data: Dataset, model: string, inputShape: readonly number[], classes: number): void {
  const show = (shape: readonly number[]) => `[${shape.join(', ')}]`;
  if (show(data.inputShape) !== show(inputShape)) {
    throw new ShapeError(
      `data: expected pictures ${show(inputShape)}, because ${model} takes such, but got ${show(data.inputShape)}`,
    );
  }
  const own = data.classes?.length ?? classes;
  if (own > classes)
    throw new ShapeError(`data: expected at most ${classes} classes, because ${model} knows as many, but got ${own}`);
}
