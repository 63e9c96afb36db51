// Words as pictures of handwritten letters: the file of OCR letters (Kassel 1995, as Taskar et al. 2003 give it), and its splits.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, fail } from '../tensor/errors.ts';
import { readLines } from './text-file.ts';

/** Height and width of a letter's picture. */
export const letterSize = [16, 8] as const;
const pixels = letterSize[0] * letterSize[1];

/** The letters there are, in the order of their numbers. */
export const alphabet: readonly string[] = [...'abcdefghijklmnopqrstuvwxyz'];

/** One word, written by hand. */
export interface HandwrittenWord {
  /** Of letters in the alphabet. */
  readonly text: string;
  /** Where its letters' pictures are: rows of `letters` from here on. */
  readonly first: number;
  /** Which of ten parts it belongs to, 0 to 9. */
  readonly fold: number;
}

export interface HandwrittenWords {
  readonly words: readonly HandwrittenWord[];
  /** A byte for each pixel, 1 where there is ink: [letters, 16, 8]. */
  readonly letters: Uint8Array;
}

/**
 * Reads `letter.data`, a letter a line, between tabs: id, letter, id of the next letter or -1, word, position in the word
 * from 1, fold, 128 pixels of 0 or 1. `path` is the file or its folder, packed (.gz) or not. Throws DataError, with file and
 * line, for anything else, and for words whose letters do not follow one another.
 */
export function loadOcrLetters(path: string): HandwrittenWords {
  const file = fileAt(path);
  const words: { text: string; first: number; fold: number }[] = [];
  const rows: Uint8Array[] = [];
  let next: string | undefined;
  let word = '';
  let line = 0;
  for (const text of readLines(file)) {
    line++;
    const fields = text.replace(/\t$/, '').split('\t');
    const wrong = (expected: string, got: string): never => {
      throw new DataError(`${file}:${line}: expected ${expected}, but got ${got}`);
    };
    const [id = '', letter = '', nextId = '', wordId = '', position = '', fold = '', ...ink] = fields;
    if (fields.length !== 6 + pixels) wrong(`${6 + pixels} fields between tabs`, `${fields.length}`);
    if (!/^[a-z]$/.test(letter)) wrong('a letter from a to z', `'${letter}'`);
    if (!/^\d$/.test(fold)) wrong('a fold from 0 to 9', `'${fold}'`);
    const bad = ink.findIndex((value) => value !== '0' && value !== '1');
    if (bad >= 0) wrong('pixels of 0 or 1', `'${ink[bad]}' as pixel ${bad + 1}`);
    if (next === undefined) {
      if (position !== '1') wrong('position 1, because a word begins', position);
      words.push({ text: '', first: rows.length, fold: Number(fold) });
      word = wordId;
    }
    const last = words.at(-1)!;
    if (next !== undefined && (id !== next || wordId !== word || Number(fold) !== last.fold)) {
      wrong(`letter ${next} of word ${word} in fold ${last.fold}`, `letter ${id} of word ${wordId} in fold ${fold}`);
    }
    if (Number(position) !== last.text.length + 1) wrong(`position ${last.text.length + 1}`, position);
    last.text += letter;
    next = nextId === '-1' ? undefined : nextId;
    rows.push(Uint8Array.from(ink, Number));
  }
  if (next !== undefined)
    throw new DataError(`${file}: expected letter ${next} of word ${word}, but got the end of the file`);
  if (words.length === 0) throw new DataError(`${file}: expected at least one word, but got none`);
  const letters = new Uint8Array(rows.length * pixels);
  for (const [i, row] of rows.entries()) letters.set(row, i * pixels);
  return { words, letters };
}

function fileAt(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new DataError(`${path}: expected a file or folder of OCR letters, but got none`);
  if (!stat.isDirectory()) return path;
  const names = ['letter.data.gz', 'letter.data'];
  const found = names
    .map((name) => join(path, name))
    .find((name) => statSync(name, { throwIfNoEntry: false })?.isFile());
  if (found !== undefined) return found;
  throw new DataError(`${path}: expected ${names.join(' or ')} in it, but got neither`);
}

/**
 * What is kept from training, to measure on: `0` to `9` a fold, whose words others have written too; `words` every fifth of
 * the distinct words in alphabetical order, which are then in no other form in the training part.
 */
export function splitWords(
  words: readonly HandwrittenWord[],
  held: string,
): { train: HandwrittenWord[]; test: HandwrittenWord[] } {
  const distinct = [...new Set(words.map(({ text }) => text))].sort();
  const away = new Set(distinct.filter((_, i) => i % 5 === 0));
  if (held !== 'words' && !/^\d$/.test(held))
    fail('splitWords', { expected: "a fold from 0 to 9, or 'words'", got: `'${held}'` });
  const isHeld = ({ text, fold }: HandwrittenWord) => (held === 'words' ? away.has(text) : fold === Number(held));
  return { train: words.filter((word) => !isHeld(word)), test: words.filter(isHeld) };
}
