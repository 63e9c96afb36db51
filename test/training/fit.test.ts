// fit, evaluate and predict on small problems: they learn, tell, stop, resume, and leave the event loop alive.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { ArrayDataset, type Batch, DataLoader, type StreamBatch, StreamLoader } from '../../lib/data/index.ts';
import { loadCheckpoint } from '../../lib/io/index.ts';
import { BatchNorm1d, Dropout, Linear, MSELoss, ReLU, Sequential } from '../../lib/nn/index.ts';
import { Adam, type Optimizer, ReduceLROnPlateau, SGD, StepLR } from '../../lib/optim/index.ts';
import { DataError, FoveaError, Generator, randn, type Tensor } from '../../lib/tensor/index.ts';
import {
  type Callback,
  ConfusionMatrix,
  earlyStopping,
  evaluate,
  type FitOptions,
  fit,
  predict,
  type Report,
  topK,
} from '../../lib/training/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-fit-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

/** Points in the plane; the class is the quadrant. */
function quadrants(count: number, seed: number): ArrayDataset {
  const inputs = randn([count, 2], { seed });
  const targets = Int32Array.from(
    { length: count },
    (_, i) => (inputs.floats[2 * i]! > 0 ? 1 : 0) + (inputs.floats[2 * i + 1]! > 0 ? 2 : 0),
  );
  return new ArrayDataset({ inputs, targets, classes: ['a', 'b', 'c', 'd'] });
}

function network(seed = 1): Sequential {
  const generator = new Generator(seed);
  return new Sequential(
    new Linear(2, 16, { generator }),
    new BatchNorm1d(16),
    new ReLU(),
    new Dropout(0.1),
    new Linear(16, 4, { generator }),
  );
}

/** A run of a few epochs on 200 points; what is given replaces the defaults. */
async function run(options: Partial<FitOptions> & { schedule?: never } = {}, { model = network(), lr = 0.02 } = {}) {
  const optimizer = options.optimizer ?? new Adam(model.parameters(), { lr });
  const loader = new DataLoader(quadrants(200, 1), { batchSize: 16, shuffle: true, seed: 3 });
  const result = await fit(model, loader, { epochs: 3, seed: 4, report: false, ...options, optimizer });
  return { model, optimizer, ...result };
}

const weights = (model: Sequential) => Object.values(model.stateDict()).map(({ data }) => Array.from(data));

/** Aborts after so many steps. */
function abortAfter(steps: number): { signal: AbortSignal; report: Report } {
  const controller = new AbortController();
  let seen = 0;
  const step = () => {
    if (++seen === steps) controller.abort(new Error('enough'));
  };
  return { signal: controller.signal, report: { begin() {}, step, epoch() {}, end() {} } };
}

