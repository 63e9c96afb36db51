// Every differentiable operation meets finite differences in double precision, through the public names.
import { describe, expect, test } from 'vitest';
import * as fovea from '../../lib/tensor/index.ts';
import { Generator, gradcheck, ones, Tensor, zeros } from '../../lib/tensor/index.ts';
import { normal, positive } from './support.ts';

interface Case {
  readonly name: string;
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
}

const x23 = normal([2, 3], 1);
const image = normal([2, 4, 5, 6], 2);
const indices = new Int32Array([2, 0, 2, 1]);

const of = (name: string, fn: Case['fn'], ...inputs: Tensor[]): Case => ({ name, fn, inputs });
const { conv2d, conv1d, maxPool2d, avgPool2d, adaptiveAvgPool2d, batchNorm, layerNorm, crossEntropy, nllLoss } = fovea;

const cases: Case[] = [
  of('add, broadcast both ways', (a, b) => a.add(b), normal([2, 1, 3], 3), normal([4, 1], 4)),
  of('add, a number', (a) => a.add(2.5), x23),
  of('sub, broadcast', (a, b) => a.sub(b), normal([3], 3), normal([2, 3], 4)),
  of('sub, a number', (a) => a.sub(2.5), x23),
  of('mul, broadcast', (a, b) => a.mul(b), normal([2, 1, 3], 3), normal([4, 1], 4)),
  of('mul, a scalar tensor', (a, b) => a.mul(b), x23, normal([], 4)),
  of('mul, a number', (a) => a.mul(-3), x23),
  of('div, broadcast', (a, b) => a.div(b), normal([2, 3], 3), positive([2, 1], 4)),
  of('div, a number', (a) => a.div(3), x23),
  of('pow, tensors', (a, b) => a.pow(b), positive([2, 3], 3), normal([3], 4)),
  of('pow, a number', (a) => a.pow(3), x23),
  of('pow, 2', (a) => a.pow(2), x23),
  of('pow, a fraction', (a) => a.pow(-0.5), positive([2, 3], 3)),
  of('square', (a) => a.square(), x23),
  of('maximum, broadcast', (a, b) => a.maximum(b), normal([2, 3], 3), normal([3], 4)),
  of('minimum, broadcast', (a, b) => a.minimum(b), normal([2, 3], 3), normal([2, 1], 4)),
  of('maximum, a number', (a) => a.maximum(0.1), x23),

  ...(['rnn', 'gru', 'lstm'] as const).map((cell) =>
    of(
      `recurrent, ${cell} in both directions`,
      (x, h0, ...weights) => {
        const [weightIh, weightHh, biasIh, biasHh, reverseIh, reverseHh] = weights as [Tensor, Tensor, ...Tensor[]];
        const forward = { weightIh, weightHh, biasIh: biasIh!, biasHh: biasHh! };
        const reverse = { weightIh: reverseIh!, weightHh: reverseHh! };
        const { y, hN, cN } = fovea.recurrent(cell, x, [forward, reverse], { h0, lengths: [3, 1] });
        return fovea.concat([y, hN, ...(cN ? [cN] : [])].map((output) => output.reshape([-1])));
      },
      normal([3, 2, 2], 1),
      normal([2, 2, 3], 2),
      ...[[2], [3], [], [], [2], [3]].map((columns, i) => normal([3 * fovea.gatesOf[cell], ...columns], 3 + i)),
    ),
  ),

  of(
    'recurrent, lstm with a projection in both directions',
    (x, h0, c0, ...weights) => {
      const all = weights as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
      const [weightIh, weightHh, weightHr, reverseIh, reverseHh, reverseHr] = all;
      const forward = { weightIh, weightHh, weightHr };
      const reverse = { weightIh: reverseIh, weightHh: reverseHh, weightHr: reverseHr };
      const options = { h0: h0!, c0: c0!, lengths: [3, 1] };
      const { y, hN, cN } = fovea.recurrent('lstm', x, [forward, reverse], options);
      return fovea.concat([y, hN, cN!].map((output) => output.reshape([-1])));
    },
    normal([3, 2, 2], 1),
    normal([2, 2, 2], 2),
    normal([2, 2, 3], 3),
    ...[0, 1].flatMap((i) => [normal([12, 2], 4 + i), normal([12, 2], 6 + i), normal([2, 3], 8 + i)]),
  ),

  of(
    'crf, with lengths',
    (emissions, transitions, start, end) =>
      fovea.crf(emissions!, transitions!, [2, 0, 1, 1, 0, 2], { start: start!, end: end!, lengths: [3, 1] }),
    ...[[3, 2, 3], [3, 3], [3], [3]].map((shape, i) => normal(shape, 1 + i)),
  ),
  of(
    'crfLogPartition',
    (emissions, transitions) => fovea.crfLogPartition(emissions!, transitions!),
    ...[
      [3, 2, 3],
      [3, 3],
    ].map((shape, i) => normal(shape, 1 + i)),
  ),

  of('neg', (a) => a.neg(), x23),
  of('abs', (a) => a.abs(), x23),
  of('exp', (a) => a.exp(), x23),
  of('log', (a) => a.log(), positive([2, 3], 1)),
  of('sqrt', (a) => a.sqrt(), positive([2, 3], 1)),
  of('relu', (a) => a.relu(), x23),
  of('leakyRelu', (a) => a.leakyRelu(0.2), x23),
  of('elu', (a) => a.elu(1.3), x23),
  of('sigmoid', (a) => a.sigmoid(), x23),
  of('tanh', (a) => a.tanh(), x23),
  of('gelu', (a) => a.gelu(), x23),
  of('silu', (a) => a.silu(), x23),
  of('softplus', (a) => a.softplus(), x23),
  of('clamp', (a) => a.clamp(-0.5, 0.7), x23),
  of('clamp, one side', (a) => a.clamp(0.1), x23),

  of('matmul', (a, b) => a.matmul(b), normal([3, 4], 5), normal([4, 2], 6)),
  of('matmul, vectors', (a, b) => a.matmul(b), normal([4], 5), normal([4], 6)),
  of('matmul, vector and matrix', (a, b) => a.matmul(b), normal([4], 5), normal([4, 3], 6)),
  of('matmul, matrix and vector', (a, b) => a.matmul(b), normal([3, 4], 5), normal([4], 6)),
  of('matmul, batches', (a, b) => a.matmul(b), normal([2, 3, 4], 5), normal([2, 4, 2], 6)),
  of('matmul, one right matrix for a batch', (a, b) => a.matmul(b), normal([2, 3, 4], 5), normal([4, 2], 6)),
  of('matmul, one left matrix for a batch', (a, b) => a.matmul(b), normal([3, 4], 5), normal([2, 4, 2], 6)),
  of('matmul, batches that broadcast', (a, b) => a.matmul(b), normal([2, 1, 3, 4], 5), normal([3, 4, 2], 6)),
  of('matmul, a vector with a batch', (a, b) => a.matmul(b), normal([4], 5), normal([2, 4, 2], 6)),
  of('linear', (x, w, b) => fovea.linear(x, w, b), normal([2, 3, 4], 5), normal([5, 4], 6), normal([5], 7)),
  of('linear without bias', (x, w) => fovea.linear(x, w), normal([3, 4], 5), normal([5, 4], 6)),

  of('conv2d', (x, w, b) => conv2d(x, w, b), image, normal([3, 4, 3, 2], 6), normal([3], 7)),
  of(
    'conv2d, stride, padding, dilation, groups',
    (x, w, b) => conv2d(x, w, b, { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
    image,
    normal([6, 2, 3, 2], 6),
    normal([6], 7),
  ),
  of(
    'conv2d, depthwise, same',
    (x, w) => conv2d(x, w, null, { padding: 'same', groups: 4 }),
    image,
    normal([4, 1, 2, 4], 6),
  ),
  of(
    'conv1d',
    (x, w, b) => conv1d(x, w, b, { stride: 2, padding: 1 }),
    normal([2, 3, 8], 5),
    normal([4, 3, 3], 6),
    normal([4], 7),
  ),
  of('maxPool2d', (x) => maxPool2d(x, 2), image),
  of('maxPool2d, overlapping, ceil', (x) => maxPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), image),
  of('avgPool2d', (x) => avgPool2d(x, 2), image),
  of('avgPool2d, ceil, padding', (x) => avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), image),
  of('avgPool2d, padding not counted', (x) => avgPool2d(x, [3, 2], { padding: 1, countIncludePad: false }), image),
  of('adaptiveAvgPool2d', (x) => adaptiveAvgPool2d(x, [3, 4]), image),

  of('sum', (a) => a.sum(), x23),
  of('sum over separate axes', (a) => a.sum([0, 2]), image),
  of('sum, kept', (a) => a.sum([-1, 1], true), image),
  of('mean', (a) => a.mean(), x23),
  of('mean over separate axes', (a) => a.mean([0, 2]), image),
  of('max', (a) => a.max(), x23),
  of('max over separate axes', (a) => a.max([0, 2], true), image),
  of('min over an axis', (a) => a.min(1), image),
  of('sumSquares', (a) => fovea.sumSquares(a, [0, 2]), image),

  of('softmax', (a) => a.softmax(1), image),
  of('logSoftmax', (a) => a.logSoftmax(), x23),

  of('reshape', (a) => a.reshape(3, -1), x23),
  of('flatten', (a) => a.flatten(1, 2), image),
  of('squeeze', (a) => a.squeeze(), normal([2, 1, 3, 1], 1)),
  of('unsqueeze', (a) => a.unsqueeze(-1), x23),
  of('transpose', (a) => a.transpose(1, -1), image),
  of('permute', (a) => a.permute(2, 0, 3, 1), image),
  of('expand', (a) => a.expand(4, 2, -1), normal([2, 1], 1)),
  of('expand to more', (a) => a.expand([4, 2, 3]), normal([2, 1], 1)),
  of('slice, ranges', (a) => a.slice([[1], null, [-4, -1, 2]]), image),
  of('slice, an axis', (a) => a.slice(3, 0, 6, 4), image),
  of(
    'pad',
    (a) =>
      a.pad(
        [
          [1, 0],
          [2, 3],
        ],
        4,
      ),
    x23,
  ),
  of('concat', (a, b) => fovea.concat([a, b, a], 1), x23, normal([2, 2], 2)),
  of('split, one part unused', (a) => fovea.concat(fovea.split(a, [2, 0, 1, 1], 1).slice(0, 3), 1), normal([3, 4], 1)),
  of('stack', (a, b) => fovea.stack([a, b], -1), x23, normal([2, 3], 2)),
  of('clone', (a) => a.clone(), x23),
  of('to, there and back', (a) => a.to('float64').mul(2), x23),
  of('indexSelect', (a) => a.indexSelect(1, indices), image),
  of('embedding', (w) => fovea.embedding(w, indices), normal([3, 5], 1)),
  of('pick', (a) => fovea.pick(a, [2, 0]), x23),

  of('dropout', (a) => fovea.dropout(a, 0.4, { generator: new Generator(3) }), normal([5, 5], 1)),
  of(
    'batchNorm in training',
    (x, weight, bias) => batchNorm(x, { weight, bias, training: true }),
    image,
    normal([4], 2),
    normal([4], 3),
  ),
  of('batchNorm without weight', (x) => batchNorm(x, { training: true }), normal([6, 3], 2)),
  of(
    'batchNorm outside training',
    (x, weight, bias) => batchNorm(x, { weight, bias, runningMean: normal([4], 4), runningVar: positive([4], 5) }),
    image,
    normal([4], 2),
    normal([4], 3),
  ),
  of(
    'batchNorm outside training without weight',
    (x) => batchNorm(x, { runningMean: normal([3], 4), runningVar: positive([3], 5) }),
    normal([6, 3], 2),
  ),
  of(
    'layerNorm',
    (x, weight, bias) => layerNorm(x, [5, 6], { weight, bias }),
    image,
    normal([5, 6], 2),
    normal([5, 6], 3),
  ),
  of('layerNorm without weight', (x) => layerNorm(x, 3), x23),

  ...(['mean', 'sum', 'none'] as const).flatMap((reduction) => [
    of(`mseLoss, ${reduction}`, (a, b) => fovea.mseLoss(a, b, { reduction }), x23, normal([2, 3], 2)),
    of(`l1Loss, ${reduction}`, (a, b) => fovea.l1Loss(a, b, { reduction }), x23, normal([2, 3], 2)),
    of(
      `huberLoss, ${reduction}`,
      (a, b) => fovea.huberLoss(a, b, { delta: 0.7, reduction }),
      normal([3, 4], 1),
      normal([3, 4], 2),
    ),
    of(
      `binaryCrossEntropyWithLogits, ${reduction}`,
      (x, t, weight, posWeight) => fovea.binaryCrossEntropyWithLogits(x, t, { weight, posWeight, reduction }),
      x23,
      positive([2, 3], 2),
      positive([2, 1], 3),
      positive([3], 4),
    ),
    of(`crossEntropy, ${reduction}`, (x) => crossEntropy(x, [1, 2], { reduction }), x23),
    of(
      `crossEntropy with all options, ${reduction}`,
      (x) =>
        crossEntropy(x, [1, 7, 3, 0], { reduction, ignoreIndex: 7, labelSmoothing: 0.1, weight: positive([4], 3) }),
      normal([4, 4], 2),
    ),
    of(
      `crossEntropy of images, ${reduction}`,
      (x) => crossEntropy(x, indices, { reduction }),
      normal([1, 3, 2, 2], 2).reshape(1, 3, 2, 2),
    ),
    of(
      `nllLoss, ${reduction}`,
      (x) => nllLoss(x, [1, 7, 3, 0], { reduction, ignoreIndex: 7, weight: positive([4], 3) }),
      normal([4, 4], 2),
    ),
    of(`nllLoss of images, ${reduction}`, (x) => nllLoss(x, indices, { reduction }), normal([2, 3, 2], 2)),
  ]),
];

