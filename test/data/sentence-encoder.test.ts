// Batches of sentences: what is where, what stands for nothing, and that neighbours change nothing.
import { describe, expect, test } from 'vitest';
import { SentenceData, SentenceEncoder } from '../../lib/data/index.ts';
import { DataError, ShapeError } from '../../lib/tensor/index.ts';

const train = [
  { words: ['The', 'cat', 'sat'], tags: ['DET', 'NOUN', 'VERB'], details: ['DT', 'NN', 'VBD'] },
  { words: ['the', 'end'], tags: ['DET', 'NOUN'], details: ['DT', 'NN'] },
];
const encoder = SentenceEncoder.of(train);

describe('SentenceEncoder', () => {
  test('lays sentences side by side', () => {
    const batch = encoder.encode(train);
    expect(batch.words.shape).toEqual([3, 2]);
    expect([...batch.words.ints]).toEqual([2, 2, 3, 5, 4, 0]);
    expect([...batch.counts.floats]).toEqual([2, 2, 1, 1, 1, 0]);
    expect([...batch.lengths.ints]).toEqual([3, 2]);
    expect([...batch.tags.ints]).toEqual([0, 0, 1, 1, 2, -1]);
    expect([...batch.details.ints]).toEqual([0, 0, 1, 1, 2, -1]);
    expect([...batch.intents.ints]).toEqual([-1, -1]);
  });

  test('spells each different word once; the first spelling has no letters', () => {
    const { spellings, spellingLengths, spelling } = encoder.encode(train);
    expect(spellings.shape).toEqual([3, 6]); // none, The, cat, sat, the, end
    expect([...spellingLengths.ints]).toEqual([0, 3, 3, 3, 3, 3]);
    expect([...spelling.ints]).toEqual([1, 4, 2, 5, 3, 0]);
    const letter = (name: string) => encoder.characters.index(name);
    expect(Array.from({ length: 3 }, (_, i) => spellings.ints[i * 6 + 1])).toEqual([...'The'].map(letter));
  });

  test('words and letters never seen are the unknown ones; tags never seen are no target', () => {
    const { words, counts, tags, spellings } = encoder.encode([{ words: ['dog'], tags: ['X'] }]);
    expect([words.ints[0], counts.floats[0], tags.ints[0]]).toEqual([1, 0, -1]);
    expect(spellings.ints[5]).toBe(1); // g
  });

  test('of a long word keeps the first and the last letters', () => {
    const word = `${'c'.repeat(8)}${'d'.repeat(1000)}${'t'.repeat(8)}`;
    const { spellings, spellingLengths } = encoder.encode([{ words: [word], tags: ['NOUN'] }]);
    expect(spellings.shape).toEqual([16, 2]);
    expect(spellingLengths.ints[1]).toBe(16);
    const letters = Array.from({ length: 16 }, (_, i) => encoder.characters.word(spellings.ints[i * 2 + 1] ?? 0));
    expect(letters.join('')).toBe('c'.repeat(8) + 't'.repeat(8));
  });

  test('letters are code points, not halves of them', () => {
    expect(encoder.encode([{ words: ['👍🏽'], tags: ['X'] }]).spellings.shape).toEqual([2, 2]);
  });

  test('nothing but empty sentences are a step of padding', () => {
    const batch = encoder.encode([{ words: [], tags: [] }]);
    expect([batch.words.shape, batch.spellings.shape]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect([batch.words.ints[0], batch.tags.ints[0], batch.lengths.ints[0]]).toEqual([0, -1, 0]);
  });

  test('comes back from JSON as it was, and refuses what is none', () => {
    const json = JSON.parse(JSON.stringify(encoder));
    expect(SentenceEncoder.fromJSON(json).toJSON()).toEqual(encoder.toJSON());
    expect(() => SentenceEncoder.fromJSON(null, 'f')).toThrow(DataError);
    expect(() => SentenceEncoder.fromJSON({ ...json, tags: undefined }, 'f')).toThrow('f: tags: expected a vocabulary');
    expect(() => SentenceEncoder.fromJSON({ ...json, tags: json.words }, 'f')).toThrow('expected a closed vocabulary');
    expect(() => SentenceEncoder.fromJSON({ ...json, words: json.tags }, 'f')).toThrow('expected an open vocabulary');
  });
});

describe('SentenceData', () => {
  const data = new SentenceData(train, encoder);

  test('gives sentences by number', () => {
    expect([...data.lengths]).toEqual([3, 2]);
    expect(data.batch([1, 0, 1]).sentences).toEqual([train[1], train[0], train[1]]);
    expect(() => data.batch([2])).toThrow(ShapeError);
  });

  test('refuses a sentence with fewer tags than words', () => {
    expect(() => new SentenceData([{ words: ['a', 'b'], tags: ['X'] }], encoder)).toThrow('expected 2 tags');
  });
});
