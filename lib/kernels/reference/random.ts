// Philox 4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), and what draws
// from it: uniform, normal, dropout.
//
// Block b has the 128-bit counter (counterLow, counterHigh) + b as its two low words, with carry, and 0, 0 above them.
// Element i takes word i % 4 of block floor(i / 4). Its uniform number is (word >>> 8) 2^-24, in [0, 1).
import type { Kernel } from './kernel.ts';

/** The high 32 bits of the 64-bit product of two unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** Ten rounds of Philox on a counter of four words with a key of two; writes the four words of the block to `out`. */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
  out: Uint32Array,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 = (key0 + 0x9e3779b9) | 0;
    key1 = (key1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

const words = new Uint32Array(4);

/** Puts the four words of block `index` of the stream that starts at `seed` into `words`. */
function drawBlock(seed: Int32Array, index: number): void {
  const low = (seed[2] >>> 0) + index;
  const carry = low >= 2 ** 32 ? 1 : 0;
  philox(low | 0, (seed[3] + carry) | 0, 0, 0, seed[0], seed[1], words);
}

/** low + u (high - low). */
export const uniform: Kernel<'uniform'> = ({ count, low, high }, { seed, y }) => {
  const scale = (high - low) * 2 ** -24;
  for (let start = 0; start < count; start += 4) {
    drawBlock(seed, start >> 2);
    const end = Math.min(count, start + 4);
    for (let i = start; i < end; i++) y[i] = low + (words[i - start] >>> 8) * scale;
  }
};

/**
 * Box-Muller on words 0 and 1, then 2 and 3, of a block: with u1 = ((word >>> 8) + 1) 2^-24 in (0, 1] of the first and
 * u2 = (word >>> 8) 2^-24 of the second, the two elements are r cos(2π u2) and r sin(2π u2) for r = √(-2 ln u1).
 */
export const normal: Kernel<'normal'> = ({ count, mean, std }, { seed, y }) => {
  for (let start = 0; start < count; start += 4) {
    drawBlock(seed, start >> 2);
    for (let pair = 0; pair < 4; pair += 2) {
      const i = start + pair;
      const radius = std * Math.sqrt(-2 * Math.log(((words[pair] >>> 8) + 1) * 2 ** -24));
      const angle = 2 * Math.PI * 2 ** -24 * (words[pair + 1] >>> 8);
      if (i < count) y[i] = mean + radius * Math.cos(angle);
      if (i + 1 < count) y[i + 1] = mean + radius * Math.sin(angle);
    }
  }
};

/** Keeps x / (1 - probability) where the uniform number is at or above `probability`, a 32-bit float; 0 elsewhere. */
export const dropout: Kernel<'dropout'> = (shape, { x, seed, y }) => {
  const probability = Math.fround(shape.probability);
  const threshold = probability * 2 ** 24;
  const scale = 1 / (1 - probability);
  for (let start = 0; start < shape.count; start += 4) {
    drawBlock(seed, start >> 2);
    const end = Math.min(shape.count, start + 4);
    for (let i = start; i < end; i++) y[i] = words[i - start] >>> 8 >= threshold ? x[i] * scale : 0;
  }
};
