// From sentences to numbers and back: the vocabularies of a tagger, and batches of sentences as tensors.
import { isRecord } from '../io/json.ts';
import { DataError, describe, fail } from '../tensor/errors.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';
import { checkIndices, type Indices, type Samples } from './dataset.ts';
import type { TaggedSentence } from './sentence.ts';
import { type CountingOptions, Vocabulary, type VocabularyJson } from './vocabulary.ts';

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
  /** What was encoded. */
  readonly sentences: readonly TaggedSentence[];
}

export interface SentenceEncoderJson {
  readonly words: VocabularyJson;
  readonly characters: VocabularyJson;
  readonly tags: VocabularyJson;
  readonly details: VocabularyJson;
  readonly intents: VocabularyJson;
}

const names = ['words', 'characters', 'tags', 'details', 'intents'] as const;

type Vocabularies = Readonly<Record<(typeof names)[number], Vocabulary>>;

/** Letters of a word that are looked at: of a longer one, the first and the last half of so many. */
const LETTERS = 16;

/** The vocabularies of a tagger. Tags, details and intents are closed; the latter two are empty where there are none. */
export class SentenceEncoder implements Vocabularies {
  readonly words: Vocabulary;
  readonly characters: Vocabulary;
  readonly tags: Vocabulary;
  readonly details: Vocabulary;
  readonly intents: Vocabulary;

  private constructor({ words, characters, tags, details, intents }: Vocabularies) {
    this.words = words;
    this.characters = characters;
    this.tags = tags;
    this.details = details;
    this.intents = intents;
  }

  /** Learns the vocabularies of sentences. By default words differ neither by case nor by digits: their letters do. */
  static of(
    sentences: readonly TaggedSentence[],
    { letterCase = 'lower', digits = '0', minCount = 1 }: Omit<CountingOptions, 'open'> = {},
  ): SentenceEncoder {
    const closed = (text: string[]) => Vocabulary.count(text, { open: false });
    return new SentenceEncoder({
      words: Vocabulary.count(
        sentences.flatMap(({ words }) => words),
        { letterCase, digits, minCount },
      ),
      characters: Vocabulary.count(sentences.flatMap(({ words }) => words.flatMap((word) => [...word]))),
      tags: closed(sentences.flatMap(({ tags }) => tags)),
      details: closed(sentences.flatMap(({ details }) => details ?? [])),
      intents: closed(sentences.flatMap(({ intent }) => intent ?? [])),
    });
  }

  /** What `toJSON` described. `source` names it in errors. Throws DataError if it is no such thing. */
  static fromJSON(json: unknown, source = 'SentenceEncoder'): SentenceEncoder {
    if (!isRecord(json)) {
      throw new DataError(`${source}: expected the vocabularies of a tagger, but got ${describe(json)}`);
    }
    const read = (name: (typeof names)[number], open: boolean): Vocabulary => {
      const vocabulary = Vocabulary.fromJSON(json[name], `${source}: ${name}`);
      if (vocabulary.open === open) return vocabulary;
      const [expected, got] = open ? ['an open', 'a closed'] : ['a closed', 'an open'];
      throw new DataError(`${source}: ${name}: expected ${expected} vocabulary, but got ${got} one`);
    };
    return new SentenceEncoder({
      words: read('words', true),
      characters: read('characters', true),
      tags: read('tags', false),
      details: read('details', false),
      intents: read('intents', false),
    });
  }

  toJSON(): SentenceEncoderJson {
    const { words, characters, tags, details, intents } = this;
    return {
      words: words.toJSON(),
      characters: characters.toJSON(),
      tags: tags.toJSON(),
      details: details.toJSON(),
      intents: intents.toJSON(),
    };
  }

  /** Of each vocabulary, as a model needs them. */
  get sizes(): Record<(typeof names)[number], number> {
    const { words, characters, tags, details, intents } = this;
    return {
      words: words.size,
      characters: characters.size,
      tags: tags.size,
      details: details.size,
      intents: intents.size,
    };
  }

  encode(sentences: readonly TaggedSentence[]): SentenceBatch {
    const batch = sentences.length;
    // At least one step, so that no tensor is empty: a batch of nothing but empty sentences is all padding.
    const steps = longest(sentences.map(({ words }) => words));
    const grid = (fill: number) => new Int32Array(steps * batch).fill(fill);
    const [words, spelling] = [grid(Vocabulary.padding), grid(0)];
    const [tags, details] = [grid(-1), grid(-1)];
    const counts = new Float32Array(steps * batch);
    const spellings = new Map<string, number>([['', 0]]);
    for (const [b, sentence] of sentences.entries()) {
      for (const [t, word] of sentence.words.entries()) {
        const at = t * batch + b;
        const index = this.words.index(word);
        words[at] = index;
        counts[at] = this.words.count(index);
        const known = spellings.get(word) ?? spellings.size;
        spellings.set(word, known);
        spelling[at] = known;
        tags[at] = this.tags.index(sentence.tags[t] ?? '');
        details[at] = this.details.index(sentence.details?.[t] ?? '');
      }
    }
    const shape = [steps, batch];
    return {
      words: fromArray(words, shape),
      counts: fromArray(counts, shape),
      lengths: fromArray(Int32Array.from(sentences, ({ words }) => words.length)),
      ...this.#spell([...spellings.keys()]),
      spelling: fromArray(spelling, shape),
      tags: fromArray(tags, shape),
      details: fromArray(details, shape),
      intents: fromArray(Int32Array.from(sentences, ({ intent }) => this.intents.index(intent ?? ''))),
      sentences,
    };
  }

  #spell(words: readonly string[]): Pick<SentenceBatch, 'spellings' | 'spellingLengths'> {
    const letters = words.map((word) => {
      const all = [...word];
      return all.length <= LETTERS ? all : [...all.slice(0, LETTERS / 2), ...all.slice(-LETTERS / 2)];
    });
    const steps = longest(letters);
    const indices = new Int32Array(steps * words.length);
    for (const [word, own] of letters.entries()) {
      for (const [i, letter] of own.entries()) indices[i * words.length + word] = this.characters.index(letter);
    }
    return {
      spellings: fromArray(indices, [steps, words.length]),
      spellingLengths: fromArray(Int32Array.from(letters, ({ length }) => length)),
    };
  }
}

/** The largest length, at least 1. */
const longest = (lists: readonly (readonly string[])[]): number =>
  lists.reduce((most, { length }) => Math.max(most, length), 1);

/**
 * Sentences for a DataLoader: give it `lengths` too, and those of about equal length come in one batch. Throws FoveaError
 * unless each word has a tag.
 */
export class SentenceData implements Samples<SentenceBatch> {
  readonly length: number;
  readonly lengths: Int32Array;

  constructor(
    readonly sentences: readonly TaggedSentence[],
    readonly encoder: SentenceEncoder,
  ) {
    const wrong = sentences.findIndex(({ words, tags }) => tags.length !== words.length);
    if (wrong !== -1) {
      const { words, tags } = sentences[wrong]!;
      const because = `sentence ${wrong} has so many words`;
      fail('SentenceData', { expected: `${words.length} tags`, because, got: `${tags.length}` });
    }
    this.length = sentences.length;
    this.lengths = Int32Array.from(sentences, ({ words }) => words.length);
  }

  batch(indices: Indices): SentenceBatch {
    checkIndices('batch', indices, this.length);
    return this.encoder.encode(Array.from(indices, (index) => this.sentences[index]!));
  }
}
