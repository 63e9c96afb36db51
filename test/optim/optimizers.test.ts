// Optimizers: PyTorch's trajectories, penalties, groups, refusals, and going on exactly after a save.
import { describe, expect, it } from 'vitest';
import { crossEntropy, Linear, type Module, Sequential, Tanh } from '../../lib/nn/index.ts';
import { Adagrad, Adam, AdamW, type Optimizer, type OptimizerState, RMSprop, SGD } from '../../lib/optim/index.ts';
import { FoveaError, ones, type Tensor, tensor, zeros } from '../../lib/tensor/index.ts';
import { expectKept, fill, type Kept, load } from '../nn/fixtures/kept.ts';

type Make = (params: Tensor[]) => Optimizer;

const makers: Record<string, Make> = {
  SGD: (params) => new SGD(params, { lr: 0.1 }),
  'SGD momentum': (params) => new SGD(params, { lr: 0.05, momentum: 0.9, dampening: 0.2, weightDecay: 0.01 }),
  'SGD Nesterov': (params) => new SGD(params, { lr: 0.05, momentum: 0.9, nesterov: true }),
  Adam: (params) => new Adam(params, { lr: 0.02 }),
  'Adam decayed': (params) => new Adam(params, { lr: 0.02, betas: [0.8, 0.95], eps: 1e-6, weightDecay: 0.1 }),
  AdamW: (params) => new AdamW(params, { lr: 0.02, weightDecay: 0.1 }),
  RMSprop: (params) => new RMSprop(params, { lr: 0.01 }),
  'RMSprop centered': (params) =>
    new RMSprop(params, { lr: 0.01, alpha: 0.9, momentum: 0.5, centered: true, weightDecay: 0.01 }),
  Adagrad: (params) => new Adagrad(params, { lr: 0.1, lrDecay: 0.05, weightDecay: 0.01 }),
  groups: (params) =>
    new SGD([{ params: params.slice(0, 2) }, { params: params.slice(2), lr: 0.02, momentum: 0 }], {
      lr: 0.1,
      momentum: 0.9,
    }),
};

function filledModel(): Module {
  const model = new Sequential(new Linear(5, 4), new Tanh(), new Linear(4, 3));
  for (const [i, parameter] of model.parameters().entries()) {
    parameter.floats.set(fill(parameter.shape, i + 1).floats);
    parameter.touch();
  }
  return model;
}

function train(model: Module, optimizer: Optimizer, steps: number): number[] {
  const [x, target] = [fill([6, 5], 50, 2), tensor([0, 1, 2, 2, 1, 0], { dtype: 'int32' })];
  return Array.from({ length: steps }, () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), target);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
}

describe('twelve steps end where PyTorch ends, weights and losses to 1e-5', () => {
  const kept = load<Record<string, { losses: number[]; weights: Record<string, Kept> }>>('optimizers');

  it('for every optimizer that PyTorch answered for', () => {
    expect(Object.keys(makers)).toEqual(Object.keys(kept));
  });

  it.each(Object.keys(makers))('%s', (name) => {
    const model = filledModel();
    const losses = train(model, makers[name]!(model.parameters()), 12);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - kept[name]!.losses[i]!)).toBeLessThan(1e-5);
    const parameters = model.namedParameters();
    for (const [key, weights] of Object.entries(kept[name]!.weights)) {
      expectKept(key, parameters.get(key)!, weights, 1e-5);
    }
  });
});

describe('the first step of Adam', () => {
  it.each([0.9, 0.99, 0.999, 0.9999])('is lr against the sign of the gradient, to float32, with beta2 %f', (beta2) => {
    const w = zeros([3], { requiresGrad: true });
    w.grad = tensor([0.3, -2, 1e-3]);
    new Adam([w], { lr: 0.01, betas: [0.9, beta2], eps: 1e-30 }).step();
    for (const [i, sign] of [1, -1, 1].entries())
      expect(Math.abs(w.floats[i]! / (-0.01 * sign) - 1)).toBeLessThan(3e-7);
  });
});

