// Training on batches of any kind: what an objective says, state carried from window to window, and where numbers go wrong.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DataLoader, type Samples, type StreamBatch, StreamLoader } from '../../lib/data/index.ts';
import { loadCheckpoint } from '../../lib/io/index.ts';
import { Embedding, Linear, LSTM, Module, Sequential } from '../../lib/nn/index.ts';
import { Adam, SGD } from '../../lib/optim/index.ts';
import { crossEntropy, customOp, fromArray, Generator, randn, type Tensor } from '../../lib/tensor/index.ts';
import {
  type Carried,
  DivergenceError,
  evaluate,
  fit,
  type Metric,
  type Objective,
  type Report,
} from '../../lib/training/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-objective-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

/** Sentences of numbers to be summed, some of them empty: a batch is no pair of tensors. */
interface Sums {
  readonly rows: readonly (readonly number[])[];
}

const rows = Array.from({ length: 30 }, (_, i) => Array.from({ length: i % 5 }, (_, j) => (i + j) / 10));
const sums: Samples<Sums> = {
  length: rows.length,
  batch: (indices) => ({ rows: Array.from(indices, (i) => rows[i] ?? []) }),
};

/** Predicts the double of each number; counts numbers, not rows. */
function doubling(model: Linear): Objective<Sums, readonly number[], readonly number[]> {
  return ({ rows }) => {
    const numbers = rows.flat();
    const outputs = model.forward(fromArray(Float32Array.from(numbers), [numbers.length, 1])).reshape(-1);
    const loss = outputs
      .sub(fromArray(Float32Array.from(numbers, (x) => 2 * x)))
      .square()
      .mean();
    return { loss, count: numbers.length, outputs: [...outputs.data], targets: numbers.map((x) => 2 * x) };
  };
}

/** The largest error; takes plain numbers. */
function largestError(): Metric<readonly number[], readonly number[]> {
  let value = Number.NaN;
  return {
    name: 'worst',
    reset: () => {
      value = Number.NaN;
    },
    update: (outputs, targets) => {
      for (const [i, y] of outputs.entries()) value = Math.max(value || 0, Math.abs(y - (targets[i] ?? 0)));
    },
    get value() {
      return value;
    },
    state: () => value,
    setState: (state) => {
      value = Number(state);
    },
  };
}

describe('an objective', () => {
  test('says what batches of any kind mean; its count weighs the mean of an epoch', async () => {
    const model = new Linear(1, 1, { generator: new Generator(1) });
    const objective = doubling(model);
    const whole = objective({ rows });
    const weighted = await evaluate(model, sums, { objective, metrics: [largestError()], batchSize: 7 });
    expect(weighted.samples).toBe(60);
    expect(weighted.loss).toBeCloseTo(whole.loss.item(), 6);
    expect(weighted.worst).toBeGreaterThan(0);
    const optimizer = new SGD(model.parameters(), { lr: 0.05 });
    const loader = new DataLoader(sums, { batchSize: 6, shuffle: true });
    const { history } = await fit(model, loader, {
      epochs: 60,
      optimizer,
      objective,
      metrics: [largestError()],
      validation: sums,
      report: false,
    });
    expect(history[0]).toMatchObject({ worst: expect.any(Number), validationWorst: expect.any(Number) });
    expect(history.at(-1)?.validationLoss).toBeLessThan(1e-3);
    expect(model.weight.item()).toBeCloseTo(2, 1);
  });

  test('batches that count nothing are passed over, their NaN too; nothing but such is an error', async () => {
    const empty: Samples<Sums> = { length: 2, batch: () => ({ rows: [[]] }) };
    const model = new Linear(1, 1, { generator: new Generator(1) });
    const objective = doubling(model);
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const before = model.weight.item();
    await expect(fit(model, empty, { epochs: 1, optimizer, objective, report: false, batchSize: 1 })).rejects.toThrow(
      'fit: expected something to learn from, but every batch counts 0',
    );
    expect(model.weight.item()).toBe(before);
    await expect(evaluate(model, empty, { objective })).rejects.toThrow(
      'evaluate: expected something to measure, but every batch counts 0',
    );
    const mixed = new DataLoader(sums, { batchSize: 1 }); // every fifth row is empty
    const { history } = await fit(model, mixed, { epochs: 1, optimizer, objective, report: false });
    expect(history[0]?.loss).toBeGreaterThan(0);
    const wrong: Objective<Sums> = (batch) => ({
      ...objective(batch),
      count: Number.NaN,
      outputs: undefined,
      targets: undefined,
    });
    await expect(evaluate(model, sums, { objective: wrong })).rejects.toThrow('a count of 0 or more, but got NaN');
  });

  test('metrics see only batches with outputs; a metric that has seen nothing is left out of the row', async () => {
    const model = new Linear(1, 1, { generator: new Generator(1) });
    const objective: Objective<Sums, readonly number[], readonly number[]> = (batch) => {
      const { loss, count, outputs, targets } = doubling(model)(batch);
      return model.training ? { loss, count } : { loss, count, outputs, targets };
    };
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const metrics = [largestError()];
    const { history } = await fit(model, sums, {
      epochs: 1,
      optimizer,
      objective,
      metrics,
      validation: sums,
      report: false,
    });
    expect(history[0]).not.toHaveProperty('worst');
    expect(history[0]?.validationWorst).toBeGreaterThan(0);
  });

  test('without one, batches that are no pairs of tensors are refused', async () => {
    const model = new Linear(1, 1);
    const pairless: Samples<never> = { length: 1, batch: () => ({ rows: [] }) as never };
    await expect(evaluate(model, pairless)).rejects.toThrow('expected batches { inputs, targets } of two tensors');
  });
});

