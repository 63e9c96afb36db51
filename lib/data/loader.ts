// Batches of a data set, epoch by epoch: shuffled, transformed, prepared ahead; resumable at any batch.
import { availableParallelism } from 'node:os';
import { DataError, describe, fail } from '../tensor/errors.ts';
import { fromArray, type Generator } from '../tensor/index.ts';
import { applyTransforms, type Images, type Transform, transformedShape } from './augment.ts';
import type { Batch, Dataset } from './dataset.ts';
import { checkSeed, Random } from './random.ts';
import { sharedWorker, type TransformWorker } from './worker.ts';

export interface LoaderOptions {
  /** Samples per batch. Default 32. */
  readonly batchSize?: number;
  /** A new order in every epoch, which depends on nothing but seed and epoch. Default false. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
  /** Instead of `seed`: draws one from this generator. */
  readonly generator?: Generator;
  /** Leave out a last batch that is smaller than the others. Default false. */
  readonly dropLast?: boolean;
  /** For images; the randomness of each depends on seed, epoch and sample alone. */
  readonly transforms?: readonly Transform[];
  /** Batches prepared ahead, where the data set or a worker thread prepares them meanwhile. Default 2. */
  readonly prefetch?: number;
  /**
   * Transform in a worker thread. Default: for affine and elastic distortions, where there are more than 2 processors.
   * (With 2 it was measured to gain nothing: the kernels use both.)
   */
  readonly worker?: boolean;
}

/** Where a loader is; plain data for JSON. */
export interface LoaderState {
  readonly seed: number;
  readonly epoch: number;
  /** Batches of this epoch that were handed out. */
  readonly position: number;
  readonly batchSize: number;
  readonly samples: number;
}

/**
 * `for await (const { inputs, targets } of loader)` is one epoch; the next loop is the next epoch. A loop that was left
 * early starts its epoch anew, unless `setState(state())` says to continue where it stopped.
 */
export class DataLoader {
  readonly dataset: Dataset;
  readonly batchSize: number;
  /** Batches per epoch. */
  readonly length: number;
  /** Shape of one input, after the transforms. */
  readonly inputShape: readonly number[];
  readonly #shuffle: boolean;
  readonly #transforms: readonly Transform[];
  readonly #prefetch: number;
  readonly #offThread: boolean;
  #seed: number;
  #epoch = 0;
  #position = 0;
  #resumeAt = 0;

