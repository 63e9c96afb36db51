// Making tensors and reading them back; what cannot become one says why.
import { describe, expect, test } from 'vitest';
import {
  arange,
  DisposedError,
  eye,
  fromArray,
  full,
  ones,
  rand,
  randn,
  type Shape,
  scalar,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { messageOf, wrong } from './support.ts';

const facts = (x: Tensor) => ({ shape: x.shape, dtype: x.dtype, values: x.toArray() });

describe('making tensors', () => {
  test('from nested arrays', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(facts(x)).toEqual({
      shape: [2, 3],
      dtype: 'float32',
      values: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
    expect([x.size, x.rank]).toEqual([6, 2]);
    expect(facts(tensor(7))).toEqual({ shape: [], dtype: 'float32', values: 7 });
    expect(facts(tensor([]))).toEqual({ shape: [0], dtype: 'float32', values: [] });
    expect(facts(tensor([[], []]))).toEqual({ shape: [2, 0], dtype: 'float32', values: [[], []] });
    expect(facts(tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'int32' }))).toEqual({
      shape: [2, 2],
      dtype: 'int32',
      values: [
        [1, 2],
        [3, 4],
      ],
    });
  });

  test('typed arrays are used without a copy, in both directions', () => {
    const data = new Float32Array([1, 2, 3, 4]);
    const x = tensor(data, { shape: [2, 2] });
    expect(x.data).toBe(data);
    data[3] = 9;
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 9],
    ]);
    const part = new Float32Array(new ArrayBuffer(32), 8, 3).fill(5);
    expect(fromArray(part).add(1).toArray()).toEqual([6, 6, 6]);
    expect(tensor(new Int32Array([1])).dtype).toBe('int32');
    expect(tensor(new Float64Array([1])).dtype).toBe('float64');
    expect(fromArray(data).shape).toEqual([4]);
  });

  test('the shape given is copied', () => {
    const shape = [2, 2];
    const tensors = [fromArray(new Float32Array(4), shape), zeros(shape), randn(shape), rand(shape), ones(shape)];
    shape[0] = 7;
    for (const x of tensors) expect(x.shape).toEqual([2, 2]);
  });

  test('filled', () => {
    expect(zeros([2]).toArray()).toEqual([0, 0]);
    expect(ones([2], { dtype: 'int32' }).toArray()).toEqual([1, 1]);
    expect(full([1, 2], 2.5, { dtype: 'float64' }).toArray()).toEqual([[2.5, 2.5]]);
    expect(scalar(3).item()).toBe(3);
    expect(eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(arange(3).toArray()).toEqual([0, 1, 2]);
    expect(arange(2, 5, 2).toArray()).toEqual([2, 4]);
    expect(arange(1, -1, -0.5, { dtype: 'float64' }).toArray()).toEqual([1, 0.5, 0, -0.5]);
    expect(arange(5, 2).size).toBe(0);
    expect(zeros([0, 3]).toArray()).toEqual([]);
  });

  test('requiring gradients', () => {
    for (const x of [
      tensor([1], { requiresGrad: true }),
      zeros([1], { requiresGrad: true }),
      randn([1], { requiresGrad: true }),
    ]) {
      expect([x.requiresGrad, x.isLeaf, x.grad]).toEqual([true, true, null]);
    }
  });
});

describe('reading tensors', () => {
  test('item wants one element', () => {
    expect(tensor([[4]]).item()).toBe(4);
    expect(messageOf(() => ones([2]).item())).toBe('FoveaError: item: expected one element, but got float32 [2]');
    expect(() => zeros([0]).item()).toThrow('got float32 [0]');
  });

  test('floats and ints refuse the other kind', () => {
    expect(ones([1]).floats).toBeInstanceOf(Float32Array);
    expect(ones([1], { dtype: 'int32' }).ints).toBeInstanceOf(Int32Array);
    expect(() => ones([1]).ints).toThrow('ints: expected an int32 tensor, but got float32 [1]');
    expect(() => ones([1], { dtype: 'int32' }).floats).toThrow('floats: expected a float tensor, but got int32 [1]');
  });

  test('dtypes convert', () => {
    const x = tensor([1.7, -1.7]);
    expect(x.to('int32').toArray()).toEqual([1, -1]);
    expect(x.to('int32').toFloat().toArray()).toEqual([1, -1]);
    expect(x.to('float64').toArray()).toEqual([Math.fround(1.7), Math.fround(-1.7)]);
    expect(x.to('float32')).toBe(x);
  });
});

describe('disposal', () => {
  test('a disposed tensor says so, and prints', () => {
    const x = ones([2]);
    expect(x.disposed).toBe(false);
    x.dispose();
    x.dispose();
    expect(x.disposed).toBe(true);
    expect(() => x.data).toThrow(DisposedError);
    expect(messageOf(() => x.add(1))).toBe('DisposedError: tensor: expected a live tensor, but got a disposed one');
    expect(String(x)).toBe('tensor(disposed, shape [2], float32)');
  });

  test('tensors that share the memory keep it', () => {
    const x = ones([2]);
    const y = x.reshape(2, 1);
    x.dispose();
    expect(y.toArray()).toEqual([[1], [1]]);
  });

  test('Symbol.dispose is dispose', () => {
    const x = ones([2]);
    x[Symbol.dispose]();
    expect(x.disposed).toBe(true);
  });
});

