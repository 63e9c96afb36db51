// A small fast generator for data: one independent stream per key, such as (seed, epoch, sample index).
import { describe, fail } from '../tensor/errors.ts';

const word = 2 ** 32;

/**
 * Uniform and normal numbers from a key of integers. Equal keys give equal streams on every machine.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, a period of at least 2^32.
 */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  /** `key`: any safe integers; their number and order count. */
  constructor(...key: readonly number[]) {
    this.restart(...key);
  }

  /** Begins the stream of another key, without a new object. */
  restart(...key: readonly number[]): void {
    let a = 0x9e3779b9 ^ key.length;
    let b = 0x243f6a88;
    let c = 0xb7e15162;
    for (const part of key) {
      a = mix(a ^ (part % word));
      b = mix((b + a) ^ Math.floor(part / word));
      c = mix(c ^ b);
    }
    [this.a, this.b, this.c, this.counter] = [a, b, c, 1];
    for (let i = 0; i < 8; i++) this.bits();
  }

  /** 32 random bits, as a signed integer. */
  bits(): number {
    const sum = (this.a + this.b + this.counter++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum;
  }

  /** Evenly distributed in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * ((this.bits() >>> 0) / word);
  }

  /** Normally distributed (Box and Muller 1958). */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer in [0, limit), limit up to 2^32. */
  below(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** The integers [0, count) in random order (Fisher and Yates). */
  permutation(count: number): Int32Array {
    const order = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const j = this.below(i + 1);
      order[i] = order[j] ?? 0;
      order[j] = i;
    }
    return order;
  }
}

/** `seed` if it can be one. */
export function checkSeed(operation: string, seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  return fail(operation, { expected: 'a seed from 0 to 2^53 - 1', got: describe(seed) });
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of the 32 bits of the result. */
function mix(bits: number): number {
  let h = bits | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
