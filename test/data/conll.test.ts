// CoNLL-U, CoNLL in columns, and SNIPS: good text read exactly, malformed text refused with file and line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parseColumns, readColumns } from '../../lib/data/columns.ts';
import { parseConllu, readConllu } from '../../lib/data/conllu.ts';
import { readIntents } from '../../lib/data/snips.ts';
import { DataError } from '../../lib/tensor/index.ts';
import { dataFolder, hasData } from './folders.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-conll-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A file of this text. */
function written(name: string, text: string | Uint8Array): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** A line of CoNLL-U. */
const row = (id: string, form = 'x', upos = 'X', xpos = '_', features = '_') =>
  [id, form, form.toLowerCase(), upos, xpos, features, '_', '_', '_', '_'].join('\t');

const dont = [
  '# sent_id = 1',
  "# text = I don't",
  row('1', 'I', 'PRON', 'PRP', 'Case=Nom|Number=Sing'),
  row('2-3', "don't", '_'),
  row('2', 'do', 'AUX', 'VBP'),
  row('3', "n't", 'PART', 'RB'),
  row('3.1', 'go', 'VERB', 'VB'),
].join('\n');

describe('CoNLL-U', () => {
  test('gives words and tags; multiword tokens and empty nodes are left out', () => {
    const [sentence, ...more] = parseConllu(`${dont}\n\n`);
    expect(more).toEqual([]);
    expect(sentence).toEqual({
      words: ['I', 'do', "n't"],
      lemmas: ['i', 'do', "n't"],
      upos: ['PRON', 'AUX', 'PART'],
      xpos: ['PRP', 'VBP', 'RB'],
      features: ['Case=Nom|Number=Sing', '_', '_'],
      comments: ['sent_id = 1', "text = I don't"],
      line: 1,
    });
  });

  test.each([
    ['no newline at the end', `${row('1')}\n\n${row('1')}`, [1, 3]],
    ['Windows line ends', `${row('1')}\r\n\r\n${row('1')}\r\n\r\n`, [1, 3]],
    ['blank lines between, before and after', `\n\n${row('1')}\n\n\n \n${row('1')}\n\n\n`, [3, 7]],
    ['comments without words', `# a\n\n${row('1')}\n\n# b\n`, [3]],
    ['an empty node before the first word', `${row('0.1')}\n${row('1')}\n`, [1]],
    ['nothing', '', []],
  ])('reads text with %s', (_, text, lines) => {
    expect(parseConllu(text).map(({ line }) => line)).toEqual(lines);
    expect(parseConllu(text).every(({ words }) => words.join() === 'x')).toBe(true);
  });

  test.each([
    ['too few columns', '1\tx\tX', 'f:1: expected 10 columns separated by tabs, but got 3: 1'],
    ['spaces instead of tabs', '1 x x X _ _ _ _ _ _', 'f:1: expected 10 columns separated by tabs, but got 1'],
    ['an empty column', row('1', ''), 'f:1: expected _ in a column that says nothing, but got an empty one'],
    ['a sentence that begins at 2', row('2'), 'f:1: expected the ID 1, 1-n or 0.n, but got 2'],
    ['a gap', `${row('1')}\n${row('3')}`, 'f:2: expected the ID 2, 2-n or 1.n, but got 3'],
    ['a missing blank line', `${row('1')}\n${row('1')}`, 'f:2: expected the ID 2, 2-n or 1.n, but got 1'],
    ['an ID with a zero', row('01'), 'f:1: expected the ID 1, 1-n or 0.n, but got 01'],
    ['a token that ends before it begins', `${row('1')}\n${row('2-1')}`, 'f:2: expected the ID 2, 2-n or 1.n'],
    ['overlapping tokens', `${row('1-2')}\n${row('1')}\n${row('2-3')}`, 'f:3: expected the ID 2, 2-n or 1.n'],
    ['a token without its words', `${row('1-2')}\n${row('1')}\n\n`, 'f:3: expected words up to 2, which a'],
    ['the same at the end', `${row('1-2')}\n${row('1')}`, 'f: at the end: expected words up to 2'],
    ['an empty node out of place', `${row('1')}\n${row('2.1')}`, 'f:2: expected the ID 2, 2-n or 1.n, but got 2.1'],
    ['comments within a sentence', `${row('1')}\n# x`, 'f:2: expected comments before the first word, but got # x'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseConllu(text, 'f')).toThrow(DataError);
    expect(() => parseConllu(text, 'f')).toThrow(message);
  });

  test('never fails otherwise, whatever the text', () => {
    const cell = fc.constantFrom('1', '2', '1-2', '1.1', '\t', '\n', '#', '_', 'é', '\0');
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 40 }), (cells) => {
        try {
          for (const { words, upos } of parseConllu(cells.join('\t'))) expect(words.length).toBe(upos.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
    );
  });

  test('reads files, also gzipped; those that are not UTF-8 are refused with the line', () => {
    expect(readConllu(written('a.conllu', dont))).toEqual(parseConllu(dont));
    expect(readConllu(written('a.conllu.gz', gzipSync(dont)))).toEqual(parseConllu(dont));
    const latin = written('latin.conllu', Buffer.from(`# a\n${row('1', 'café')}`, 'latin1'));
    expect(() => readConllu(latin)).toThrow(/latin\.conllu:2: expected .*UTF-8/);
    expect(() => readConllu(join(directory, 'none.conllu'))).toThrow(DataError);
  });

  const folder = 'ud-english-ewt';
  test.skipIf(!hasData(folder))(
    `UD English EWT has the sentences its README counts (skipped without ${folder})`,
    () => {
      const read = (part: string) => readConllu(join(dataFolder, folder, `en_ewt-ud-${part}.conllu.gz`));
      const [dev, held] = [read('dev'), read('test')];
      expect([dev.length, held.length]).toEqual([2001, 2077]);
      expect(new Set(dev.flatMap(({ upos }) => upos)).size).toBe(17);
      expect(
        dev.every(({ words, upos, features }) => words.length === upos.length && words.length === features.length),
      ).toBe(true);
    },
  );
});

