// The OCR letters: rows read and refused, splits, batches without padding, and a letter cut out of a picture.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import {
  letterOf,
  loadOcrLetters,
  normalize,
  randomAffine,
  splitWords,
  WordLoader,
  wordBatch,
} from '../../lib/data/index.ts';
import { messageOf } from '../tensor/support.ts';
import { dataFolder, hasData } from './folders.ts';
import { lettersFile } from './letters.ts';

const folder = mkdtempSync(join(tmpdir(), 'fovea-letters-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: string | Uint8Array, name = 'letter.data'): string {
  const inside = join(folder, String(files++));
  mkdirSync(inside);
  writeFileSync(join(inside, name), content);
  return join(inside, name);
}

const content = lettersFile([
  ['cat', 0],
  ['at', 1],
  ['cat', 2],
]);
const change = (line: number, field: number, value: string) => {
  const lines = content.split('\n');
  const fields = lines[line - 1]!.split('\t');
  fields[field] = value;
  lines[line - 1] = fields.join('\t');
  return lines.join('\n');
};

describe('loadOcrLetters', () => {
  it('reads words and the pictures of their letters, from a file or its folder, packed or not', () => {
    const plain = file(content);
    const packed = file(gzipSync(content), 'letter.data.gz');
    for (const path of [plain, join(plain, '..'), packed, join(packed, '..')]) {
      const { words, letters } = loadOcrLetters(path);
      expect(words).toEqual([
        { text: 'cat', first: 0, fold: 0 },
        { text: 'at', first: 3, fold: 1 },
        { text: 'cat', first: 5, fold: 2 },
      ]);
      expect(letters).toHaveLength(8 * 128);
      expect(letters.subarray(0, 128)).not.toEqual(letters.subarray(128, 256));
    }
  });

  it.each<[string, string, string]>([
    ['a missing field', content.replace('\t0\t', '\t'), ':1: expected 134 fields between tabs, but got 133'],
    ['a letter that is none', change(2, 1, 'ä'), ":2: expected a letter from a to z, but got 'ä'"],
    ['a fold that is none', change(2, 5, '10'), ":2: expected a fold from 0 to 9, but got '10'"],
    ['a pixel that is none', change(2, 8, '2'), ":2: expected pixels of 0 or 1, but got '2' as pixel 3"],
    [
      'a word that begins in the middle',
      change(4, 4, '2'),
      ':4: expected position 1, because a word begins, but got 2',
    ],
    [
      'a letter of another word',
      change(2, 3, '9'),
      ':2: expected letter 2 of word 1 in fold 0, but got letter 2 of word 9',
    ],
    ['a position left out', change(2, 4, '3'), ':2: expected position 2, but got 3'],
    [
      'a word without end',
      `${content.split('\n').slice(0, 2).join('\n')}\n`,
      ': expected letter 3 of word 1, but got the end',
    ],
    ['nothing', '', ': expected at least one word, but got none'],
  ])('refuses %s, with file and line', (_, text, message) => {
    const path = file(text);
    expect(messageOf(() => loadOcrLetters(path))).toBe(messageOf(() => loadOcrLetters(path)));
    expect(messageOf(() => loadOcrLetters(path))).toContain(path + message);
  });

  it('refuses what is not there', () => {
    expect(messageOf(() => loadOcrLetters(join(folder, 'none')))).toContain('expected a file or folder of OCR letters');
    expect(messageOf(() => loadOcrLetters(folder))).toContain('expected letter.data.gz or letter.data in it');
  });
});

describe('splitWords', () => {
  const { words } = loadOcrLetters(
    file(lettersFile(['f', 'b', 'd', 'a', 'c', 'e', 'g', 'a'].map((text, i) => [text, i]))),
  );

  it('holds out a fold, or every fifth of the sorted distinct words', () => {
    expect(splitWords(words, '3').test.map(({ text }) => text)).toEqual(['a']);
    expect(splitWords(words, 'words').test.map(({ text }) => text)).toEqual(['f', 'a', 'a']);
    expect(splitWords(words, 'words').train.map(({ text }) => text)).toEqual(['b', 'd', 'c', 'e', 'g']);
    expect(() => splitWords(words, '10')).toThrow("expected a fold from 0 to 9, or 'words', but got '10'");
  });
});

describe('batches of words', () => {
  const { words, letters } = loadOcrLetters(file(content));

  it('hold each letter once, and say where it belongs', () => {
    const { images, places, tags, lengths } = wordBatch(letters, [words[1]!, words[0]!], []);
    expect(images.shape).toEqual([5, 1, 16, 8]);
    expect(places.toArray()).toEqual([
      [0, 2],
      [1, 3],
      [5, 4],
    ]);
    expect(tags.toArray()).toEqual([
      [0, 2],
      [19, 0],
      [0, 19],
    ]);
    expect(lengths).toEqual(Int32Array.of(2, 3));
    expect(Uint8Array.from(images.floats.subarray(0, 128))).toEqual(letters.subarray(3 * 128, 4 * 128));
    expect(wordBatch(letters, [], []).images.shape).toEqual([0, 1, 16, 8]);
  });

  it('are shuffled and distorted by seed and epoch alone, and resume at any batch', async () => {
    const loader = () =>
      new WordLoader(letters, words, {
        batchSize: 1,
        shuffle: true,
        seed: 3,
        transforms: [randomAffine({ degrees: 20 }), normalize(0.2, 0.4)],
      });
    const all = async (from: WordLoader) => {
      const found: Float32Array[] = [];
      for await (const { images } of from) found.push(images.floats as Float32Array);
      return found;
    };
    const one = loader();
    const [first, second] = [await all(one), await all(one)];
    expect(first).toEqual(await all(loader()));
    expect(first).not.toEqual(second);
    const stopped = loader();
    for await (const _ of stopped) if (stopped.state().position === 1) break;
    const resumed = loader();
    resumed.setState(stopped.state());
    expect(await all(resumed)).toEqual(first.slice(1));
    expect(() => new WordLoader(letters, words).setState(stopped.state())).toThrow('batches of 32 from 3 words');
  });
});

describe('letterOf', () => {
  it('cuts out the ink and makes it as large as fits, in the middle', () => {
    const brightness = new Float32Array(40 * 60);
    for (let y = 10; y < 30; y++) for (let x = 20; x < 22; x++) brightness[y * 60 + x] = 0.9;
    const letter = letterOf(brightness, 40, 60);
    const ink = Array.from(letter.keys()).filter((i) => letter[i]);
    expect(new Set(ink.map((i) => i % 8))).toEqual(new Set([3, 4]));
    expect(ink).toHaveLength(32);
    expect(letterOf(new Float32Array(4), 2, 2)).toEqual(new Uint8Array(128));
  });
});

const missing = hasData('ocr-letters') ? '' : ` (skipped: no ${join(dataFolder, 'ocr-letters')}; set FOVEA_DATA)`;
describe.skipIf(missing)(`the file itself${missing}`, () => {
  it('has 6,877 words of 55 distinct ones, 52,152 letters, ten folds', () => {
    const { words, letters } = loadOcrLetters(join(dataFolder, 'ocr-letters'));
    expect([words.length, letters.length / 128]).toEqual([6877, 52152]);
    expect(new Set(words.map(({ text }) => text)).size).toBe(55);
    expect(splitWords(words, '0').test.reduce((sum, { text }) => sum + text.length, 0)).toBe(4617);
    expect(new Set(splitWords(words, 'words').test.map(({ text }) => text)).size).toBe(11);
  });
});
