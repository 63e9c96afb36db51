// Metrics against counting by hand, and in pieces against in one go.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError, tensor } from '../../lib/tensor/index.ts';
import { accuracy, ConfusionMatrix, topK } from '../../lib/training/metrics.ts';

const scores = tensor([
  [0.1, 0.7, 0.2], // 1
  [0.5, 0.3, 0.2], // 0
  [0.2, 0.2, 0.6], // 2
  [0.4, 0.5, 0.1], // 1
]);
const truth = tensor([1, 0, 1, 0], { dtype: 'int32' });

describe('accuracy and top-k', () => {
  test('count hits', () => {
    const [first, second, third] = [accuracy(), topK(2), topK(3)];
    for (const metric of [first, second, third]) metric.update(scores, truth);
    expect(first.value).toBe(0.5);
    expect(second.value).toBe(0.75); // of the third row's 0.2 and 0.2, the lower class comes first
    expect(third.value).toBe(1);
    expect([first.name, second.name]).toEqual(['accuracy', 'top2']);
  });

  test('ties go to the lower class, NaN is a miss', () => {
    const metric = accuracy();
    metric.update(
      tensor([
        [1, 1],
        [1, 1],
      ]),
      tensor([0, 1], { dtype: 'int32' }),
    );
    expect(metric.value).toBe(0.5);
    metric.reset();
    metric.update(
      tensor([
        [Number.NaN, 0],
        [0, Number.NaN],
      ]),
      tensor([0, 0], { dtype: 'int32' }),
    );
    expect(metric.value).toBe(0.5); // the second row's own score is above all that compare
  });

  test('a state continues elsewhere', () => {
    const whole = accuracy();
    const part = accuracy();
    whole.update(scores, truth);
    part.update(scores, truth);
    const other = accuracy();
    other.setState(JSON.parse(JSON.stringify(part.state())));
    for (const metric of [whole, other]) metric.update(tensor([[1, 0, 0]]), tensor([0], { dtype: 'int32' }));
    expect(other.value).toBe(whole.value);
    expect(other.value).toBe(3 / 5);
  });

  test('say what shapes they want', () => {
    expect(() => accuracy().update(tensor([1, 2]), truth)).toThrow(ShapeError);
    expect(() => accuracy().update(scores, tensor([1], { dtype: 'int32' }))).toThrow(
      'accuracy: expected scores [batch, classes] and targets [batch], but got [4, 3] and [1]',
    );
  });
});

describe('confusion matrix', () => {
  test('counts, precision, recall and F1 as by hand', () => {
    const matrix = new ConfusionMatrix(3);
    matrix.update(scores, truth);
    expect([...matrix.counts]).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 0]);
    expect(matrix.accuracy).toBe(0.5);
    expect([0, 1, 2].map((c) => matrix.precision(c))).toEqual([1, 0.5, 0]);
    expect([0, 1, 2].map((c) => matrix.recall(c))).toEqual([0.5, 0.5, 0]);
    expect(matrix.f1(0)).toBeCloseTo(2 / 3, 15);
    expect(matrix.f1(1)).toBe(0.5);
    expect(matrix.f1(2)).toBe(0);
    expect(matrix.value).toBeCloseTo((2 / 3 + 0.5) / 3, 15);
    expect([0, 1, 2].map((c) => matrix.support(c))).toEqual([2, 2, 0]);
    const table = matrix.toString(['nought', 'one', 'two']).split('\n');
    expect(table[1]?.trim().split(/\s+/)).toEqual(['nought', '1', '1', '0', '1.0000', '0.5000', '0.6667']);
  });

  test('agrees with accuracy, and adds up, on any predictions (property)', () => {
    const sample = fc.tuple(fc.array(fc.float({ noNaN: true }), { minLength: 4, maxLength: 4 }), fc.nat(3));
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 30 }), (samples) => {
        const outputs = tensor(samples.map(([row]) => row));
        const targets = tensor(
          samples.map(([, target]) => target),
          { dtype: 'int32' },
        );
        const [matrix, share] = [new ConfusionMatrix(4), accuracy()];
        matrix.update(outputs, targets);
        share.update(outputs, targets);
        expect(matrix.accuracy).toBe(share.value);
        expect(matrix.samples).toBe(samples.length);
        const weighted = [0, 1, 2, 3].reduce((sum, c) => sum + matrix.recall(c) * matrix.support(c), 0);
        expect(weighted / samples.length).toBeCloseTo(share.value, 12);
      }),
    );
  });

  test('a state continues elsewhere, a wrong number of classes is refused', () => {
    const matrix = new ConfusionMatrix(3);
    matrix.update(scores, truth);
    const other = new ConfusionMatrix(3);
    other.setState(JSON.parse(JSON.stringify(matrix.state())));
    expect(other.counts).toEqual(matrix.counts);
    expect(() => new ConfusionMatrix(2).update(scores, truth)).toThrow('expected scores of 2 classes, but got 3');
  });
});
