// Seeded randomness: hands every random kernel call its own Philox key and counter.
import { everyRun } from '../kernels/recording.ts';
import { describe, fail } from './errors.ts';

/** What a generator needs to continue; plain data for JSON. */
export interface GeneratorState {
  readonly key: readonly [low: number, high: number];
  readonly calls: number;
}

const word = 2 ** 32;

/** A stream of random seeds. The same seed gives the same numbers on every backend, machine and thread count. */
export class Generator {
  #key: readonly [number, number];
  #calls = 0;

  /** `seed`: an integer from 0 to 2^53 - 1. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      fail('Generator', { expected: 'a seed from 0 to 2^53 - 1', got: describe(seed) });
    }
    this.#key = [seed % word, Math.floor(seed / word)];
  }

  /** Key and counter of one kernel call, as 4 words: the call number is the counter's upper half. */
  nextSeed(): Int32Array {
    const seed = new Int32Array(4);
    everyRun(() => {
      const [low, high] = this.#key;
      // Int32Array wraps modulo 2^32; the bits of the call number beyond 32 change the key.
      seed.set([low, high ^ Math.floor(this.#calls / word), 0, this.#calls % word]);
      this.#calls++;
    });
    return seed;
  }

  state(): GeneratorState {
    return { key: this.#key, calls: this.#calls };
  }

  setState({ key, calls }: GeneratorState): void {
    const isWord = (n: unknown) => typeof n === 'number' && Number.isInteger(n) && n >= 0 && n < word;
    if (!Array.isArray(key) || key.length !== 2 || !key.every(isWord) || !Number.isSafeInteger(calls) || calls < 0) {
      fail('Generator', {
        expected: 'a state as state() gives',
        got: `key ${describe(key)}, calls ${describe(calls)}`,
      });
    }
    this.#key = [key[0], key[1]];
    this.#calls = calls;
  }

  /** A generator of its own stream, determined by this one's seed and how often it was used; advances this one. */
  fork(): Generator {
    const [low = 0, high = 0, , call = 0] = this.nextSeed();
    const child = new Generator(0);
    const first = mix(low ^ mix(call ^ 0x9e3779b9));
    child.#key = [first, mix(high ^ first ^ 0x85ebca6b)];
    return child;
  }
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of the 32 bits of the result. */
function mix(bits: number): number {
  let h = bits >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

let shared: Generator | undefined;

/** The generator that is used where none is given. Its seed is 0 until `manualSeed`. */
export function defaultGenerator(): Generator {
  shared ??= new Generator(0);
  return shared;
}

/** Restarts the default generator from `seed`. */
export function manualSeed(seed: number): void {
  const fresh = new Generator(seed);
  defaultGenerator().setState(fresh.state());
}