describe('bad input', () => {
  const invalid: [string, Shape, string][] = [
    ['NaN', [Number.NaN], '[NaN]'],
    ['a negative length', [2, -1], '[2, -1]'],
    ['a fraction', [1.5], '[1.5]'],
    ['infinity', [Infinity], '[Infinity]'],
    ['a string', [wrong('2')], "['2']"],
  ];
  test.each(invalid)('a shape with %s', (_, shape, got) => {
    for (const make of [zeros, ones, randn, rand, (s: Shape) => fromArray(new Float32Array(1), s)]) {
      expect(() => make(shape)).toThrow(`expected dimensions that are integers of 0 or more, but got ${got}`);
    }
  });

  test('a size whose product overflows, or is absurd', () => {
    expect(messageOf(() => zeros([2 ** 31, 2 ** 31, 2 ** 31]))).toBe(
      'ShapeError: zeros: expected at most 2147483647 elements, but got shape [2147483648, 2147483648, 2147483648]',
    );
    expect(() => zeros([2 ** 53 - 1, 2 ** 53 - 1])).toThrow('at most 2147483647 elements');
    expect(() => ones([1, 1]).expand(2 ** 20, 2 ** 20)).toThrow('expand: expected at most 2147483647 elements');
    expect(() => ones([2 ** 16, 1]).add(ones([1, 2 ** 16]))).toThrow('add: expected at most 2147483647 elements');
    expect(zeros([0, 2 ** 40]).size).toBe(0);
  });

  test('more bytes than a buffer can hold', () => {
    expect(() => zeros([2 ** 30 + 1])).toThrow(/^allocate: (expected at most \d+ bytes|out of memory)/);
  });

  test('uneven or non-numeric nesting', () => {
    expect(messageOf(() => tensor([[1, 2], [3]]))).toBe(
      'ShapeError: tensor: expected arrays of 2 at depth 1, because the first has as many, but got one of 1',
    );
    expect(() => tensor([[1], 2])).toThrow('expected arrays of 1 at depth 1, because the first has as many, but got 2');
    expect(() => tensor([1, [2]])).toThrow('tensor: expected numbers, nested evenly, but got [2]');
    expect(() => tensor([1, wrong('x')])).toThrow("expected numbers, nested evenly, but got 'x'");
    expect(() => tensor(wrong(undefined))).toThrow('expected numbers, nested evenly, but got undefined');
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(
      'expected 4 numbers for shape [2, 2], but got shape [3]',
    );
  });

  test('typed arrays of another length or kind', () => {
    expect(() => fromArray(new Float32Array(3), [2, 2])).toThrow(
      'fromArray: expected 4 numbers for shape [2, 2], but got 3',
    );
    expect(() => fromArray(wrong(new Uint8Array(3)))).toThrow(
      'fromArray: expected a Float32Array, Int32Array or Float64Array, but got Uint8Array',
    );
    expect(() => tensor(new Float32Array(1), { dtype: 'int32' })).toThrow('a typed array is used without a copy');
    expect(() => zeros([1], { dtype: wrong('int8') })).toThrow(
      "expected dtype 'float32', 'int32' or 'float64', but got 'int8'",
    );
  });

  test('memory shared between threads', () => {
    expect(messageOf(() => tensor(new Float32Array(new SharedArrayBuffer(8))))).toBe(
      'FoveaError: tensor: expected memory that stays as it is, because another thread could change it during an ' +
        'operation, but got Float32Array over a SharedArrayBuffer',
    );
  });

  test('resizable memory', () => {
    const Resizable: new (length: number, options: { maxByteLength: number }) => ArrayBuffer = wrong(ArrayBuffer);
    expect(() => tensor(new Float32Array(new Resizable(8, { maxByteLength: 16 })))).toThrow(
      'because it could shrink under a tensor, but got Float32Array over a resizable ArrayBuffer',
    );
  });

  test('memory that was transferred before', () => {
    const data = new Float32Array(2);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expect(() => tensor(data)).toThrow(
      'because its bytes were transferred elsewhere, but got Float32Array over a detached ArrayBuffer',
    );
    expect(() => fromArray(data, [2])).toThrow('a detached ArrayBuffer');
    expect(tensor(new Float32Array(0)).size).toBe(0);
  });

  test('memory that is transferred later', () => {
    const data = new Float32Array([1, 2]);
    const x = tensor(data, { requiresGrad: true });
    const y = x.square();
    structuredClone(data.buffer, { transfer: [data.buffer] });
    const message =
      'DisposedError: tensor: expected 2 elements for shape [2], but got memory that was transferred elsewhere';
    expect(messageOf(() => x.data)).toBe(message);
    expect(messageOf(() => x.add(x))).toBe(message);
    expect(messageOf(() => ones([2]).mul(x))).toBe(message);
    expect(messageOf(() => x.toArray())).toBe(message);
    expect(messageOf(() => y.sum().backward())).toBe(message);
  });

  test('arange and full', () => {
    expect(() => arange(0, 1, 0)).toThrow('a step that is not 0');
    expect(() => arange(Number.NaN)).toThrow('expected finite numbers');
    expect(() => arange(1e12)).toThrow('arange: expected at most 2147483647 elements');
    expect(() => full([1], wrong('1'))).toThrow("full: expected a number, but got '1'");
  });
});
