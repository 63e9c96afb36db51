// Schedules: how the learning rate changes while training goes on.
import { fail } from '../tensor/errors.ts';
import type { Optimizer, ParamGroup } from './optimizer.ts';

/** Plain JSON; a schedule that wraps another holds its state too. */
export interface ScheduleState {
  readonly kind: string;
  /** Calls of `step` so far. */
  readonly steps: number;
  readonly values: Readonly<Record<string, number | null>>;
  readonly after?: ScheduleState;
}

/** When a training loop calls `step`: after every batch or after every epoch. */
export type Interval = 'batch' | 'epoch';

/** Any optimizer, seen by what schedules change. */
export type Scheduled = Pick<Optimizer, 'kind'> & {
  readonly paramGroups: readonly (ParamGroup & { momentum?: number; betas?: readonly [number, number] })[];
};

/** Sets the rates of the optimizer's groups when made and after each `step`. `initialLr` of a group is what it starts from. */
export abstract class Schedule {
  steps = 0;
  /** The unit its numbers are meant in. */
  abstract readonly every: Interval;

  constructor(protected readonly optimizer: Scheduled) {}

  /** Name in messages and saved states. */
  abstract get kind(): string;

  /** The rate of each group at this moment. */
  abstract rates(): number[];

  /** One batch or epoch is done; `metric` is for schedules that look at how training goes. */
  step(metric?: number): void {
    this.steps++;
    this.advance(metric);
    this.apply();
  }

  /** What changes with a step beyond `steps`. */
  protected advance(_metric?: number): void {}

  /** Writes the rates into the optimizer. */
  protected apply(): void {
    for (const [i, rate] of this.rates().entries()) {
      const group = this.optimizer.paramGroups[i];
      if (group) group.lr = rate;
    }
  }

  protected get initialRates(): number[] {
    return this.optimizer.paramGroups.map(({ initialLr }) => initialLr);
  }

  /** What else must be saved. */
  protected values(): Record<string, number | null> {
    return {};
  }

  protected setValues(_values: Readonly<Record<string, number | null>>): void {}

  stateDict(): ScheduleState {
    return { kind: this.kind, steps: this.steps, values: this.values() };
  }

  /** @throws FoveaError if the state is of another kind of schedule. */
  loadStateDict(state: ScheduleState): void {
    if (state.kind !== this.kind) {
      fail('loadStateDict', { expected: `the state of ${this.kind}`, got: `that of ${state.kind}` });
    }
    this.steps = checked(this.kind, 'steps', state.steps, 0);
    this.setValues(state.values ?? {});
    this.apply();
  }
}

/** initialLr gammaᵏ, k being the number of whole `stepSize` so far. */
export class StepLR extends Schedule {
  readonly stepSize: number;
  readonly gamma: number;
  readonly every: Interval;

  constructor(
    optimizer: Scheduled,
    { stepSize, gamma = 0.1, every = 'epoch' }: { stepSize: number; gamma?: number; every?: Interval },
  ) {
    super(optimizer);
    this.stepSize = checked(this.kind, 'stepSize', stepSize, 1);
    this.gamma = checked(this.kind, 'gamma', gamma, 0);
    this.every = every;
    this.apply();
  }

  get kind(): string {
    return 'StepLR';
  }

  rates(): number[] {
    const factor = this.gamma ** Math.floor(this.steps / this.stepSize);
    return this.initialRates.map((rate) => rate * factor);
  }
}

/** etaMin + (initialLr - etaMin) (1 + cos(π steps / tMax)) / 2 (Loshchilov & Hutter 2017, without restarts). */
export class CosineAnnealingLR extends Schedule {
  readonly tMax: number;
  readonly etaMin: number;
  readonly every: Interval;

  constructor(
    optimizer: Scheduled,
    { tMax, etaMin = 0, every = 'epoch' }: { tMax: number; etaMin?: number; every?: Interval },
  ) {
    super(optimizer);
    this.tMax = checked(this.kind, 'tMax', tMax, 1);
    this.etaMin = checked(this.kind, 'etaMin', etaMin, 0);
    this.every = every;
    this.apply();
  }

  get kind(): string {
    return 'CosineAnnealingLR';
  }

  rates(): number[] {
    const share = (1 + Math.cos((Math.PI * this.steps) / this.tMax)) / 2;
    return this.initialRates.map((rate) => this.etaMin + (rate - this.etaMin) * share);
  }
}

/**
 * The rate grows in a straight line from `startFactor` of itself to itself over the first `warmup` steps; from then on
 * `after`, if given, takes its steps.
 */
export class LinearWarmup extends Schedule {
  readonly warmup: number;
  readonly startFactor: number;
  readonly after: Schedule | undefined;
  readonly every: Interval;

  constructor(
    optimizer: Scheduled,
    {
      steps,
      startFactor = 1 / 3,
      after,
      every = after?.every ?? 'batch',
    }: { steps: number; startFactor?: number; after?: Schedule; every?: Interval },
  ) {
    super(optimizer);
    this.warmup = checked(this.kind, 'steps', steps, 1);
    this.startFactor = checked(this.kind, 'startFactor', startFactor, Number.MIN_VALUE, 1);
    this.after = after;
    this.every = every;
    this.apply();
  }

  get kind(): string {
    return 'LinearWarmup';
  }

  rates(): number[] {
    const done = Math.min(1, this.steps / this.warmup);
    const factor = this.startFactor + (1 - this.startFactor) * done;
    return (this.after?.rates() ?? this.initialRates).map((rate) => rate * factor);
  }

  protected override advance(metric?: number): void {
    if (this.steps > this.warmup) this.after?.step(metric);
  }

  override stateDict(): ScheduleState {
    return this.after ? { ...super.stateDict(), after: this.after.stateDict() } : super.stateDict();
  }

  override loadStateDict(state: ScheduleState): void {
    const [own, given] = [this.after?.kind ?? 'nothing', state.after?.kind ?? 'nothing'];
    if (own !== given) fail('loadStateDict', { expected: `${own} after the warm-up`, got: given });
    if (state.after) this.after?.loadStateDict(state.after);
    super.loadStateDict(state);
  }
}

/** The value, if it is a finite number of low..high. */
export function checked(schedule: string, name: string, value: number, low: number, high = Infinity): number {
  if (Number.isFinite(value) && value >= low && value <= high) return value;
  const range = high === Infinity ? `a finite number of at least ${low}` : `a number from ${low} to ${high}`;
  return fail(schedule, { expected: `${name} to be ${range}`, got: String(value) });
}
