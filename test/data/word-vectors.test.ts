// Word vectors: every file form and what is wrong with it, similarity, neighbours, analogies, correlation; figures on GloVe.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import {
  evaluateAnalogies,
  evaluateFolder,
  evaluateSimilarity,
  loadWordVectors,
  readAnalogies,
  readSimilarities,
  spearman,
  WordVectors,
} from '../../lib/data/index.ts';
import { Embedding } from '../../lib/nn/index.ts';
import { DataError, fromArray, tensor } from '../../lib/tensor/index.ts';
import { messageOf } from '../tensor/support.ts';
import { dataFolder } from './folders.ts';

const folder = mkdtempSync(join(tmpdir(), 'fovea-vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: string | Uint8Array, name = 'vectors.txt'): string {
  const path = join(folder, `${files++}-${name}`);
  writeFileSync(path, content);
  return path;
}

/** word2vec's binary form. */
function binary(words: readonly [string, readonly number[]][], { header = '', lineEnds = true } = {}): Buffer {
  const parts = words.map(([word, numbers]) => {
    const floats = Buffer.alloc(4 * numbers.length);
    for (const [i, value] of numbers.entries()) floats.writeFloatLE(value, 4 * i);
    return Buffer.concat([Buffer.from(`${word} `), floats, Buffer.from(lineEnds ? '\n' : '')]);
  });
  return Buffer.concat([Buffer.from(header || `${words.length} ${words[0]?.[1].length}\n`), ...parts]);
}

const rows: [string, number[]][] = [
  ['the', [0.5, -1, 2]],
  ['naïve', [1e-3, 0.25, 3]],
  ['"x"', [-4, 0, 1.5]],
];
const text = rows.map(([word, numbers]) => `${word} ${numbers.join(' ')}\n`).join('');

describe('loadWordVectors', () => {
  it.each<[string, string | Uint8Array]>([
    ["GloVe's text", text],
    ['text without the last end of line, with \\r', text.trimEnd().replaceAll('\n', '\r\n')],
    ["word2vec's text", `3 3\n${text}`],
    ["word2vec's text with spaces before the end of lines", `3 3\n${text.replaceAll('\n', ' \n')}`],
    ["word2vec's binary form", binary(rows)],
    ["word2vec's binary form without ends of lines", binary(rows, { lineEnds: false })],
    ['JSON', JSON.stringify(Object.fromEntries(rows))],
  ])('reads %s, packed or not', (_, content) => {
    for (const path of [file(content), file(gzipSync(content), 'vectors.gz')]) {
      const vectors = loadWordVectors(path);
      expect(vectors.words).toEqual(rows.map(([word]) => word));
      expect(vectors.vectors.shape).toEqual([3, 3]);
      for (const [word, numbers] of rows) expect(vectors.vector(word)).toEqual(Float32Array.from(numbers));
    }
  });

  it('reads only the first words where asked to', () => {
    for (const content of [text, `3 3\n${text}`, binary(rows), JSON.stringify(Object.fromEntries(rows))]) {
      expect(loadWordVectors(file(content), { limit: 2 }).words).toEqual(['the', 'naïve']);
    }
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a shorter row', `${text}of 1 2\n`, ':4: expected 3 numbers after the word, as in the rows before, but got 2'],
    ['a longer row', `${text}of 1 2 3 4\n`, ':4: expected 3 numbers'],
    ['a word twice', `${text}the 1 2 3\n`, ":4: expected each word once, but got 'the', which is at "],
    ['what is no number', `${text}of 1 two 3\n`, ":4: expected finite numbers, but got NaN as number 2 of 'of'"],
    ['NaN', `${text}of 1 2 nan\n`, ':4: expected finite numbers, but got NaN as number 3'],
    ['a number beyond float32', `${text}of 1 2 1e39\n`, ':4: expected finite numbers, but got 1e+39'],
    ['an empty line', `${text}\nof 1 2 3\n`, ':4: expected a word and its numbers, but got an empty line'],
    ['words alone', 'one\ntwo\n', ':1: expected numbers after the word, but got 0'],
    ['nothing', '', ': expected at least one word with a vector, but got none'],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0x20, 0x31])]),
      ':4: expected text in UTF-8',
    ],
    ['fewer words than line 1 says', `5 3\n${text}`, ': expected 5 words, as line 1 says, but got 3'],
    ['other numbers than line 1 says', `3 4\n${text}`, ':2: expected 4 numbers, as line 1 says, but got 3'],
    [
      'a truncated binary file',
      binary(rows).subarray(0, -8),
      ': word 3: expected a word and 3 numbers, because there are 3 words, but got the end of the file',
    ],
    [
      'a binary file with more behind',
      Buffer.concat([binary(rows), Buffer.from('more')]),
      ': expected nothing after 3 words',
    ],
    [
      'NaN in a binary file',
      binary([['a', [1, Number.NaN]]]),
      ": word 1: expected finite numbers, but got NaN as number 2 of 'a'",
    ],
    ['a word twice in a binary file', binary([rows[0]!, rows[0]!]), ": word 2: expected each word once, but got 'the'"],
    [
      'no UTF-8 in a binary file',
      Buffer.concat([Buffer.from('1 1\n'), Buffer.from([0xff, 0x20, 0, 0, 0, 0])]),
      ': word 1: expected text in UTF-8',
    ],
    ['JSON that is none', '{"a": [1,', ': expected JSON, but got'],
    ['JSON of something else', '{"a": [1], "b": ["2"]}', ": 'b': expected an array of numbers"],
    ['JSON rows of different lengths', '{"a": [1], "b": [2, 3]}', ": 'b': expected 1 numbers"],
  ])('refuses %s, with file and place', (_, content, message) => {
    const path = file(content);
    const thrown = messageOf(() => loadWordVectors(path));
    expect(thrown).toContain(`DataError: ${path}`);
    expect(thrown).toContain(message);
  });

  it('refuses a file that is not there, or not gzip', () => {
    expect(() => loadWordVectors(join(folder, 'none'))).toThrow(DataError);
    expect(() => loadWordVectors(file('plain', 'x.gz'))).toThrow(DataError);
  });
});

