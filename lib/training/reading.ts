// Training and measuring models that read words letter by letter: the loss of whole words, and shares of letters and words.
import type { WordBatch } from '../data/index.ts';
import type { Json } from '../io/json.ts';
import type { CRF } from '../nn/index.ts';
import { add, crossEntropy, div, mul, noGrad, type Tensor } from '../tensor/index.ts';
import type { Metric } from './metrics.ts';
import type { Objective } from './objective.ts';

/** A model that gives scores to letters, for their pictures alone and in their words. */
export interface LetterModel {
  readonly crf: CRF;
  scores(images: Tensor, places: Tensor, lengths: Int32Array): { readonly emissions: Tensor; readonly own: Tensor };
}

/** Letters read, by word. */
export type Readings = readonly (readonly number[])[];

export interface ReadingOptions {
  /** How much the letters' own scores count beside those of the words, so that each picture is read for itself. */
  readonly ownWeight?: number;
}

/** -log p(word) by the CRF, a letter, and the cross-entropy of the letters' own scores. Counts letters. */
export function reading(
  model: LetterModel,
  { ownWeight = 0.5 }: ReadingOptions = {},
): Objective<WordBatch, Readings, WordBatch> {
  return (batch) => {
    const { images, places, tags, lengths } = batch;
    const { emissions, own } = model.scores(images, places, lengths);
    const count = images.shape[0]!;
    const words = div(model.crf.forward(emissions, tags, lengths), Math.max(1, count)); // crf adds up its sequences
    const outputs = noGrad(() => model.crf.decode(emissions.detach(), lengths).paths);
    const loss = add(words, mul(crossEntropy(own, labelsOf(batch)), ownWeight));
    return { loss, count, outputs, targets: batch };
  };
}

/** The letters' numbers in the order of their pictures. */
function labelsOf({ images, places, tags }: WordBatch): Int32Array {
  const count = images.shape[0]!;
  const labels = new Int32Array(count);
  for (const [at, place] of places.ints.entries()) if (place < count) labels[place] = tags.ints[at]!;
  return labels;
}

/** Hits among all, gathered over batches. */
class Share implements Metric<Readings, WordBatch> {
  #hits = 0;
  #all = 0;

  constructor(
    readonly name: string,
    private readonly ofWord: (read: readonly number[], truth: readonly number[]) => readonly boolean[],
  ) {}

  reset(): void {
    [this.#hits, this.#all] = [0, 0];
  }

  update(outputs: Readings, { tags, lengths }: WordBatch): void {
    for (const [word, read] of outputs.entries()) {
      const truth = Array.from({ length: lengths[word]! }, (_, step) => tags.ints[step * lengths.length + word]!);
      const hits = this.ofWord(read, truth);
      this.#hits += hits.filter(Boolean).length;
      this.#all += hits.length;
    }
  }

  get value(): number {
    return this.#hits / this.#all;
  }

  state(): Json {
    return [this.#hits, this.#all];
  }

  setState(state: Json): void {
    const [hits, all] = Array.isArray(state) ? state : [];
    [this.#hits, this.#all] = [Number(hits), Number(all)];
  }
}

/** The share of letters read rightly. */
export const letterAccuracy = (): Metric<Readings, WordBatch> =>
  new Share('accuracy', (read, truth) => truth.map((letter, i) => read[i] === letter));

/** The share of words read without a mistake. */
export const wordAccuracy = (): Metric<Readings, WordBatch> =>
  new Share('words', (read, truth) => [truth.every((letter, i) => read[i] === letter)]);
