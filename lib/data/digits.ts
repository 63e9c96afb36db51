// The built-in digit set: ten digits drawn by strokes, as handwriting varies, and placed as MNIST places them.
import { describe, fail } from '../tensor/errors.ts';
import { ArrayDataset } from './dataset.ts';
import { writeDigit } from './digits/glyphs.ts';
import { draw, flatten, type Ink, newInk, press } from './digits/render.ts';
import type { Point } from './digits/stroke.ts';
import { checkSeed, Random } from './random.ts';

export interface DigitOptions {
  /** How many images; each digit has the same share, to within one. */
  readonly count: number;
  /** Image `i` of a seed is the same whatever the count. Default 0. */
  readonly seed?: number;
  /** Height and width in pixels. Default 28. */
  readonly size?: number;
}

/**
 * Handwritten-looking digits, drawn by this library: inputs [1, size, size] in 0..1, white on black; targets 0..9.
 * As in MNIST (LeCun et al. 1998) a digit fills a box of 20/28 of the size, with its centre of mass in the middle.
 */
export function builtinDigits({ count, seed = 0, size = 28 }: DigitOptions): ArrayDataset {
  if (!Number.isSafeInteger(count) || count < 1) {
    fail('builtinDigits', { expected: 'a count of at least 1', got: describe(count) });
  }
  if (!Number.isSafeInteger(size) || size < 8 || size > 1024) {
    fail('builtinDigits', { expected: 'a size of 8 to 1024 pixels', got: describe(size) });
  }
  checkSeed('builtinDigits', seed);
  const inputs = new Uint8Array(count * size * size);
  const targets = new Int32Array(count);
  const image = new Float32Array(size * size);
  const ink = newInk();
  const random = new Random();
  for (let i = 0; i < count; i++) {
    const digit = digitOf(seed, i, random);
    random.restart(seed, i, 1);
    drawDigit(digit, random, ink, image, size);
    const offset = i * size * size;
    for (let p = 0; p < image.length; p++) inputs[offset + p] = Math.round(255 * (image[p] ?? 0));
    targets[i] = digit;
  }
  return new ArrayDataset({ inputs, inputShape: [1, size, size], targets, classes: [...'0123456789'] });
}

/** Every ten images in a row hold each digit once, in random order. */
function digitOf(seed: number, i: number, random: Random): number {
  random.restart(seed, Math.floor(i / 10), 0);
  return random.permutation(10)[i % 10] ?? 0;
}

/** One person's hand: how this digit leans, how broad it is, how it trembles. Numbers found by eye beside MNIST. */
function drawDigit(digit: number, random: Random, ink: Ink, image: Float32Array, size: number): void {
  const pixel = size / 28;
  flatten(
    writeDigit(digit, random).map((stroke) =>
      stroke.map(([x, y, ...corner]): Point => [x + random.normal(0, 0.022), y + random.normal(0, 0.022), ...corner]),
    ),
    ink,
  );
  tremble(ink, random);
  lean(ink, digit, random);
  const radius = pixel * Math.min(3, Math.max(0.6, 1.27 * Math.exp(random.normal(0, 0.34))));
  press(ink, radius, random.uniform(0, 0.3), random);
  const softness = pixel * random.uniform(0.7, 1.3);
  place(ink, radius, size);
  image.fill(0);
  draw(ink, image, 0, size, softness);
  centre(ink, image, size, random);
  image.fill(0);
  draw(ink, image, 0, size, softness);
  const noise = random.chance(0.3) ? random.uniform(0, 0.08) : 0;
  const gain = random.uniform(0.9, 1.1);
  for (let p = 0; p < image.length; p++) {
    const level = image[p] ?? 0;
    if (level > 0) image[p] = Math.min(1, Math.max(0, level * gain + (noise > 0 ? random.normal(0, noise) : 0)));
  }
}

/** A smooth random displacement of the ink: three waves across the page for each direction. */
function tremble(ink: Ink, random: Random): void {
  for (let wave = 0; wave < 3; wave++) {
    const [kx, ky] = [random.normal(0, 3.5), random.normal(0, 3.5)];
    const [phase, shift] = [random.uniform(0, 6.3), random.uniform(0, 6.3)];
    const [strengthX, strengthY] = [random.normal(0, 0.036), random.normal(0, 0.036)];
    for (let i = 0; i < ink.count; i++) {
      const along = kx * (ink.x[i] ?? 0) + ky * (ink.y[i] ?? 0);
      ink.x[i] = (ink.x[i] ?? 0) + strengthX * Math.sin(along + phase);
      ink.y[i] = (ink.y[i] ?? 0) + strengthY * Math.sin(along + shift);
    }
  }
}

/** Aspect, slant and rotation. */
function lean(ink: Ink, digit: number, random: Random): void {
  const breadth = Math.exp(random.normal(0.04, 0.27));
  const slant = digit === 1 ? random.normal(0.2, 0.3) : random.normal(0.15, 0.28);
  const angle = random.normal(0, 0.14);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < ink.count; i++) {
    const y = ink.y[i] ?? 0;
    const x = (ink.x[i] ?? 0) * breadth - slant * y;
    ink.x[i] = cos * x - sin * y;
    ink.y[i] = sin * x + cos * y;
  }
}

/** Scales the ink into the box and moves the box to the middle. */
function place(ink: Ink, radius: number, size: number): void {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < ink.count; i++) {
    left = Math.min(left, ink.x[i] ?? 0);
    right = Math.max(right, ink.x[i] ?? 0);
    top = Math.min(top, ink.y[i] ?? 0);
    bottom = Math.max(bottom, ink.y[i] ?? 0);
  }
  const box = (size * 20) / 28 - 2 * radius;
  const scale = box / Math.max(right - left, bottom - top, 1e-3);
  const middle = (size - 1) / 2;
  for (let i = 0; i < ink.count; i++) {
    ink.x[i] = middle + scale * ((ink.x[i] ?? 0) - (left + right) / 2);
    ink.y[i] = middle + scale * ((ink.y[i] ?? 0) - (top + bottom) / 2);
  }
}

/** Moves the ink so that the centre of mass of its image is in the middle: to within a pixel, as MNIST moves by whole ones. */
function centre(ink: Ink, image: Float32Array, size: number, random: Random): void {
  let [sum, sumX, sumY] = [1e-9, 0, 0];
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const level = image[y * size + x] ?? 0;
      sum += level;
      sumX += level * x;
      sumY += level * y;
    }
  }
  const dx = size / 2 - sumX / sum + random.uniform(-0.5, 0.5);
  const dy = size / 2 - sumY / sum + random.uniform(-0.5, 0.5);
  for (let i = 0; i < ink.count; i++) {
    ink.x[i] = (ink.x[i] ?? 0) + dx;
    ink.y[i] = (ink.y[i] ?? 0) + dy;
  }
}
