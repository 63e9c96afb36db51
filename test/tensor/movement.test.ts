// Reshaping, slicing, joining: results worked out by hand, and errors.
import { describe, expect, test } from 'vitest';
import {
  arange,
  concat,
  embedding,
  noGrad,
  ones,
  pick,
  randn,
  scalar,
  split,
  stack,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { messageOf, wrong } from './support.ts';

const x234 = arange(24).reshape(2, 3, 4);

describe('reshape', () => {
  test('shares memory and infers one length', () => {
    const y = x234.reshape(4, -1);
    expect(y.shape).toEqual([4, 6]);
    expect(y.data).toBe(x234.data);
    expect(x234.reshape([24]).shape).toEqual([24]);
    expect(scalar(1).reshape(1, 1).shape).toEqual([1, 1]);
    expect(ones([1]).reshape([]).shape).toEqual([]);
    expect(zeros([0, 3]).reshape(-1, 3).shape).toEqual([0, 3]);
  });

  test('refuses other sizes', () => {
    expect(messageOf(() => x234.reshape(5, -1))).toBe(
      'ShapeError: reshape: expected a shape of 24 elements, because x has shape [2, 3, 4], but got [5, -1]',
    );
    expect(() => x234.reshape(23)).toThrow('but got [23]');
    expect(() => x234.reshape(-1, -1)).toThrow('reshape: expected dimensions that are integers of 0 or more');
    expect(() => zeros([0]).reshape(0, -1)).toThrow('but got [0, -1]');
    expect(() => x234.reshape(Number.NaN)).toThrow('but got [NaN]');
  });

  test('flatten, squeeze and unsqueeze', () => {
    expect(x234.flatten().shape).toEqual([24]);
    expect(x234.flatten(1).shape).toEqual([2, 12]);
    expect(x234.flatten(0, -2).shape).toEqual([6, 4]);
    expect(scalar(1).flatten().shape).toEqual([1]);
    expect(() => x234.flatten(2, 1)).toThrow('flatten: expected start at or before end, but got 2 and 1');
    expect(ones([1, 3, 1]).squeeze().shape).toEqual([3]);
    expect(ones([1, 3, 1]).squeeze(-1).shape).toEqual([1, 3]);
    expect(ones([1, 3, 1]).squeeze(1).shape).toEqual([1, 3, 1]);
    expect(x234.unsqueeze(0).shape).toEqual([1, 2, 3, 4]);
    expect(x234.unsqueeze(-1).shape).toEqual([2, 3, 4, 1]);
    expect(() => x234.unsqueeze(4)).toThrow('unsqueeze: expected an axis from -4 to 3');
  });
});

describe('permute and transpose', () => {
  test('move elements', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(x.transpose(0, 1).toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(x.transpose(-1, -2).data).toEqual(x.permute(1, 0).data);
    expect(x234.permute(2, 0, 1).shape).toEqual([4, 2, 3]);
    expect(scalar(2).permute().item()).toBe(2);
  });

  test('of ten dimensions that cannot be merged', () => {
    const x = arange(1024).reshape(new Array(10).fill(2));
    const y = x.permute(9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const reversedBits = (i: number) => Number.parseInt([...i.toString(2).padStart(10, '0')].reverse().join(''), 2);
    expect([...y.data]).toEqual(Array.from({ length: 1024 }, (_, i) => reversedBits(i)));
  });

  test('of integers, bit for bit', () => {
    const extremes = [-1, -(2 ** 31), 2 ** 31 - 1, -4194305, 0x7f800001, 0];
    const x = tensor(Int32Array.from(extremes), { shape: [2, 3] });
    expect([...x.transpose(0, 1).data]).toEqual([0, 3, 1, 4, 2, 5].map((i) => extremes[i]));
    expect([...x.clone().data]).toEqual(extremes);
    expect(x.slice([[1], [0, 2]]).toArray()).toEqual([[-4194305, 0x7f800001]]);
    expect(x.pad([[1, 0]], 7).toArray()).toEqual([
      [7, ...extremes.slice(0, 3)],
      [7, ...extremes.slice(3)],
    ]);
    expect(x.indexSelect(0, [1]).toArray()).toEqual([extremes.slice(3)]);
  });

  test('refuse axes that are none, or come twice', () => {
    expect(messageOf(() => x234.permute(0, 1))).toBe(
      'ShapeError: permute: expected each of 3 axes once, because x has shape [2, 3, 4], but got [0, 1]',
    );
    expect(() => x234.permute(0, 1, 1)).toThrow('each of 3 axes once');
    expect(messageOf(() => x234.transpose(0, 3))).toBe(
      'ShapeError: transpose: expected an axis from -3 to 2, because the tensor has 3 dimensions, but got 3',
    );
    expect(() => scalar(1).transpose(0, 0)).toThrow('expected no axis');
  });
});

describe('expand', () => {
  test('repeats dimensions of length 1', () => {
    expect(
      tensor([[1], [2]])
        .expand(2, 3)
        .toArray(),
    ).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
    expect(tensor([1, 2]).expand(2, -1).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(ones([1]).expand(0).shape).toEqual([0]);
    const x = ones([2]);
    expect(x.expand(2)).toBe(x);
  });

  test('refuses the rest', () => {
    expect(messageOf(() => ones([2, 3]).expand(2, 6))).toBe(
      'ShapeError: expand: expected a shape that [2, 3] broadcasts to, because only dimensions of length 1 repeat, ' +
        'but got [2, 6]',
    );
    expect(() => ones([2, 3]).expand(3)).toThrow('but got [3]');
    expect(() => ones([2]).expand(-1, 2)).toThrow('expand: expected dimensions that are integers of 0 or more');
  });
});

describe('slice and pad', () => {
  test('slice by ranges or along one axis', () => {
    expect(x234.slice([[1, 2], null, [0, 4, 3]]).toArray()).toEqual([
      [
        [12, 15],
        [16, 19],
        [20, 23],
      ],
    ]);
    expect(x234.slice(1, -1).toArray()).toEqual([[[8, 9, 10, 11]], [[20, 21, 22, 23]]]);
    expect(x234.slice(2, 1, 4, 2).shape).toEqual([2, 3, 2]);
    expect(x234.slice(2, 1, undefined, 2).slice(0, 1, 2).toArray()).toEqual([
      [
        [13, 15],
        [17, 19],
        [21, 23],
      ],
    ]);
    expect(x234.slice(0, 5).shape).toEqual([0, 3, 4]);
    expect(x234.slice([[2, 1]]).shape).toEqual([0, 3, 4]);
    expect(x234.slice([[-100, 100]]).shape).toEqual([2, 3, 4]);
  });

  test('pad the last dimensions', () => {
    expect(
      tensor([[1, 2]])
        .pad(
          [
            [1, 0],
            [0, 2],
          ],
          9,
        )
        .toArray(),
    ).toEqual([
      [9, 9, 9, 9],
      [1, 2, 9, 9],
    ]);
    expect(x234.pad([[2, 3]]).shape).toEqual([2, 3, 9]);
  });

  test('refuse what is no range or padding', () => {
    expect(messageOf(() => x234.slice([[0, 1, 0]]))).toBe(
      'ShapeError: slice: expected integers [start, end, step] with a step of 1 or more, but got [0, 1, 0]',
    );
    expect(() => x234.slice([[0, 1, -1]])).toThrow('a step of 1 or more');
    expect(() => x234.slice([[0.5]])).toThrow('but got [0.5]');
    expect(() => x234.slice([null, null, null, null])).toThrow('expected at most 3 ranges');
    expect(() => x234.slice(3, 0)).toThrow('slice: expected an axis from -3 to 2');
    expect(() => x234.pad([[-1, 0]])).toThrow('pad: expected at most 3 pairs of integers of 0 or more');
    expect(() => x234.pad([[Number.NaN, 0]])).toThrow('but got [[NaN, 0]]');
    expect(() => scalar(1).pad([[1, 1]])).toThrow('at most 0 pairs');
  });
});

describe('split', () => {
  test('gives parts along an axis', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(split(x, [1, 2], 1).map((part) => part.toArray())).toEqual([
      [[1], [4]],
      [
        [2, 3],
        [5, 6],
      ],
    ]);
    expect(split(x, [0, 2]).map((part) => part.shape)).toEqual([
      [0, 3],
      [2, 3],
    ]);
  });

  test('refuses lengths that are not the whole', () => {
    expect(messageOf(() => split(ones([2, 3]), [1, 1], 1))).toBe(
      'ShapeError: split: expected lengths that add up to 3, because x has shape [2, 3], but got [1, 1]',
    );
    expect(() => split(ones([3]), [-1, 4])).toThrow('lengths that add up to 3');
    expect(() => split(ones([3]), [1.5, 1.5])).toThrow('lengths that add up to 3');
    expect(() => split(wrong(1), [1])).toThrow('split: expected x to be a tensor, but got 1');
  });
});

describe('concat and stack', () => {
  test('join along an axis', () => {
    const [a, b] = [
      tensor([[1, 2]]),
      tensor([
        [3, 4],
        [5, 6],
      ]),
    ];
    expect(concat([a, b]).toArray()).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(concat([b, a.reshape(2, 1)], -1).toArray()).toEqual([
      [3, 4, 1],
      [5, 6, 2],
    ]);
    expect(concat([a, zeros([0, 2])]).shape).toEqual([1, 2]);
    expect(stack([a, a]).shape).toEqual([2, 1, 2]);
    expect(stack([tensor([1, 2]), tensor([3, 4])], -1).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(stack([scalar(1), scalar(2)]).toArray()).toEqual([1, 2]);
  });

  test('refuse what does not fit', () => {
    expect(() => concat([])).toThrow('concat: expected at least one tensor, but got none');
    expect(() => stack([])).toThrow('stack: expected at least one tensor, but got none');
    expect(messageOf(() => concat([ones([1, 2]), ones([1, 3])]))).toBe(
      'ShapeError: concat: expected float32 [1, 2], because all but axis 0 must agree with the first, but got float32 [1, 3]',
    );
    expect(() => concat([ones([1]), ones([1], { dtype: 'int32' })])).toThrow('but got int32 [1]');
    expect(() => concat([ones([1]), wrong(2)])).toThrow('concat: expected x to be a tensor, but got 2');
    expect(() => stack([wrong([1])])).toThrow('stack: expected x to be a tensor, but got [1]');
    expect(() => concat([scalar(1)])).toThrow('concat: expected no axis');
  });
});

describe('picking by index', () => {
  const table = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);

  test('indexSelect, embedding and pick', () => {
    expect(table.indexSelect(0, [2, 0, 2]).toArray()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    expect(table.indexSelect(-1, new Int32Array([1])).toArray()).toEqual([[2], [4], [6]]);
    expect(
      embedding(
        table,
        tensor(
          [
            [0, 1],
            [2, 2],
          ],
          { dtype: 'int32' },
        ),
      ).toArray(),
    ).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [5, 6],
      ],
    ]);
    expect(pick(table, [1, 0, 1]).toArray()).toEqual([2, 3, 6]);
    expect(table.indexSelect(0, []).shape).toEqual([0, 2]);
  });

  test('the gradient adds up where an index comes twice', () => {
    const x = randn([3, 2], { seed: 1, requiresGrad: true });
    embedding(x, [2, 0, 2]).sum().backward();
    expect(x.grad?.toArray()).toEqual([
      [1, 1],
      [0, 0],
      [2, 2],
    ]);
  });

  test('an index out of range names itself, its place and the limit', () => {
    expect(messageOf(() => embedding(table, [0, 3]))).toBe(
      'ShapeError: embedding: expected indices from 0 to 2, because weight [3, 2] has 3 rows, but got 3 at index 1',
    );
    expect(() => table.indexSelect(1, [-1])).toThrow('axis 1 of x [3, 2] has length 2, but got -1 at index 0');
    expect(() => pick(table, [0, 0, 2])).toThrow('pick: expected indices from 0 to 1');
    expect(() => pick(table, [0])).toThrow('pick: expected 3 indices, because x is [3, 2], but got 1');
    expect(() => table.indexSelect(0, ones([1]))).toThrow('expected indices of int32, but got float32 [1]');
    expect(() => table.indexSelect(0, [0.5])).toThrow('expected integer indices, but got 0.5 at index 0');
    expect(() => table.indexSelect(0, wrong('1'))).toThrow("expected indices of int32, but got '1'");
    expect(() => embedding(ones([3]), [0])).toThrow('embedding: expected weight [count, width], but got [3]');
  });
});