describe('fit', () => {
  test('learns, and its rows hold what was measured', async () => {
    const model = network();
    const validation = quadrants(300, 2);
    const { history, stopped } = await run({ epochs: 12, validation }, { model });
    expect(stopped).toBeUndefined();
    expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    const last = history.at(-1);
    expect(last?.accuracy).toBeGreaterThan(0.75); // with dropout; guessing gives 0.25
    expect(last?.validationAccuracy).toBeGreaterThan(0.9);
    expect(last?.validationLoss).toBeLessThan((history[0]?.validationLoss ?? 0) / 2);
    expect(last?.learningRate).toBe(0.02);
    const measured = await evaluate(model, validation);
    expect(measured).toMatchObject({ loss: last?.validationLoss, accuracy: last?.validationAccuracy, samples: 300 });
  });

  test('the same seeds give the same weights, another seed others', async () => {
    const [one, two, other] = [await run(), await run(), await run({ seed: 5 })];
    expect(weights(two.model)).toEqual(weights(one.model));
    expect(weights(other.model)).not.toEqual(weights(one.model));
  });

  test('any loss and metrics: a line fitted by least squares', async () => {
    const inputs = randn([64, 1], { seed: 8 });
    const data = new ArrayDataset({ inputs, targets: inputs.floats.map((x) => 3 * x - 1) as Float32Array });
    const model = new Linear(1, 1, { generator: new Generator(1) });
    const mse = new MSELoss();
    const loss = (outputs: Tensor, targets: Tensor) => mse.forward(outputs.reshape(-1), targets);
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const { history } = await fit(model, data, { epochs: 40, optimizer, loss, report: false, batchSize: 16 });
    expect(Object.keys(history[0] ?? {})).toEqual(['epoch', 'loss', 'learningRate', 'seconds', 'perSecond']);
    expect(model.weight.item()).toBeCloseTo(3, 4);
    expect(model.bias?.item()).toBeCloseTo(-1, 4);
  });

  test('schedules step after each batch or epoch, plateau with the validation loss', async () => {
    const rates = async (make: (optimizer: Optimizer) => FitOptions['schedule']) => {
      const model = network();
      const optimizer = new Adam(model.parameters(), { lr: 0.02 });
      const schedule = make(optimizer);
      const loader = new DataLoader(quadrants(200, 1), { batchSize: 50, shuffle: true, seed: 3 });
      const validation = quadrants(20, 2);
      const { history } = await fit(model, loader, { epochs: 3, optimizer, schedule, validation, report: false });
      return [...history.map((row) => row.learningRate), optimizer.paramGroups[0]?.lr];
    };
    expect(await rates((o) => new StepLR(o, { stepSize: 1, gamma: 0.5 }))).toEqual([0.02, 0.01, 0.005, 0.0025]);
    expect(await rates((o) => new StepLR(o, { stepSize: 4, gamma: 0.5, every: 'batch' }))).toEqual([
      0.01, 0.005, 0.0025, 0.0025,
    ]);
    const plateau = { patience: 0, threshold: 1e9, thresholdMode: 'abs', factor: 0.5 } as const;
    expect(await rates((o) => new ReduceLROnPlateau(o, plateau))).toEqual([0.02, 0.02, 0.01, 0.005]);
  });

  test('clipNorm bounds the gradient, so that one step moves no further', async () => {
    const model = network();
    const before = weights(model);
    const { optimizer } = { optimizer: new SGD(model.parameters(), { lr: 1 }) };
    const moved: number[] = [];
    const callback: Callback = {
      name: 'distance',
      epoch: () => {
        const squares = [...model.namedParameters()].map(([name, { data }]) => {
          const old = before[Object.keys(model.stateDict()).indexOf(name)] ?? [];
          return Array.from(data).reduce((sum, value, i) => sum + (value - (old[i] ?? 0)) ** 2, 0);
        });
        moved.push(Math.sqrt(squares.reduce((sum, value) => sum + value, 0)));
      },
    };
    await run({ epochs: 1, optimizer, clipNorm: 1e-3, callbacks: [callback] }, { model });
    expect(moved[0]).toBeGreaterThan(0);
    expect(moved[0]).toBeLessThan(13 * 1e-3 * 1.001); // 13 steps
  });

  test('earlyStopping ends the run', async () => {
    const callbacks = [earlyStopping({ patience: 1, minDelta: 100 })];
    const { history, stopped } = await run({ epochs: 9, callbacks });
    expect(history.length).toBe(3);
    expect(stopped).toBe('no improvement for 2 epochs');
  });

  test('yields after every step: timers fire between steps', async () => {
    const steps: number[] = [];
    let ticks = 0;
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      ticks++;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const inputs = randn([640, 2], { seed: 1 });
    const data = new ArrayDataset({ inputs, targets: new Int32Array(640), classes: ['a', 'b', 'c', 'd'] });
    const model = new Sequential(new Linear(2, 900), new ReLU(), new Linear(900, 900), new ReLU(), new Linear(900, 4));
    const report: Report = { begin() {}, step: () => steps.push(ticks), epoch() {}, end() {} };
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const begun = performance.now();
    await fit(model, data, { epochs: 1, optimizer, report, validation: data });
    clearInterval(timer);
    const seconds = (performance.now() - begun) / 1000;
    console.log(
      `longest delay of a 1 ms timer: ${longest.toFixed(1)} ms in a run of ${seconds.toFixed(2)} s, ${steps.length} steps`,
    );
    expect(steps.length).toBe(10);
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeGreaterThan(steps[i - 1] ?? 0);
    expect(longest).toBeLessThan((seconds * 1000) / 2);
  });

  test('refuses what makes no sense', async () => {
    await expect(run({ epochs: 1.5 })).rejects.toThrow(
      'fit: expected epochs to be an integer of 0 or more, but got 1.5',
    );
    const model = network();
    const empty = {
      ...quadrants(2, 1),
      length: 0,
      inputShape: [2],
      classes: undefined,
      batch: () => quadrants(2, 1).batch([]),
    };
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    await expect(fit(model, empty, { epochs: 1, optimizer, report: false })).rejects.toThrow(FoveaError);
  });
});

