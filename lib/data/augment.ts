// Transforms of image batches [batch, channels, height, width]: random, but determined by (seed, epoch, sample).
import { describe, fail, failShape } from '../tensor/errors.ts';
import { Random } from './random.ts';
import { type Matrix, Warper } from './warp.ts';

/** What a transform does, as plain data, so that it can be sent to a worker thread; made by the functions below. */
export type Transform =
  | { readonly kind: 'normalize'; readonly mean: readonly number[]; readonly std: readonly number[] }
  | { readonly kind: 'crop'; readonly size: Pair; readonly padding: number; readonly fill: number }
  | { readonly kind: 'flip'; readonly probability: number }
  | ({ readonly kind: 'affine'; readonly fill: number } & Ranges)
  | { readonly kind: 'elastic'; readonly alpha: number; readonly sigma: number; readonly fill: number }
  | { readonly kind: 'custom'; readonly apply: ImageFunction };

type Pair = readonly [number, number];
type Range = readonly [low: number, high: number];

interface Ranges {
  readonly degrees: Range;
  readonly translate: Pair;
  readonly scale: Range;
  readonly shear: Range;
}

/** Changes one image [channels, height, width] in place. */
export type ImageFunction = (image: Float32Array, shape: readonly [number, number, number], random: Random) => void;

/** A batch of images in memory: [batch, channels, height, width]. */
export interface Images {
  readonly data: Float32Array;
  readonly shape: readonly [batch: number, channels: number, height: number, width: number];
}

/** What the randomness of a batch depends on: `indices` are the numbers of its samples in the data set. */
export interface Stream {
  readonly seed: number;
  readonly epoch: number;
  readonly indices: Int32Array;
}

/** y = (x - mean) / std, per channel or for all; the last of a list, since what others fill in is meant before it. */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  const [means, stds] = [[mean].flat(), [std].flat()];
  if (means.length === 0 || !means.every(Number.isFinite)) {
    fail('normalize', { expected: 'finite means', got: describe(mean) });
  }
  if (stds.length === 0 || !stds.every((value) => Number.isFinite(value) && value > 0)) {
    fail('normalize', { expected: 'standard deviations above 0', got: describe(std) });
  }
  return { kind: 'normalize', mean: means, std: stds };
}

/** A window of `size` pixels at a random place of the image with `padding` pixels of `fill` (0) around it. */
export function randomCrop(size: number | Pair, { padding = 0, fill = 0 } = {}): Transform {
  const pair: Pair = typeof size === 'number' ? [size, size] : size;
  if (pair.length !== 2 || !pair.every((n) => Number.isSafeInteger(n) && n > 0)) {
    fail('randomCrop', { expected: 'a size of [height, width] above 0', got: describe(size) });
  }
  if (!Number.isSafeInteger(padding) || padding < 0) {
    fail('randomCrop', { expected: 'a padding of 0 or more pixels', got: describe(padding) });
  }
  return { kind: 'crop', size: pair, padding, fill };
}

/** Mirrors left and right with this probability. */
export function randomHorizontalFlip(probability = 0.5): Transform {
  if (!(probability >= 0 && probability <= 1)) {
    fail('randomHorizontalFlip', { expected: 'a probability from 0 to 1', got: describe(probability) });
  }
  return { kind: 'flip', probability };
}

export interface AffineOptions {
  /** Clockwise rotation: at most this many degrees either way, or a range. Default 0. */
  readonly degrees?: number | Range;
  /** At most these fractions of the width and height, either way. Default none. */
  readonly translate?: Pair;
  /** Range of magnification. Default [1, 1]. */
  readonly scale?: Range;
  /** Slant, at most this many degrees either way, or a range; positive leans to the right. Default 0. */
  readonly shear?: number | Range;
  /** What comes in from outside of the image. Default 0. */
  readonly fill?: number;
}

/** Slants, magnifies, rotates and moves about the centre, each by a random amount; bilinear. */
export function randomAffine(options: AffineOptions): Transform {
  const { translate = [0, 0], scale = [1, 1], fill = 0 } = options;
  const degrees = rangeOf('randomAffine', 'degrees', options.degrees ?? 0);
  const shear = rangeOf('randomAffine', 'shear', options.shear ?? 0);
  if (!(Math.abs(shear[0]) < 90 && Math.abs(shear[1]) < 90)) {
    fail('randomAffine', { expected: 'a shear below 90 degrees', got: describe(shear) });
  }
  if (translate.length !== 2 || !translate.every((n) => n >= 0 && n <= 1)) {
    fail('randomAffine', { expected: 'translate to be two fractions from 0 to 1', got: describe(translate) });
  }
  rangeOf('randomAffine', 'scale', scale);
  if (!(scale[0] > 0)) fail('randomAffine', { expected: 'a scale above 0', got: describe(scale) });
  return { kind: 'affine', degrees, translate, scale, shear, fill };
}