describe('gradients agree with finite differences', () => {
  test.each(cases)('$name', ({ fn, inputs }) => {
    // fourth-order differences of step 1e-4: truncation and rounding both stay under 1e-9
    expect(gradcheck(fn, inputs, { step: 1e-4, tolerance: 1e-8 })).toBeLessThanOrEqual(1e-8);
  });

  const without = new Set([
    ...['isGradEnabled', 'noGrad', 'customOp', 'gradcheck', 'manualSeed', 'defaultGenerator', 'gradientValues'], // no operations
    ...['tensor', 'fromArray', 'scalar', 'full', 'zeros', 'ones', 'arange', 'eye', 'randn', 'rand'],
    ...['equal', 'less', 'argmax', 'argmin'], // constant almost everywhere
    ...['backward', 'toFloat', 'detach'],
    ...['crfDecode', 'crfMarginals'], // answers, not steps on the way to a loss
  ]);
  const isOperation = ([name, value]: [string, unknown]) =>
    typeof value === 'function' && /^[a-z]/.test(name) && !name.endsWith('_') && !without.has(name);
  const named = (name: string) => cases.some((row) => row.name.split(/[ ,]/)[0] === name);

  test('no exported operation is missing from this table', () => {
    const operations = Object.entries<unknown>(fovea)
      .filter(isOperation)
      .map(([name]) => name);
    expect(operations.length).toBeGreaterThan(50);
    expect(operations.filter((name) => !named(name))).toEqual([]);
  });

  test('no method is missing from this table', () => {
    const own = new Set(['constructor', 'touch', 'view', 'item', 'toArray', 'toString', 'dispose']);
    const methods = Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype))
      .map(([name, { value }]): [string, unknown] => [name, value])
      .filter((entry) => isOperation(entry) && !own.has(entry[0]));
    expect(methods.length).toBeGreaterThan(40);
    expect(methods.filter(([name]) => !named(name))).toEqual([]);
  });
});

