// Batches of a data set: shuffled or put together by length, transformed, prepared ahead.
import { availableParallelism } from 'node:os';
import { describe, fail } from '../tensor/errors.ts';
import { fromArray, type Generator, Tensor } from '../tensor/index.ts';
import { applyTransforms, type Images, type Transform, transformedShape } from './augment.ts';
import { ResumableBatches } from './batches.ts';
import type { Batch, Samples } from './dataset.ts';
import { byLength, checkLengths } from './lengths.ts';
import { Random } from './random.ts';
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
  /** Of each sample, such as the words of a sentence: samples of about equal length then come in one batch. */
  readonly lengths?: ArrayLike<number>;
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

/** Batches of `batchSize` samples each. What a batch is, the data set says: by default inputs with their targets. */
export class DataLoader<B = Batch> extends ResumableBatches<B> {
  readonly dataset: Samples<B>;
  readonly batchSize: number;
  readonly length: number;
  /** Shape of one input, after the transforms, where the data set says one. */
  readonly inputShape: readonly number[] | undefined;
  readonly #shuffle: boolean;
  readonly #lengths: ArrayLike<number> | undefined;
  readonly #transforms: readonly Transform[];
  readonly #prefetch: number;
  readonly #offThread: boolean;

  constructor(dataset: Samples<B> & { readonly inputShape?: readonly number[] }, options: LoaderOptions = {}) {
    const { batchSize = 32, shuffle = false, generator, dropLast = false, transforms = [], prefetch = 2 } = options;
    super(generator === undefined ? (options.seed ?? 0) : drawSeed(generator));
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
    const { inputShape } = dataset;
    this.inputShape = inputShape && transformedShape(transforms, inputShape);
    this.#shuffle = shuffle;
    this.#lengths = options.lengths && checkLengths('DataLoader', options.lengths, dataset.length);
    this.#transforms = [...transforms];
    this.#prefetch = prefetch;
    const { worker = availableParallelism() > 2 && transforms.some(isHeavy) } = options;
    this.#offThread = worker && transforms.length > 0 && transforms.every(({ kind }) => kind !== 'custom');
  }

  protected override extent() {
    return { batchSize: this.batchSize, samples: this.dataset.length };
  }

  protected override words({ batchSize, samples }: Readonly<Record<string, number>>): string {
    return `batches of ${batchSize} from ${samples} samples`;
  }

  protected override async *read(epoch: number, from: number): AsyncGenerator<B, void, undefined> {
    const order = this.#order(epoch);
    const worker = this.#offThread ? sharedWorker() : undefined;
    let next = from;
    let ahead = worker === undefined ? 0 : this.#prefetch;
    const queue: Promise<B>[] = [];
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
      yield batch;
    }
  }

  #order(epoch: number): Int32Array {
    const { length } = this.dataset;
    const random = new Random(this.seed, epoch);
    const order = this.#shuffle ? random.permutation(length) : Int32Array.from({ length }, (_, i) => i);
    if (this.#lengths === undefined) return order;
    return byLength(order, this.#lengths, this.batchSize, this.#shuffle ? random : undefined);
  }

  async #transform(
    given: B | Promise<B>,
    indices: Int32Array,
    epoch: number,
    worker: TransformWorker | undefined,
  ): Promise<B> {
    const batch = given instanceof Promise ? await given : given;
    if (this.#transforms.length === 0) return batch;
    const images = imagesOf(batch);
    // A copy of the indices: they are a view of the whole order, which would be sent along to the worker.
    const stream = { seed: this.seed, epoch, indices: indices.slice() };
    const done = worker
      ? await worker.run(this.#transforms, images, stream)
      : applyTransforms(this.#transforms, images, stream);
    return { ...batch, inputs: fromArray(done.data, done.shape) };
  }
}

const isHeavy = ({ kind }: Transform): boolean => kind === 'affine' || kind === 'elastic';

/** The inputs of a batch, as transforms take them. */
function imagesOf(batch: unknown): Images {
  const inputs: unknown = typeof batch === 'object' && batch !== null ? Reflect.get(batch, 'inputs') : undefined;
  if (!(inputs instanceof Tensor)) {
    return fail('transform', { expected: 'batches with inputs', because: 'transforms change these', got: 'others' });
  }
  const [count = 0, channels = 0, height = 0, width = 0] = inputs.shape;
  const { data } = inputs;
  if (!(data instanceof Float32Array)) return fail('transform', { expected: 'float32 inputs', got: inputs.dtype });
  return { data, shape: [count, channels, height, width] };
}

function drawSeed(generator: Generator): number {
  const [low = 0, high = 0, , call = 0] = generator.nextSeed();
  const random = new Random(low >>> 0, high >>> 0, call >>> 0);
  return (random.bits() >>> 0) + (random.bits() >>> 11) * 2 ** 32;
}
