// CoNLL-U, the format of Universal Dependencies (https://universaldependencies.org/format.html): words and their tags.
import { DataError } from '../tensor/errors.ts';
import { readText } from './text-file.ts';

/** A sentence as the columns say it; a column that says nothing has `_`. */
export interface ConlluSentence {
  /** FORM of each syntactic word: of "don't", written as the token 1-2, the words are "do" and "n't". */
  readonly words: readonly string[];
  readonly lemmas: readonly string[];
  readonly upos: readonly string[];
  readonly xpos: readonly string[];
  /** FEATS, such as `Number=Sing|Person=3`. */
  readonly features: readonly string[];
  /** The comment lines before the sentence, without `#`. */
  readonly comments: readonly string[];
  /** Number of its first line in the file, from 1. */
  readonly line: number;
}

const COLUMNS = 10;

/** The sentences of a file, also one that ends in .gz. Throws DataError, with file and line, where it is malformed. */
export function readConllu(file: string): ConlluSentence[] {
  return parseConllu(readText(file), file);
}

/**
 * The sentences of a text in CoNLL-U; `file` is for messages. Multiword tokens (1-2) and empty nodes (8.1) are checked and
 * left out: what remains are the words that have tags. Blank lines may repeat; comments without words are no sentence.
 */
export function parseConllu(text: string, file = 'the text'): ConlluSentence[] {
  const sentences: ConlluSentence[] = [];
  let reader = new SentenceReader(file, 1);
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.trim() !== '') {
      reader.read(line, i + 1);
      continue;
    }
    const sentence = reader.end(i + 1);
    if (sentence) sentences.push(sentence);
    reader = new SentenceReader(file, i + 2);
  }
  const last = reader.end(undefined);
  if (last) sentences.push(last);
  return sentences;
}

class SentenceReader {
  readonly #words: string[] = [];
  readonly #lemmas: string[] = [];
  readonly #upos: string[] = [];
  readonly #xpos: string[] = [];
  readonly #features: string[] = [];
  readonly #comments: string[] = [];
  /** Last word of the multiword token that was opened. */
  #covered = 0;

  constructor(
    private readonly file: string,
    private readonly line: number,
  ) {}

  read(line: string, number: number): void {
    if (line.startsWith('#')) {
      if (this.#words.length > 0) this.#wrong(number, 'comments before the first word', line);
      this.#comments.push(line.slice(1).trim());
      return;
    }
    const columns = line.split('\t');
    if (columns.length !== COLUMNS) {
      this.#wrong(number, `${COLUMNS} columns separated by tabs`, `${columns.length}: ${line}`);
    }
    if (columns.includes('')) this.#wrong(number, '_ in a column that says nothing', `an empty one: ${line}`);
    const [id = '', form = '', lemma = '', upos = '', xpos = '', features = ''] = columns;
    if (this.#isWord(id, number)) {
      this.#words.push(form);
      this.#lemmas.push(lemma);
      this.#upos.push(upos);
      this.#xpos.push(xpos);
      this.#features.push(features);
    }
  }

  /** The sentence, if it has words. `number` is the line after it, undefined at the end of the file. */
  end(number: number | undefined): ConlluSentence | undefined {
    const count = this.#words.length;
    if (this.#covered > count) {
      this.#wrong(number, `words up to ${this.#covered}, which a multiword token covers`, `a sentence of ${count}`);
    }
    if (count === 0) return undefined;
    return {
      words: this.#words,
      lemmas: this.#lemmas,
      upos: this.#upos,
      xpos: this.#xpos,
      features: this.#features,
      comments: this.#comments,
      line: this.line,
    };
  }

  /** Whether an ID is that of the next word; a multiword token and an empty node are none. */
  #isWord(id: string, number: number): boolean {
    const next = this.#words.length + 1;
    if (id === String(next)) return true;
    const [, from, to] = /^([1-9]\d*)-([1-9]\d*)$/.exec(id) ?? [];
    if (Number(from) === next && Number(to) >= next && next > this.#covered) {
      this.#covered = Number(to);
      return false;
    }
    const [, before] = /^(\d+)\.[1-9]\d*$/.exec(id) ?? [];
    if (before !== undefined && Number(before) === next - 1) return false;
    return this.#wrong(number, `the ID ${next}, ${next}-n or ${next - 1}.n`, id);
  }

  #wrong(number: number | undefined, expected: string, got: string): never {
    const place = number === undefined ? `${this.file}: at the end` : `${this.file}:${number}`;
    throw new DataError(`${place}: expected ${expected}, but got ${got.length > 80 ? `${got.slice(0, 80)}…` : got}`);
  }
}