function rangeOf(operation: string, name: string, value: number | Range): Range {
  const range: Range = typeof value === 'number' ? [-value, value] : value;
  if (range.length === 2 && range.every(Number.isFinite) && range[0] <= range[1]) return range;
  return fail(operation, { expected: `${name} to be a number or a range [low, high]`, got: describe(value) });
}

/**
 * Elastic distortion (Simard, Steinkraus and Platt 2003): noise of strength `alpha` pixels, smoothed by a Gaussian of
 * `sigma` pixels, moves every pixel; bilinear. Beside a `randomAffine` both are done in one resampling, in either order
 * (an affine map that follows does not turn the displacement along).
 */
export function elastic({ alpha = 34, sigma = 4, fill = 0 } = {}): Transform {
  if (!Number.isFinite(alpha) || alpha < 0)
    fail('elastic', { expected: 'an alpha of 0 or more', got: describe(alpha) });
  if (!(sigma >= 0.1 && sigma <= 1000)) fail('elastic', { expected: 'a sigma from 0.1 to 1000', got: describe(sigma) });
  return { kind: 'elastic', alpha, sigma, fill };
}

/** A transform of your own. It runs on the main thread, since a function cannot be sent to another. */
export const mapImages = (apply: ImageFunction): Transform => ({ kind: 'custom', apply });

/** The shape [channels, height, width] that images have after the transforms. Throws ShapeError where they do not fit. */
export function transformedShape(transforms: readonly Transform[], shape: readonly number[]): readonly number[] {
  if (transforms.length === 0) return shape;
  if (shape.length !== 3) {
    const because = 'transforms work on images';
    failShape('transform', { expected: 'inputs [channels, height, width]', because, got: `[${shape.join(', ')}]` });
  }
  let [channels = 0, height = 0, width = 0] = shape;
  for (const transform of transforms) {
    if (transform.kind === 'normalize') {
      const wrong = [transform.mean, transform.std].find((list) => list.length !== 1 && list.length !== channels);
      if (wrong) failShape('normalize', { expected: `1 or ${channels} values`, got: `${wrong.length}` });
    } else if (transform.kind === 'crop') {
      const [high, wide] = transform.size;
      if (high > height + 2 * transform.padding || wide > width + 2 * transform.padding) {
        const because = `the image is [${height}, ${width}] with a padding of ${transform.padding}`;
        failShape('randomCrop', { expected: 'a window inside the image', because, got: `[${high}, ${wide}]` });
      }
      [height, width] = [high, wide];
    }
  }
  return [channels, height, width];
}

/** Runs the transforms over a batch, whose memory they may change and keep. */
export function applyTransforms(transforms: readonly Transform[], images: Images, stream: Stream): Images {
  const random = new Random();
  for (let step = 0; step < transforms.length; step++) {
    const transform = transforms[step]!;
    const next = transforms[step + 1];
    const pair = [transform.kind, next?.kind].join(' ');
    if (next !== undefined && (pair === 'affine elastic' || pair === 'elastic affine')) {
      warp([transform, next], step++, images, stream, random);
    } else {
      images = applyOne(transform, step, images, stream, random);
    }
  }
  return images;
}

function applyOne(transform: Transform, step: number, images: Images, stream: Stream, random: Random): Images {
  if (transform.kind === 'normalize') return standardize(transform.mean, transform.std, images);
  if (transform.kind === 'crop') return crop(transform, step, images, stream, random);
  if (transform.kind === 'affine' || transform.kind === 'elastic') warp([transform], step, images, stream, random);
  const [batch, channels, height, width] = images.shape;
  const size = channels * height * width;
  for (let i = 0; i < batch; i++) {
    if (transform.kind !== 'flip' && transform.kind !== 'custom') break;
    restart(random, stream, i, step);
    const image = images.data.subarray(i * size, (i + 1) * size);
    if (transform.kind === 'custom') transform.apply(image, [channels, height, width], random);
    else if (random.chance(transform.probability)) mirror(image, width);
  }
  return images;
}

