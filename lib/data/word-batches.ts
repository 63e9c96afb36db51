// Batches of handwritten words: all their letters as one batch of pictures, and where each belongs.
import { fromArray, type Tensor } from '../tensor/index.ts';
import { applyTransforms, type Transform } from './augment.ts';
import { ResumableBatches } from './batches.ts';
import { byLength } from './lengths.ts';
import { alphabet, type HandwrittenWord, letterSize } from './ocr-letters.ts';
import { Random } from './random.ts';

/** Some words. Their letters have no padding: so none is convolved. */
export interface WordBatch {
  /** [letters, 1, 16, 8], one word's after the other's. */
  readonly images: Tensor;
  /** int32 [steps, words]: which of the letters it is; their number after the end of a word. */
  readonly places: Tensor;
  /** int32 [steps, words]: the letters' numbers; 0 after the end of a word. */
  readonly tags: Tensor;
  /** Letters of each word. */
  readonly lengths: Int32Array;
}

const [height, width] = letterSize;
const size = height * width;

/** A batch of words over pictures [letters, 16, 8] of bytes; `transforms` know the letters by their rows. */
export function wordBatch(
  letters: Uint8Array,
  words: readonly HandwrittenWord[],
  transforms: readonly Transform[],
  { seed = 0, epoch = 0 } = {},
): WordBatch {
  const lengths = Int32Array.from(words, ({ text }) => text.length);
  const steps = Math.max(0, ...lengths);
  const indices = Int32Array.from(words.flatMap(({ text, first }) => Array.from(text, (_, i) => first + i)));
  const data = new Float32Array(indices.length * size);
  for (const [i, row] of indices.entries()) data.set(letters.subarray(row * size, (row + 1) * size), i * size);
  const images = applyTransforms(
    transforms,
    { data, shape: [indices.length, 1, height, width] },
    { seed, epoch, indices },
  );
  const places = new Int32Array(steps * words.length).fill(indices.length);
  const tags = new Int32Array(steps * words.length);
  let place = 0;
  for (const [b, { text }] of words.entries()) {
    for (let step = 0; step < text.length; step++) {
      places[step * words.length + b] = place++;
      tags[step * words.length + b] = alphabet.indexOf(text[step]!);
    }
  }
  const shape = [steps, words.length];
  return {
    images: fromArray(images.data, images.shape),
    places: fromArray(places, shape),
    tags: fromArray(tags, shape),
    lengths,
  };
}

export interface WordLoaderOptions {
  /** Words of a batch, of about equal length. Default 32. */
  readonly batchSize?: number;
  /** A new order in every epoch. Default false. */
  readonly shuffle?: boolean;
  /** Default 0. */
  readonly seed?: number;
  readonly transforms?: readonly Transform[];
}

/** Batches of handwritten words. */
export class WordLoader extends ResumableBatches<WordBatch> {
  readonly length: number;
  readonly #letters: Uint8Array;
  readonly #words: readonly HandwrittenWord[];
  readonly #options: Required<WordLoaderOptions>;

  constructor(letters: Uint8Array, words: readonly HandwrittenWord[], options: WordLoaderOptions = {}) {
    const { batchSize = 32, shuffle = false, seed = 0, transforms = [] } = options;
    super(seed);
    this.#letters = letters;
    this.#words = words;
    this.#options = { batchSize, shuffle, seed, transforms };
    this.length = Math.ceil(words.length / batchSize);
  }

  protected override extent() {
    return { batchSize: this.#options.batchSize, words: this.#words.length };
  }

  protected override words({ batchSize, words }: Readonly<Record<string, number>>): string {
    return `batches of ${batchSize} from ${words} words`;
  }

  protected override async *read(epoch: number, from: number): AsyncGenerator<WordBatch, void, undefined> {
    const { batchSize, shuffle, transforms } = this.#options;
    const random = new Random(this.seed, epoch);
    const count = this.#words.length;
    const plain = shuffle ? random.permutation(count) : Int32Array.from({ length: count }, (_, i) => i);
    const lengths = this.#words.map(({ text }) => text.length);
    const order = shuffle ? byLength(plain, lengths, batchSize, random) : plain;
    for (let i = from; i < this.length; i++) {
      const words = Array.from(order.subarray(i * batchSize, (i + 1) * batchSize), (index) => this.#words[index]!);
      yield wordBatch(this.#letters, words, transforms, { seed: this.seed, epoch });
    }
  }
}