/** A language model of few letters, whose dropout and carried state a resumed run must find again. */
class Letters extends Module {
  readonly embedding: Embedding;
  readonly lstm: LSTM;
  readonly output: Linear;

  constructor(generator = new Generator(4)) {
    super();
    this.embedding = new Embedding(5, 6, { generator });
    this.lstm = new LSTM(6, 8, { numLayers: 2, dropout: 0.2, generator });
    this.output = new Linear(8, 5, { generator });
  }

  override forward(x: Tensor): Tensor {
    return this.unroll(x).scores;
  }

  unroll(x: Tensor, state: Carried = {}) {
    const { output, state: carry } = this.lstm.unroll(this.embedding.forward(x), { state });
    return { scores: this.output.forward(output.reshape(-1, 8)), carry };
  }
}

const text = Int32Array.from({ length: 400 }, (_, i) => (i * i + (i % 7)) % 5);
const stream = () => new StreamLoader(text, { rows: 4, steps: 10, seed: 2 });
const seen: (Carried | undefined)[] = [];
const reading =
  (model: Letters): Objective<StreamBatch> =>
  ({ inputs, targets }, carried) => {
    seen.push(carried);
    const { scores, carry } = model.unroll(inputs, carried);
    const flat = targets.reshape(-1);
    return {
      loss: crossEntropy(scores, flat),
      count: targets.size,
      outputs: scores,
      targets: flat,
      carry: { ...carry },
    };
  };

function train(file: string, options: { signal?: AbortSignal; report?: Report; resume?: string } = {}) {
  const model = new Letters();
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  return fit(model, stream(), {
    epochs: 2,
    optimizer,
    objective: reading(model),
    validation: stream(),
    clipNorm: 1,
    seed: 5,
    checkpoint: { file },
    report: false,
    ...options,
  });
}

describe('a carried state', () => {
  test('begins anew with each epoch, goes on from window to window, and has no history', async () => {
    seen.length = 0;
    await train(path('carried'));
    const windows = stream().length;
    expect(windows).toBe(10);
    expect(seen.map((carried) => carried === undefined)).toEqual(
      Array.from({ length: 4 * windows }, (_, i) => i % windows === 0), // training and validation, twice
    );
    for (const carried of seen) {
      expect([carried?.h?.requiresGrad ?? false, carried?.h?.shape ?? [2, 4, 8]]).toEqual([false, [2, 4, 8]]);
    }
    expect(loadCheckpoint(path('carried')).carried).toBeUndefined();
  });

  test('makes a window mean what it means in the whole text', async () => {
    const model = new Letters();
    const windowed = await evaluate(model, new StreamLoader(text, { rows: 1, steps: 7 }), {
      objective: reading(model),
    });
    const whole = await evaluate(model, new StreamLoader(text, { rows: 1, steps: 399 }), { objective: reading(model) });
    expect(windowed.samples).toBe(399);
    expect(windowed.loss).toBeCloseTo(whole.loss, 5);
    const forgetful: Objective<StreamBatch> = (batch) => reading(model)(batch);
    const lost = await evaluate(model, new StreamLoader(text, { rows: 1, steps: 7 }), { objective: forgetful });
    expect(Math.abs(lost.loss - whole.loss)).toBeGreaterThan(1e-4);
  });

  test.each([1, 4, 10, 13])('is in the checkpoint: a run stopped after step %i ends the same', async (steps) => {
    const [whole, cut] = [path('whole'), path('cut')];
    await train(whole);
    const controller = new AbortController();
    let count = 0;
    const step = () => {
      if (++count === steps) controller.abort(new Error('enough'));
    };
    const report = { begin() {}, step, epoch() {}, end() {} };
    await expect(train(cut, { signal: controller.signal, report })).rejects.toThrow('enough');
    expect(Object.keys(loadCheckpoint(cut).carried ?? {})).toEqual(['c', 'h']);
    await train(cut, { resume: cut });
    expect(readFileSync(cut).equals(readFileSync(whole))).toBe(true);
  });
});

