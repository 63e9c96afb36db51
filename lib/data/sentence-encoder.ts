// The vocabularies of a tagger: words, letters, tags, and what else there is to learn of sentences.
import { isRecord } from '../io/json.ts';
import { DataError, describe } from '../tensor/errors.ts';
import type { TaggedSentence } from './sentence.ts';
import { type SentenceBatch, SentenceData } from './sentence-data.ts';
import { type CountingOptions, Vocabulary, type VocabularyJson } from './vocabulary.ts';

export interface SentenceEncoderJson {
  readonly words: VocabularyJson;
  readonly characters: VocabularyJson;
  readonly tags: VocabularyJson;
  readonly details: VocabularyJson;
  readonly intents: VocabularyJson;
}

const names = ['words', 'characters', 'tags', 'details', 'intents'] as const;

type Vocabularies = Readonly<Record<(typeof names)[number], Vocabulary>>;

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

  /** A batch of these sentences, with tags or without. */
  encode(sentences: readonly TaggedSentence[]): SentenceBatch {
    return new SentenceData(sentences, this, { tagged: false }).batch([...sentences.keys()]);
  }
}