describe('when numbers go wrong', () => {
  test('a loss of NaN stops, naming the step and the last good checkpoint, which stays good', async () => {
    const file = path('diverged');
    const loss = vi.fn((outputs: Tensor, targets: Tensor) => {
      const mean = outputs.square().mean();
      return loss.mock.calls.length === 20 ? mean.mul(Number.NaN) : mean.add(targets.size * 0);
    });
    await expect(run({ loss, checkpoint: { file, every: 5 } })).rejects.toThrow(
      `fit: expected finite numbers, but got a loss of NaN in epoch 2, step 7, first seen in the loss; ` +
        `the last good checkpoint is ${file} (epoch 2, step 5)`,
    );
    for (const { data } of Object.values(loadCheckpoint(file).weights)) expect(data.every(Number.isFinite)).toBe(true);
  });

  test('weights that are no longer finite never replace a good checkpoint', async () => {
    const file = path('infinite');
    const { model } = await run({ epochs: 1, checkpoint: { file } });
    const good = readFileSync(file);
    const spoil: Callback = { name: 'spoil', epoch: () => void model.parameters()[0]?.floats.fill(Infinity, 3, 4) };
    const running = run({ epochs: 2, checkpoint: { file }, resume: file, callbacks: [spoil] }, { model });
    await expect(running).rejects.toThrow(
      /but got Infinity .* first seen in 0\.weight; the last good checkpoint is .*infinite/,
    );
    expect(readFileSync(file).equals(good)).toBe(true);
  });

  test('without a checkpoint the message says so', async () => {
    const loss = (outputs: Tensor) => outputs.sum().mul(Infinity);
    await expect(run({ loss })).rejects.toThrow(
      /a loss of -?(Infinity|NaN) in epoch 1, step 1, first seen in the loss; no checkpoint was kept/,
    );
  });
});

