// The tokenizer: what stays together, what is separated, and that no text takes long.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../lib/data/words.ts';

describe('wordsOf', () => {
  test.each([
    ['time flies like an arrow', 'time|flies|like|an|arrow'],
    ['Hello, world!', 'Hello|,|world|!'],
    ["I don't think it's Ann's; they'll see.", "I|do|n't|think|it|'s|Ann|'s|;|they|'ll|see|."],
    ["We CAN'T, he won’t", "We|CA|N'T|,|he|wo|n’t"],
    ['Mr. Smith of the U.S. paid $1,000.50 at 12:30.', 'Mr.|Smith|of|the|U.S.|paid|$|1,000.50|at|12:30|.'],
    ['the well-known (so-called) case...', 'the|well|-|known|(|so|-|called|)|case|...'],
    [
      'See https://example.org/a?b=c, or mail me.too@example.org.',
      'See|https://example.org/a?b=c|,|or|mail|me.too@example.org|.',
    ],
    ['Fine :-) really?!', 'Fine|:-)|really|?|!'],
    ['naïve Übermut 日本語 привет', 'naïve|Übermut|日本語|привет'],
    ['nt', 'nt'],
    ['  \t ', ''],
    ['', ''],
  ])('%j', (text, words) => expect(wordsOf(text).join('|')).toBe(words));

  test('loses nothing but spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(wordsOf(text).join('')).toBe(text.replace(/\s/gu, ''));
      }),
    );
  });

  test.each(['a', 'a.', 'n', "a'", 'http://', '@', '-', 'a@', '.'])('100,000 letters of %j take no time', (unit) => {
    const text = unit.repeat(100_000 / unit.length);
    const begun = performance.now();
    expect(wordsOf(text).join('').length).toBe(text.length);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
