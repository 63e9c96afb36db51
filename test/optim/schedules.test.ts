// Schedules: PyTorch's rates step by step, saving and loading, recipes, refusals.
import { describe, expect, it } from 'vitest';
import {
  Adam,
  CosineAnnealingLR,
  createOptimizer,
  createSchedule,
  LinearWarmup,
  OneCycleLR,
  type OptimizerSpec,
  ReduceLROnPlateau,
  type Schedule,
  SGD,
  StepLR,
} from '../../lib/optim/index.ts';
import { zeros } from '../../lib/tensor/index.ts';
import { load } from '../nn/fixtures/kept.ts';

const param = () => zeros([1], { requiresGrad: true });
const twoGroups = () => new SGD([{ params: [param()] }, { params: [param()], lr: 0.1 }], { lr: 0.5, momentum: 0.9 });

const makers: Record<string, (optimizer: SGD) => Schedule> = {
  StepLR: (optimizer) => new StepLR(optimizer, { stepSize: 3, gamma: 0.5 }),
  CosineAnnealingLR: (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 8, etaMin: 0.01 }),
  LinearWarmup: (optimizer) => new LinearWarmup(optimizer, { steps: 4, startFactor: 0.2 }),
  'LinearWarmup, then StepLR': (optimizer) =>
    new LinearWarmup(optimizer, {
      steps: 4,
      startFactor: 0.2,
      after: new StepLR(optimizer, { stepSize: 3, gamma: 0.5 }),
    }),
  OneCycleLR: (optimizer) => new OneCycleLR(optimizer, { maxLr: 0.6, totalSteps: 18 }),
  'OneCycleLR linear in three phases': (optimizer) =>
    new OneCycleLR(optimizer, {
      maxLr: 0.6,
      totalSteps: 18,
      pctStart: 0.4,
      annealStrategy: 'linear',
      threePhase: true,
      divFactor: 10,
      finalDivFactor: 100,
    }),
  ReduceLROnPlateau: (optimizer) =>
    new ReduceLROnPlateau(optimizer, { patience: 2, factor: 0.5, cooldown: 1, threshold: 0.01 }),
  'ReduceLROnPlateau max absolute': (optimizer) =>
    new ReduceLROnPlateau(optimizer, {
      mode: 'max',
      patience: 1,
      factor: 0.3,
      threshold: 0.02,
      thresholdMode: 'abs',
      minLr: 0.02,
    }),
};

interface Kept {
  readonly rates: [number, number][];
  readonly momenta: number[];
}

const { metrics, ...kept } = load<{ metrics: number[] } & Record<string, Kept>>('schedules');
const rates = (optimizer: SGD) => optimizer.paramGroups.map(({ lr }) => lr);

describe('seventeen steps have the rates of PyTorch, to 1e-8', () => {
  it('for every schedule that PyTorch answered for', () => {
    expect(Object.keys(makers)).toEqual(Object.keys(kept));
  });

  it.each(Object.keys(makers))('%s', (name) => {
    const optimizer = twoGroups();
    const schedule = makers[name]!(optimizer);
    for (const [i, expected] of kept[name]!.rates.entries()) {
      if (i > 0) schedule.step(metrics[i - 1]);
      for (const [group, rate] of rates(optimizer).entries()) {
        expect(Math.abs(rate - expected[group]!), `group ${group} after ${i} steps`).toBeLessThan(1e-8);
      }
      const momentum = optimizer.paramGroups[0]!.momentum;
      expect(Math.abs(momentum - kept[name]!.momenta[i]!), `momentum after ${i} steps`).toBeLessThan(1e-8);
    }
  });
});

describe('a schedule saved and loaded', () => {
  it.each(Object.keys(makers))('goes on with the same rates: %s', (name) => {
    for (const moment of [0, 3, 4, 7, 12]) {
      const [a, b] = [twoGroups(), twoGroups()];
      const straight = makers[name]!(a);
      for (let i = 0; i < moment; i++) straight.step(metrics[i]);
      const resumed = makers[name]!(b);
      b.loadStateDict(JSON.parse(JSON.stringify(a.stateDict())));
      resumed.loadStateDict(JSON.parse(JSON.stringify(straight.stateDict())));
      expect(rates(b)).toEqual(rates(a));
      for (let i = moment; i < 17; i++) {
        straight.step(metrics[i]);
        resumed.step(metrics[i]);
        expect(rates(b), `step ${i} after loading at ${moment}`).toEqual(rates(a));
      }
    }
  });

  it('refuses the state of another', () => {
    const optimizer = twoGroups();
    const step = new StepLR(optimizer, { stepSize: 1 });
    const cosine = new CosineAnnealingLR(optimizer, { tMax: 3 });
    expect(() => cosine.loadStateDict(step.stateDict())).toThrow(
      'loadStateDict: expected the state of CosineAnnealingLR, but got that of StepLR',
    );
    const warm = new LinearWarmup(optimizer, { steps: 2, after: step });
    expect(() => new LinearWarmup(optimizer, { steps: 2 }).loadStateDict(warm.stateDict())).toThrow(
      'loadStateDict: expected nothing after the warm-up, but got StepLR',
    );
  });
});

