// Losses: results worked out by hand, and errors.
import { describe, expect, test } from 'vitest';
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  huberLoss,
  mseLoss,
  nllLoss,
  ones,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { expectClose, messageOf, wrong } from './support.ts';

describe('losses', () => {
  const logits = tensor([
    [2, 1, 0],
    [0, 0, 0],
  ]);

  test('crossEntropy of even odds is log of the number of classes', () => {
    expectClose(crossEntropy(zeros([2, 3]), [0, 2]).data, [Math.log(3)], 1e-6);
    expectClose(crossEntropy(zeros([2, 3]), [0, 2], { reduction: 'none' }).data, [Math.log(3), Math.log(3)], 1e-6);
    const images = crossEntropy(zeros([2, 3, 2, 1]), zeros([2, 2, 1], { dtype: 'int32' }), { reduction: 'none' });
    expect(images.shape).toEqual([2, 2, 1]);
  });

  test('targets may be numbers, Int32Array or Tensor', () => {
    const expected = crossEntropy(logits, [0, 2]).item();
    expect(crossEntropy(logits, new Int32Array([0, 2])).item()).toBe(expected);
    expect(crossEntropy(logits, tensor(new Int32Array([0, 2]))).item()).toBe(expected);
    expect(nllLoss(logits.logSoftmax(), [0, 2]).item()).toBeCloseTo(expected, 6);
  });

  test('a label out of range names value, place and classes', () => {
    for (const loss of [crossEntropy, nllLoss]) {
      expect(messageOf(() => loss(logits, [0, 3]))).toBe(
        `ShapeError: ${loss.name}: expected indices from 0 to 2, because x has 3 classes, but got 3 at index 1`,
      );
      expect(() => loss(logits, [-1, 0])).toThrow('but got -1 at index 0');
      expect(() => loss(logits, [0, Number.NaN])).toThrow('expected integer indices, but got NaN at index 1');
      expect(() => loss(logits, [0])).toThrow('expected target of shape [2], because x is [2, 3], but got [1]');
      expect(() => loss(logits, zeros([2]))).toThrow('expected indices of int32');
      expect(() => loss(logits, zeros([1, 2], { dtype: 'int32' }))).toThrow('but got [1, 2]');
      expect(() => loss(ones([3]), [0])).toThrow('expected x [batch, classes, ...]');
      expect(() => loss(zeros([2, 0]), [0, 0])).toThrow('at least one class');
      expect(() => loss(logits, [0, 1], { weight: ones([2]) })).toThrow('expected weight of shape [3]');
      expect(() => loss(logits, [0, 1], { reduction: wrong('max') })).toThrow("'mean', 'sum' or 'none', but got 'max'");
      expect(() => loss(logits, [0, 1], { ignoreIndex: 0.5 })).toThrow('expected ignoreIndex to be an int32');
    }
  });

  test('ignored targets do not count; a mean of none is NaN', () => {
    const x = tensor(
      [
        [2, 1, 0],
        [5, 5, 5],
      ],
      { requiresGrad: true },
    );
    const loss = crossEntropy(x, [0, -100]);
    expectClose(loss.data, [Math.log(1 + Math.exp(-1) + Math.exp(-2))], 1e-6);
    loss.backward();
    expect(x.grad?.slice([[1]]).toArray()).toEqual([[0, 0, 0]]);
    expect(crossEntropy(logits, [7, 7], { ignoreIndex: 7 }).item()).toBeNaN();
    expect(nllLoss(logits, [7, 7], { ignoreIndex: 7 }).item()).toBeNaN();
    expect(nllLoss(logits.sub(1), [7, 1], { ignoreIndex: 7, reduction: 'none' }).toArray()).toEqual([0, 1]);
  });

  test('crossEntropy does not lose a gradient of class weights silently', () => {
    const weight = ones([3], { requiresGrad: true });
    expect(() => crossEntropy(logits, [0, 1], { weight })).toThrow('crossEntropy: expected weight without gradients');
    nllLoss(logits, [0, 1], { weight, reduction: 'sum' }).backward();
    expect(weight.grad?.toArray()).toEqual([-2, 0, 0]);
  });

  test('do not overflow', () => {
    expect(crossEntropy(tensor([[1e4, 0]]), [1]).item()).toBe(1e4);
    expect(binaryCrossEntropyWithLogits(tensor([1e4, -1e4]), tensor([0, 1])).item()).toBe(1e4);
  });

  test('of two tensors want one shape', () => {
    expect(mseLoss(tensor([1, 3]), tensor([1, 1])).item()).toBe(2);
    expect(huberLoss(tensor([0.5, 3]), tensor([0, 0]), { reduction: 'none' }).toArray()).toEqual([0.125, 2.5]);
    expect(messageOf(() => mseLoss(ones([2]), ones([2, 1])))).toBe(
      'ShapeError: mseLoss: expected target of shape [2], because x is [2], but got [2, 1]',
    );
    expect(() => huberLoss(ones([2]), ones([2]), { delta: 0 })).toThrow('huberLoss: expected delta');
  });
});
