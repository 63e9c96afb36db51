// The public names, and a whole training loop written with nothing else.
import { expect, it } from 'vitest';
import * as fovea from '../lib/index.ts';

it('tensors and functions are at the top, areas are namespaces, and nothing internal shows', () => {
  const names = Object.keys(fovea);
  for (const name of [
    'tensor',
    'zeros',
    'noGrad',
    'manualSeed',
    'conv2d',
    'crossEntropy',
    'FoveaError',
    'backendInfo',
  ]) {
    expect(names).toContain(name);
  }
  for (const area of ['data', 'io', 'models', 'nn', 'optim', 'training']) expect(names).toContain(area);
  for (const internal of ['run', 'fail', 'empty', 'Storage', 'differentiable']) expect(names).not.toContain(internal);
});

it('a network learns exclusive or', () => {
  const { nn, optim, tensor } = fovea;
  const generator = new fovea.Generator(1);
  const model = new nn.Sequential(
    new nn.Linear(2, 8, { generator }),
    new nn.Tanh(),
    new nn.Linear(8, 2, { generator }),
  );
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.05 });
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]); // biome-ignore format: a table
  const y = tensor([0, 1, 1, 0], { dtype: 'int32' });
  const loss = new nn.CrossEntropyLoss();
  let last = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 200; step++) {
    optimizer.zeroGrad();
    const value = loss.forward(model.forward(x), y);
    value.backward();
    optimizer.step();
    last = value.item();
  }
  expect(last).toBeLessThan(0.01);
  expect(model.forward(x).argmax(1).toArray()).toEqual([0, 1, 1, 0]);
});
