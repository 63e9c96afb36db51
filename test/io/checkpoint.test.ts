// Checkpoints: everything comes back as it was, plain readers find plain weights, damage is named.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadCheckpoint, readSafetensors, saveCheckpoint, writeSafetensors } from '../../lib/io/index.ts';
import { Linear } from '../../lib/nn/index.ts';
import { Adam, SGD } from '../../lib/optim/index.ts';
import { DataError, Generator, randn, tensor } from '../../lib/tensor/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-checkpoint-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

const info = {
  architecture: 'lenet5',
  options: { classes: 3 },
  inputShape: [1, 28, 28],
  preprocessing: { size: [28, 28], channels: 1, mean: [0.1307], std: [0.3081] },
  classes: ['a', 'ü', '"c"'],
} as const;

/** A small model and an optimizer that has taken a few steps. */
function trained() {
  const generator = new Generator(7);
  const model = new Linear(4, 3, { generator });
  const optimizer = new Adam(model.parameters(), { lr: 0.1, betas: [0.8, 0.95] });
  const step = () => {
    optimizer.zeroGrad();
    model
      .forward(randn([5, 4], { generator }))
      .square()
      .sum()
      .backward();
    optimizer.step();
  };
  step();
  step();
  return { model, optimizer, step, generator };
}

describe('checkpoint', () => {
  test('weights, optimizer, model and training state come back, and go on alike', async () => {
    const { model, optimizer, step, generator } = trained();
    const training = { epoch: 3, best: Infinity, generator: { ...generator.state() }, '': null };
    const state = { weights: model.stateDict(), model: info, optimizer: optimizer.stateDict(), training };
    await saveCheckpoint(path('a'), state);
    const loaded = loadCheckpoint(path('a'));
    expect(loaded.model).toEqual(info);
    expect(loaded.training).toEqual(training);

    const other = new Linear(4, 3);
    const resumed = new Adam(other.parameters(), { lr: 0.5 });
    other.loadStateDict(loaded.weights);
    if (loaded.optimizer) resumed.loadStateDict(loaded.optimizer);
    const second = new Generator(0);
    second.setState(generator.state());
    step();
    resumed.zeroGrad();
    other
      .forward(randn([5, 4], { generator: second }))
      .square()
      .sum()
      .backward();
    resumed.step();
    expect(other.weight.data).toEqual(model.weight.data);
    expect(resumed.paramGroups[0]?.betas).toEqual([0.8, 0.95]);
  });

  test('what is saved is the state at the call, whatever happens while it is written', async () => {
    const { model, optimizer, step } = trained();
    const before = Float32Array.from(model.weight.data);
    const saving = saveCheckpoint(path('moment'), { weights: model.stateDict(), optimizer: optimizer.stateDict() });
    step();
    await saving;
    expect(loadCheckpoint(path('moment')).weights.weight?.data).toEqual(before);
    expect(model.weight.data).not.toEqual(before);
  });

  test('equal states give equal bytes', async () => {
    for (const name of ['one', 'two']) {
      const { model, optimizer } = trained();
      await saveCheckpoint(path(name), { weights: model.stateDict(), model: info, optimizer: optimizer.stateDict() });
    }
    expect(readFileSync(path('one')).equals(readFileSync(path('two')))).toBe(true);
  });

  test('any reader of safetensors finds the weights under their plain names', async () => {
    const { model, optimizer } = trained();
    await saveCheckpoint(path('plain'), { weights: model.stateDict(), optimizer: optimizer.stateDict() });
    const { tensors } = readSafetensors(path('plain'));
    expect(
      Object.keys(tensors)
        .filter((name) => !name.startsWith('@optimizer/'))
        .sort(),
    ).toEqual(['bias', 'weight']);
    expect(Object.keys(tensors).length).toBe(6); // Adam keeps two moments for each
  });

  test('any safetensors file loads as weights alone', async () => {
    await writeSafetensors(path('foreign'), { w: tensor([1, 2]) }, { format: 'pt' });
    const loaded = loadCheckpoint(path('foreign'));
    expect(loaded.weights.w?.toArray()).toEqual([1, 2]);
    expect([loaded.model, loaded.optimizer, loaded.training]).toEqual([undefined, undefined, undefined]);
  });

  test('a state of another optimizer is refused when loaded', async () => {
    const { model, optimizer } = trained();
    await saveCheckpoint(path('adam'), { weights: model.stateDict(), optimizer: optimizer.stateDict() });
    const { optimizer: state } = loadCheckpoint(path('adam'));
    expect(() => state && new SGD(model.parameters(), { lr: 1 }).loadStateDict(state)).toThrow(
      /expected the state of SGD/,
    );
  });

  test.each([
    ['options', '{', "'options' to be JSON"],
    ['options', '[]', "'options' to be an object"],
    ['inputShape', '"a"', "'inputShape' to be numbers"],
    ['classes', '[1]', "'classes' to be strings"],
    ['preprocessing', '{"size":[28,28],"channels":3,"mean":[0],"std":[1]}', "'preprocessing' to be {"],
    ['preprocessing', '{"size":[0,28],"channels":1,"mean":[0],"std":[1]}', "'preprocessing' to be {"],
    ['optimizer', '{"kind":"Adam"}', "'optimizer' to be an optimizer's values"],
    ['training', 'x', "'training' to be JSON"],
  ])('damaged %s %s is named', async (key, value, message) => {
    await writeSafetensors(path('bad'), {}, { architecture: 'lenet5', inputShape: '[1]', [key]: value });
    expect(() => loadCheckpoint(path('bad'))).toThrow(DataError);
    expect(() => loadCheckpoint(path('bad'))).toThrow(message);
    expect(() => loadCheckpoint(path('bad'))).toThrow(path('bad'));
  });
});
