// A folder of pictures with one directory per class, read and resized when needed, kept in memory and if wanted on disk.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { writeAtomic } from '../io/atomic.ts';
import { DataError, describe, fail } from '../tensor/errors.ts';
import { fromArray } from '../tensor/index.ts';
import { type Batch, checkIndices, type Dataset, type Indices } from './dataset.ts';
import { checkSize, type ImageOptions, loadPixels } from './image.ts';

export interface FolderOptions extends Pick<ImageOptions, 'channels' | 'maxPixels'> {
  /** Height and width of all inputs. */
  readonly size: number | readonly [height: number, width: number];
  /** See `loadImage`. Default `cover`. */
  readonly fit?: 'cover' | 'contain' | 'fill';
  /** Class names in the order of their numbers. Default: all directories, sorted. */
  readonly classes?: readonly string[];
  /** A picture that cannot be read is an error when it is used, or is found at the start and left out. Default `error`. */
  readonly unreadable?: 'error' | 'skip';
  /** Keep at most this many bytes of resized pictures in memory. Default 1 GiB. */
  readonly memory?: number;
  /** Also keep resized pictures in this directory, for the next run. */
  readonly cacheDir?: string;
}

const extensions = new Set(['.png', '.jpg', '.jpeg', '.webp', '.avif', '.gif', '.tif', '.tiff', '.svg']);

/**
 * The pictures below `dir`/<class>/, sorted by name: inputs [channels, ...size] in 0..1. Files without a picture's
 * extension are ignored. Throws DataError naming the directory or file that is missing, empty or unreadable.
 */
export async function imageFolder(dir: string, options: FolderOptions): Promise<ImageFolder> {
  const { unreadable = 'error' } = options;
  if (unreadable !== 'error' && unreadable !== 'skip') {
    fail('imageFolder', { expected: "unreadable to be 'error' or 'skip'", got: describe(unreadable) });
  }
  const classes = options.classes ?? (await list(dir)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (classes.length === 0)
    throw new DataError(`imageFolder: expected one directory per class in ${dir}, but got none`);
  const pictures: Picture[] = [];
  for (const [target, name] of classes.entries()) {
    const entries = await list(join(dir, name));
    const files = entries.filter((entry) => !entry.isDirectory() && extensions.has(extname(entry.name).toLowerCase()));
    if (files.length === 0) throw new DataError(`imageFolder: expected pictures in ${join(dir, name)}, but got none`);
    pictures.push(...files.map((entry) => ({ file: join(dir, name, entry.name), target })));
  }
  const folder = new ImageFolder(pictures, classes, options);
  return unreadable === 'skip' ? folder.readable() : folder;
}

interface Picture {
  readonly file: string;
  readonly target: number;
}

/** What `imageFolder` opens. */
export class ImageFolder implements Dataset {
  readonly length: number;
  readonly inputShape: readonly [channels: number, height: number, width: number];
  readonly classes: readonly string[];
  /** Pictures that were left out because they could not be read. */
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  readonly #pictures: readonly Picture[];
  readonly #options: FolderOptions;
  readonly #kept = new Map<string, Uint8Array>();
  #room: number;

  constructor(
    pictures: readonly Picture[],
    classes: readonly string[],
    options: FolderOptions,
    skipped: ImageFolder['skipped'] = [],
  ) {
    this.#pictures = pictures;
    this.#options = options;
    this.#room = options.memory ?? 2 ** 30;
    this.length = pictures.length;
    this.classes = [...classes];
    this.inputShape = [options.channels ?? 3, ...checkSize(options.size)];
    this.skipped = skipped;
  }

  async batch(indices: Indices): Promise<Batch> {
    checkIndices('batch', indices, this.length);
    const pictures = Array.from(indices, (index) => this.#pictures[index]!);
    const [channels, height, width] = this.inputShape;
    const plane = height * width;
    const inputs = new Float32Array(pictures.length * channels * plane);
    const all = await Promise.all(pictures.map(({ file }) => this.#pixels(file)));
    all.forEach((pixels, row) => {
      for (let channel = 0; channel < channels; channel++) {
        const to = (row * channels + channel) * plane;
        for (let p = 0; p < plane; p++) inputs[to + p] = pixels[p * channels + channel]! / 255;
      }
    });
    const targets = Int32Array.from(pictures, ({ target }) => target);
    return { inputs: fromArray(inputs, [pictures.length, ...this.inputShape]), targets: fromArray(targets) };
  }

  /** This folder without the pictures that cannot be read: reads all of them once. Throws DataError if none is left. */
  async readable(): Promise<ImageFolder> {
    const skipped: { file: string; reason: string }[] = [];
    const good: Picture[] = [];
    const together = 16;
    for (let start = 0; start < this.length; start += together) {
      const some = this.#pictures.slice(start, start + together);
      const results = await Promise.allSettled(some.map(({ file }) => this.#pixels(file)));
      results.forEach((result, i) => {
        const picture = some[i]!;
        if (result.status === 'fulfilled') good.push(picture);
        else if (result.reason instanceof DataError)
          skipped.push({ file: picture.file, reason: result.reason.message });
        else throw result.reason;
      });
    }
    if (good.length === 0) {
      throw new DataError(`imageFolder: expected pictures that can be read, but got none; ${skipped[0]?.reason}`);
    }
    const folder = new ImageFolder(good, this.classes, this.#options, skipped);
    for (const [file, pixels] of this.#kept) folder.#keep(file, pixels);
    return folder;
  }

  async #pixels(file: string): Promise<Uint8Array> {
    const kept = this.#kept.get(file);
    if (kept) return kept;
    const { cacheDir } = this.#options;
    const pixels = cacheDir === undefined ? await this.#decode(file) : await this.#cached(file, cacheDir);
    this.#keep(file, pixels);
    return pixels;
  }

  #keep(file: string, pixels: Uint8Array): void {
    if (pixels.length > this.#room || this.#kept.has(file)) return;
    this.#room -= pixels.length;
    this.#kept.set(file, pixels);
  }

  async #decode(file: string): Promise<Uint8Array> {
    const { channels, maxPixels, size, fit } = this.#options;
    const limits = maxPixels === undefined ? {} : { maxPixels };
    return (await loadPixels(file, { channels: channels ?? 3, size, fit: fit ?? 'cover', ...limits })).data;
  }

  /** The name of a cached picture depends on all that its contents depend on; a cache that cannot be used costs only time. */
  async #cached(file: string, cacheDir: string): Promise<Uint8Array> {
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) return this.#decode(file);
    const what = [resolve(file), found.mtimeMs, found.size, this.inputShape, this.#options.fit ?? 'cover'];
    const name = join(cacheDir, `${createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32)}.raw`);
    const [channels, height, width] = this.inputShape;
    const cached = await readFile(name).catch(() => undefined);
    if (cached?.length === channels * height * width) return cached;
    const pixels = await this.#decode(file);
    await mkdir(cacheDir, { recursive: true })
      .then(() => writeAtomic(name, pixels))
      .catch(() => {});
    return pixels;
  }
}

async function list(dir: string) {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`imageFolder: expected to read the directory ${dir}, but got: ${reason}`, { cause: error });
  }
}
