// Files of word vectors: GloVe's text, word2vec's text and binary form, and JSON of arrays by word; each gzipped or not.
import { DataError, describe } from '../../tensor/errors.ts';
import { fromArray } from '../../tensor/index.ts';
import { decodeText, readBytes } from '../text-file.ts';
import { WordVectors } from './word-vectors.ts';

export interface WordVectorOptions {
  /** Only the first so many, which are the most frequent ones where a file is sorted so. */
  readonly limit?: number;
}

/**
 * Reads word vectors. The form is told by the content: `{` begins JSON; a line of two numbers begins one of word2vec's
 * forms; anything else is GloVe's, a word and its numbers a line. Throws DataError, with file and line (of the binary
 * form: word), for rows of different lengths, words that are there twice, numbers that are not finite, text that is not
 * UTF-8, and files that end early.
 */
export function loadWordVectors(file: string, { limit = Infinity }: WordVectorOptions = {}): WordVectors {
  const bytes = readBytes(file);
  const rows = new Rows(file, limit);
  if (bytes[0] === open) readJson(bytes, rows);
  else {
    const header = headerOf(bytes);
    if (header !== undefined && !isNumbers(lineAt(bytes, header.end))) readBinary(bytes, header, rows);
    else readTextRows(bytes, header, rows);
  }
  return rows.finish();
}

const [newline, space, open] = [0x0a, 0x20, 0x7b];

/** The rows read so far. */
class Rows {
  readonly words = new Map<string, string>();
  #data = new Float32Array(0);
  width = -1;

  constructor(
    readonly file: string,
    readonly limit: number,
  ) {}

  get full(): boolean {
    return this.words.size >= this.limit;
  }

  /** `place` says where the row is: `file:line`. */
  add(place: string, word: string, numbers: readonly number[] | Float32Array): void {
    const before = this.words.get(word);
    if (before !== undefined) refuse(place, 'each word once', `${describe(word)}, which is at ${before} too`);
    if (this.width < 0) this.width = numbers.length;
    if (numbers.length !== this.width || this.width === 0) {
      const wanted = this.width === 0 ? 'numbers' : `${this.width} numbers`;
      refuse(
        place,
        `${wanted} after the word${this.words.size === 0 ? '' : ', as in the rows before'}`,
        `${numbers.length}`,
      );
    }
    const start = this.words.size * this.width;
    if (start + this.width > this.#data.length) this.#grow(start + this.width);
    for (let i = 0; i < numbers.length; i++) {
      const value = Math.fround(numbers[i]!);
      if (!Number.isFinite(value))
        refuse(place, 'finite numbers', `${numbers[i]} as number ${i + 1} of ${describe(word)}`);
      this.#data[start + i] = value;
    }
    this.words.set(word, place);
  }

  finish(): WordVectors {
    if (this.words.size === 0) refuse(this.file, 'at least one word with a vector', 'none');
    const data = this.#data.slice(0, this.words.size * this.width);
    return new WordVectors([...this.words.keys()], fromArray(data, [this.words.size, this.width]));
  }

  #grow(least: number): void {
    const larger = new Float32Array(Math.max(least, 1024, Math.ceil(this.#data.length * 1.5)));
    larger.set(this.#data);
    this.#data = larger;
  }
}

function refuse(place: string, expected: string, got: string): never {
  throw new DataError(`${place}: expected ${expected}, but got ${got}`);
}

/** What word2vec's forms begin with: how many words, and numbers for each. */
interface Header {
  readonly count: number;
  readonly width: number;
  /** Where it ends. */
  readonly end: number;
}

function headerOf(bytes: Uint8Array): Header | undefined {
  const end = bytes.indexOf(newline);
  if (end < 0 || end > 40) return undefined;
  const found = /^(\d+) (\d+)\s*$/.exec(Buffer.from(bytes.subarray(0, end)).toString('latin1'));
  return found === null ? undefined : { count: Number(found[1]), width: Number(found[2]), end: end + 1 };
}

const lineAt = (bytes: Uint8Array, from: number): Uint8Array => {
  const end = bytes.indexOf(newline, from);
  return bytes.subarray(from, end < 0 ? bytes.length : end);
};

/** Whether a line is a word and numbers in text. */
function isNumbers(line: Uint8Array): boolean {
  const after = line.indexOf(space);
  return after >= 0 && /^[-+.\deEnaifNAIF\s]+$/.test(Buffer.from(line.subarray(after)).toString('latin1'));
}

function readTextRows(bytes: Uint8Array, header: Header | undefined, rows: Rows): void {
  let line = header === undefined ? 0 : 1;
  for (let from = header?.end ?? 0; from < bytes.length && !rows.full; ) {
    const raw = lineAt(bytes, from);
    from += raw.length + 1;
    line++;
    const place = `${rows.file}:${line}`;
    const [word = '', ...fields] = textOf(raw, place)
      .trimEnd()
      .split(/[ \t]+/);
    if (word === '') refuse(place, 'a word and its numbers', raw.length === 0 ? 'an empty line' : 'no word');
    rows.add(place, word, fields.map(Number));
    if (header !== undefined && rows.width !== header.width) {
      refuse(place, `${header.width} numbers, as line 1 says`, `${rows.width}`);
    }
  }
  if (header !== undefined && !rows.full && rows.words.size !== header.count) {
    refuse(rows.file, `${header.count} words, as line 1 says`, `${rows.words.size}`);
  }
}

/** A word, a space, its numbers as float32 with the lowest byte first, and perhaps the end of a line. */
function readBinary(bytes: Uint8Array, { count, width, end }: Header, rows: Rows): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = new Float32Array(width);
  let at = end;
  for (let i = 0; i < count && !rows.full; i++) {
    const place = `${rows.file}: word ${i + 1}`;
    while (bytes[at] === newline) at++;
    const after = bytes.indexOf(space, at);
    if (after < 0 || after + 1 + 4 * width > bytes.length) {
      refuse(place, `a word and ${width} numbers, because there are ${count} words`, 'the end of the file');
    }
    for (let n = 0; n < width; n++) numbers[n] = view.getFloat32(after + 1 + 4 * n, true);
    rows.add(place, textOf(bytes.subarray(at, after), place), numbers);
    at = after + 1 + 4 * width;
  }
  if (!rows.full && [...bytes.subarray(at)].some((byte) => byte !== newline)) {
    refuse(rows.file, `nothing after ${count} words`, `${bytes.length - at} bytes more`);
  }
}

function readJson(bytes: Uint8Array, rows: Rows): void {
  const text = decodeText(bytes, rows.file);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    refuse(rows.file, 'JSON', error instanceof Error ? error.message : String(error));
  }
  if (typeof content !== 'object' || content === null)
    refuse(rows.file, 'an object of arrays by word', describe(content));
  for (const [word, numbers] of Object.entries(content)) {
    if (rows.full) break;
    const place = `${rows.file}: ${describe(word)}`;
    if (!Array.isArray(numbers) || !numbers.every((value) => typeof value === 'number')) {
      refuse(place, 'an array of numbers', describe(numbers));
    }
    rows.add(place, word, numbers);
  }
}

const strict = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Uint8Array, place: string): string {
  try {
    return strict.decode(bytes);
  } catch {
    return refuse(place, 'text in UTF-8', 'bytes that are not');
  }
}
