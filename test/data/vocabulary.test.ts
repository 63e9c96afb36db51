// Vocabularies: indices of words known and unknown, and plain JSON that comes back as it was.
import { describe, expect, test } from 'vitest';
import { Vocabulary } from '../../lib/data/vocabulary.ts';
import { DataError, FoveaError } from '../../lib/tensor/index.ts';

const text = 'the cat and the dog and the end'.split(' ');

describe('Vocabulary', () => {
  test('begins with padding and the unknown word, then the most frequent words', () => {
    const words = Vocabulary.count(text);
    expect(words.words).toEqual(['the', 'and', 'cat', 'dog', 'end']);
    expect(words.size).toBe(7);
    expect([words.index('the'), words.index('cat'), words.index('bird')]).toEqual([2, 4, Vocabulary.unknown]);
    expect([words.word(0), words.word(1), words.word(2), words.word(7)]).toEqual([
      undefined,
      undefined,
      'the',
      undefined,
    ]);
    expect([words.count(2), words.count(3), words.count(1), words.count(0)]).toEqual([3, 2, 0, 0]);
  });

  test('closed, it holds its words alone', () => {
    const tags = Vocabulary.count(text, { open: false });
    expect([tags.size, tags.index('the'), tags.word(0), tags.index('bird')]).toEqual([5, 0, 'the', -1]);
  });

  test('a text cannot contain padding or the unknown word', () => {
    const words = Vocabulary.count(['<pad>', '<unk>', '', '__proto__']);
    expect(words.size).toBe(6);
    for (const word of ['<pad>', '<unk>', '', '__proto__']) expect(words.index(word)).toBeGreaterThan(1);
    expect(words.index('constructor')).toBe(Vocabulary.unknown);
  });

  test('leaves out rare words', () => {
    expect(Vocabulary.count(text, { minCount: 2 }).words).toEqual(['the', 'and']);
    expect(() => Vocabulary.count(text, { minCount: 0 })).toThrow('minCount of at least 1, but got 0');
  });

  test('folds case and digits if asked to, also of words looked up', () => {
    const words = Vocabulary.count(['In', '1984', 'in', '2024', '٤'], { letterCase: 'lower', digits: '0' });
    expect(words.words).toEqual(['in', '0000', '0']);
    expect([words.index('IN'), words.index('1999'), words.index('7')]).toEqual([2, 3, 4]);
    expect(words.has('In')).toBe(true);
    expect(Vocabulary.count(['In', 'in']).words).toEqual(['In', 'in']);
  });

  test('comes back from JSON as it was', () => {
    const words = Vocabulary.count(text, { letterCase: 'lower', minCount: 2 });
    const back = Vocabulary.fromJSON(JSON.parse(JSON.stringify(words)));
    expect(back.toJSON()).toEqual(words.toJSON());
    expect([back.index('THE'), back.count(2), back.size]).toEqual([2, 3, 4]);
  });

  test.each([
    [null, "expected a vocabulary with 'open' true or false, but got undefined"],
    [{ open: 1 }, "'open' true or false, but got 1"],
    [{ letterCase: 'upper' }, "letterCase 'keep' or 'lower', but got 'upper'"],
    [{ digits: 'x' }, "digits 'keep' or '0', but got 'x'"],
    [{ words: ['a', 1] }, 'words as a list of strings'],
    [{ words: ['a'], counts: [1, 2] }, '1 counts, one for each word'],
    [{ words: ['a', 'a'], counts: [1, 2] }, 'each word once, but got'],
    [{ counts: ['1'] }, 'counts, one for each word'],
  ])('refuses %j', (change, message) => {
    const good = Vocabulary.count(['a']).toJSON();
    const json = change === null ? null : { ...good, ...change };
    expect(() => Vocabulary.fromJSON(json, 'm.safetensors')).toThrow(DataError);
    expect(() => Vocabulary.fromJSON(json, 'm.safetensors')).toThrow(message);
    expect(() => Vocabulary.fromJSON(json)).toThrow(FoveaError);
  });
});
