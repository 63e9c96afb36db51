// From a picture of any size and colour to the input of a model: light on dark, resized, centred, normalised.
import { describe, fail, failShape } from '../tensor/errors.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';

export interface InputOptions {
  readonly size: readonly [height: number, width: number];
  readonly channels: 1 | 3;
  /** Per channel or one for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /**
   * For handwriting, with one channel: as MNIST, cut out the figure, fit it into the middle 20/28 of the size, and put its
   * centre of mass in the middle. Default false.
   */
  readonly center?: boolean;
  /**
   * `true` swaps light and dark. `auto`, with one channel: how far a pixel's colour is from that of the background, which
   * is what most of the border has: so a figure of any colour becomes white on black. Default false.
   */
  readonly invert?: boolean | 'auto';
}

/** One channel of an image. */
interface Plane {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

/**
 * An image [1 or 3, height, width] in 0..1 as `[channels, ...size]`, whole, its proportions kept (what remains is filled
 * with the border's colour), then (x - mean) / std. Throws ShapeError or FoveaError for images and options that do not fit.
 */
export function toModelInput(image: Tensor, options: InputOptions): Tensor {
  const { size, channels, center = false, invert = false } = options;
  checkOptions(image, options);
  const planes = planesOf(image);
  let prepared: Plane[];
  if (channels === 1) prepared = [invert === 'auto' ? contrast(planes) : grey(planes)];
  else prepared = planes.length === 3 ? planes : Array.from({ length: 3 }, () => planes[0]!);
  if (invert === true) prepared = prepared.map((plane) => ({ ...plane, data: plane.data.map((value) => 1 - value) }));
  const input = new Float32Array(channels * size[0] * size[1]);
  prepared.forEach((plane, channel) => {
    const scaled = center ? centered(plane, size) : fitted(plane, size, background(plane));
    const mean = options.mean[options.mean.length === 1 ? 0 : channel]!;
    const std = options.std[options.std.length === 1 ? 0 : channel]!;
    input.set(
      scaled.map((value) => (value - mean) / std),
      channel * scaled.length,
    );
  });
  return fromArray(input, [channels, ...size]);
}

function checkOptions(image: Tensor, { size, channels, mean, std, center, invert }: InputOptions): void {
  const [depth = 0, height = 0, width = 0] = image.shape;
  if (image.rank !== 3 || (depth !== 1 && depth !== 3) || height === 0 || width === 0) {
    failShape('toModelInput', { expected: 'an image [1 or 3, height, width]', got: `[${image.shape.join(', ')}]` });
  }
  if (channels !== 1 && channels !== 3) fail('toModelInput', { expected: '1 or 3 channels', got: describe(channels) });
  if (size.length !== 2 || !size.every((n) => Number.isSafeInteger(n) && n > 0)) {
    fail('toModelInput', { expected: 'a size of [height, width] above 0', got: describe(size) });
  }
  for (const [name, list] of Object.entries({ mean, std })) {
    if (
      (list.length === 1 || list.length === channels) &&
      list.every((n) => Number.isFinite(n) && (name === 'mean' || n > 0))
    ) {
      continue;
    }
    fail('toModelInput', {
      expected: `${name} to be 1 or ${channels} numbers${name === 'std' ? ' above 0' : ''}`,
      got: describe(list),
    });
  }
  if (channels === 3 && (center || invert === 'auto')) {
    const because = 'a figure is told from its background only where the model sees grey';
    fail('toModelInput', { expected: "1 channel with center or invert 'auto'", because, got: '3' });
  }
}

function planesOf(image: Tensor): Plane[] {
  const [depth = 0, height = 0, width = 0] = image.shape;
  const all = Float32Array.from(image.floats, (value) => Math.min(1, Math.max(0, Number.isNaN(value) ? 0 : value)));
  return Array.from({ length: depth }, (_, i) => {
    return { data: all.subarray(i * height * width, (i + 1) * height * width), height, width };
  });
}

/** Luma of ITU-R BT.601. */
function grey([red, green, blue]: readonly Plane[]): Plane {
  if (!red || !green || !blue) return red!;
  const data = red.data.map((value, p) => 0.299 * value + 0.587 * green.data[p]! + 0.114 * blue.data[p]!);
  return { ...red, data };
}

/** Distance of each pixel's colour from the background's, scaled so that the clearest pixels have 1. */
function contrast(planes: readonly Plane[]): Plane {
  const first = planes[0]!;
  const data = new Float32Array(first.data.length);
  for (const plane of planes) {
    const ground = background(plane);
    for (let p = 0; p < data.length; p++) data[p]! += (plane.data[p]! - ground) ** 2 / planes.length;
  }
  for (let p = 0; p < data.length; p++) data[p] = Math.sqrt(data[p]!);
  // A few stray pixels are not the figure: the brightest of the picture at about the resolution a model sees.
  const coarse = resample({ ...first, data }, Math.min(first.height, 64), Math.min(first.width, 64));
  const strongest = coarse.reduce((a, b) => Math.max(a, b), 0);
  // Below a hundredth of the range there is no figure, only noise.
  return { ...first, data: data.map((value) => Math.min(1, value / Math.max(strongest, 0.01))) };
}

/** The median of the border. */
function background({ data, height, width }: Plane): number {
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(data[x]!, data[(height - 1) * width + x]!);
  for (let y = 0; y < height; y++) border.push(data[y * width]!, data[(y + 1) * width - 1]!);
  border.sort((a, b) => a - b);
  return border[border.length >> 1]!;
}

/** The whole image inside `size`, its proportions kept, in the middle of `fill`. */
function fitted(plane: Plane, size: readonly [number, number], fill: number): Float32Array {
  const scale = Math.min(size[0] / plane.height, size[1] / plane.width);
  const height = Math.max(1, Math.round(plane.height * scale));
  const width = Math.max(1, Math.round(plane.width * scale));
  const canvas = new Float32Array(size[0] * size[1]).fill(fill);
  const scaled = resample(plane, height, width);
  paste(
    { data: scaled, height, width },
    canvas,
    size,
    Math.floor((size[0] - height) / 2),
    Math.floor((size[1] - width) / 2),
  );
  return canvas;
}

/** What is brighter than this share of the brightest belongs to the figure. */
const figureLevel = 0.2;

/** The figure (bright on dark) as MNIST has it (LeCun et al. 1998): fitted into 20 of 28 pixels, centred by mass. */
function centered(plane: Plane, size: readonly [number, number]): Float32Array {
  const figure = cutOut(plane);
  const canvas = new Float32Array(size[0] * size[1]);
  if (figure === undefined) return canvas;
  const box = [Math.max(1, Math.round((size[0] * 20) / 28)), Math.max(1, Math.round((size[1] * 20) / 28))] as const;
  const scale = Math.min(box[0] / figure.height, box[1] / figure.width);
  const height = Math.max(1, Math.round(figure.height * scale));
  const width = Math.max(1, Math.round(figure.width * scale));
  const data = resample(figure, height, width);
  let [sum, sumX, sumY] = [1e-9, 0, 0];
  data.forEach((value, p) => {
    sum += value;
    sumX += value * (p % width);
    sumY += value * Math.floor(p / width);
  });
  const top = Math.min(size[0] - height, Math.max(0, Math.round(size[0] / 2 - sumY / sum)));
  const left = Math.min(size[1] - width, Math.max(0, Math.round(size[1] / 2 - sumX / sum)));
  paste({ data, height, width }, canvas, size, top, left);
  return canvas;
}

function cutOut({ data, height, width }: Plane): Plane | undefined {
  const threshold = figureLevel * data.reduce((a, b) => Math.max(a, b), 0);
  if (threshold === 0) return undefined;
  let [left, right, top, bottom] = [width, -1, height, -1];
  data.forEach((value, p) => {
    if (value < threshold) return;
    const [x, y] = [p % width, Math.floor(p / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  });
  const [high, wide] = [bottom - top + 1, right - left + 1];
  const part = new Float32Array(high * wide);
  for (let y = 0; y < high; y++) {
    part.set(data.subarray((top + y) * width + left, (top + y) * width + left + wide), y * wide);
  }
  return { data: part, height: high, width: wide };
}

function paste(
  { data, height, width }: Plane,
  canvas: Float32Array,
  size: readonly [number, number],
  top: number,
  left: number,
) {
  for (let y = 0; y < height; y++) canvas.set(data.subarray(y * width, (y + 1) * width), (top + y) * size[1] + left);
}

/** Triangle filter, as wide as a pixel of the coarser image: bilinear to enlarge, a weighted mean to shrink. */
function resample({ data, height, width }: Plane, toHeight: number, toWidth: number): Float32Array {
  const rows = weightsOf(height, toHeight);
  const columns = weightsOf(width, toWidth);
  const half = new Float32Array(height * toWidth);
  for (let y = 0; y < height; y++) {
    columns.forEach(({ first, weights }, x) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * data[y * width + first + i]!;
      half[y * toWidth + x] = sum;
    });
  }
  const result = new Float32Array(toHeight * toWidth);
  rows.forEach(({ first, weights }, y) => {
    for (let i = 0; i < weights.length; i++) {
      for (let x = 0; x < toWidth; x++) result[y * toWidth + x]! += weights[i]! * half[(first + i) * toWidth + x]!;
    }
  });
  return result;
}

function weightsOf(from: number, to: number): { first: number; weights: number[] }[] {
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * ratio - 0.5;
    const first = Math.max(0, Math.ceil(center - reach + 1e-9));
    const last = Math.min(from - 1, Math.floor(center + reach - 1e-9));
    const weights = Array.from({ length: last - first + 1 }, (_, k) => 1 - Math.abs(first + k - center) / reach);
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}
