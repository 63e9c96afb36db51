// Both LeNet-5: PyTorch's logits and gradients, the connection table, learning, and the registry.
import { describe, expect, it } from 'vitest';
import { c3Table, createModel, LeNet5, LeNet5Classic, models, Subsample2d } from '../../lib/models/index.ts';
import { crossEntropy, type Module, TableConv2d } from '../../lib/nn/index.ts';
import { Adam, clipGradNorm_, createOptimizer, createSchedule, SGD } from '../../lib/optim/index.ts';
import { Generator, randn, tensor } from '../../lib/tensor/index.ts';
import { expectKept, fill, type Kept, load } from '../nn/fixtures/kept.ts';

interface NetworkCase {
  readonly name: string;
  readonly loss: number;
  readonly logits: Kept;
  readonly gradInput: Kept;
  readonly gradients: Record<string, Kept>;
  readonly parameters: [string, number[]][];
}

const networks: Record<string, () => Module> = { LeNet5: () => new LeNet5(), LeNet5Classic: () => new LeNet5Classic() };

/** Of the dense weight that PyTorch was given, the connections there are. */
function connected(dense: Float32Array | Float64Array): number[] {
  const windows = c3Table.flatMap((inputs, row) => inputs.map((input) => 25 * (6 * row + input)));
  return windows.flatMap((start) => [...dense.subarray(start, start + 25)]);
}

describe('forward and all gradients against PyTorch, to 1e-5 of the largest value', () => {
  it.each(load<NetworkCase[]>('networks'))('$name', ({ name, loss, logits, gradInput, gradients, parameters }) => {
    const model = networks[name]!();
    const own = model.namedParameters();
    expect([...own.keys()]).toEqual(parameters.map(([key]) => key));
    for (const [i, [key, shape]] of parameters.entries()) {
      const fanIn = [2, 4].includes(shape.length) ? shape.slice(1).reduce((product, size) => product * size, 1) : 4;
      const { floats } = fill(shape, i + 1, 4 / Math.sqrt(fanIn));
      own.get(key)!.floats.set(key === 'c3.weight' ? connected(floats) : floats);
      own.get(key)!.touch();
    }
    const x = fill([3, 1, 28, 28], 50, 2);
    x.requiresGrad = true;
    const y = model.forward(x);
    expectKept('logits', y, logits, 1e-5);
    const value = crossEntropy(y, tensor([3, 1, 7], { dtype: 'int32' }));
    expect(Math.abs(value.item() / loss - 1)).toBeLessThan(1e-6);
    value.backward();
    expectKept('gradient of the input', x.grad, gradInput, 1e-5);
    for (const [key, kept] of Object.entries(gradients)) expectKept(key, own.get(key)!.grad, kept, 1e-5);
  });
});

describe('the connection table', () => {
  it('is that of the paper', () => {
    const picture = [0, 1, 2, 3, 4, 5].map((map) =>
      c3Table.map((inputs) => (inputs.includes(map) ? 'X' : '.')).join(''),
    );
    expect(picture).toEqual([
      'X...XXX..XXXX.XX',
      'XX...XXX..XXXX.X',
      'XXX...XXX..X.XXX',
      '.XXX..XXXX..X.XX',
      '..XXX..XXXX.XX.X',
      '...XXX..XXXX.XXX',
    ]);
  });

  it('stays exactly zero where nothing is connected, through momentum and both penalties', () => {
    const layer = new TableConv2d(6, c3Table, 5, { generator: new Generator(1) });
    const optimizer = new SGD(layer.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.1, l1: 0.1 });
    const before = layer.denseWeight().data.slice();
    for (let i = 0; i < 5; i++) {
      optimizer.zeroGrad();
      layer
        .forward(randn([2, 6, 6, 6], { seed: i }))
        .square()
        .mean()
        .backward();
      optimizer.step();
    }
    const after = layer.denseWeight();
    expect(after.shape).toEqual([16, 6, 5, 5]);
    let changed = 0;
    for (const [i, value] of after.data.entries()) {
      const exists = c3Table[Math.floor(i / 150)]!.includes(Math.floor(i / 25) % 6);
      if (!exists) expect(value).toBe(0);
      else if (value !== before[i]) changed++;
    }
    expect(changed).toBe(1_500);
  });

  it('refuses rows that name no input, one twice, or one that is not there', () => {
    for (const row of [[], [1, 1], [6], [0.5], [-1]]) {
      expect(() => new TableConv2d(6, [[0], row], 5)).toThrow(
        `TableConv2d: expected row 1 of the table to list distinct input channels below 6, but got [${row.join(', ')}]`,
      );
    }
  });
});

describe('Subsample2d', () => {
  it('is the mean of 2x2, times a coefficient, plus a bias, of each map', () => {
    const layer = new Subsample2d(2);
    layer.weight.floats.set([2, -1]);
    layer.bias.floats.set([0.5, 1]);
    const y = layer.forward(tensor([[[[1, 2], [3, 6]], [[0, 0], [0, 4]]]])); // biome-ignore format: a picture
    expect(y.toArray()).toEqual([[[[6.5]], [[0]]]]);
  });
});

describe('every model', () => {
  it.each(Object.keys(models))('%s learns one batch by heart, to a loss below 0.01', (name) => {
    const generator = new Generator(3);
    const { model, inputShape, recipe } = createModel(name, { generator });
    const x = randn([8, ...inputShape], { seed: 4 });
    const target = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: 'int32' });
    const optimizer = new Adam(model.parameters(), { lr: 2e-3 });
    let loss = Infinity;
    for (let step = 0; step < 100 && loss >= 0.01; step++) {
      optimizer.zeroGrad();
      const value = crossEntropy(model.forward(x), target);
      value.backward();
      clipGradNorm_(model.parameters(), recipe.clipNorm ?? Infinity);
      optimizer.step();
      loss = value.item();
    }
    expect(loss).toBeLessThan(0.01);
    expect(model.eval().forward(x).argmax(1).toArray()).toEqual(target.toArray());
  });

  it.each(Object.keys(models))('%s says what it needs, and its recipe can be followed', (name) => {
    const { architecture, options, model, inputShape, preprocessing, classes, recipe } = createModel(name);
    expect(architecture).toBe(name);
    expect(createModel(architecture, JSON.parse(JSON.stringify(options))).classes).toEqual(classes);
    expect(inputShape).toEqual([preprocessing.channels, ...preprocessing.size]);
    expect([preprocessing.mean.length, preprocessing.std.length]).toEqual([
      preprocessing.channels,
      preprocessing.channels,
    ]);
    expect(classes).toHaveLength(10);
    const optimizer = createOptimizer(model.parameters(), recipe.optimizer);
    createSchedule(optimizer, recipe.schedule, { epochs: recipe.epochs, batches: 5 })?.step(1);
    expect(JSON.parse(JSON.stringify(recipe))).toEqual(recipe);
  });

  it.each(Object.keys(models))('%s has as many outputs as asked for and the same weights for the same seed', (name) => {
    const make = () => createModel(name, { classes: 3, generator: new Generator(9) }).model;
    const model = make();
    expect(model.forward(randn([2, 1, 28, 28], { seed: 1 })).shape).toEqual([2, 3]);
    const other = make().stateDict();
    for (const [key, value] of Object.entries(model.stateDict())) expect(value.data).toEqual(other[key]!.data);
  });
});

it('an unknown model is an error that lists the known ones', () => {
  const message = "createModel: expected one of lenet5, lenet5-1998, but got 'lenet'";
  expect(() => createModel('lenet')).toThrow(message);
  expect(() => createModel('toString')).toThrow('createModel: expected one of');
});