  constructor(dataset: Dataset, options: LoaderOptions = {}) {
    const { batchSize = 32, shuffle = false, generator, dropLast = false, transforms = [], prefetch = 2 } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      fail('DataLoader', { expected: 'a batchSize of at least 1', got: describe(batchSize) });
    }
    if (!Number.isSafeInteger(prefetch) || prefetch < 0) {
      fail('DataLoader', { expected: 'a prefetch of 0 or more batches', got: describe(prefetch) });
    }
    if (dataset.length === 0) fail('DataLoader', { expected: 'a data set with samples', got: 'an empty one' });
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.length = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
    this.inputShape = transformedShape(transforms, dataset.inputShape);
    this.#shuffle = shuffle;
    this.#transforms = [...transforms];
    this.#prefetch = prefetch;
    const { worker = availableParallelism() > 2 && transforms.some(isHeavy) } = options;
    this.#offThread = worker && transforms.length > 0 && transforms.every(({ kind }) => kind !== 'custom');
    this.#seed = generator === undefined ? checkSeed('DataLoader', options.seed ?? 0) : drawSeed(generator);
  }

  /** The epoch that the next loop is, or the running one has, from 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The next loop is epoch `epoch`, from its start (or from where `setState` put it, if that was in this epoch). */
  setEpoch(epoch: number): void {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      fail('setEpoch', { expected: 'an epoch of 0 or more', got: describe(epoch) });
    }
    if (epoch !== this.#epoch) this.#resumeAt = 0;
    this.#epoch = epoch;
    this.#position = this.#resumeAt;
  }

  state(): LoaderState {
    const { length: samples } = this.dataset;
    return { seed: this.#seed, epoch: this.#epoch, position: this.#position, batchSize: this.batchSize, samples };
  }

  /** Continues where `state()` was taken: the next loop begins with the batch after it. Throws DataError if it cannot. */
  setState(state: unknown): void {
    const { seed, epoch, position, batchSize, samples } = checkState(state);
    if (batchSize !== this.batchSize || samples !== this.dataset.length || position > this.length) {
      const own = `batches of ${this.batchSize} from ${this.dataset.length} samples`;
      throw new DataError(
        `setState: expected the state of a loader of ${own}, but got batches of ${batchSize} from ${samples} samples`,
      );
    }
    this.#seed = seed;
    this.#epoch = epoch;
    this.#position = position;
    this.#resumeAt = position;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const epoch = this.#epoch;
    const order = this.#order(epoch);
    const worker = this.#offThread ? sharedWorker() : undefined;
    let next = this.#resumeAt;
    this.#position = next;
    this.#resumeAt = 0;
    let ahead = worker === undefined ? 0 : this.#prefetch;
    const queue: Promise<Batch>[] = [];
    for (let position = next; position < this.length; position++) {
      while (next < this.length && queue.length <= ahead) {
        const indices = order.subarray(next * this.batchSize, (next + 1) * this.batchSize);
        const batch = this.dataset.batch(indices);
        if (batch instanceof Promise) ahead = this.#prefetch;
        const ready = this.#transform(batch, indices, epoch, worker);
        // If the loop is left before its turn, nobody will ask what became of it.
        ready.catch(() => {});
        queue.push(ready);
        next++;
      }
      const batch = await queue.shift();
      if (batch === undefined) return;
      this.#position = position + 1;
      yield batch;
    }
    this.#epoch = epoch + 1;
    this.#position = 0;
  }

  #order(epoch: number): Int32Array {
    const { length } = this.dataset;
    if (this.#shuffle) return new Random(this.#seed, epoch).permutation(length);
    return Int32Array.from({ length }, (_, i) => i);
  }

  async #transform(
    batch: Batch | Promise<Batch>,
    indices: Int32Array,
    epoch: number,
    worker: TransformWorker | undefined,
  ): Promise<Batch> {
    const { inputs, targets } = batch instanceof Promise ? await batch : batch;
    if (this.#transforms.length === 0) return { inputs, targets };
    const [count = 0, channels = 0, height = 0, width = 0] = inputs.shape;
    const { data } = inputs;
    if (!(data instanceof Float32Array)) return fail('transform', { expected: 'float32 inputs', got: inputs.dtype });
    const images: Images = { data, shape: [count, channels, height, width] };
    // A copy of the indices: they are a view of the whole order, which would be sent along to the worker.
    const stream = { seed: this.#seed, epoch, indices: indices.slice() };
    const done = worker
      ? await worker.run(this.#transforms, images, stream)
      : applyTransforms(this.#transforms, images, stream);
    return { inputs: fromArray(done.data, done.shape), targets };
  }
}

const isHeavy = ({ kind }: Transform): boolean => kind === 'affine' || kind === 'elastic';

function drawSeed(generator: Generator): number {
  const [low = 0, high = 0, , call = 0] = generator.nextSeed();
  const random = new Random(low >>> 0, high >>> 0, call >>> 0);
  return (random.bits() >>> 0) + (random.bits() >>> 11) * 2 ** 32;
}

function checkState(state: unknown): LoaderState {
  const fields = ['seed', 'epoch', 'position', 'batchSize', 'samples'] as const;
  const given: Partial<Record<string, unknown>> = typeof state === 'object' && state !== null ? { ...state } : {};
  const [seed = 0, epoch = 0, position = 0, batchSize = 0, samples = 0] = fields.map((field) => {
    const value = given[field];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new DataError(`setState: expected a loader's state, but got ${field} ${describe(value)}`);
  });
  return { seed, epoch, position, batchSize, samples };
}