describe('an optimizer saved and loaded', () => {
  it.each(Object.keys(makers))('goes on bit for bit: %s', (name) => {
    const straight = filledModel();
    train(straight, makers[name]!(straight.parameters()), 9);

    const model = filledModel();
    const before = makers[name]!(model.parameters());
    train(model, before, 4);
    const { tensors, values } = before.stateDict();
    const saved: OptimizerState = {
      tensors: Object.fromEntries(Object.entries(tensors).map(([key, one]) => [key, one.clone()])),
      values: JSON.parse(JSON.stringify(values)),
    };
    const copy = filledModel();
    copy.loadStateDict(model.stateDict());
    const after = makers[name]!(copy.parameters());
    after.loadStateDict(saved);
    train(copy, after, 5);
    for (const [key, weights] of Object.entries(copy.stateDict())) {
      expect(weights.data, key).toEqual(straight.stateDict()[key]!.data);
    }
  });

  it('takes over changed options', () => {
    const from = new SGD([zeros([1], { requiresGrad: true })], { lr: 0.1, momentum: 0.9 });
    from.paramGroups[0]!.lr = 0.025;
    const to = new SGD([zeros([1], { requiresGrad: true })], { lr: 1 });
    to.loadStateDict(from.stateDict());
    expect(to.paramGroups[0]).toMatchObject({ lr: 0.025, momentum: 0.9, initialLr: 0.1 });
  });

  it('does not share memory with what it was loaded from', () => {
    const model = filledModel();
    const from = new Adam(model.parameters());
    train(model, from, 1);
    const to = new Adam(filledModel().parameters());
    const state = from.stateDict();
    to.loadStateDict(state);
    const before = to.stateDict().tensors['0.average']!.clone();
    train(model, from, 1);
    expect(state.tensors['0.average']!.data).not.toEqual(before.data);
    expect(to.stateDict().tensors['0.average']!.data).toEqual(before.data);
  });

  it('refuses the state of another one and then stays as it was', () => {
    const model = filledModel();
    const adam = new Adam(model.parameters());
    train(model, adam, 1);
    const { tensors, values } = adam.stateDict();
    expect(() => new SGD(model.parameters(), { lr: 1 }).loadStateDict({ tensors, values })).toThrow(
      'loadStateDict: expected the state of SGD with groups of 4 parameters, but got that of Adam with groups of 4 parameters',
    );
    expect(() => new Adam([model.parameters()[0]!]).loadStateDict({ tensors, values })).toThrow(
      'groups of 1 parameters',
    );
    const { '0.average': _, ...without } = tensors;
    const wrong = { ...without, '1.average': zeros([2, 2]) };
    const message =
      'loadStateDict: expected a tensor of its shape for all that is kept for a parameter, ' +
      'but got no 0.average, 1.average [2, 2] for a parameter [4]';
    expect(() => adam.loadStateDict({ tensors: wrong, values })).toThrow(new FoveaError(message));
    expect(adam.stateDict().tensors['1.average']!.shape).toEqual([4]);
    expect(() => adam.loadStateDict({ tensors, values: { ...values, steps: [1] } })).toThrow(
      'loadStateDict: expected steps of 4 parameters, but got those of 1',
    );
    const groups = [{ params: 4, options: { betas: null } }];
    expect(() => adam.loadStateDict({ tensors, values: { ...values, groups } })).toThrow(
      'loadStateDict: expected option betas to be like 0.9,0.999, but got null',
    );
  });
});

describe('penalties', () => {
  const withGrad = (values: number[], grad: number[]) => {
    const param = tensor(values, { requiresGrad: true });
    param.grad = tensor(grad);
    return param;
  };

  it('L2 adds weightDecay w to the gradient, L1 adds l1 sign(w), of nothing for 0', () => {
    const param = withGrad([2, -2, 0], [1, 1, 1]);
    new SGD([param], { lr: 0.5, weightDecay: 0.25, l1: 0.125 }).step();
    expect(param.toArray()).toEqual([2 - 0.5 * (1 + 0.5 + 0.125), -2 - 0.5 * (1 - 0.5 - 0.125), 0 - 0.5]);
  });

  it('AdamW shrinks beside the gradient step, and so also where the gradient is 0', () => {
    const param = withGrad([2, -4], [0, 0]);
    new AdamW([param], { lr: 0.5, weightDecay: 0.25 }).step();
    expect(param.toArray()).toEqual([2 - 0.25, -4 + 0.5]);
  });

  it.each([
    ['Adam', (param: Tensor) => new Adam([param], { l1: 0.5 })],
    ['RMSprop', (param: Tensor) => new RMSprop([param], { l1: 0.5 })],
    ['Adagrad', (param: Tensor) => new Adagrad([param], { l1: 0.5 })],
  ])('L1 in %s moves a weight without a gradient towards zero', (_, make) => {
    const param = withGrad([1, -1], [0, 0]);
    make(param).step();
    const [plus, minus] = param.data;
    expect(plus).toBeLessThan(1);
    expect(minus).toBe(-plus!);
  });
});

