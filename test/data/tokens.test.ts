// Texts as tokens and back, and what counting them predicts.
import { describe, expect, it } from 'vitest';
import { countingLosses, spaceBetween, type TextLevel, tokenize } from '../../lib/data/index.ts';

/** Tokens written as text again. */
const written = (tokens: readonly string[]) =>
  tokens.map((token, i) => spaceBetween(tokens[i - 1], token) + token).join('');

describe('tokenize', () => {
  it.each<TextLevel>(['char', 'line'])('%s: gives each character, of any plane, and each end of a line', (level) => {
    expect(tokenize('a é\r\n😀b', level)).toEqual(['a', ' ', 'é', '\n', '😀', 'b']);
  });

  it('word: gives words, marks of punctuation and ends of lines', () => {
    expect(tokenize("To be, or not\n'tis o'er-wrought (don't)!", 'word')).toEqual([
      'To',
      'be',
      ',',
      'or',
      'not',
      '\n',
      "'tis",
      "o'er-wrought",
      '(',
      "don't",
      ')',
      '!',
    ]);
    expect(tokenize('the <unk> of 1 @,@ 000 @-@ x', 'word')).toEqual('the <unk> of 1 @,@ 000 @-@ x'.split(' '));
    expect(tokenize(' \t ', 'word')).toEqual([]);
  });

  it('word: comes back as it was written', () => {
    const text = "To be, or not to be: that is the question.\nMore (or less)! I'll see 5%";
    expect(written(tokenize(text, 'word'))).toBe(text);
  });
});

describe('countingLosses', () => {
  const train = [Int32Array.of(0, 1, 0, 1, 0), Int32Array.of(0, 2)];

  it('is what counting by hand gives', () => {
    // 1 and 0 twice, 2 once, and each once more; after 0: 1 twice and 2 once; after 1: 0 twice; between sequences nothing.
    const { unigram, bigram } = countingLosses(train, [Int32Array.of(0, 1, 0)], 3);
    expect(unigram).toBeCloseTo(-Math.log(3 / 8), 12);
    const after0 = (2 - 0.75 + (0.75 * 2 * 3) / 8) / 3;
    const after1 = (2 - 0.75 + (0.75 * 1 * 3) / 8) / 2;
    expect(bigram).toBeCloseTo(-(Math.log(after0) + Math.log(after1)) / 2, 12);
  });

  it.each([0, 1, 2])('gives all that may come after %d together probability 1', (before) => {
    const test = [0, 1, 2].map((token) => [Int32Array.of(before, token)]);
    for (const kind of ['unigram', 'bigram'] as const) {
      const likelihoods = test.map((one) => Math.exp(-countingLosses(train, one, 3)[kind]));
      expect(likelihoods.reduce((sum, value) => sum + value)).toBeCloseTo(1, 12);
    }
  });
});
