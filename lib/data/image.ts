// Pictures from and to files. The only file that uses sharp, and only once a picture is really read or written.
import type { Sharp } from 'sharp';
import { writeAtomic } from '../io/atomic.ts';
import { DataError, describe, FoveaError, fail, failShape } from '../tensor/errors.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';
import { type InputOptions, toModelInput } from './model-input.ts';

export { type InputOptions, toModelInput } from './model-input.ts';

export interface ImageOptions {
  /** 1 is grey, 3 is red, green, blue. Default 3. */
  readonly channels?: 1 | 3;
  /** Height and width to resize to. Default: as it is. */
  readonly size?: number | readonly [height: number, width: number];
  /**
   * How the picture meets `size`: `cover` (default) fills it and cuts off what stands out, `contain` shows all of it on
   * black, `fill` stretches, `inside` only bounds height and width and never enlarges.
   */
  readonly fit?: 'cover' | 'contain' | 'fill' | 'inside';
  /** Refuse pictures of more pixels (decompression bombs). Default 268,402,689. */
  readonly maxPixels?: number;
}

/** Decoded bytes, [height, width, channels]. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/**
 * A picture as a tensor [channels, height, width] in 0..1: turned as EXIF says, in sRGB, transparency on white. Reads
 * what sharp reads (PNG, JPEG, WebP, AVIF, GIF, TIFF, SVG, …). Throws DataError naming the file if it is missing, no
 * picture, damaged or too large, and FoveaError if sharp is not installed.
 */
export async function loadImage(source: string | Uint8Array, options: ImageOptions = {}): Promise<Tensor> {
  const { data, height, width, channels } = await loadPixels(source, options);
  const values = new Float32Array(data.length);
  const plane = height * width;
  for (let channel = 0; channel < channels; channel++) {
    for (let p = 0; p < plane; p++) values[channel * plane + p] = (data[p * channels + channel] ?? 0) / 255;
  }
  return fromArray(values, [channels, height, width]);
}

/** Like `loadImage`, but the bytes, pixel by pixel. */
export async function loadPixels(
  source: string | Uint8Array,
  { channels = 3, size, fit = 'cover', maxPixels = 0x3fff ** 2 }: ImageOptions = {},
): Promise<Pixels> {
  if (channels !== 1 && channels !== 3) fail('loadImage', { expected: '1 or 3 channels', got: describe(channels) });
  if (!(maxPixels > 0)) fail('loadImage', { expected: 'maxPixels above 0', got: describe(maxPixels) });
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    fail('loadImage', { expected: 'a file name or the bytes of a file', got: describe(source) });
  }
  const fits = ['cover', 'contain', 'fill', 'inside'];
  if (!fits.includes(fit)) fail('loadImage', { expected: `fit to be one of ${fits.join(', ')}`, got: describe(fit) });
  const box = size === undefined ? undefined : checkSize(size);
  const sharp = await importSharp();
  try {
    let picture: Sharp = sharp(source, { limitInputPixels: maxPixels, failOn: 'error' }).autoOrient();
    if (box) picture = picture.resize({ height: box[0], width: box[1], fit, withoutEnlargement: fit === 'inside' });
    picture = picture.flatten({ background: '#fff' }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
    const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`${info.channels} channels`);
    return { data, height: info.height, width: info.width, channels };
  } catch (error) {
    const name = typeof source === 'string' ? source : `the picture (${source.length} bytes)`;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`loadImage: expected ${name} to be a picture that can be read, but got: ${reason}`, {
      cause: error,
    });
  }
}

/**
 * A picture of any size as the input of a model, [channels, height, width]: `loadImage`, at most 512 pixels high and
 * wide, then `toModelInput`.
 */
export async function loadModelInput(source: string | Uint8Array, options: InputOptions): Promise<Tensor> {
  // Colours matter to tell a digit from its background even where the model itself sees grey.
  return toModelInput(await loadImage(source, { channels: 3, size: [512, 512], fit: 'inside' }), options);
}

/**
 * Writes a tensor [1 or 3, height, width] or [height, width] with values 0..1 (others are clamped, NaN is 0) in the
 * format of the file's extension. The file is replaced whole or not at all. Throws DataError if it cannot be written.
 */
export async function saveImage(image: Tensor, file: string): Promise<void> {
  const [channels = 0, height = 0, width = 0] = image.rank === 2 ? [1, ...image.shape] : image.shape;
  if (image.rank < 2 || image.rank > 3 || (channels !== 1 && channels !== 3) || height * width === 0) {
    failShape('saveImage', { expected: 'an image [1 or 3, height, width]', got: `[${image.shape.join(', ')}]` });
  }
  const plane = height * width;
  const bytes = new Uint8ClampedArray(channels * plane);
  const values = image.floats;
  for (let channel = 0; channel < channels; channel++) {
    for (let p = 0; p < plane; p++) bytes[p * channels + channel] = 255 * (values[channel * plane + p] ?? 0);
  }
  const sharp = await importSharp();
  let encoded: Buffer;
  try {
    const extension = /\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
    const format = formats.get(extension);
    if (!format) throw new Error(`a name that ends in '${extension}', not in ${[...formats.keys()].join(', ')}`);
    const picture = sharp(bytes, { raw: { width, height, channels } });
    encoded = await (channels === 1 ? picture.toColourspace('b-w') : picture).toFormat(format).toBuffer();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`saveImage: expected to write ${file}, but got: ${reason}`, { cause: error });
  }
  await writeAtomic(file, encoded);
}

const formats: ReadonlyMap<string, 'png' | 'jpeg' | 'webp' | 'avif' | 'gif' | 'tiff'> = new Map([
  ['png', 'png'],
  ['jpg', 'jpeg'],
  ['jpeg', 'jpeg'],
  ['webp', 'webp'],
  ['avif', 'avif'],
  ['gif', 'gif'],
  ['tif', 'tiff'],
  ['tiff', 'tiff'],
] as const);

/** [height, width], positive. */
export function checkSize(size: number | readonly [number, number]): readonly [number, number] {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  if ([height, width].every((n) => Number.isSafeInteger(n) && n > 0 && n <= 0x3fff)) return [height, width];
  return fail('loadImage', { expected: 'a size of 1 to 16383 pixels', got: describe(size) });
}

async function importSharp() {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const message = `images: expected the package sharp to read and write pictures, but got: ${reason}`;
    throw new FoveaError(`${message}. Install it with: npm install sharp`, { cause: error });
  }
}
