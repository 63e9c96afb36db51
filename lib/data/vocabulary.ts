// Vocabulary: the words (or characters, or tags) that a model knows, and the index of each.
import { isRecord } from '../io/json.ts';
import { DataError, describe, fail } from '../tensor/errors.ts';

export interface VocabularyOptions {
  /** Whether there are indices for padding (0) and for all words that are not known (1). Default true. */
  readonly open?: boolean;
  /** 'lower': words that differ in case only are one word. Default 'keep'. */
  readonly letterCase?: 'keep' | 'lower';
  /** '0': words that differ in their digits only are one word. Default 'keep'. */
  readonly digits?: 'keep' | '0';
}

export interface CountingOptions extends VocabularyOptions {
  /** Rarer words are left out. Default 1. */
  readonly minCount?: number;
}

/** A vocabulary as plain JSON. */
export interface VocabularyJson extends Required<VocabularyOptions> {
  readonly words: readonly string[];
  /** How often each word occurred in the text it was made from. */
  readonly counts: readonly number[];
}

/**
 * Words by index and indices by word. An open vocabulary begins with padding and the unknown word, which have no spelling:
 * no text can contain them by accident. A closed one, such as a set of tags, holds its words alone.
 */
export class Vocabulary {
  static readonly padding = 0;
  static readonly unknown = 1;

  readonly open: boolean;
  readonly letterCase: 'keep' | 'lower';
  readonly digits: 'keep' | '0';
  readonly #words: readonly string[];
  readonly #counts: readonly number[];
  readonly #indices: ReadonlyMap<string, number>;

  private constructor({ open, letterCase, digits, words, counts }: VocabularyJson) {
    this.open = open;
    this.letterCase = letterCase;
    this.digits = digits;
    this.#words = words;
    this.#counts = counts;
    this.#indices = new Map(words.map((word, i) => [word, this.#first + i]));
  }

  /** The words of a text, most frequent first, equally frequent ones in the order in which they came. */
  static count(text: Iterable<string>, { minCount = 1, ...options }: CountingOptions = {}): Vocabulary {
    if (!Number.isSafeInteger(minCount) || minCount < 1) {
      fail('Vocabulary', { expected: 'a minCount of at least 1', got: describe(minCount) });
    }
    const { open = true, letterCase = 'keep', digits = 'keep' } = options;
    const counts = new Map<string, number>();
    for (const word of text) {
      const key = spell(word, letterCase, digits);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const kept = [...counts].filter(([, count]) => count >= minCount).sort(([, a], [, b]) => b - a);
    return new Vocabulary({
      open,
      letterCase,
      digits,
      words: kept.map(([word]) => word),
      counts: kept.map(([, count]) => count),
    });
  }

  /** The vocabulary that `toJSON` described. `source` names it in errors. Throws DataError if it is none. */
  static fromJSON(json: unknown, source = 'Vocabulary'): Vocabulary {
    const given = isRecord(json) ? json : {};
    const { open, letterCase, digits, words, counts } = given;
    const wrong = (expected: string, got: unknown): never => {
      throw new DataError(`${source}: expected ${expected}, but got ${describe(got)}`);
    };
    if (typeof open !== 'boolean') return wrong("a vocabulary with 'open' true or false", open);
    if (letterCase !== 'keep' && letterCase !== 'lower') return wrong("letterCase 'keep' or 'lower'", letterCase);
    if (digits !== 'keep' && digits !== '0') return wrong("digits 'keep' or '0'", digits);
    if (!isArrayOf(words, isString)) return wrong('words as a list of strings', words);
    if (!isArrayOf(counts, isCount) || counts.length !== words.length) {
      return wrong(`${words.length} counts, one for each word`, counts);
    }
    const seen = new Set<string>();
    const repeated = words.find((word) => seen.size === seen.add(word).size);
    if (repeated !== undefined) return wrong('each word once', `${repeated} twice`);
    return new Vocabulary({ open, letterCase, digits, words, counts });
  }

  toJSON(): VocabularyJson {
    const { open, letterCase, digits } = this;
    return { open, letterCase, digits, words: this.#words, counts: this.#counts };
  }

  /** How many indices there are, those of padding and of the unknown word included. */
  get size(): number {
    return this.#first + this.#words.length;
  }

  /** The words, without padding and the unknown word. */
  get words(): readonly string[] {
    return this.#words;
  }

  has(word: string): boolean {
    return this.#indices.has(this.#spell(word));
  }

  /** The index of a word; of one that is not known, `Vocabulary.unknown` in an open vocabulary and -1 in a closed one. */
  index(word: string): number {
    return this.#indices.get(this.#spell(word)) ?? (this.open ? Vocabulary.unknown : -1);
  }

  /** The word of an index; undefined for padding, the unknown word and what is no index. */
  word(index: number): string | undefined {
    return this.#words[index - this.#first];
  }

  /** How often the word of an index occurred in the text of this vocabulary. */
  count(index: number): number {
    return this.#counts[index - this.#first] ?? 0;
  }

  get #first(): number {
    return this.open ? 2 : 0;
  }

  #spell(word: string): string {
    return spell(word, this.letterCase, this.digits);
  }
}

function spell(word: string, letterCase: 'keep' | 'lower', digits: 'keep' | '0'): string {
  const cased = letterCase === 'lower' ? word.toLowerCase() : word;
  return digits === '0' ? cased.replace(/\p{Nd}/gu, '0') : cased;
}

const isString = (value: unknown): value is string => typeof value === 'string';

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value);

function isArrayOf<T>(value: unknown, test: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(test);
}