describe('CoNLL in columns', () => {
  const two = 'Ada\tB-PER\nwrites\tO\n\nHi\tO\n';

  test('reads two columns, tabs or spaces', () => {
    const expected = [
      { words: ['Ada', 'writes'], tags: ['B-PER', 'O'] },
      { words: ['Hi'], tags: ['O'] },
    ];
    expect(parseColumns(two)).toEqual(expected);
    expect(parseColumns(two.replaceAll('\t', '  '))).toEqual(expected);
    expect(parseColumns(two.replaceAll('\n', '\r\n').trimEnd())).toEqual(expected);
    expect(readColumns(written('two.conll', two))).toEqual(expected);
  });

  test('reads the four columns of CoNLL-2003 and leaves out -DOCSTART-', () => {
    const text = '-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n# NN I-NP O\n-DOCSTART- -X- -X- O\nx NN B-NP O\n';
    expect(parseColumns(text)).toEqual([
      { words: ['EU', '#'], tags: ['B-ORG', 'O'] },
      { words: ['x'], tags: ['O'] },
    ]);
    expect(parseColumns(text, 'f', { tagColumn: 1 })[0]?.tags).toEqual(['NNP', 'NN']);
  });

  test('with tabs, a word may hold a space', () => {
    expect(parseColumns('New York\tB-LOC\n')).toEqual([{ words: ['New York'], tags: ['B-LOC'] }]);
  });

  test.each([
    ['one column', 'a X\nb\n', 'f:2: expected a word and a tag, separated by a tab or spaces, but got 1: b'],
    ['another number of columns', 'a X Y\n\nb X\n', 'f:3: expected 3 columns as in line 1, but got 2: b X'],
    ['an empty word', '\tX\n', 'f:1: expected a word and a tag that are not empty'],
    ['an empty tag', 'a\t\tb\nc\t\td\n', 'f:1: expected a word and a tag that are not empty'],
  ])('refuses %s', (_, text, message) => {
    const read = () => parseColumns(text, 'f', message.includes('empty') ? { tagColumn: 1 } : {});
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
  });

  test('refuses a tag column that is not there', () => {
    expect(() => parseColumns('a X\n', 'f', { tagColumn: 2 })).toThrow('f:1: expected a tag in column 2');
  });
});

describe('SNIPS', () => {
  const part = (name: string, words: string, slots: string, intents: string): string => {
    written(`${name}.seq.in`, words);
    written(`${name}.seq.out`, slots);
    written(`${name}.label`, intents);
    return name;
  };

  test('brings words, slots and intents together', () => {
    const name = part('good', 'play  jazz \nhi\n', 'O B-genre\nO \n', 'Play\nGreet\n\n');
    expect(readIntents(directory, name)).toEqual([
      { words: ['play', 'jazz'], tags: ['O', 'B-genre'], intent: 'Play' },
      { words: ['hi'], tags: ['O'], intent: 'Greet' },
    ]);
  });

  test.each([
    ['a slot too few', 'a b\n', 'O\n', 'X\n', 'seq.out:1: expected a tag for each of 2 words, but got 1'],
    ['a line too few', 'a\nb\n', 'O\n', 'X\nX\n', 'seq.out:2: expected 2 lines as in'],
    ['an intent too many', 'a\n', 'O\n', 'X\nX\n', 'label:2: expected 1 lines as in'],
    ['an empty line', 'a\n\nb\n', 'O\n\nO\n', 'X\nX\nX\n', 'seq.in:2: expected words, but got an empty line'],
    ['no intent', 'a\nb\n', 'O\nO\n', '\nX\n', 'label:1: expected an intent, but got an empty line'],
  ])('refuses %s', (_, words, slots, intents, message) => {
    const name = part('bad', words, slots, intents);
    expect(() => readIntents(directory, name)).toThrow(DataError);
    expect(() => readIntents(directory, name)).toThrow(message);
  });

  test.skipIf(!hasData('snips'))('the real one has 7 intents and 72 tags (skipped without snips)', () => {
    const all = readIntents(join(dataFolder, 'snips'), 'train');
    expect(all.length).toBe(13084);
    expect(new Set(all.map(({ intent }) => intent)).size).toBe(7);
    expect(new Set(all.flatMap(({ tags }) => tags)).size).toBe(72);
  });
});
