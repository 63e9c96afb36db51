// Arithmetic, reductions, products: results worked out by hand, and errors.
import { describe, expect, test } from 'vitest';
import { conv2d, linear, matmul, ones, randn, scalar, sumSquares, tensor, zeros } from '../../lib/tensor/index.ts';
import { messageOf, wrong } from './support.ts';

const ints = tensor(new Int32Array([1, 2, 3]));

describe('arithmetic', () => {
  test('with tensors and numbers', () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([4, 2, -1])];
    expect(a.add(b).toArray()).toEqual([5, 4, 2]);
    expect(a.sub(b).toArray()).toEqual([-3, 0, 4]);
    expect(a.mul(b).toArray()).toEqual([4, 4, -3]);
    expect(a.div(b).toArray()).toEqual([0.25, 1, -3]);
    expect(a.pow(b).toArray()).toEqual([1, 4, Math.fround(1 / 3)]);
    expect(a.maximum(b).toArray()).toEqual([4, 2, 3]);
    expect(a.minimum(b).toArray()).toEqual([1, 2, -1]);
    expect(a.equal(b).toArray()).toEqual([0, 1, 0]);
    expect(a.less(b).toArray()).toEqual([1, 0, 0]);
    expect(a.add(1).mul(2).sub(3).div(4).toArray()).toEqual([0.25, 0.75, 1.25]);
    expect(a.pow(2).toArray()).toEqual([1, 4, 9]);
    expect(a.clamp(1.5, 2.5).toArray()).toEqual([1.5, 2, 2.5]);
    expect(a.clamp(2).toArray()).toEqual([2, 2, 3]);
  });

  test('division by a number is the rounded quotient', () => {
    const x = randn([1000], { seed: 1 });
    expect([...x.div(3).data]).toEqual([...x.data].map((value) => Math.fround(value / 3)));
  });

  test('integers compare, but do not calculate', () => {
    expect(ints.equal(tensor(new Int32Array([1, 0, 3]))).toArray()).toEqual([1, 0, 1]);
    expect(ints.less(2).toArray()).toEqual([1, 0, 0]);
    expect(ints.equal(2).dtype).toBe('float32');
    for (const op of [
      () => ints.add(ints),
      () => ints.mul(2),
      () => ints.relu(),
      () => ints.sum(),
      () => ints.div(2),
    ]) {
      expect(op).toThrow('int32 tensors are for indices; convert with .toFloat(), but got int32 [3]');
    }
    expect(() => ints.mul(2)).toThrow('mul: expected x of float32 or float64');
  });

  test('float32 and float64 do not mix', () => {
    expect(messageOf(() => ones([2]).add(ones([2], { dtype: 'float64' })))).toBe(
      'FoveaError: add: expected b of float32, because all must have one dtype; convert with .to(), but got float64 [2]',
    );
    expect(() => ones([2]).add_(ones([2], { dtype: 'float64' }))).toThrow('add_: expected other of float32');
    expect(ones([2], { dtype: 'float64' }).div(3).toArray()).toEqual([1 / 3, 1 / 3]);
  });

  test('operands that are no tensors', () => {
    expect(() => ones([2]).add(wrong('1'))).toThrow("add: expected b to be a tensor, but got '1'");
    expect(() => ones([2]).add(wrong(undefined))).toThrow('add: expected b to be a tensor, but got undefined');
    expect(() => ones([2]).maximum(wrong(null))).toThrow('maximum: expected b to be a tensor, but got null');
    expect(() => ones([2]).less(wrong('1'))).toThrow("less: expected b to be a tensor, but got '1'");
    expect(() => conv2d(wrong(undefined), ones([1]))).toThrow('conv2d: expected x to be a tensor, but got undefined');
    expect(() => ones([2]).leakyRelu(Number.NaN)).toThrow('leakyRelu: expected slope to be a number, but got NaN');
    expect(() => ones([2]).clamp(2, 1)).toThrow('clamp: expected low');
  });
});

