// Sentences as numbers: a treebank in a few arrays, whatever its size, and batches of it as tensors.
import { fail } from '../tensor/errors.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';
import { checkIndices, type Indices, type Samples } from './dataset.ts';
import type { TaggedSentence } from './sentence.ts';
import type { SentenceEncoder } from './sentence-encoder.ts';

/** Sentences side by side, a word of each in every step. What is missing, after the end or unknown, is -1 in a target. */
export interface SentenceBatch {
  /** int32 [steps, batch] */
  readonly words: Tensor;
  /** float32 [steps, batch]: how often each word occurred in training. */
  readonly counts: Tensor;
  /** int32 [batch]: words of each sentence. */
  readonly lengths: Tensor;
  /** int32 [characters, spellings]: each different word of the batch once, letter by letter. */
  readonly spellings: Tensor;
  /** int32 [spellings]: letters of each. The first has none: it stands for padding. */
  readonly spellingLengths: Tensor;
  /** int32 [steps, batch]: which of the spellings a word has. */
  readonly spelling: Tensor;
  /** int32 [steps, batch] */
  readonly tags: Tensor;
  /** int32 [steps, batch] */
  readonly details: Tensor;
  /** int32 [batch] */
  readonly intents: Tensor;
  /** What was encoded; made when asked for. */
  readonly sentences: readonly TaggedSentence[];
}

/** Letters of a word that are looked at: of a longer one, the first and the last half of so many. */
const LETTERS = 16;

/**
 * Sentences for a DataLoader: give it `lengths` too, and those of about equal length come in one batch. Only numbers are kept,
 * and each different string once: a heap of a million words would cost the garbage collector more than training does.
 */
export class SentenceData implements Samples<SentenceBatch> {
  readonly length: number;
  readonly lengths: Int32Array;
  readonly encoder: SentenceEncoder;
  /** Where each sentence begins in the columns. */
  readonly #begins: Int32Array;
  readonly #words: Column;
  readonly #tags: Column;
  readonly #details: Column;
  readonly #intents: Column;
  /** Of each different word: [words, LETTERS] and how many. */
  readonly #letters: Int32Array;
  readonly #letterCounts: Int32Array;

  /** Throws FoveaError unless each word has a tag; `tagged` false: tags are not looked at. */
  constructor(
    sentences: readonly TaggedSentence[],
    encoder: SentenceEncoder,
    { tagged = true }: { readonly tagged?: boolean } = {},
  ) {
    if (tagged) checkTags(sentences);
    this.length = sentences.length;
    this.encoder = encoder;
    this.lengths = Int32Array.from(sentences, ({ words }) => words.length);
    this.#begins = new Int32Array(this.length);
    for (let i = 1; i < this.length; i++) this.#begins[i] = this.#begins[i - 1]! + this.lengths[i - 1]!;
    const column = (strings: (sentence: TaggedSentence) => readonly string[] | undefined) =>
      new Column(sentences.map((sentence) => sentence.words.map((_, t) => strings(sentence)?.[t] ?? '')));
    this.#words = column(({ words }) => words);
    this.#tags = column(({ tags }) => tags).numbered((tag) => encoder.tags.index(tag));
    this.#details = column(({ details }) => details).numbered((detail) => encoder.details.index(detail));
    this.#intents = new Column(sentences.map(({ intent }) => [intent ?? ''])).numbered((i) => encoder.intents.index(i));
    this.#words.numbered((word) => encoder.words.index(word));
    const { names } = this.#words;
    this.#letters = new Int32Array(names.length * LETTERS);
    this.#letterCounts = Int32Array.from(names, (word, i) => this.#spell(word, i));
  }