const plane = new WordVectors(
  ['east', 'north', 'northeast', 'west', 'nowhere', 'far east'],
  tensor([
    [2, 0],
    [0, 3],
    [1, 1],
    [-1, 0],
    [0, 0],
    [9, 0],
  ]),
);

describe('WordVectors', () => {
  it('measures the angle, whatever the length', () => {
    expect(plane.similarity('east', 'far east')).toBe(1);
    expect(plane.similarity('east', 'west')).toBe(-1);
    expect(plane.similarity('north', 'northeast')).toBeCloseTo(Math.SQRT1_2, 6);
    expect(plane.similarity('nowhere', 'east')).toBe(0);
  });

  it('finds the nearest words of a word or a vector, the first of equals first', () => {
    expect(plane.neighbours('east', 2).map(({ word }) => word)).toEqual(['far east', 'northeast']);
    expect(plane.neighbours([0, 5], 1)).toEqual([{ word: 'north', similarity: 1 }]);
    expect(plane.neighbours([1, 0], 2).map(({ word }) => word)).toEqual(['east', 'far east']);
    expect(plane.neighbours('east', 99)).toHaveLength(5);
  });

  it('answers analogies without the words of the question', () => {
    expect(plane.analogy('east', 'north', 'far east')[0]?.word).toBe('northeast');
    const many = plane.analogies(new Array(600).fill(['east', 'north', 'west']), 2);
    expect(many).toHaveLength(600);
    expect(many[599]).toEqual(plane.analogy('east', 'north', 'west', 2));
  });

  it('makes a table for a vocabulary, with vectors of the same size for unknown words', () => {
    const { vectors, known } = plane.tableFor(['<pad>', 'East', 'north'], { seed: 3 });
    expect(known).toEqual([false, true, true]);
    expect(vectors.toArray()).toMatchObject([
      [expect.any(Number), expect.any(Number)],
      [2, 0],
      [0, 3],
    ]);
    expect(plane.tableFor(['<pad>'], { seed: 3 }).vectors.floats).toEqual(vectors.floats.subarray(0, 2));
    expect(plane.tableFor(['East'], { lowerCase: false }).known).toEqual([false]);
    expect(
      Embedding.fromPretrained(vectors)
        .forward(tensor([1], { dtype: 'int32' }))
        .toArray(),
    ).toEqual([[2, 0]]);
  });

  it.each<[string, () => unknown, string]>([
    ['an unknown word', () => plane.neighbours('south'), "one of the 6 words that have a vector, but got 'south'"],
    ['a vector of another width', () => plane.neighbours([1]), 'a vector of 2 numbers, but got 1 numbers'],
    ['a word twice', () => new WordVectors(['a', 'a'], tensor([[1], [2]])), "each word once, but got 'a' twice"],
    ['too few vectors', () => new WordVectors(['a'], tensor([[1], [2]])), 'float vectors [1, width]'],
    ['integers', () => new WordVectors(['a'], fromArray(Int32Array.of(1), [1, 1])), 'but got int32 [1, 1]'],
  ])('refuses %s', (_, call, message) => expect(messageOf(call)).toContain(message));
});