describe('OneCycleLR', () => {
  it('moves betas[0] of Adam and needs something to move', () => {
    const adam = new Adam([param()]);
    new OneCycleLR(adam, { maxLr: 1, totalSteps: 10 }).step();
    expect(adam.paramGroups[0]!.betas[0]).toBeLessThan(0.95);
    expect(adam.paramGroups[0]!.betas[1]).toBe(0.999);
    expect(() => new OneCycleLR(new SGD([param()], { lr: 1 }), { maxLr: 1, totalSteps: 10 })).toThrow(
      'OneCycleLR: expected an optimizer with momentum or betas, because cycleMomentum is on, but got SGD',
    );
  });

  it('keeps its end after the last step and refuses one more', () => {
    const optimizer = twoGroups();
    const schedule = new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 4 });
    for (let i = 0; i < 4; i++) schedule.step();
    expect(rates(optimizer)[0]).toBeCloseTo(1 / 25 / 1e4, 12);
    expect(() => schedule.step()).toThrow(
      'OneCycleLR: expected at most 4 steps, because totalSteps is so, but got one more',
    );
  });
});

describe('ReduceLROnPlateau', () => {
  it('wants a metric, and takes NaN for no improvement', () => {
    const optimizer = twoGroups();
    const schedule = new ReduceLROnPlateau(optimizer, { patience: 0 });
    expect(() => schedule.step()).toThrow('ReduceLROnPlateau: expected step(metric), but got step() without one');
    schedule.step(1);
    schedule.step(NaN);
    expect(rates(optimizer)[0]).toBeCloseTo(0.05, 12);
  });
});

describe('schedules refuse', () => {
  const refusals: [string, () => Schedule, string][] = [
    [
      'a step size of 0',
      () => new StepLR(twoGroups(), { stepSize: 0 }),
      'StepLR: expected stepSize to be a finite number of at least 1, but got 0',
    ],
    ['a NaN length', () => new CosineAnnealingLR(twoGroups(), { tMax: NaN }), 'tMax'],
    ['a negative floor', () => new CosineAnnealingLR(twoGroups(), { tMax: 1, etaMin: -1 }), 'etaMin'],
    [
      'a warm-up from above',
      () => new LinearWarmup(twoGroups(), { steps: 2, startFactor: 2 }),
      'LinearWarmup: expected startFactor',
    ],
    ['a share above 1', () => new OneCycleLR(twoGroups(), { maxLr: 1, totalSteps: 3, pctStart: 1.5 }), 'pctStart'],
    ['a factor of 1', () => new ReduceLROnPlateau(twoGroups(), { factor: 1 }), 'factor'],
  ];
  it.each(refusals)('%s', (_, make, message) => expect(make).toThrow(message));
});

describe('recipes', () => {
  it.each([
    [{ name: 'sgd', lr: 0.1, momentum: 0.9 }, 'SGD'],
    [{ name: 'adam' }, 'Adam'],
    [{ name: 'adamw', weightDecay: 0.1 }, 'AdamW'],
    [{ name: 'rmsprop', lr: 0.1 }, 'RMSprop'],
    [{ name: 'adagrad' }, 'Adagrad'],
  ] satisfies [OptimizerSpec, string][])('make the optimizer %o', (spec, kind) => {
    const { name, ...options } = spec;
    const optimizer = createOptimizer([param()], spec);
    expect(optimizer.kind).toBe(kind);
    expect(optimizer.paramGroups[0]).toMatchObject(options);
    expect(optimizer.paramGroups[0]).not.toHaveProperty('name');
  });

  it('make schedules that fit the length of the training', () => {
    const length = { epochs: 3, batches: 10 };
    const optimizer = twoGroups();
    expect(createSchedule(optimizer, { name: 'constant' }, length)).toBe(undefined);
    const step = createSchedule(optimizer, { name: 'step', stepSize: 2, gamma: 0.5 }, length)!;
    expect(step.every).toBe('epoch');
    const oneCycle = createSchedule(twoGroups(), { name: 'oneCycle', maxLr: 1 }, length);
    expect(oneCycle).toMatchObject({ every: 'batch', totalSteps: 30 });
    expect(createSchedule(twoGroups(), { name: 'plateau', patience: 3 }, length)?.kind).toBe('ReduceLROnPlateau');
  });

  it('make a cosine that ends at its floor with the training, after a warm-up', () => {
    const optimizer = twoGroups();
    const schedule = createSchedule(
      optimizer,
      { name: 'cosine', warmup: 0.5, etaMin: 0.01 },
      { epochs: 3, batches: 10 },
    )!;
    const seen = [rates(optimizer)[0]!];
    for (let i = 0; i < 30; i++) {
      schedule.step();
      seen.push(rates(optimizer)[0]!);
    }
    expect(seen[0]).toBeCloseTo(0.5 / 3, 12);
    expect(seen[5]).toBe(0.5);
    expect(seen[30]).toBeCloseTo(0.01, 12);
    expect(Math.max(...seen)).toBe(0.5);
  });

  it('list the known names for an unknown one', () => {
    expect(() => createOptimizer([param()], JSON.parse('{ "name": "lion" }'))).toThrow(
      'createOptimizer: expected one of sgd, adam, adamw, rmsprop, adagrad, but got lion',
    );
    expect(() => createSchedule(twoGroups(), JSON.parse('{ "name": "magic" }'), { epochs: 1, batches: 1 })).toThrow(
      'createSchedule: expected one of constant, step, cosine, oneCycle, plateau, but got magic',
    );
  });
});
