// Arithmetic, reductions, products, layers and losses: results worked out by hand, and errors.
import { describe, expect, test } from 'vitest';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  batchNorm,
  binaryCrossEntropyWithLogits,
  conv1d,
  conv2d,
  crossEntropy,
  huberLoss,
  layerNorm,
  linear,
  matmul,
  maxPool2d,
  mseLoss,
  nllLoss,
  ones,
  randn,
  scalar,
  sumSquares,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { expectClose, messageOf, wrong } from './support.ts';

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
    expect(x.sum([]).toArray()).toEqual(x.toArray());
    expect(scalar(3).sum().item()).toBe(3);
    expect(scalar(3).argmax().item()).toBe(0);
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

describe('convolution', () => {
  const [x, weight] = [ones([1, 3, 4, 5]), ones([2, 3, 3, 3])];

  test('counts the elements under the kernel', () => {
    expect(conv2d(x, weight, tensor([0, 100])).toArray()).toEqual([
      [
        [
          [27, 27, 27],
          [27, 27, 27],
        ],
        [
          [127, 127, 127],
          [127, 127, 127],
        ],
      ],
    ]);
    expect(conv2d(x, weight, null, { padding: 'valid' }).shape).toEqual([1, 2, 2, 3]);
    expect(conv2d(x, weight, null, { padding: 'same' }).shape).toEqual([1, 2, 4, 5]);
    expect(conv2d(x, ones([2, 3, 2, 4]), null, { padding: 'same', dilation: [3, 1] }).shape).toEqual([1, 2, 4, 5]);
    expect(conv2d(x, weight, null, { stride: [9, 2], padding: [0, 1] }).shape).toEqual([1, 2, 1, 3]);
    expect(conv2d(zeros([0, 3, 4, 5]), weight).shape).toEqual([0, 2, 2, 3]);
  });

  test('same padding puts the odd zero at the end', () => {
    expect(conv1d(tensor([[[1, 2, 3]]]), ones([1, 1, 2]), null, { padding: 'same' }).toArray()).toEqual([[[3, 5, 3]]]);
  });

  const refused: [string, () => unknown, string][] = [
    [
      'channels',
      () => conv2d(ones([8, 1, 28, 28]), ones([16, 3, 5, 5])),
      'expected x with 3 channels, because weight is [16, 3, 5, 5], but got x [8, 1, 28, 28]',
    ],
    [
      'the rank of x',
      () => conv2d(ones([3, 4, 5]), weight),
      'expected x [batch, channels, height, width], but got x [3, 4, 5]',
    ],
    ['the rank of weight', () => conv2d(x, ones([2, 3, 3])), 'expected weight [outChannels, inChannels / groups'],
    ['a kernel of size 0', () => conv2d(x, ones([2, 3, 0, 3])), 'but got weight [2, 3, 0, 3]'],
    [
      'a kernel larger than the input',
      () => conv2d(x, ones([2, 3, 5, 3])),
      'expected a padded input of at least 5 x 3, because that is what weight [2, 3, 5, 3] spans, but got 4 x 5',
    ],
    [
      'the length of bias',
      () => conv2d(x, weight, ones([3])),
      'expected bias of shape [2], because weight is [2, 3, 3, 3], but got [3]',
    ],
    [
      'stride 0',
      () => conv2d(x, weight, null, { stride: 0 }),
      'expected stride to be an integer of 1 or more, or two of them, but got 0',
    ],
    [
      'a negative padding',
      () => conv2d(x, weight, null, { padding: [1, -1] }),
      'expected padding to be an integer of 0 or more',
    ],
    ['NaN', () => conv2d(x, weight, null, { padding: Number.NaN }), 'but got NaN'],
    ['a fraction', () => conv2d(x, weight, null, { dilation: 1.5 }), 'expected dilation to be an integer of 1 or more'],
    ['three strides', () => conv2d(x, weight, null, { stride: wrong([1, 1, 1]) }), 'but got [1, 1, 1]'],
    [
      'an unknown padding',
      () => conv2d(x, weight, null, { padding: wrong('full') }),
      "'same' or 'valid', but got 'full'",
    ],
    [
      'same with a stride',
      () => conv2d(x, weight, null, { padding: 'same', stride: 2 }),
      "expected stride 1 with padding 'same'",
    ],
    [
      'groups that do not divide',
      () => conv2d(x, weight, null, { groups: 3 }),
      'that divides the 2 output channels, but got 3',
    ],
    ['groups 0', () => conv2d(x, weight, null, { groups: 0 }), 'but got 0'],
    [
      'channels in groups',
      () => conv2d(x, weight, null, { groups: 2 }),
      'expected x with 6 channels, because weight is [2, 3, 3, 3] with 2 groups, but got x [1, 3, 4, 5]',
    ],
    ['dtypes', () => conv2d(x, weight.to('float64')), 'expected weight of float32'],
    ['no weight', () => conv2d(x, wrong(3)), 'expected weight to be a tensor, but got 3'],
  ];
  test.each(refused)('refuses %s', (_, fn, message) => {
    expect(messageOf(fn)).toContain(message);
    expect(messageOf(fn)).toMatch(/^\w+Error: conv2d: /);
  });

  test('conv1d refuses images', () => {
    expect(() => conv1d(x, weight)).toThrow('conv1d: expected x [batch, channels, length] and weight');
  });
});

