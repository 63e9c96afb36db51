// Training, measuring and predicting by programs: the same numbers, whatever the network, and only where that is sure.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DataLoader, type Dataset, type Samples } from '../../lib/data/index.ts';
import * as nn from '../../lib/nn/index.ts';
import { Adam, RMSprop, SGD } from '../../lib/optim/index.ts';
import { crossEntropy, Generator, randn, type Tensor, tensor } from '../../lib/tensor/index.ts';
import { evaluate, type FitOptions, fit, predict } from '../../lib/training/index.ts';

const seeded = (seed: number) => ({ generator: new Generator(seed) });

/** 46 samples: with batches of 8 the last has 6. */
const images = randn([46, 1, 8, 8], { seed: 1 });
const labels = Int32Array.from({ length: 46 }, (_, i) => (i * 7) % 3);
const dataset = {
  length: 46,
  batch: (indices: readonly number[]) => ({
    inputs: images.indexSelect(0, Int32Array.from(indices)),
    targets: tensor(Int32Array.from(indices, (i) => labels[i]!)),
  }),
} as unknown as Dataset;

const network = () =>
  new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1, ...seeded(1) }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Dropout(0.25, seeded(2)),
    new nn.Flatten(),
    new nn.Linear(64, 16, seeded(3)),
    new nn.Tanh(),
    new nn.Linear(16, 3, seeded(4)),
  );

const optimizers = {
  SGD: (model: nn.Module) => new SGD(model.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true, l1: 1e-4 }),
  Adam: (model: nn.Module) => new Adam(model.parameters(), { lr: 0.01, weightDecay: 0.01 }),
  RMSprop: (model: nn.Module) => new RMSprop(model.parameters(), { lr: 0.01, momentum: 0.5, centered: true }),
};

async function trained(
  programs: boolean | undefined,
  {
    model = network(),
    optimizer = optimizers.SGD(model),
    ...options
  }: Partial<FitOptions> & { model?: nn.Module } = {},
) {
  const { history } = await fit(model, new DataLoader(dataset, { batchSize: 8, shuffle: true, seed: 3 }), {
    epochs: 4,
    optimizer,
    seed: 5,
    report: false,
    validation: dataset,
    ...options,
    ...(programs !== undefined && { programs }),
  });
  const rows = history.map(({ seconds: _, perSecond: _rate, ...row }) => row);
  const weights = Object.entries(model.stateDict()).map(([name, value]) => [name, value.toArray()]);
  return { rows, weights };
}

afterEach(() => vi.unstubAllEnvs());

