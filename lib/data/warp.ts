// Moves the pixels of an image by an affine map, a smooth random displacement, or both in one bilinear resampling.
import type { Random } from './random.ts';

/** Maps a place of the output to one of the input, from the centre of the image: x' = a x + b y + e, y' = c x + d y + f. */
export interface Matrix {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** How far each pixel of the output looks aside, in pixels: [height, width] each. */
export interface Field {
  readonly dx: Float32Array;
  readonly dy: Float32Array;
}

/** Gaussian weights that take a coarse row of noise to `length` pixels: `taps` of them per pixel, from `first` on. */
interface Basis {
  readonly nodes: number;
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

/**
 * Reused working memory for images of one size. The field is that of Simard, Steinkraus and Platt (2003): noise, uniform
 * in (-alpha, alpha), smoothed by a Gaussian of `sigma` pixels. The noise lives on a coarse lattice, scaled to the same
 * variance: the Gaussian would leave nothing of anything finer, and the work is a fraction.
 */
export class Warper {
  readonly #height: number;
  readonly #width: number;
  readonly #padded: Float32Array;
  readonly #at: Int32Array;
  readonly #fractionX: Float32Array;
  readonly #fractionY: Float32Array;
  readonly #field: Field;
  readonly #bases = new Map<string, Basis>();

  constructor(height: number, width: number) {
    this.#height = height;
    this.#width = width;
    this.#padded = new Float32Array((height + 3) * (width + 3));
    this.#at = new Int32Array(height * width);
    this.#fractionX = new Float32Array(height * width);
    this.#fractionY = new Float32Array(height * width);
    this.#field = { dx: new Float32Array(height * width), dy: new Float32Array(height * width) };
  }

  /** A new random field; valid until the next one is asked for. */
  field(alpha: number, sigma: number, random: Random): Field {
    this.#smooth(alpha, sigma, random, this.#field.dx);
    this.#smooth(alpha, sigma, random, this.#field.dy);
    return this.#field;
  }

  /**
   * Resamples the channels of one image [channels, height, width] at `offset` of `data`, in place. What comes from
   * outside of the image is `fill`. The field is added before the matrix (an elastic distortion that follows an affine
   * one) or after it (one that precedes it).
   */
  resample(
    data: Float32Array,
    offset: number,
    channels: number,
    matrix: Matrix,
    field: Field | undefined,
    fieldFirst: boolean,
    fill: number,
  ): void {
    this.#aim(matrix, field, fieldFirst);
    const plane = this.#height * this.#width;
    for (let channel = 0; channel < channels; channel++) this.#sample(data, offset + channel * plane, fill);
  }

  /** Where each pixel of the output reads: index in the padded image, and fractions towards the next pixels. */
  #aim({ a, b, c, d, e, f }: Matrix, field: Field | undefined, fieldFirst: boolean): void {
    const [height, width] = [this.#height, this.#width];
    const [at, fractionX, fractionY] = [this.#at, this.#fractionX, this.#fractionY];
    const stride = width + 3;
    const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
    const [beforeX, beforeY] = fieldFirst && field ? [field.dx, field.dy] : [undefined, undefined];
    const [afterX, afterY] = !fieldFirst && field ? [field.dx, field.dy] : [undefined, undefined];
    for (let row = 0, p = 0; row < height; row++) {
      for (let column = 0; column < width; column++, p++) {
        let x = column - middleX;
        let y = row - middleY;
        if (beforeX !== undefined && beforeY !== undefined) {
          x += beforeX[p]!;
          y += beforeY[p]!;
        }
        let fromX = a * x + b * y + e + middleX + 1;
        let fromY = c * x + d * y + f + middleY + 1;
        if (afterX !== undefined && afterY !== undefined) {
          fromX += afterX[p]!;
          fromY += afterY[p]!;
        }
        // The padded image has one pixel of `fill` before the image and two after it.
        fromX = Math.min(Math.max(fromX, 0), width + 1);
        fromY = Math.min(Math.max(fromY, 0), height + 1);
        const left = fromX | 0;
        const top = fromY | 0;
        at[p] = top * stride + left;
        fractionX[p] = fromX - left;
        fractionY[p] = fromY - top;
      }
    }
  }

  #sample(data: Float32Array, offset: number, fill: number): void {
    const [height, width, padded] = [this.#height, this.#width, this.#padded];
    const [at, fractionX, fractionY] = [this.#at, this.#fractionX, this.#fractionY];
    const stride = width + 3;
    padded.fill(fill);
    for (let row = 0; row < height; row++) {
      const to = (row + 1) * stride + 1;
      const from = offset + row * width;
      for (let column = 0; column < width; column++) padded[to + column] = data[from + column]!;
    }
    for (let p = 0; p < at.length; p++) {
      const i = at[p]!;
      const u = fractionX[p]!;
      const upper = padded[i]! * (1 - u) + padded[i + 1]! * u;
      const lower = padded[i + stride]! * (1 - u) + padded[i + stride + 1]! * u;
      const v = fractionY[p]!;
      data[offset + p] = upper * (1 - v) + lower * v;
    }
  }

  /** plane = alpha / spacing * rows * noise * columns^T, with rows and columns of Gaussian weights. */
  #smooth(alpha: number, sigma: number, random: Random, plane: Float32Array): void {
    const [height, width] = [this.#height, this.#width];
    const rows = this.#basis(height, sigma);
    const { nodes, taps, first, weights } = this.#basis(width, sigma);
    const amplitude = alpha / spacingOf(sigma);
    const noise = new Float32Array(nodes);
    const half = new Float32Array(rows.nodes * width);
    for (let node = 0; node < rows.nodes; node++) {
      for (let i = 0; i < nodes; i++) noise[i] = amplitude * random.uniform(-1, 1);
      for (let column = 0; column < width; column++) {
        const from = first[column]!;
        const weight = column * taps;
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) sum += weights[weight + tap]! * noise[from + tap]!;
        half[node * width + column] = sum;
      }
    }
    for (let row = 0; row < height; row++) {
      const from = rows.first[row]! * width;
      const weight = row * taps;
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) sum += rows.weights[weight + tap]! * half[from + tap * width + column]!;
        plane[row * width + column] = sum;
      }
    }
  }

  #basis(length: number, sigma: number): Basis {
    const key = `${length} ${sigma}`;
    const basis = this.#bases.get(key) ?? gaussians(length, sigma);
    this.#bases.set(key, basis);
    return basis;
  }
}

/** Pixels from node to node of the lattice: at 1.25 sigma the variance still varies by less than 1 % between the nodes. */
const spacingOf = (sigma: number) => Math.max(1, 1.25 * sigma);

function gaussians(length: number, sigma: number): Basis {
  const spacing = spacingOf(sigma);
  // What is left out lies at least 3 sigma away.
  const reach = Math.ceil((3 * sigma) / spacing - 0.5);
  const taps = 2 * reach + 1;
  const first = new Int32Array(length);
  const weights = new Float32Array(length * taps);
  for (let pixel = 0; pixel < length; pixel++) {
    const place = pixel / spacing;
    first[pixel] = Math.round(place);
    const row = Array.from({ length: taps }, (_, tap) => {
      const distance = (place - (first[pixel]! + tap - reach)) * spacing;
      return Math.exp((-distance * distance) / (2 * sigma * sigma));
    });
    const sum = row.reduce((a, b) => a + b, 0);
    weights.set(
      row.map((weight) => weight / sum),
      pixel * taps,
    );
  }
  return { nodes: first[length - 1]! + taps, taps, first, weights };
}
