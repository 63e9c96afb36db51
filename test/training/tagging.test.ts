// Scores of taggers, worked out by hand: spans as conlleval counts them, words known and unknown, intents.
import { describe, expect, test } from 'vitest';
import { SentenceEncoder } from '../../lib/data/sentence-encoder.ts';
import { SpanScore, TaggingScore, taggingMetrics } from '../../lib/training/tagging.ts';

const scored = (pairs: readonly (readonly [actual: string, predicted: string])[]): SpanScore => {
  const score = new SpanScore();
  for (const [actual, predicted] of pairs) score.add(actual.split(' '), predicted.split(' '));
  return score;
};

describe('SpanScore', () => {
  test('counts spans that are right in type, begin and end', () => {
    // Actual: PER 0-2, LOC 3-4, PER 5-6, ORG 7-9. Predicted: PER 0-2 (right), ORG 3-4 (type), PER 5-7 (end), ORG 7-9 (right).
    const { total, types } = scored([
      ['B-PER I-PER O B-LOC O B-PER O B-ORG I-ORG', 'B-PER I-PER O B-ORG O B-PER I-PER B-ORG I-ORG'],
    ]);
    expect([total.correct, total.predicted, total.actual]).toEqual([2, 4, 4]);
    expect([total.precision, total.recall, total.f1]).toEqual([0.5, 0.5, 0.5]);
    expect([types.get('PER')?.f1, types.get('ORG')?.precision, types.get('ORG')?.recall]).toEqual([0.5, 0.5, 1]);
    expect([types.get('LOC')?.precision, types.get('LOC')?.recall, types.get('LOC')?.f1]).toEqual([0, 0, 0]);
  });

  test('precision and recall differ where more is predicted than there is', () => {
    // One of three predicted is right, one of two is found: P 1/3, R 1/2, F1 2/5.
    const { total } = scored([
      ['B-X O B-Y', 'B-X B-X O'],
      ['O', 'B-Y'],
    ]);
    expect(total.precision).toBeCloseTo(1 / 3, 12);
    expect(total.recall).toBe(0.5);
    expect(total.f1).toBeCloseTo(0.4, 12);
  });

  test('tags that BIO does not allow are spans as conlleval has them', () => {
    // Predicted: I-X alone is a span 0-1; then Y 1-2 and X 2-3 begin anew. Actual: X 0-1, X 2-3.
    const { total } = scored([['B-X O B-X', 'I-X I-Y I-X']]);
    expect([total.correct, total.predicted, total.actual]).toEqual([2, 3, 2]);
  });

  test('the same spans in another scheme are the same', () => {
    const { total } = scored([['B-X I-X O B-X B-Y', 'B-X E-X O S-X S-Y']]);
    expect(total.f1).toBe(1);
  });

  test('is 0, not NaN, without spans', () => {
    const { total } = scored([['O O', 'O O']]);
    expect([total.precision, total.recall, total.f1]).toEqual([0, 0, 0]);
  });
});

describe('TaggingScore', () => {
  const train = [
    { words: ['play', 'Jazz', '1984'], tags: ['O', 'B-genre', 'B-year'], intent: 'Play' },
    { words: ['hi'], tags: ['O'], intent: 'Greet' },
  ];
  const encoder = SentenceEncoder.of(train);
  const number = (tag: string) => encoder.tags.index(tag);
  const held = [
    { words: ['PLAY', 'jazz', 'loud'], tags: ['O', 'B-genre', 'O'], intent: 'Play' },
    { words: ['hi', 'you'], tags: ['O', 'B-new'], intent: 'Other' },
    { words: [], tags: [], intent: 'Greet' },
  ];
  const predictions = [
    { tags: ['O', 'B-genre', 'B-year'].map(number), intent: encoder.intents.index('Play') },
    { tags: ['O', 'O'].map(number), intent: encoder.intents.index('Greet') },
    { tags: [], intent: encoder.intents.index('Greet') },
  ];

  test('tells words that occurred in training from others, by the rules of the vocabulary', () => {
    const score = new TaggingScore(encoder);
    score.update(predictions, { sentences: held });
    expect(score.words).toMatchObject({ hits: 3, all: 5 });
    expect(score.unknown).toMatchObject({ hits: 0, all: 2 });
    expect(score.intents).toMatchObject({ hits: 2, all: 3 });
    expect(score.sentences).toMatchObject({ hits: 1, all: 3 });
    expect(score.spans?.total.f1).toBeCloseTo(0.5, 12); // one right of two predicted, and of two that there are
    expect(score.mistakes(9)).toEqual([
      { actual: 'O', predicted: 'B-year', count: 1 },
      { actual: 'B-new', predicted: 'O', count: 1 },
    ]);
    expect(score.confusion.get('O')?.get('O')).toBe(2);
  });

  test('as metrics they have names, and no value before there are words', () => {
    const metrics = taggingMetrics(encoder);
    expect(metrics.map(({ name }) => name)).toEqual(['accuracy', 'f1', 'intent']);
    expect(metrics.every(({ value }) => Number.isNaN(value))).toBe(true);
    for (const metric of metrics) metric.update(predictions, encoder.encode(held));
    expect(metrics.map(({ value }) => value)).toEqual([0.6, 0.5, 2 / 3]);
    for (const metric of metrics) metric.reset();
    expect(metrics.every(({ value }) => Number.isNaN(value))).toBe(true);
  });

  test('parts of speech mark no spans and sentences have no intents: only accuracy is left', () => {
    const plain = SentenceEncoder.of([{ words: ['a'], tags: ['DET'] }]);
    expect(taggingMetrics(plain).map(({ name }) => name)).toEqual(['accuracy']);
  });
});