describe('reductions', () => {
  const x = tensor([
    [1, 5, 3],
    [4, 2, 6],
  ]);

  test('over some or all axes', () => {
    expect(x.sum().item()).toBe(21);
    expect(x.sum(0).toArray()).toEqual([5, 7, 9]);
    expect(x.sum(-1, true).toArray()).toEqual([[9], [12]]);
    expect(x.mean([0, 1]).item()).toBe(3.5);
    expect(x.max(1).toArray()).toEqual([5, 6]);
    expect(x.min(0).toArray()).toEqual([1, 2, 3]);
    expect(sumSquares(x, 0).toArray()).toEqual([17, 29, 45]);
    expect(x.argmax().item()).toBe(5);
    expect(x.argmax(1).toArray()).toEqual([1, 2]);
    expect(x.argmin(0, true).toArray()).toEqual([[0, 1, 0]]);
    expect(x.argmax(1).dtype).toBe('int32');
    expect(x.argmax([0, 1], true).toArray()).toEqual([[5]]);
    expect(x.argmax([]).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(x.sum([]).toArray()).toEqual(x.toArray());
    expect(scalar(3).sum().item()).toBe(3);
    expect(scalar(3).argmax().item()).toBe(0);
  });

  test('positions count row by row, also over axes apart', () => {
    const y = tensor([5, 1, 0, 2, 7, 7, 3, 9, 4, 4, 8, 6], { dtype: 'float32', requiresGrad: true }).reshape(2, 3, 2);
    expect(y.argmax([0, 2]).toArray()).toEqual([3, 2, 2]); // of [5, 1, 3, 9], [0, 2, 4, 4] and [7, 7, 8, 6]
    expect(y.argmin([2, 0], true).toArray()).toEqual([[[1], [0], [3]]]);
    expect(y.argmax([1, 2]).toArray()).toEqual([4, 1]);
  });

  test('of nothing', () => {
    expect(zeros([0, 2]).sum(0).toArray()).toEqual([0, 0]);
    expect(zeros([0]).mean().item()).toBeNaN();
    expect(zeros([2, 0]).max(0).shape).toEqual([0]);
    expect(messageOf(() => zeros([2, 0]).max(1))).toBe(
      'ShapeError: max: expected at least one element along the axes, but got x [2, 0]',
    );
    expect(() => zeros([0]).argmax()).toThrow('argmax: expected at least one element');
  });

  test('NaN is not lost', () => {
    const y = tensor([1, Number.NaN, 3]);
    expect([y.max().item(), y.min().item(), y.sum().item()]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(y.argmax().item()).toBe(1);
  });

  test('refuse axes that are none, or come twice', () => {
    expect(() => x.sum(2)).toThrow(
      'sum: expected an axis from -2 to 1, because the tensor has 2 dimensions, but got 2',
    );
    expect(() => x.mean([0, -2])).toThrow('mean: expected every axis at most once, but got [0, -2]');
    expect(() => x.max(0.5)).toThrow('but got 0.5');
    expect(() => x.softmax(-3)).toThrow('softmax: expected an axis');
  });
});

describe('products', () => {
  test('of vectors, matrices and batches', () => {
    const [a, b] = [
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [5, 6],
        [7, 8],
      ]),
    ];
    expect(a.matmul(b).toArray()).toEqual([
      [19, 22],
      [43, 50],
    ]);
    expect(matmul(tensor([1, 2]), tensor([3, 4])).item()).toBe(11);
    expect(a.matmul(tensor([1, 1])).toArray()).toEqual([3, 7]);
    expect(tensor([1, 1]).matmul(a).toArray()).toEqual([4, 6]);
    expect(ones([5, 1, 2, 3]).matmul(ones([4, 3, 2])).shape).toEqual([5, 4, 2, 2]);
    expect(
      ones([2, 0])
        .matmul(ones([0, 3]))
        .toArray(),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(ones([0, 2, 3]).matmul(ones([3, 2])).shape).toEqual([0, 2, 2]);
    expect(ones([0, 2, 3]).matmul(ones([0, 3, 2])).shape).toEqual([0, 2, 2]);
  });

  test('linear over leading dimensions', () => {
    const weight = tensor([
      [1, 0, 2],
      [0, 1, 0],
    ]);
    expect(linear(tensor([[[1, 2, 3]]]), weight, tensor([10, 20])).toArray()).toEqual([[[17, 22]]]);
    expect(linear(tensor([1, 2, 3]), weight).toArray()).toEqual([7, 2]);
    expect(linear(zeros([0, 3]), weight, null).shape).toEqual([0, 2]);
  });

  test('refuse what does not fit', () => {
    expect(messageOf(() => ones([2, 3]).matmul(ones([2, 3])))).toBe(
      'ShapeError: matmul: expected b with 3 rows, because a is [2, 3], but got b [2, 3]',
    );
    expect(() => scalar(1).matmul(ones([1]))).toThrow('matmul: expected a and b of rank 1 or more');
    expect(() => ones([1]).matmul(scalar(1))).toThrow('but got b []');
    expect(() => ones([2, 2, 3]).matmul(ones([3, 3, 2]))).toThrow('matmul: expected shapes that broadcast');
    expect(messageOf(() => linear(ones([2, 4]), ones([5, 3])))).toBe(
      'ShapeError: linear: expected x with 3 features last, because weight is [5, 3], but got x [2, 4]',
    );
    expect(() => linear(ones([3]), ones([5, 3]), ones([4]))).toThrow(
      'linear: expected bias of shape [5], because weight is [5, 3], but got [4]',
    );
    expect(() => linear(ones([3]), ones([3]))).toThrow('linear: expected weight [out, in], but got [3]');
    expect(() => linear(scalar(1), ones([1, 1]))).toThrow('but got x []');
  });
});
