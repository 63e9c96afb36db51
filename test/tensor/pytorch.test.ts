// Outputs and gradients against answers of PyTorch, made by fixtures/make.py.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  batchNorm,
  binaryCrossEntropyWithLogits,
  conv1d,
  conv2d,
  crossEntropy,
  huberLoss,
  l1Loss,
  layerNorm,
  maxPool2d,
  mseLoss,
  nllLoss,
  type Shape,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { expectClose, fill } from './support.ts';

interface Kept {
  readonly shape: number[];
  readonly values: number[];
}

const answers: Record<string, { y: Kept; gradients: Kept[] }> = JSON.parse(
  readFileSync(new URL('fixtures/answers.json', import.meta.url), 'utf8'),
);

const image = [1, 4, 7, 6];
const weight = [6, 4, 3, 2];
const vector = [37];
const targets = new Int32Array([1, 3, 0, 2, 4]);
const ignored = new Int32Array([1, -100, 0, 2, -100]);
const classWeights = fill([5], 50).add(1);
/** Rounded to whole numbers, with the gradient of PyTorch's round: none. */
const rounded = (x: Tensor): Tensor =>
  tensor(Float32Array.from(x.floats, Math.round), { shape: x.shape }).add(x.mul(0));

type Fn = (...inputs: [Tensor, Tensor, Tensor]) => Tensor;
const cases: Record<string, [fn: Fn, ...shapes: Shape[]]> = {
  conv2d: [(x, w, b) => conv2d(x, w, b), image, weight, [6]],
  'conv2d strided': [
    (x, w, b) => conv2d(x, w, b, { stride: [2, 3], padding: [2, 1], dilation: [1, 2] }),
    image,
    weight,
    [6],
  ],
  'conv2d groups': [(x, w) => conv2d(x, w, null, { padding: 1, groups: 2 }), image, [6, 2, 3, 2]],
  'conv2d same even kernel': [(x, w) => conv2d(x, w, null, { padding: 'same', dilation: [2, 1] }), image, [3, 4, 2, 4]],
  'conv2d padding beyond kernel': [(x, w) => conv2d(x, w, null, { padding: 4, stride: 5 }), image, [2, 4, 2, 2]],
  conv1d: [(x, w, b) => conv1d(x, w, b, { stride: 2, padding: 2, dilation: 2 }), [2, 3, 11], [4, 3, 3], [4]],
  'maxPool2d alexnet': [(x) => maxPool2d(x, 3, { stride: 2 }), [2, 2, 9, 9]],
  'maxPool2d ceil': [(x) => maxPool2d(x, [3, 2], { stride: [2, 3], padding: 1, ceilMode: true }), image],
  'maxPool2d ceil window in padding': [(x) => maxPool2d(x, 2, { padding: 1, ceilMode: true }), [1, 1, 5, 6]],
  avgPool2d: [(x) => avgPool2d(x, 2), image],
  'avgPool2d ceil': [(x) => avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }), image],
  'avgPool2d ceil without padding counted': [
    (x) => avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
    image,
  ],
  'avgPool2d ceil beyond the end': [(x) => avgPool2d(x, 3, { ceilMode: true }), image],
  adaptiveAvgPool2d: [(x) => adaptiveAvgPool2d(x, [3, 4]), image],
  'adaptiveAvgPool2d larger': [(x) => adaptiveAvgPool2d(x, [9, 2]), image],
  gelu: [(x) => x.gelu(), vector],
  silu: [(x) => x.silu(), vector],
  softplus: [(x) => x.softplus(), vector],
  elu: [(x) => x.elu(0.7), vector],
  leakyRelu: [(x) => x.leakyRelu(0.2), vector],
  softmax: [(x) => x.softmax(1), [2, 5, 3]],
  logSoftmax: [(x) => x.logSoftmax(0), [4, 5]],
  'matmul broadcast': [(a, b) => a.matmul(b), [2, 1, 3, 4], [5, 4, 2]],
  'matmul vector': [(a, b) => a.matmul(b), [4], [5, 4, 2]],
  pow: [(a, b) => a.abs().add(0.5).pow(b), [3, 4], [4]],
  'amax ties': [(x) => rounded(x.div(2)).max([0, 2]), [3, 4, 5]],
  'maximum ties': [(a, b) => rounded(a).maximum(rounded(b)), [20], [20]],
  batchNorm: [(x, w, b) => batchNorm(x, { weight: w, bias: b, training: true }), image, [4], [4]],
  layerNorm: [(x, w, b) => layerNorm(x, [7, 6], { weight: w, bias: b }), image, [7, 6], [7, 6]],
  'crossEntropy of images': [
    (x) =>
      crossEntropy(
        x,
        tensor(
          Int32Array.from({ length: 12 }, (_, i) => i % 5),
          { shape: [2, 2, 3] },
        ),
      ),
    [2, 5, 2, 3],
  ],
  'batchNorm outside training': [
    (x, w, b) =>
      batchNorm(x, { weight: w, bias: b, eps: 1e-3, runningMean: fill([4], 20), runningVar: fill([4], 21).add(1) }),
    image,
    [4],
    [4],
  ],
};
for (const reduction of ['mean', 'sum', 'none'] as const) {
  Object.assign(cases, {
    [`crossEntropy ${reduction}`]: [(x: Tensor) => crossEntropy(x, targets, { reduction }), [5, 5]],
    [`crossEntropy smooth weighted ignored ${reduction}`]: [
      (x: Tensor) => crossEntropy(x, ignored, { reduction, weight: classWeights, labelSmoothing: 0.2 }),
      [5, 5],
    ],
    [`nllLoss weighted ignored ${reduction}`]: [
      (x: Tensor) => nllLoss(x.logSoftmax(1), ignored, { reduction, weight: classWeights }),
      [5, 5],
    ],
    [`mseLoss ${reduction}`]: [(a: Tensor, b: Tensor) => mseLoss(a, b, { reduction }), [3, 4], [3, 4]],
    [`l1Loss ${reduction}`]: [(a: Tensor, b: Tensor) => l1Loss(a, b, { reduction }), [3, 4], [3, 4]],
    [`huberLoss ${reduction}`]: [(a: Tensor, b: Tensor) => huberLoss(a, b, { reduction, delta: 0.8 }), [3, 4], [3, 4]],
    [`binaryCrossEntropy ${reduction}`]: [
      (x: Tensor) =>
        binaryCrossEntropyWithLogits(x, fill([3, 4], 7).add(0.5), {
          reduction,
          weight: fill([4], 8).add(1),
          posWeight: fill([3, 1], 9).add(2),
        }),
      [3, 4],
    ],
  });
}

