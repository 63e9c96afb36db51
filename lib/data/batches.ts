// What training needs of a source of batches: epochs of a known length, each in an order of its own, resumable at any batch.
import { DataError, describe, fail } from '../tensor/errors.ts';
import { checkSeed } from './random.ts';

/**
 * Batches of any kind. `for await (const batch of batches)` is one epoch; the next loop is the next epoch. A loop that was
 * left early starts its epoch anew, unless `setState(state())` says to continue where it stopped.
 */
export interface Batches<B> {
  /** Batches per epoch. */
  readonly length: number;
  /** The epoch that the next loop is, or the running one has, from 0. */
  readonly epoch: number;
  /** The next loop is epoch `epoch`, from its start (or from where `setState` put it, if that was in this epoch). */
  setEpoch(epoch: number): void;
  /** Where it is, as plain JSON. */
  state(): unknown;
  /** Continues where `state()` was taken: the next loop begins with the batch after it. Throws DataError if it cannot. */
  setState(state: unknown): void;
  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined>;
}

/** Where a loader is; plain data for JSON. */
export interface LoaderState {
  readonly seed: number;
  readonly epoch: number;
  /** Batches of this epoch that were handed out. */
  readonly position: number;
  /** What is cut into batches and how: `batchSize`, `samples`, … */
  readonly [extent: string]: number;
}

/** Counts by name that a saved state and the loader it is given to must share. */
type Extent = Readonly<Record<string, number>>;

/** The part of {@link Batches} that counts epochs and positions. What an epoch holds, a subclass says in `read`. */
export abstract class ResumableBatches<B> implements Batches<B> {
  abstract readonly length: number;
  /** Decides, with the epoch, all that is random. */
  protected seed: number;
  #position = 0;
  #epoch = 0;
  #resumeAt = 0;

  constructor(seed: number) {
    this.seed = checkSeed(new.target.name, seed);
  }

  /** What is cut into batches and how; a state fits only where these agree. */
  protected abstract extent(): Extent;

  /** `extent` in words, such as "batches of 5 from 23 samples". */
  protected abstract words(extent: Extent): string;

  /** The batches of an epoch from number `from` on. */
  protected abstract read(epoch: number, from: number): AsyncGenerator<B, void, undefined>;

  get epoch(): number {
    return this.#epoch;
  }

  setEpoch(epoch: number): void {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      fail('setEpoch', { expected: 'an epoch of 0 or more', got: describe(epoch) });
    }
    if (epoch !== this.#epoch) this.#resumeAt = 0;
    this.#epoch = epoch;
    this.#position = this.#resumeAt;
  }

  state(): LoaderState {
    return { seed: this.seed, epoch: this.#epoch, position: this.#position, ...this.extent() };
  }

  setState(state: unknown): void {
    const own = this.extent();
    const {
      seed = 0,
      epoch = 0,
      position = 0,
      ...given
    } = checkState(state, ['seed', 'epoch', 'position', ...Object.keys(own)]);
    if (Object.entries(own).some(([name, value]) => given[name] !== value) || position > this.length) {
      throw new DataError(
        `setState: expected the state of a loader of ${this.words(own)}, but got ${this.words(given)}, at batch ${position}`,
      );
    }
    this.seed = seed;
    this.#epoch = epoch;
    this.#position = position;
    this.#resumeAt = position;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const epoch = this.#epoch;
    const from = this.#resumeAt;
    this.#position = from;
    this.#resumeAt = 0;
    for await (const batch of this.read(epoch, from)) {
      this.#position++;
      yield batch;
    }
    this.#epoch = epoch + 1;
    this.#position = 0;
  }
}

function checkState(state: unknown, names: readonly string[]): Readonly<Record<string, number>> {
  const given: Partial<Record<string, unknown>> = typeof state === 'object' && state !== null ? { ...state } : {};
  const entries = names.map((name): [string, number] => {
    const value = given[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return [name, value];
    throw new DataError(`setState: expected a loader's state, but got ${name} ${describe(value)}`);
  });
  return Object.fromEntries(entries);
}