describe('gradients where functions have corners', () => {
  const gradientAt = (fn: (x: Tensor) => Tensor, values: number[]): number[] => {
    const x = fovea.tensor(values, { requiresGrad: true });
    fn(x).sum().backward();
    return [...(x.grad?.floats ?? [])];
  };

  test('equal largest elements share the gradient evenly', () => {
    expect(gradientAt((x) => x.max(), [1, 3, 3, 0])).toEqual([0, 0.5, 0.5, 0]);
    expect(gradientAt((x) => x.min(), [1, 3, 1, 1])).toEqual([...new Float32Array([1 / 3, 0, 1 / 3, 1 / 3])]);
  });

  test('equal operands of maximum and minimum share the gradient evenly', () => {
    expect(gradientAt((x) => x.maximum(2), [1, 2, 3])).toEqual([0, 0.5, 1]);
    expect(gradientAt((x) => x.minimum(2), [1, 2, 3])).toEqual([1, 0.5, 0]);
  });

  test('pow is calm at 0', () => {
    expect(gradientAt((x) => x.pow(0), [0, 2])).toEqual([0, 0]);
    expect(gradientAt((x) => zeros([2]).pow(x), [0, 2])).toEqual([0, 0]);
    expect(gradientAt((x) => x.pow(1), [0, 2])).toEqual([1, 1]);
  });

  test('relu has gradient 0 at 0, abs too', () => {
    expect(gradientAt((x) => x.relu(), [0, -1, 1])).toEqual([0, 0, 1]);
    expect(gradientAt((x) => x.abs(), [0, -1, 1])).toEqual([0, -1, 1]);
  });
});

describe('gradcheck', () => {
  test('finds a wrong gradient, and names the place', () => {
    const wrong = fovea.customOp({
      name: 'wrong',
      forward: (_, x: Tensor) => x.mul(2),
      backward: (_, gradY) => [gradY.mul(ones([3], { dtype: 'float64' })).mul(2.001)],
    });
    expect(() => gradcheck(wrong, [normal([3], 1)])).toThrow(/gradcheck: input 0, element 0: gradient .*, finite/);
  });

  test('finds a missing gradient', () => {
    expect(() => gradcheck((x) => x.mul(x.detach()), [normal([3], 1)])).toThrow(/input 0, element 0/);
  });

  test('wants float64', () => {
    expect(() => gradcheck((x) => x, [ones([2])])).toThrow(
      'gradcheck: expected input 0 of float64, but got float32 [2]',
    );
  });

  test('leaves its inputs as they were', () => {
    const x = normal([3], 1);
    const before = [...x.floats];
    gradcheck((a) => a.exp(), [x]);
    expect([...x.floats]).toEqual(before);
    expect(x.grad).toBeNull();
  });
});
