// From --data to data sets: the built-in digits, a directory of idx files, or directories of pictures.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { builtinDigits, type Dataset, type ImageFolder, imageFolder, loadMnist, split } from '../../data/index.ts';
import type { ModelInfo } from '../../io/index.ts';
import { DataError, fromArray, ShapeError } from '../../tensor/index.ts';
import { count } from '../options.ts';

export interface TrainAndTest {
  readonly train: Dataset;
  readonly test: Dataset;
  /** For people: what it is and how much. */
  readonly description: string;
  /** What people should know besides, a line each. */
  readonly notes: readonly string[];
}

/** How pictures of any size become inputs, and what their classes are called. */
type Wanted = Pick<ModelInfo, 'inputShape' | 'preprocessing' | 'classes'>;

const BUILTIN = { train: 12_000, test: 2_000 };
/** Share of the pictures kept for testing where the directory does not say. */
const TEST_SHARE = 0.1;

/**
 * Opens what --data names. `limit` bounds how many built-in digits are drawn to train; of other data all is opened. Throws DataError for a directory that is none of the kinds, or an empty one.
 */
export async function openData(where: string, wanted: Wanted, limit: number | null = null): Promise<TrainAndTest> {
  const {
    train,
    test,
    kind,
    folders = [],
  } = where === 'builtin' ? openBuiltin(limit) : await openDirectory(where, wanted);
  for (const [part, set] of Object.entries({ train, test })) {
    if (set.length === 0) throw new DataError(`data: expected pictures to ${part} in ${where}, but got none`);
  }
  const description = `${kind}: ${count(train.length)} to train, ${count(test.length)} to test`;
  return { train, test, description, notes: folders.flatMap(leftOut) };
}

function leftOut({ skipped }: ImageFolder): string[] {
  const [first] = skipped;
  if (first === undefined) return [];
  const pictures = skipped.length === 1 ? 'picture was' : 'pictures were';
  return [`note: ${count(skipped.length)} ${pictures} left out; the first: ${first.reason}`];
}

interface Opened {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly kind: string;
  readonly folders?: readonly ImageFolder[];
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
    const known = wanted.classes?.length === 10 ? wanted.classes : 'digits';
    const options = { classes: /fashion/i.test(basename(resolve(directory))) ? 'fashion' : known } as const;
    const [train, test] = [await loadMnist(directory, 'train', options), await loadMnist(directory, 'test', options)];
    return { train, test, kind: directory };
  }
  const { size, channels } = wanted.preprocessing ?? { size: [28, 28] as const, channels: 1 as const };
  const open = (folder: string) => imageFolder(folder, { size, channels, unreadable: 'skip' });
  if (existsSync(join(directory, 'train')) && existsSync(join(directory, 'test'))) {
    const [train, test] = [await open(join(directory, 'train')), await open(join(directory, 'test'))];
    return { train, test: numberedAs(test, train.classes, 'train/'), kind: directory, folders: [train, test] };
  }
  if (readdirSync(directory, { withFileTypes: true }).some((entry) => entry.isDirectory())) {
    const all = await open(directory);
    if (all.length < 1 / TEST_SHARE) {
      throw new DataError(`data: expected at least ${1 / TEST_SHARE} pictures in ${directory}, but got ${all.length}`);
    }
    const [train, test] = split(all, [1 - TEST_SHARE, TEST_SHARE], 1);
    if (train && test) return { train, test, kind: directory, folders: [all] };
  }
  throw new DataError(`data: expected ${expected}, but got ${directory}, which holds none of these`);
}

/** The data with its classes numbered as in `names`, by what they are called. Throws DataError for one not among them. */
export function numberedAs(data: Dataset, names: readonly string[], owner: string): Dataset {
  const own = data.classes ?? names;
  const numbers = own.map((name) => names.indexOf(name));
  const strange = own.filter((_, i) => numbers[i] === -1);
  if (strange.length > 0) {
    const known = names.length > 12 ? `${names.length} others` : names.join(', ');
    throw new DataError(`data: expected classes that ${owner} knows (${known}), but got ${strange.join(', ')}`);
  }
  if (numbers.every((number, i) => number === i)) return data;
  return {
    length: data.length,
    inputShape: data.inputShape,
    classes: names,
    batch: async (indices) => {
      const { inputs, targets } = await data.batch(indices);
      return { inputs, targets: fromArray(targets.ints.map((target) => numbers[target] ?? -1)) };
    },
  };
}

/** Throws unless a model that takes `inputShape` can use this data. */
export function checkFits(data: Dataset, model: string, inputShape: readonly number[]): void {
  const show = (shape: readonly number[]) => `[${shape.join(', ')}]`;
  if (show(data.inputShape) === show(inputShape)) return;
  throw new ShapeError(
    `data: expected pictures ${show(inputShape)}, because ${model} takes such, but got ${show(data.inputShape)}`,
  );
}