describe('in place', () => {
  test('changes the memory, and counts versions', () => {
    const x = tensor([1, 2]);
    const { data } = x;
    expect(
      x
        .add_(1)
        .mul_(tensor([2, 3]))
        .sub_(1)
        .div_(tensor(2)),
    ).toBe(x);
    expect(x.toArray()).toEqual([1.5, 4]);
    expect(x.data).toBe(data);
    expect(x.version).toBe(4);
    expect(x.fill_(7).toArray()).toEqual([7, 7]);
    expect(x.zero_().toArray()).toEqual([0, 0]);
    expect(x.add_(x).toArray()).toEqual([0, 0]);
    expect(
      tensor(new Int32Array([1]))
        .fill_(3)
        .toArray(),
    ).toEqual([3]);
  });

  test('copy_ broadcasts and converts', () => {
    const x = zeros([2, 2]);
    expect(x.copy_(tensor([1, 2])).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(x.copy_(tensor(new Int32Array([5]))).toArray()).toEqual([
      [5, 5],
      [5, 5],
    ]);
    expect(
      zeros([2], { dtype: 'int32' })
        .copy_(tensor([1.7, -2]))
        .toArray(),
    ).toEqual([1, -2]);
    expect(x.copy_(x).toArray()).toEqual([
      [5, 5],
      [5, 5],
    ]);
    expect(() => x.copy_(ones([3]))).toThrow('copy_: expected shapes that broadcast');
    expect(() => ones([2]).copy_(x)).toThrow('copy_: expected a tensor that broadcasts to [2], but got [2, 2]');
  });

  test('keeps the shape', () => {
    expect(messageOf(() => ones([2]).add_(ones([3, 2])))).toBe(
      'ShapeError: add_: expected an operand that broadcasts to [2], because x keeps its shape in place, but got [3, 2]',
    );
  });

  test('works on parameters under noGrad', () => {
    const x = tensor([1], { requiresGrad: true });
    noGrad(() => x.sub_(0.5));
    expect([x.item(), x.requiresGrad, x.isLeaf]).toEqual([0.5, true, true]);
  });
});