describe('spearman', () => {
  it('is 1 or -1 for the same or the opposite order, whatever the distances', () => {
    expect(spearman([1, 2, 3], [10, 11, 99])).toBe(1);
    expect(spearman([1, 2, 3], [3, 2, -9])).toBe(-1);
  });

  it('gives ties the mean of their ranks', () => {
    // ranks 1 2.5 2.5 4 against 1 3 2 4: covariance 4.5, variances 4.5 and 5
    expect(spearman([1, 2, 2, 3], [1, 3, 2, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  it('is NaN where there is no order', () => {
    expect(spearman([1, 1], [1, 2])).toBeNaN();
    expect(spearman([], [])).toBeNaN();
  });
});

describe('evaluation', () => {
  it('leaves out what is unknown, and looks in lower case too', () => {
    const pairs = readSimilarities(
      file('East\tfar east\t9\neast\twest\t1.5\r\n\neast\tsouth\t3\nnorth\tnortheast\t5\n'),
    );
    expect(evaluateSimilarity(plane, pairs)).toEqual({ pairs: 4, known: 3, spearman: 1 });
    const sections = readAnalogies(file(': turns\neast north west nowhere\neast north Up west\n: none\n'));
    expect(evaluateAnalogies(plane, sections)).toEqual([
      { name: 'turns', questions: 2, known: 1, correct: 1 },
      { name: 'none', questions: 0, known: 0, correct: 0 },
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'two columns',
      () => readSimilarities(file('a\tb\t1\na\tb\n')),
      ':2: expected two words and a number between tabs',
    ],
    ['a score that is none', () => readSimilarities(file('a\tb\thigh\n')), ':1: expected two words and a number'],
    ['three words', () => readAnalogies(file(': x\n\na b c\n')), ":3: expected four words, but got 'a b c'"],
    ['a question without section', () => readAnalogies(file('a b c d\n')), ':1: expected a section'],
    ['a folder without files', () => evaluateFolder(plane, mkdtempSync(join(folder, 'empty'))), 'expected files .txt'],
  ])('refuses %s', (_, call, message) => expect(messageOf(call)).toContain(message));
});

const glove = join(dataFolder, 'word-vectors');
const missing = existsSync(glove) ? '' : ` (skipped: no ${glove})`;

describe.skipIf(missing)(`GloVe of 5,050 words${missing}`, () => {
  const vectors = missing ? plane : loadWordVectors(join(glove, 'glove-50d-5k.json.gz'));

  it('puts king beside queen', () => expect(vectors.similarity('king', 'queen')).toBeCloseTo(0.7839, 4));

  it('agrees with people, and answers analogies, exactly as often as known', () => {
    const { similarity, analogies } = evaluateFolder(vectors, glove);
    const of = (name: string) => similarity.find(({ file }) => file === name);
    expect(of('EN-WS-353-ALL.txt')).toMatchObject({ known: 202, spearman: expect.closeTo(0.5449, 4) });
    expect(of('EN-SIMLEX-999.txt')).toMatchObject({ known: 392, spearman: expect.closeTo(0.2337, 4) });
    expect(of('EN-MEN-TR-3k.txt')).toMatchObject({ known: 777, spearman: expect.closeTo(0.6817, 4) });
    const sum = (pick: 'known' | 'correct') => analogies.reduce((total, section) => total + section[pick], 0);
    expect([sum('correct'), sum('known')]).toEqual([1942, 3006]);
  });
});
