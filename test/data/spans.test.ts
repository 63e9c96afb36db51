// Spans: each scheme, and tags of no scheme, read as conlleval reads them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { marksSpans, spans } from '../../lib/data/spans.ts';

/** Spans as text: `PER 0-2`. */
const read = (tags: string) => spans(tags.split(' ')).map(({ type, begin, end }) => `${type} ${begin}-${end}`);

describe('spans', () => {
  test.each([
    ['BIO', 'B-PER I-PER O B-LOC', ['PER 0-2', 'LOC 3-4']],
    ['BIO, one after the other', 'B-PER B-PER I-PER', ['PER 0-1', 'PER 1-3']],
    ['IOB1', 'I-PER I-PER B-PER O I-LOC', ['PER 0-2', 'PER 2-3', 'LOC 4-5']],
    ['IOBES', 'S-PER B-LOC I-LOC E-LOC O S-PER', ['PER 0-1', 'LOC 1-4', 'PER 5-6']],
    ['IOBES, one after the other', 'B-X E-X B-X E-X S-X', ['X 0-2', 'X 2-4', 'X 4-5']],
    ['I without B', 'O I-PER I-PER O', ['PER 1-3']],
    ['I of another type', 'B-PER I-LOC I-PER', ['PER 0-1', 'LOC 1-2', 'PER 2-3']],
    ['I after E and after S', 'B-X E-X I-X S-X I-X', ['X 0-2', 'X 2-3', 'X 3-4', 'X 4-5']],
    ['E alone', 'O E-X E-X', ['X 1-2', 'X 2-3']],
    ['types with hyphens', 'B-a-b I-a-b I-a', ['a-b 0-2', 'a 2-3']],
    ['nothing but O', 'O O', []],
    ['tags without a prefix', 'NOUN NOUN', ['NOUN 0-1', 'NOUN 1-2']],
  ])('%s', (_, tags, expected) => expect(read(tags)).toEqual(expected));

  test('of no words are none', () => expect(spans([])).toEqual([]));

  test('cover every tag but O exactly once, in order', () => {
    const tag = fc.constantFrom('O', 'B-x', 'I-x', 'E-x', 'S-x', 'B-y', 'I-y', 'E-y', 'S-y');
    fc.assert(
      fc.property(fc.array(tag), (tags) => {
        const covered = spans(tags).flatMap(({ begin, end }) =>
          Array.from({ length: end - begin }, (_, i) => begin + i),
        );
        expect(covered).toEqual(tags.flatMap((name, i) => (name === 'O' ? [] : i)));
      }),
    );
  });

  test('are what tags of BIO mark, and not what parts of speech do', () => {
    expect(marksSpans(['O', 'B-PER', 'I-PER'])).toBe(true);
    expect(marksSpans(['B-NP', 'I-NP'])).toBe(true);
    expect(marksSpans(['NOUN', 'VERB'])).toBe(false);
    expect(marksSpans(['O'])).toBe(false);
    expect(marksSpans(['O', 'B-'])).toBe(false);
    expect(marksSpans([])).toBe(false);
  });
});
