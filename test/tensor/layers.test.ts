// Convolution, pooling, normalization: results worked out by hand, and errors.
import { describe, expect, test } from 'vitest';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  batchNorm,
  conv1d,
  conv2d,
  layerNorm,
  maxPool2d,
  ones,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { expectClose, messageOf, wrong } from './support.ts';

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