/** As it is forward; backward the gradient becomes NaN. */
const spoilGradient = customOp({
  name: 'spoil',
  forward: (_context, x: Tensor) => x.clone(),
  backward: (_context, gradY) => [gradY.mul(Number.NaN)],
});

describe('when numbers stop being finite', () => {
  class Net extends Module {
    readonly first = new Linear(3, 4, { generator: new Generator(1) });
    readonly rest = new Sequential(new Linear(4, 4, { generator: new Generator(2) }), new Linear(4, 2));
    spoil: 'nothing' | 'values' | 'gradient' = 'nothing';

    override forward(x: Tensor): Tensor {
      const y = this.first.forward(x);
      return this.rest.forward(this.spoil === 'gradient' ? spoilGradient(y) : y);
    }
  }

  /** A run whose third step goes wrong. */
  async function failure(spoil: (model: Net) => void, x = randn([12, 3], { seed: 1 }), clipNorm?: number) {
    const model = new Net();
    const file = path('good');
    const samples: Samples<Tensor> = { length: 12, batch: (indices) => x.indexSelect(0, Int32Array.from(indices)) };
    let steps = 0;
    let before: number[][] = [];
    const objective: Objective<Tensor> = (batch) => {
      if (model.training && ++steps === 3) {
        spoil(model);
        before = model.parameters().map(({ data }) => [...data]);
      }
      const outputs = model.forward(batch);
      return { loss: outputs.square().mean(), count: batch.shape[0] ?? 0 };
    };
    const error: unknown = await fit(model, new DataLoader(samples, { batchSize: 4 }), {
      epochs: 2,
      optimizer: new Adam(model.parameters()),
      objective,
      clipNorm,
      checkpoint: { file, every: 1 },
      report: false,
    }).catch((reason: unknown) => reason);
    if (!(error instanceof DivergenceError)) throw new Error(`expected a DivergenceError, but got ${error}`);
    expect(error).toMatchObject({ epoch: 1, step: 3, checkpoint: `${file} (epoch 1, step 2)` });
    expect(error.message).toContain(
      `in epoch 1, step 3, first seen in ${error.layer}; the last good checkpoint is ${file}`,
    );
    expect(model.parameters().map(({ data }) => [...data])).toEqual(before);
    expect(loadCheckpoint(file).training).toMatchObject({ epoch: 0, step: 2 });
    expect(Object.keys(model.rest.namedChildren().get('0') ?? {})).not.toContain('forward');
    return error;
  }

  test.each([undefined, 1])(
    'a gradient: the parameter nearest to the loss is named (clipNorm %s)',
    async (clipNorm) => {
      const error = await failure(
        (model) => {
          model.spoil = 'gradient';
        },
        undefined,
        clipNorm,
      );
      expect(error.layer).toBe('gradient of first.bias');
    },
  );

  test('a value: the first module that gives it', async () => {
    const overflow = await failure((model) => model.rest.parameters()[0]?.floats.fill(3e38));
    expect(overflow.layer).toBe('output of rest.0 (Linear)');
    expect(overflow.message).toMatch(/but got a loss of (-?Infinity|NaN) /);
  });

  test('a weight, or what the data holds', async () => {
    const weight = await failure((model) => model.rest.parameters()[2]?.floats.fill(Number.NaN, 0, 1));
    expect(weight.layer).toBe('rest.1.weight');
    const x = randn([12, 3], { seed: 1 });
    x.floats[35] = Infinity;
    expect((await failure(() => {}, x)).layer).toBe('input of the model (Net)');
  });

  test('finite gradients whose squares overflow are let pass, but not clipped', async () => {
    const run = (clipNorm?: number) => {
      const model = new Linear(1, 1, { bias: false, generator: new Generator(1) });
      const objective: Objective<Tensor> = (batch) => ({ loss: model.forward(batch).mean(), count: 1 });
      const samples: Samples<Tensor> = { length: 1, batch: () => fromArray(Float32Array.of(1e30), [1, 1]) };
      const optimizer = new SGD(model.parameters(), { lr: 1e-32 });
      return fit(model, samples, { epochs: 1, optimizer, objective, clipNorm, report: false });
    };
    await expect(run()).resolves.toMatchObject({ stopped: undefined });
    await expect(run(1)).rejects.toThrow(
      'gradients of length Infinity in epoch 1, step 1, first seen in all gradients',
    );
  });
});