describe('aborting and resuming', () => {
  const options = { validation: quadrants(60, 2), metrics: [topK(2), new ConfusionMatrix(4)] };

  test.each([1, 12, 13, 14, 20, 39])('after step %i of 39: the end is the same, file included', async (steps) => {
    const [whole, cut] = [path('whole'), path('cut')];
    const reference = await run({ ...options, checkpoint: { file: whole } });
    const { signal, report } = abortAfter(steps);
    await expect(run({ ...options, checkpoint: { file: cut }, signal, report })).rejects.toThrow('enough');
    expect(loadCheckpoint(cut).training).toMatchObject(
      steps % 13 === 0 ? { step: 13, epoch: steps / 13 - 1 } : { step: steps % 13, epoch: Math.floor(steps / 13) },
    );
    const { model, history } = await run(
      { ...options, checkpoint: { file: cut }, resume: cut },
      { model: network(77) },
    );
    expect(weights(model)).toEqual(weights(reference.model));
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
    const bare = (rows: typeof history) => rows.map(({ seconds: _, perSecond: __, ...row }) => row);
    expect(bare(history)).toEqual(bare(reference.history));
  });

  test('during validation, too', async () => {
    const [whole, cut] = [path('whole2'), path('cut2')];
    await run({ ...options, checkpoint: { file: whole } });
    const controller = new AbortController();
    const validation = quadrants(60, 2);
    const batch = validation.batch.bind(validation);
    validation.batch = (indices) => {
      controller.abort(new Error('enough'));
      return batch(indices);
    };
    const stopped = run({ ...options, validation, checkpoint: { file: cut }, signal: controller.signal });
    await expect(stopped).rejects.toThrow('enough');
    await run({ ...options, checkpoint: { file: cut }, resume: cut });
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
  });

  test('an aborted signal ends before the first step, and nothing is written', async () => {
    const file = path('never');
    await expect(run({ checkpoint: { file }, signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
    expect(() => loadCheckpoint(file)).toThrow('no such file');
  });

  test('an unwritable checkpoint is found before the first step', async () => {
    const step = vi.fn();
    const report = { begin() {}, step, epoch() {}, end() {} };
    await expect(run({ checkpoint: { file: path('no/such/file') }, report })).rejects.toThrow(DataError);
    expect(step).not.toHaveBeenCalled();
  });

  test('what does not fit is refused: no state, another optimizer, another network, a schedule more', async () => {
    const file = path('fits');
    await run({ epochs: 1, checkpoint: { file } });
    const { weights: state, optimizer } = loadCheckpoint(file);
    await expect(run({ resume: { weights: state, optimizer } })).rejects.toThrow(
      'expected the checkpoint to hold the state of a training run',
    );
    const model = network();
    const sgd = new SGD(model.parameters(), { lr: 1 });
    await expect(run({ resume: file, optimizer: sgd }, { model })).rejects.toThrow('expected the state of SGD');
    const small = new Sequential(new Linear(2, 4));
    await expect(run({ resume: file }, { model: small })).rejects.toThrow('loadStateDict');
    const adam = new Adam(model.parameters());
    const schedule = new StepLR(adam, { stepSize: 1 });
    await expect(fit(model, quadrants(9, 1), { epochs: 1, optimizer: adam, schedule, resume: file })).rejects.toThrow(
      /expected .* to hold the state of StepLR, but got that of none/,
    );
  });
});

describe('evaluate and predict', () => {
  test('restore the mode of every module', async () => {
    const model = network();
    const [first, , , dropout] = [...model.namedChildren().values()];
    model.train();
    if (first) first.training = false;
    await evaluate(model, quadrants(20, 1));
    await predict(model, randn([5, 2]));
    expect([first?.training, dropout?.training, model.training]).toEqual([false, true, true]);
  });

  test('predict gives the outputs in order, whatever the batches', async () => {
    const model = network();
    const data = quadrants(23, 3);
    const { inputs } = data.batch(Array.from({ length: 23 }, (_, i) => i));
    const whole = await predict(model, inputs);
    const parts = await predict(model, data, { batchSize: 5 });
    model.eval();
    expect(whole.shape).toEqual([23, 4]);
    expect(whole.data).toEqual(model.forward(inputs).data);
    expect(parts.shape).toEqual([23, 4]);
    for (const [i, value] of parts.data.entries()) expect(value).toBeCloseTo(whole.data[i] ?? Number.NaN, 5);
    await expect(predict(model, randn([0, 2]))).rejects.toThrow('predict: expected at least one sample');
  });

  test('predict gives what an objective says of each batch of any kind, in order, and carries its state', async () => {
    const model = network();
    const batches = new StreamLoader(
      Int32Array.from({ length: 14 }, (_, i) => i),
      { rows: 1, steps: 4 },
    );
    const modes: boolean[] = [];
    const sums = await predict(model, batches, {
      objective: ({ inputs }: StreamBatch, carried) => {
        modes.push(model.training);
        const sum = inputs
          .toFloat()
          .sum()
          .add(carried?.sum ?? 0);
        return { outputs: sum.item(), carry: { sum } };
      },
    });
    expect(sums).toEqual([6, 28, 66, 78]); // 0 + 1 + 2 + 3, …, 12 more
    expect(modes).toEqual([false, false, false, false]);
    const rows = await predict(model, quadrants(23, 3), {
      batchSize: 10,
      objective: ({ inputs }) => ({ outputs: [...inputs.floats] }),
    });
    expect(rows.map(({ length }) => length)).toEqual([20, 20, 6]);
    expect(await predict(model, new DataLoader(quadrants(23, 3)), { objective: () => ({ outputs: 1 }) })).toHaveLength(
      1,
    );
  });

  test('predict lets timers fire between batches', async () => {
    let fired = 0;
    const timer = setInterval(() => fired++, 0);
    const objective = ({ inputs }: Batch) => {
      for (const until = performance.now() + 3; performance.now() < until; );
      return { outputs: inputs.size };
    };
    await predict(network(), quadrants(40, 3), { batchSize: 2, objective });
    clearInterval(timer);
    expect(fired).toBeGreaterThan(5);
  });

  test('predict refuses an objective without outputs, one for a bare tensor, and batches it cannot read', async () => {
    const model = network();
    await expect(predict(model, quadrants(3, 1), { objective: () => ({}) })).rejects.toThrow(
      'predict: expected an objective that gives outputs, but got none for batch 0',
    );
    const bare: never = randn([3, 2]) as never;
    await expect(predict(model, bare, { objective: () => ({ outputs: 1 }) })).rejects.toThrow(
      'predict: expected batches for the objective, but got float32 [3, 2]',
    );
    const words: never = new DataLoader({ length: 2, batch: () => ({ words: 1 }) }) as never;
    await expect(predict(model, words)).rejects.toThrow(
      'expected batches { inputs } of a tensor, because no objective says what others mean',
    );
  });

  test('can be aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(evaluate(network(), quadrants(20, 1), { signal })).rejects.toThrow('enough');
    await expect(predict(network(), randn([5, 2]), { signal })).rejects.toThrow('enough');
  });
});
