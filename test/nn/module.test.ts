// Modules: how parameters, buffers and children are found, named, saved, loaded and printed.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.ts';
import { BatchNorm2d, Conv2d, Dropout, Linear, Module, ReLU, Sequential, type StateDict } from '../../lib/nn/index.ts';
import { FoveaError, ones, type Tensor, tensor, zeros } from '../../lib/tensor/index.ts';

class Nested extends Module {
  readonly first = new Linear(2, 3);
  readonly blocks = [new Linear(3, 3), new Sequential(new ReLU(), new Linear(3, 3))];
  readonly heads = { digit: new Linear(3, 1), 'odd or even': new Linear(3, 1) };
  readonly lists: Tensor[][] = [[ones([2], { requiresGrad: true })]];
  readonly meanScale = zeros([1]);
  readonly Conv_1x1 = new Linear(1, 1, { bias: false });
  readonly options = { note: 'not a module', sizes: [1, 2] };
  readonly #hidden = zeros([4], { requiresGrad: true });

  constructor() {
    super();
    this.registerBuffer('meanScale');
  }

  override forward(x: Tensor): Tensor {
    return this.first.forward(x).add(this.#hidden.sum());
  }
}

describe('a module', () => {
  it('finds parameters in properties, arrays and records, and names them as PyTorch does', () => {
    const model = new Nested();
    expect([...model.namedParameters().keys()]).toEqual([
      'lists.0.0',
      'first.weight',
      'first.bias',
      'blocks.0.weight',
      'blocks.0.bias',
      'blocks.1.1.weight',
      'blocks.1.1.bias',
      'heads.digit.weight',
      'heads.digit.bias',
      'heads.odd or even.weight',
      'heads.odd or even.bias',
      'Conv_1x1.weight',
    ]);
    expect([...model.namedBuffers().keys()]).toEqual(['mean_scale']);
    expect([...model.namedModules().keys()].slice(0, 4)).toEqual(['', 'first', 'blocks.0', 'blocks.1']);
  });

  it('keeps a frozen parameter among its parameters', () => {
    const layer = new Linear(2, 2);
    layer.weight.requiresGrad = false;
    expect([...layer.namedParameters().keys()]).toEqual(['weight', 'bias']);
  });

  it('counts a shared parameter once but saves it under each name', () => {
    const layer = new Linear(2, 2);
    const model = new Sequential(layer, layer);
    expect(model.parameters()).toHaveLength(2);
    expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
  });

  it('refuses to be inside itself', () => {
    const model = new Nested();
    Object.assign(model, { self: model });
    expect(() => model.parameters()).toThrow(
      'Module: expected a tree of modules, but got Nested inside itself, as self',
    );
  });

  it('goes through a state dict and back, sharing memory one way and copying the other', () => {
    const [from, to] = [new Nested(), new Nested()];
    const state = from.stateDict();
    to.loadStateDict(state);
    for (const [name, value] of Object.entries(to.stateDict())) expect(value.data).toEqual(state[name]!.data);
    from.first.weight.floats[0] = 42;
    expect(state['first.weight']!.data[0]).toBe(42);
    expect(to.first.weight.data[0]).not.toBe(42);
  });

  it('names all missing, unexpected and differing entries at once, and then changes nothing', () => {
    const model = new Sequential({ conv: new Conv2d(1, 2, 3), norm: new BatchNorm2d(2) });
    const before = model.stateDict()['conv.weight']!.clone();
    const state: StateDict = { ...new Sequential({ conv: new Conv2d(1, 2, 3), norm: new BatchNorm2d(2) }).stateDict() };
    delete state['norm.running_mean'];
    state['fc.weight'] = zeros([2]);
    state['conv.bias'] = zeros([3]);
    state['norm.num_batches_tracked'] = zeros([]);
    const message =
      'loadStateDict: expected a state with the 7 entries of Sequential, but got missing: norm.running_mean; ' +
      'unexpected: fc.weight; differing: conv.bias is float [2] here and float [3] there, ' +
      'norm.num_batches_tracked is int32 [] here and float [] there';
    expect(() => model.loadStateDict(state)).toThrow(new FoveaError(message));
    expect(model.stateDict()['conv.weight']!.data).toEqual(before.data);
  });

  it('with strict off returns what is missing and unexpected, and loads the rest', () => {
    const model = new Linear(2, 1);
    const result = model.loadStateDict({ weight: tensor([[3, 4]]), other: zeros([1]) }, { strict: false });
    expect(result).toEqual({ missing: ['bias'], unexpected: ['other'] });
    expect(model.weight.toArray()).toEqual([[3, 4]]);
    expect(() => model.loadStateDict({ weight: zeros([3]) }, { strict: false })).toThrow('differing: weight');
  });

  it('notices with the version number that a loaded weight changed', () => {
    const model = new Linear(2, 1);
    const { version } = model.weight;
    model.loadStateDict(new Linear(2, 1).stateDict());
    expect(model.weight.version).toBeGreaterThan(version);
  });

  it('passes training mode to everything below', () => {
    const model = new Sequential(new Sequential(new Dropout(0.5)), new BatchNorm2d(1));
    const modes = () => [...model.namedModules().values()].map(({ training }) => training);
    model.eval();
    expect(modes()).toEqual([false, false, false, false]);
    model.train();
    expect(modes()).toEqual([true, true, true, true]);
  });

  it('forgets gradients', () => {
    const model = new Linear(2, 1);
    model
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(model.bias!.grad!.toArray()).toEqual([1]);
    model.zeroGrad();
    expect(model.parameters().map(({ grad }) => grad)).toEqual([null, null]);
  });

  it('applies a function to children first', () => {
    const seen: string[] = [];
    new Sequential(new Sequential(new ReLU()), new Dropout()).apply((one) => seen.push(one.constructor.name));
    expect(seen).toEqual(['ReLU', 'Sequential', 'Dropout', 'Sequential']);
  });

  it('prints as in PyTorch', () => {
    const model = new Sequential(
      new Conv2d(1, 6, 5, { padding: 2 }),
      new Sequential({ act: new ReLU() }),
      new Linear(4, 2),
    );
    const text = `Sequential(
  (0): Conv2d(1, 6, kernelSize=(5, 5), stride=(1, 1), padding=(2, 2))
  (1): Sequential(
    (act): ReLU()
  )
  (2): Linear(4, 2, bias=true)
)`;
    expect(String(model)).toBe(text);
    expect(inspect(model)).toBe(text);
  });
});

describe('layers print their options', () => {
  it.each([
    [
      new nn.Conv2d(4, 8, 3, { stride: [2, 1], dilation: 2, groups: 4, bias: false }),
      'Conv2d(4, 8, kernelSize=(3, 3), stride=(2, 1), dilation=(2, 2), groups=4, bias=false)',
    ],
    [new nn.Conv2d(1, 1, 3, { padding: 'same' }), 'Conv2d(1, 1, kernelSize=(3, 3), stride=(1, 1), padding=same)'],
    [new nn.Conv1d(2, 2, 3), 'Conv1d(2, 2, kernelSize=3, stride=1)'],
    [
      new nn.Conv1d(2, 4, 3, { stride: 2, padding: 1, dilation: 2, groups: 2, bias: false }),
      'Conv1d(2, 4, kernelSize=3, stride=2, padding=1, dilation=2, groups=2, bias=false)',
    ],
    [
      new nn.MaxPool2d([3, 2], { stride: 2, ceilMode: true }),
      'MaxPool2d(kernelSize=(3, 2), stride=(2, 2), padding=(0, 0), ceilMode=true)',
    ],
    [new nn.AvgPool2d(2), 'AvgPool2d(kernelSize=(2, 2), stride=(2, 2), padding=(0, 0))'],
    [new nn.AdaptiveAvgPool2d([1, 2]), 'AdaptiveAvgPool2d(outputSize=(1, 2))'],
    [new nn.BatchNorm2d(3), 'BatchNorm2d(3, eps=0.00001, momentum=0.1, affine=true, trackRunningStats=true)'],
    [
      new nn.LayerNorm([2, 3], { eps: 0.5, elementwiseAffine: false }),
      'LayerNorm((2, 3), eps=0.5, elementwiseAffine=false)',
    ],
    [new nn.Embedding(5, 2), 'Embedding(5, 2)'],
    [new nn.Dropout(), 'Dropout(p=0.5)'],
    [new nn.LeakyReLU(), 'LeakyReLU(slope=0.01)'],
    [new nn.ELU(2), 'ELU(alpha=2)'],
    [new nn.ScaledTanh(2, 0.5), 'ScaledTanh(amplitude=2, slope=0.5)'],
    [new nn.Softmax(1), 'Softmax(axis=1)'],
    [new nn.LogSoftmax(-1), 'LogSoftmax(axis=-1)'],
    [new nn.ConstantPad2d(2, -0.5), 'ConstantPad2d(2, value=-0.5)'],
    [new nn.TableConv2d(2, [[0], [0, 1]], 3), 'TableConv2d(2, 2, kernelSize=(3, 3), connections=3)'],
    [new nn.Flatten(), 'Flatten()'],
  ])('%s', (layer, text) => expect(String(layer)).toBe(text));
});

describe('Sequential', () => {
  it('gives its layers by position, by name and in order', () => {
    const [a, b] = [new ReLU(), new Dropout()];
    const model = new Sequential({ a, b });
    expect([model.at(0), model.at(-1), model.at('b'), model.length]).toEqual([a, b, b, 2]);
    expect([...model]).toEqual([a, b]);
    expect(() => model.at('c')).toThrow('Sequential: expected one of the layers a, b, but got c');
  });

  it('of nothing but identities gives back its input', () => {
    const x = ones([2]);
    expect(new Sequential(new nn.Identity(), new nn.Identity()).forward(x)).toBe(x);
  });

  it('without layers gives back its input', () => {
    const x = ones([2]);
    expect(new Sequential().forward(x)).toBe(x);
  });

  it('refuses what is no module', () => {
    const wrong: Record<string, Module> = JSON.parse('{ "a": 3 }');
    expect(() => new Sequential(wrong)).toThrow('Sequential: expected modules, but got number as layer a');
  });
});

describe('layers refuse', () => {
  const refusals: [string, () => Module, string][] = [
    [
      'a window of 0',
      () => new Conv2d(1, 1, 0),
      'Conv2d: expected kernelSize to be an integer of at least 1, or two of them, but got 0',
    ],
    ['a window of three sizes', () => new Conv2d(1, 1, JSON.parse('[1,2,3]')), 'kernelSize'],
    [
      'NaN channels',
      () => new Conv2d(NaN, 1, 1),
      'Conv2d: expected inChannels to be an integer of at least 1, but got NaN',
    ],
    [
      'a negative padding',
      () => new Conv2d(1, 1, 3, { padding: [0, -1] }),
      'Conv2d: expected padding to be an integer of at least 0, or two of them, but got [0, -1]',
    ],
    ['a stride of 0', () => new Conv2d(1, 1, 3, { stride: 0 }), 'stride'],
    ['a fractional dilation', () => new Conv2d(1, 1, 3, { dilation: 1.5 }), 'dilation'],
    [
      "stride with 'same'",
      () => new Conv2d(1, 1, 3, { stride: 2, padding: 'same' }),
      "Conv2d: expected stride 1, because padding is 'same', but got stride 2, 2",
    ],
    [
      'groups that do not divide',
      () => new Conv2d(4, 6, 3, { groups: 4 }),
      'Conv2d: expected channels that divide into groups, because groups is 4, but got 4 input and 6 output channels',
    ],
    ['an endless size', () => new Linear(Infinity, 1), 'Linear: expected inFeatures'],
    ['a probability above 1', () => new Dropout(1.5), 'Dropout: expected p to be a number from 0 to 1, but got 1.5'],
    ['a NaN momentum', () => new BatchNorm2d(1, { momentum: NaN }), 'BatchNorm2d: expected momentum'],
  ];
  it.each(refusals)('%s', (_, make, message) => {
    expect(make).toThrow(FoveaError);
    expect(make).toThrow(message);
  });

  it('input of another rank, naming the layer', () => {
    expect(() => new BatchNorm2d(2).forward(ones([3, 2]))).toThrow(
      'BatchNorm2d: expected x of rank 4, but got x [3, 2]',
    );
  });
});