test.each(Object.keys(cases))('%s', (name) => {
  const [fn, ...shapes] = cases[name] ?? expect.fail('no such case');
  const inputs = shapes.map((shape, i) => fill(shape, i + 1, 4));
  for (const input of inputs) input.requiresGrad = true;
  const [a = zeros([]), b = zeros([]), c = zeros([])] = inputs;
  const y = fn(a, b, c);
  const answer = answers[name];
  expect(y.shape).toEqual(answer?.y.shape);
  expectClose(y.data, answer?.y.values ?? [], 2e-6);
  y.mul(fill(y.shape, 99)).sum().backward();
  inputs.forEach((input, i) => {
    expectClose(input.grad?.data ?? [], answer?.gradients[i]?.values ?? [], 5e-6);
  });
});

test('running statistics of batchNorm', () => {
  const [runningMean, runningVar] = [fill([4], 20), fill([4], 21).add(1)];
  batchNorm(fill(image, 1, 4), { runningMean, runningVar, training: true, momentum: 0.3 });
  expectClose(stack([runningMean, runningVar]).data, answers['running statistics']?.y.values ?? [], 2e-6);
  expect([runningMean.version, runningVar.version]).toEqual([1, 1]);
});

test('every answer is compared with', () => {
  expect([...Object.keys(cases), 'running statistics'].sort()).toEqual(Object.keys(answers).sort());
});