describe('an optimizer', () => {
  it('leaves alone what is frozen and what has no gradient', () => {
    const [moved, frozen, idle] = [1, 2, 3].map((value) => tensor([value], { requiresGrad: true }));
    moved!.grad = ones([1]);
    frozen!.grad = ones([1]);
    frozen!.requiresGrad = false;
    const optimizer = new SGD([moved!, frozen!, idle!], { lr: 0.5, weightDecay: 0.1 });
    optimizer.step();
    expect([moved, frozen, idle].map((one) => one!.item())).toEqual([Math.fround(1 - 0.5 * 1.1), 2, 3]);
    expect(optimizer.stateDict().values.steps).toEqual([1, 0, 0]);
  });

  it('raises the version of what it moves, so that an old graph is refused', () => {
    const w = tensor([2], { requiresGrad: true });
    const loss = w.mul(w).sum();
    w.grad = ones([1]);
    new SGD([w], { lr: 0.5 }).step();
    expect(() => loss.backward()).toThrow('changed in place');
  });

  it('moves float64 parameters in double precision', () => {
    const param = tensor([1], { dtype: 'float64', requiresGrad: true });
    param.grad = tensor([1e-12], { dtype: 'float64' });
    new SGD([param], { lr: 1 }).step();
    expect(param.item()).toBe(1 - 1e-12);
  });

  it('starts momentum when it is switched on later', () => {
    const param = tensor([0], { requiresGrad: true });
    const optimizer = new SGD([param], { lr: 1 });
    param.grad = ones([1]);
    optimizer.step();
    optimizer.paramGroups[0]!.momentum = 0.5;
    optimizer.step();
    optimizer.step();
    expect(param.item()).toBe(-1 - 1 - 1.5);
  });

  const param = () => [zeros([1], { requiresGrad: true })];
  const refusals: [string, () => unknown, string][] = [
    [
      'a negative rate',
      () => new SGD(param(), { lr: -1 }),
      'SGD: expected lr to be a finite number of at least 0, but got -1',
    ],
    [
      'a NaN rate',
      () => new Adam(param(), { lr: NaN }),
      'Adam: expected lr to be a finite number of at least 0, but got NaN',
    ],
    ['a beta of 1', () => new AdamW(param(), { betas: [0.9, 1] }), 'AdamW: expected betas[1]'],
    ['a negative eps', () => new RMSprop(param(), { eps: -1 }), 'RMSprop: expected eps'],
    ['an infinite decay', () => new Adagrad(param(), { weightDecay: Infinity }), 'Adagrad: expected weightDecay'],
    ['a negative L1 penalty', () => new SGD(param(), { lr: 1, l1: -0.1 }), 'l1'],
    ['a bad rate in a group', () => new SGD([{ params: param(), lr: -2 }], { lr: 1 }), 'lr'],
    [
      'nesterov without momentum',
      () => new SGD(param(), { lr: 1, nesterov: true }),
      'SGD: expected momentum and no dampening, because nesterov is on, but got momentum 0 and dampening 0',
    ],
    ['no parameters', () => new SGD([], { lr: 1 }), 'SGD: expected at least one parameter, but got none'],
    ['groups without parameters', () => new SGD([{ params: [] }], { lr: 1 }), 'SGD: expected at least one parameter'],
    [
      'a computed tensor',
      () => new SGD([ones([2], { requiresGrad: true }).mul(2)], { lr: 1 }),
      'SGD: expected leaf tensors, but got one of shape [2] that was computed',
    ],
  ];
  it.each(refusals)('refuses %s', (_, make, message) => {
    expect(make).toThrow(FoveaError);
    expect(make).toThrow(message);
  });

  it('refuses one parameter in two groups', () => {
    const [one] = param();
    expect(() => new SGD([{ params: [one!] }, { params: [one!] }], { lr: 1 })).toThrow(
      'SGD: expected every parameter once, but got one of shape [1] a second time',
    );
  });

  it('refuses a gradient of another size', () => {
    const [one] = param();
    one!.grad = ones([3]);
    expect(() => new SGD([one!], { lr: 1 }).step()).toThrow(
      'SGD: expected a gradient [1] of its parameter, but got [3]',
    );
  });

  it('refuses a rate that became NaN while training', () => {
    const optimizer = new SGD(param(), { lr: 1 });
    optimizer.paramGroups[0]!.lr = NaN;
    expect(() => optimizer.step()).toThrow('SGD: expected lr');
  });
});