describe('fit by programs', () => {
  test.each(Object.keys(optimizers) as (keyof typeof optimizers)[])('with %s ends with the same bits', async (name) => {
    const run = (programs: boolean) => {
      const model = network();
      return trained(programs, { model, optimizer: optimizers[name](model), clipNorm: 1 });
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('follows learning rates, frozen weights, settings and layers that change on the way', async () => {
    const run = (programs: boolean) => {
      const model = network();
      const optimizer = optimizers.SGD(model);
      const change = {
        name: 'change',
        epoch({ epoch }: { epoch: number }) {
          if (epoch === 1) optimizer.paramGroups[0]!.lr = 0.01;
          if (epoch === 2) model.parameters()[0]!.requiresGrad = false;
          if (epoch === 3) Object.assign(model.namedModules().get('4')!, { p: 0.5 });
        },
      };
      return trained(programs, { model, optimizer, callbacks: [change] });
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('is the default for the layers of this library, and off by FOVEA_PROGRAMS', async () => {
    const forward = vi.spyOn(nn.Conv2d.prototype, 'forward');
    const calls = async (programs?: boolean) => {
      forward.mockClear();
      await trained(programs);
      return forward.mock.calls.length;
    };
    const eagerly = await calls(false);
    expect(eagerly).toBe(4 * (6 + 1));
    // Each form of batch once eagerly and once to be recorded: two of training, one of validation for every epoch.
    expect(await calls()).toBeLessThan(eagerly / 2);
    vi.stubEnv('FOVEA_PROGRAMS', 'off');
    expect(await calls(true)).toBe(eagerly);
    vi.stubEnv('FOVEA_PROGRAMS', 'perhaps');
    await expect(calls()).rejects.toThrow("FOVEA_PROGRAMS: expected on or off, but got 'perhaps'");
    forward.mockRestore();
  });

  test('is not the default for layers and losses of others, which may do something else in every step', async () => {
    class Own extends nn.Linear {
      calls = 0;
      override forward(x: Tensor): Tensor {
        this.calls++;
        return super.forward(x);
      }
    }
    const own = new Own(64, 3, seeded(1));
    await trained(undefined, { model: new nn.Sequential(new nn.Flatten(), own) });
    expect(own.calls).toBe(4 * 7);
    const loss = vi.fn((outputs: Tensor, targets: Tensor) => crossEntropy(outputs, targets));
    await trained(undefined, { loss });
    expect(loss).toHaveBeenCalledTimes(4 * 7);
  });

  test('goes on eagerly where a network looks at its numbers', async () => {
    class Looking extends nn.Linear {
      override forward(x: Tensor): Tensor {
        const y = super.forward(x);
        return y.mul(y.detach().abs().mean().item() > 0.5 ? 0.5 : 1);
      }
    }
    const run = (programs: boolean) =>
      trained(programs, {
        model: new nn.Sequential(new nn.Flatten(), new nn.Dropout(0.3, seeded(7)), new Looking(64, 3, seeded(1))),
      });
    expect(await run(true)).toEqual(await run(false));
  });

  test('a state that is carried from batch to batch', async () => {
    class Reader extends nn.Module {
      readonly lstm = new nn.LSTM(4, 6, seeded(1));
      readonly head = new nn.Linear(6, 3, seeded(2));
      override forward(x: Tensor): Tensor {
        return this.head.forward(this.lstm.forward(x));
      }
    }
    const x = randn([60, 5, 4], { seed: 2 });
    const samples: Samples<{ x: Tensor; y: Tensor }> = {
      length: 60,
      batch: (indices) => ({
        x: x.indexSelect(0, Int32Array.from(indices)).transpose(0, 1),
        y: tensor(Int32Array.from({ length: indices.length * 5 }, (_, i) => i % 3)),
      }),
    };
    const run = async (programs: boolean) => {
      const model = new Reader();
      const { history } = await fit(model, new DataLoader(samples, { batchSize: 10 }), {
        epochs: 3,
        optimizer: optimizers.Adam(model),
        report: false,
        programs,
        objective: ({ x, y }, carried = {}) => {
          const { output, state } = model.lstm.unroll(x, { state: { h: carried.h ?? null, c: carried.c ?? null } });
          const loss = crossEntropy(model.head.forward(output).reshape(-1, 3), y);
          return { loss, count: y.size, carry: { h: state.h, c: state.c } };
        },
      });
      return [history.map(({ loss }) => loss), model.head.weight.toArray()];
    };
    expect(await run(true)).toEqual(await run(false));
  });
});

describe('evaluate and predict by programs', () => {
  test('give the same numbers, but for the rounding of folded batch norms, whatever the batches', async () => {
    const model = network();
    for (const batchSize of [8, 46]) {
      const [recorded, eagerly] = [true, false].map((programs) => ({ batchSize, programs }));
      const measured = await evaluate(model, dataset, recorded!);
      const expected = await evaluate(model, dataset, eagerly!);
      expect(measured.loss).toBeCloseTo(expected.loss, 6);
      expect(measured.accuracy).toBe(expected.accuracy);
      const outputs = await predict(model, images, recorded!);
      const wanted = (await predict(model, images, eagerly!)).floats;
      for (const [i, value] of outputs.floats.entries()) expect(value).toBeCloseTo(wanted[i]!, 5);
    }
    expect(model.training).toBe(true);
  });
});
