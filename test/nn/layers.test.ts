// Every layer and loss gives PyTorch's outputs, gradients, buffers and names (fixtures/make.py).
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.ts';
import { fromArray, type LossReduction, type Tensor, tensor } from '../../lib/tensor/index.ts';
import { expectKept, fill, type Kept, load } from './fixtures/kept.ts';

interface LayerCase {
  readonly name: string;
  readonly input: readonly number[];
  readonly output: Kept;
  readonly gradInput: Kept | null;
  readonly gradients: Record<string, Kept>;
  readonly buffers: Record<string, Kept>;
  readonly state: readonly string[];
}

const layers: Record<string, () => nn.Module> = {
  Linear: () => new nn.Linear(7, 5),
  'Linear without bias on rank 3': () => new nn.Linear(4, 3, { bias: false }),
  Conv2d: () => new nn.Conv2d(3, 4, 3),
  'Conv2d with everything': () =>
    new nn.Conv2d(4, 6, [3, 2], { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
  'Conv2d depthwise without bias': () => new nn.Conv2d(4, 4, 3, { padding: 1, groups: 4, bias: false }),
  'Conv2d same': () => new nn.Conv2d(2, 3, [4, 3], { padding: 'same' }),
  Conv1d: () => new nn.Conv1d(3, 4, 3, { stride: 2, padding: 1 }),
  'Conv1d dilated in groups': () => new nn.Conv1d(4, 4, 2, { dilation: 3, groups: 2 }),
  MaxPool2d: () => new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
  'MaxPool2d ceil': () => new nn.MaxPool2d(2, { ceilMode: true }),
  AvgPool2d: () => new nn.AvgPool2d(3, { stride: 2, padding: 1 }),
  'AvgPool2d ceil, padding not counted': () =>
    new nn.AvgPool2d(3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
  AdaptiveAvgPool2d: () => new nn.AdaptiveAvgPool2d([3, 2]),
  'BatchNorm2d training': () => new nn.BatchNorm2d(3),
  'BatchNorm2d evaluating': () => new nn.BatchNorm2d(3).eval(),
  'BatchNorm2d cumulative': () => new nn.BatchNorm2d(3, { momentum: null, eps: 1e-3 }),
  'BatchNorm2d without running statistics': () =>
    new nn.BatchNorm2d(3, { trackRunningStats: false, affine: false }).eval(),
  'BatchNorm1d on rank 2': () => new nn.BatchNorm1d(5),
  'BatchNorm1d on rank 3': () => new nn.BatchNorm1d(3),
  LayerNorm: () => new nn.LayerNorm(6),
  'LayerNorm over two dimensions': () => new nn.LayerNorm([3, 4]),
  Embedding: () => new nn.Embedding(7, 4),
  ReLU: () => new nn.ReLU(),
  LeakyReLU: () => new nn.LeakyReLU(0.1),
  ELU: () => new nn.ELU(0.7),
  Sigmoid: () => new nn.Sigmoid(),
  Tanh: () => new nn.Tanh(),
  GELU: () => new nn.GELU(),
  SiLU: () => new nn.SiLU(),
  Softplus: () => new nn.Softplus(),
  Softmax: () => new nn.Softmax(1),
  LogSoftmax: () => new nn.LogSoftmax(-1),
  Flatten: () => new nn.Flatten(),
  ConstantPad2d: () => new nn.ConstantPad2d(2, -0.1),
  Sequential: () =>
    new nn.Sequential(
      new nn.Conv2d(1, 2, 3),
      new nn.BatchNorm2d(2),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(18, 3),
    ),
};

const layerCases = load<LayerCase[]>('layers');

describe('layers against PyTorch, to 2e-6 of the largest value', () => {
  it('have one answer each', () => {
    expect(layerCases.map(({ name }) => name)).toEqual(Object.keys(layers));
  });

  it.each(layerCases)('$name', ({ name, input, output, gradInput, gradients, buffers, state }) => {
    const layer = layers[name]!();
    expect(Object.keys(layer.stateDict())).toEqual(state);
    let seed = 1;
    for (const parameter of layer.namedParameters().values()) {
      parameter.floats.set(fill(parameter.shape, seed++, 0.5).floats);
      parameter.touch();
    }
    for (const [bufferName, buffer] of layer.namedBuffers()) {
      if (bufferName.endsWith('running_mean')) buffer.floats.set(fill(buffer.shape, 90, 0.5).floats);
      if (bufferName.endsWith('running_var'))
        buffer.floats.set(fill(buffer.shape, 91, 0.5).floats.map((one) => one + 1));
      buffer.touch();
    }
    const scale = name in nn && !/Norm|Linear|Conv|Pool|Flatten|Pad|Embedding|Sequential/.test(name) ? 4 : 1;
    let x = fill(input, 50, scale);
    if (gradInput) x.requiresGrad = true;
    else
      x = fromArray(
        Int32Array.from({ length: x.size }, (_, i) => (i * 3) % 7),
        input,
      );
    const y = layer.forward(x);
    expectKept('output', y, output);
    y.backward(fill(y.shape, 60));
    if (gradInput) expectKept('gradient of the input', x.grad, gradInput, 5e-6);
    const parameters = layer.namedParameters();
    expect([...parameters.keys()]).toEqual(Object.keys(gradients));
    for (const [key, kept] of Object.entries(gradients)) expectKept(key, parameters.get(key)!.grad, kept, 5e-6);
    const own = layer.namedBuffers();
    expect([...own.keys()]).toEqual(Object.keys(buffers));
    for (const [key, kept] of Object.entries(buffers)) expectKept(key, own.get(key)!, kept);
  });
});

interface LossCase {
  readonly name: string;
  readonly reduction: LossReduction;
  readonly output: Kept;
  readonly gradInput: Kept;
}

const plus = (a: Tensor, value: number) =>
  fromArray(
    Float32Array.from(a.data, (one) => one + value),
    a.shape,
  );
const labels = tensor([2, 0, 1, 2], { dtype: 'int32' });
const ignoring = tensor([2, -100, 1, 2], { dtype: 'int32' });
const weight = plus(fill([3], 5), 1);
const positive = plus(fill([4], 6), 1);
const probability = plus(fill([3, 4], 4), 0.5);

type Make = (reduction: LossReduction) => [loss: nn.Module, input: Tensor, target: Tensor];
const losses: Record<string, Make> = {
  CrossEntropyLoss: (reduction) => [new nn.CrossEntropyLoss({ reduction }), fill([4, 3], 1, 6), labels],
  'CrossEntropyLoss weighted': (reduction) => [
    new nn.CrossEntropyLoss({ weight, reduction }),
    fill([4, 3], 1, 6),
    labels,
  ],
  'CrossEntropyLoss ignoring': (reduction) => [new nn.CrossEntropyLoss({ reduction }), fill([4, 3], 1, 6), ignoring],
  'CrossEntropyLoss smoothed and weighted': (reduction) => [
    new nn.CrossEntropyLoss({ weight, labelSmoothing: 0.1, reduction }),
    fill([4, 3], 1, 6),
    ignoring,
  ],
  'CrossEntropyLoss of pictures': (reduction) => [
    new nn.CrossEntropyLoss({ reduction }),
    fill([2, 3, 2, 2], 7, 6),
    tensor(
      [
        [
          [0, 1],
          [2, 0],
        ],
        [
          [1, 1],
          [2, 0],
        ],
      ],
      { dtype: 'int32' },
    ),
  ],
  'NLLLoss weighted': (reduction) => [new nn.NLLLoss({ weight, reduction }), fill([4, 3], 1, 6), labels],
  MSELoss: (reduction) => [new nn.MSELoss({ reduction }), fill([3, 4], 2, 6), fill([3, 4], 3, 6)],
  L1Loss: (reduction) => [new nn.L1Loss({ reduction }), fill([3, 4], 2, 6), fill([3, 4], 3, 6)],
  HuberLoss: (reduction) => [new nn.HuberLoss({ delta: 1.5, reduction }), fill([3, 4], 2, 6), fill([3, 4], 3, 6)],
  BCEWithLogitsLoss: (reduction) => [new nn.BCEWithLogitsLoss({ reduction }), fill([3, 4], 2, 6), probability],
  'BCEWithLogitsLoss weighted': (reduction) => [
    new nn.BCEWithLogitsLoss({ weight: positive, posWeight: positive, reduction }),
    fill([3, 4], 2, 6),
    probability,
  ],
};

const lossCases = load<LossCase[]>('losses');

describe('losses against PyTorch, to 2e-6 of the largest value', () => {
  it('have one answer for each reduction', () => {
    const names = (['mean', 'sum', 'none'] as const).flatMap((one) =>
      Object.keys(losses).map((name) => `${name} ${one}`),
    );
    expect(lossCases.map(({ name, reduction }) => `${name} ${reduction}`)).toEqual(names);
  });

  it.each(lossCases)('$name, $reduction', ({ name, reduction, output, gradInput }) => {
    const [loss, x, target] = losses[name]!(reduction);
    x.requiresGrad = true;
    const value = loss.forward(x, target);
    expectKept('loss', value, output);
    value.backward(reduction === 'none' ? fill(value.shape, 60) : undefined);
    expectKept('gradient', x.grad, gradInput);
    expect(loss.parameters(), 'a weight is a buffer').toEqual([]);
  });
});
