// CoNLL in columns, as in the shared tasks of 2000 to 2003: a word and its tags in each line, a blank line after a sentence.
import { DataError } from '../tensor/errors.ts';
import type { TaggedSentence } from './sentence.ts';
import { readText } from './text-file.ts';

export interface ColumnOptions {
  /** Which column holds the tags, from 0; the words are in column 0. Default: the last. */
  readonly tagColumn?: number;
}

/** The sentences of a file, also one that ends in .gz. Throws DataError, with file and line, where it is malformed. */
export function readColumns(file: string, options: ColumnOptions = {}): TaggedSentence[] {
  return parseColumns(readText(file), file, options);
}

/**
 * The sentences of a text in columns, two or more, as many in each line; `file` is for messages. Columns are separated by
 * tabs, or in a line without tabs by spaces. Lines that begin with -DOCSTART- are left out; there are no comments, because
 * `#` is a word. Throws DataError, with file and line, where it is malformed.
 */
export function parseColumns(text: string, file = 'the text', { tagColumn }: ColumnOptions = {}): TaggedSentence[] {
  const sentences: TaggedSentence[] = [];
  let words: string[] = [];
  let tags: string[] = [];
  let width: { readonly columns: number; readonly line: number } | undefined;
  const end = () => {
    if (words.length > 0) sentences.push({ words, tags });
    words = [];
    tags = [];
  };
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (line === '' || line.startsWith('-DOCSTART-')) {
      end();
      continue;
    }
    const columns = line.includes('\t') ? line.split('\t') : line.trimStart().split(/ +/);
    const wrong = (expected: string): never => {
      const got = line.length > 80 ? `${line.slice(0, 80)}…` : line;
      throw new DataError(`${file}:${i + 1}: expected ${expected}, but got ${columns.length}: ${got}`);
    };
    if (columns.length < 2) wrong('a word and a tag, separated by a tab or spaces');
    width ??= { columns: columns.length, line: i + 1 };
    if (columns.length !== width.columns) wrong(`${width.columns} columns as in line ${width.line}`);
    const word = columns[0];
    const tag = columns[tagColumn ?? columns.length - 1];
    if (tag === undefined) return wrong(`a tag in column ${tagColumn}, counted from 0`);
    if (!word || !tag) return wrong('a word and a tag that are not empty');
    words.push(word);
    tags.push(tag);
  }
  end();
  return sentences;
}