const restart = (random: Random, { seed, epoch, indices }: Stream, i: number, step: number): void =>
  random.restart(seed, epoch, indices[i]!, step);

function standardize(mean: readonly number[], std: readonly number[], { data, shape }: Images): Images {
  const [batch, channels, height, width] = shape;
  for (let plane = 0; plane < batch * channels; plane++) {
    const center = mean[mean.length === 1 ? 0 : plane % channels]!;
    const scale = 1 / std[std.length === 1 ? 0 : plane % channels]!;
    const end = (plane + 1) * height * width;
    for (let p = plane * height * width; p < end; p++) data[p] = (data[p]! - center) * scale;
  }
  return { data, shape };
}

function crop(
  { size: [high, wide], padding, fill }: Extract<Transform, { kind: 'crop' }>,
  step: number,
  { data, shape: [batch, channels, height, width] }: Images,
  stream: Stream,
  random: Random,
): Images {
  const cropped = new Float32Array(batch * channels * high * wide).fill(fill);
  for (let i = 0; i < batch; i++) {
    restart(random, stream, i, step);
    const top = random.below(height + 2 * padding - high + 1) - padding;
    const left = random.below(width + 2 * padding - wide + 1) - padding;
    const [first, last] = [Math.max(0, -left), Math.min(wide, width - left)];
    for (let channel = 0; channel < channels; channel++) {
      const plane = i * channels + channel;
      for (let row = Math.max(0, -top); row < Math.min(high, height - top); row++) {
        const from = (plane * height + row + top) * width + left;
        if (last > first) cropped.set(data.subarray(from + first, from + last), (plane * high + row) * wide + first);
      }
    }
  }
  return { data: cropped, shape: [batch, channels, high, wide] };
}

function mirror(image: Float32Array, width: number): void {
  for (let start = 0; start < image.length; start += width) image.subarray(start, start + width).reverse();
}

type Geometric = Extract<Transform, { kind: 'affine' | 'elastic' }>;
const identity: Matrix = { a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 };

/** One or two geometric transforms in one resampling; `step` is the number of the first. */
function warp(
  transforms: readonly Transform[],
  step: number,
  { data, shape }: Images,
  stream: Stream,
  random: Random,
): void {
  const [batch, channels, height, width] = shape;
  const warper = warperOf(height, width);
  const geometric = transforms.filter((t): t is Geometric => t.kind === 'affine' || t.kind === 'elastic');
  for (let i = 0; i < batch; i++) {
    let matrix = identity;
    let field: ReturnType<Warper['field']> | undefined;
    geometric.forEach((transform, order) => {
      restart(random, stream, i, step + order);
      if (transform.kind === 'affine') matrix = drawMatrix(transform, height, width, random);
      else field = warper.field(transform.alpha, transform.sigma, random);
    });
    const fieldFirst = geometric[0]?.kind === 'affine';
    warper.resample(data, i * channels * height * width, channels, matrix, field, fieldFirst, geometric[0]?.fill ?? 0);
  }
}

let latest: { height: number; width: number; warper: Warper } | undefined;

/** Working memory is kept from batch to batch: they are all of one size. */
function warperOf(height: number, width: number): Warper {
  if (latest?.height !== height || latest.width !== width) {
    latest = { height, width, warper: new Warper(height, width) };
  }
  return latest.warper;
}

/** The inverse of: slant, then magnify, then rotate, then move. */
function drawMatrix(ranges: Ranges, height: number, width: number, random: Random): Matrix {
  const angle = (random.uniform(...ranges.degrees) * Math.PI) / 180;
  const slant = Math.tan((random.uniform(...ranges.shear) * Math.PI) / 180);
  const scale = 1 / random.uniform(...ranges.scale);
  const moveX = width * random.uniform(-ranges.translate[0], ranges.translate[0]);
  const moveY = height * random.uniform(-ranges.translate[1], ranges.translate[1]);
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  // y points down, so leaning to the right moves x against y: the inverse of [1, -slant; 0, 1] is [1, slant; 0, 1].
  const [a, b, c, d] = [cos - slant * sin, sin + slant * cos, -sin, cos];
  return { a, b, c, d, e: -a * moveX - b * moveY, f: -c * moveX - d * moveY };
}