describe('pooling', () => {
  const x = tensor([
    [
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    ],
  ]);

  test('of windows', () => {
    expect(maxPool2d(x, 2).toArray()).toEqual([[[[5]]]]);
    expect(maxPool2d(x, 2, { stride: 1 }).toArray()).toEqual([
      [
        [
          [5, 6],
          [8, 9],
        ],
      ],
    ]);
    expect(maxPool2d(x, 2, { ceilMode: true }).toArray()).toEqual([
      [
        [
          [5, 6],
          [8, 9],
        ],
      ],
    ]);
    expect(avgPool2d(x, 2, { padding: 1 }).toArray()).toEqual([
      [
        [
          [0.25, 1.25],
          [2.75, 7],
        ],
      ],
    ]);
    expect(avgPool2d(x, 2, { padding: 1, countIncludePad: false }).toArray()).toEqual([
      [
        [
          [1, 2.5],
          [5.5, 7],
        ],
      ],
    ]);
    expect(adaptiveAvgPool2d(x, [1, 3]).toArray()).toEqual([[[[4, 5, 6]]]]);
    expect(maxPool2d(x.reshape(1, 3, 3), 3).shape).toEqual([1, 1, 1]);
    expect(maxPool2d(zeros([0, 2, 4, 4]), 2).shape).toEqual([0, 2, 2, 2]);
  });

  test('refuses what does not fit', () => {
    expect(messageOf(() => maxPool2d(x, 3, { padding: 2 }))).toBe(
      'ShapeError: maxPool2d: expected padding at most half of kernel [3, 3], because a window must hold at least one ' +
        'element, but got [2, 2]',
    );
    expect(() => maxPool2d(x, 0)).toThrow('maxPool2d: expected kernelSize to be an integer of 1 or more');
    expect(() => avgPool2d(x, 4)).toThrow('avgPool2d: expected a padded input of at least 4 x 4');
    expect(() => avgPool2d(x, 2, { stride: 0 })).toThrow('avgPool2d: expected stride');
    expect(() => maxPool2d(zeros([1, 1, 0, 3]), 1)).toThrow(
      'expected x [..., height, width] with at least one element',
    );
    expect(() => maxPool2d(ones([3]), 1)).toThrow('but got x [3]');
    expect(() => adaptiveAvgPool2d(x, 0)).toThrow('adaptiveAvgPool2d: expected outputSize');
  });
});

describe('normalization', () => {
  test('batchNorm in training refuses a single value per channel', () => {
    expect(messageOf(() => batchNorm(ones([1, 3]), { training: true }))).toBe(
      'ShapeError: batchNorm: expected more than one value per channel in training, because one value has no variance, ' +
        'but got x [1, 3]',
    );
    expect(() => batchNorm(ones([3]))).toThrow('batchNorm: expected x [batch, channels, ...], but got x [3]');
    expect(() => batchNorm(ones([2, 3]))).toThrow('expected runningMean and runningVar, because training is false');
    expect(() => batchNorm(ones([2, 3]), { training: true, weight: ones([2]) })).toThrow(
      'batchNorm: expected weight of shape [3], because x is [2, 3], but got [2]',
    );
    expect(() => batchNorm(ones([2, 3]), { training: true, eps: -1 })).toThrow('expected eps');
  });

  test('layerNorm wants the last dimensions', () => {
    expectClose(
      layerNorm(
        tensor([
          [1, 3],
          [5, 5],
        ]),
        2,
        { eps: 0.25 },
      ).data,
      [-2 / Math.sqrt(5), 2 / Math.sqrt(5), 0, 0],
      1e-6,
    );
    expect(() => layerNorm(ones([2, 3]), [2])).toThrow('layerNorm: expected x [..., 2], but got x [2, 3]');
    expect(() => layerNorm(ones([2, 3]), [])).toThrow('layerNorm: expected x');
    expect(() => layerNorm(ones([2, 3]), 3, { bias: ones([2]) })).toThrow('expected bias of shape [3], but got [2]');
  });
});

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