  batch(indices: Indices): SentenceBatch {
    checkIndices('batch', indices, this.length);
    const batch = indices.length;
    const lengths = Int32Array.from(indices, (index) => this.lengths[index]!);
    // At least one step, so that no tensor is empty: a batch of nothing but empty sentences is all padding.
    const shape = [lengths.reduce((most, length) => Math.max(most, length), 1), batch];
    const size = shape[0]! * batch;
    const [words, spelling] = [new Int32Array(size), new Int32Array(size)];
    const [tags, details] = [new Int32Array(size).fill(-1), new Int32Array(size).fill(-1)];
    const counts = new Float32Array(size);
    const spellings = new Map<number, number>();
    for (let b = 0; b < batch; b++) {
      const begin = this.#begins[indices[b]!]!;
      for (let t = 0; t < lengths[b]!; t++) {
        const at = t * batch + b;
        const form = this.#words.ids[begin + t]!;
        const word = this.#words.numbers[form]!;
        const spelt = spellings.get(form) ?? spellings.size + 1;
        spellings.set(form, spelt);
        words[at] = word;
        counts[at] = this.encoder.words.count(word);
        spelling[at] = spelt;
        tags[at] = this.#tags.number(begin + t);
        details[at] = this.#details.number(begin + t);
      }
    }
    const sentences = () => Array.from(indices, (index) => this.#sentence(index));
    return {
      words: fromArray(words, shape),
      counts: fromArray(counts, shape),
      lengths: fromArray(lengths),
      ...this.#spellings([...spellings.keys()]),
      spelling: fromArray(spelling, shape),
      tags: fromArray(tags, shape),
      details: fromArray(details, shape),
      intents: fromArray(Int32Array.from(indices, (index) => this.#intents.number(index))),
      get sentences() {
        return sentences();
      },
    };
  }

  #sentence(index: number): TaggedSentence {
    const begin = this.#begins[index]!;
    const strings = (column: Column) => column.strings(begin, begin + this.lengths[index]!);
    const [intent] = this.#intents.strings(index, index + 1);
    return {
      words: strings(this.#words),
      tags: strings(this.#tags),
      ...(this.#details.names.some((name) => name !== '') && { details: strings(this.#details) }),
      ...(intent && { intent }),
    };
  }

  /** Puts the letters of word `i` into their row, and says how many there are. */
  #spell(word: string, i: number): number {
    const all = [...word];
    const kept = all.length <= LETTERS ? all : [...all.slice(0, LETTERS / 2), ...all.slice(-LETTERS / 2)];
    for (const [at, letter] of kept.entries()) this.#letters[i * LETTERS + at] = this.encoder.characters.index(letter);
    return kept.length;
  }

  /** The spelling without letters, and those of these words. */
  #spellings(forms: readonly number[]): Pick<SentenceBatch, 'spellings' | 'spellingLengths'> {
    const lengths = Int32Array.from([0, ...forms.map((form) => this.#letterCounts[form]!)]);
    const characters = lengths.reduce((most, length) => Math.max(most, length), 1);
    const letters = new Int32Array(characters * lengths.length);
    for (const [i, form] of forms.entries()) {
      for (let at = 0; at < lengths[i + 1]!; at++) {
        letters[at * lengths.length + i + 1] = this.#letters[form * LETTERS + at]!;
      }
    }
    return { spellings: fromArray(letters, [characters, lengths.length]), spellingLengths: fromArray(lengths) };
  }
}

/** Strings, one after the other, as numbers of the different ones. */
class Column {
  readonly names: readonly string[];
  /** Of each string, which of the names it is. */
  readonly ids: Int32Array;
  /** Of each name, its index in a vocabulary. */
  numbers = new Int32Array();

  constructor(lists: readonly (readonly string[])[]) {
    const known = new Map<string, number>();
    this.ids = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const list of lists) {
      for (const name of list) {
        const id = known.get(name) ?? known.size;
        known.set(name, id);
        this.ids[at++] = id;
      }
    }
    this.names = [...known.keys()];
  }

  numbered(index: (name: string) => number): this {
    this.numbers = Int32Array.from(this.names, index);
    return this;
  }

  number(at: number): number {
    return this.numbers[this.ids[at]!]!;
  }

  strings(from: number, to: number): string[] {
    return Array.from(this.ids.subarray(from, to), (id) => this.names[id]!);
  }
}

function checkTags(sentences: readonly TaggedSentence[]): void {
  const wrong = sentences.findIndex(({ words, tags }) => tags.length !== words.length);
  if (wrong === -1) return;
  const { words, tags } = sentences[wrong]!;
  const because = `sentence ${wrong} has so many words`;
  fail('SentenceData', { expected: `${words.length} tags`, because, got: `${tags.length}` });
}
