// From --data to data sets: the built-in digits, a directory of idx files, or directories of pictures.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
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

/** Opens what --data names. Throws DataError for a directory that is none of the kinds, or an empty one. */
export async function openData(where: string, wanted: Wanted): Promise<TrainAndTest> {
  const { train, test, kind } = where === 'builtin' ? openBuiltin() : await openDirectory(where, wanted);
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

function openBuiltin(): Opened {
  return {
    train: builtinDigits({ count: BUILTIN.train, seed: 1 }),
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
  if (readdirSync(directory).some((name) => /-idx\d-ubyte(\.gz)?$/.test(name))) {
    return { train: await loadMnist(directory, 'train'), test: await loadMnist(directory, 'test'), kind: directory };
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
