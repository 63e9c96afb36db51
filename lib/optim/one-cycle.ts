// OneCycleLR: the rate rises to a maximum and falls far below where it began, momentum the other way round.
import { fail } from '../tensor/errors.ts';
import { checked, type Interval, Schedule, type Scheduled } from './schedule.ts';

export interface OneCycleOptions {
  maxLr: number;
  /** Batches of the whole training, or epochs with `every: 'epoch'`. */
  totalSteps: number;
  /** Share of the steps in which the rate rises. */
  pctStart?: number;
  annealStrategy?: 'cos' | 'linear';
  /** The rate starts at maxLr / divFactor … */
  divFactor?: number;
  /** … and ends at its start / finalDivFactor. */
  finalDivFactor?: number;
  /** First down to the start as fast as it rose, then on to the end. */
  threePhase?: boolean;
  /** Whether momentum (or betas[0]) falls while the rate rises and rises while it falls. */
  cycleMomentum?: boolean;
  baseMomentum?: number;
  maxMomentum?: number;
  every?: Interval;
}

interface Phase {
  readonly end: number;
  readonly rate: readonly [from: number, to: number];
  readonly momentum: readonly [from: number, to: number];
}

/** Smith & Topin 2019, "Super-Convergence", with PyTorch's options and formulas. */
export class OneCycleLR extends Schedule {
  readonly every: Interval;
  readonly totalSteps: number;
  readonly #cosine: boolean;
  readonly #cycleMomentum: boolean;
  readonly #phases: readonly Phase[];

  constructor(
    optimizer: Scheduled,
    {
      maxLr,
      totalSteps,
      pctStart = 0.3,
      annealStrategy = 'cos',
      divFactor = 25,
      finalDivFactor = 1e4,
      threePhase = false,
      cycleMomentum = true,
      baseMomentum = 0.85,
      maxMomentum = 0.95,
      every = 'batch',
    }: OneCycleOptions,
  ) {
    super(optimizer);
    checked(this.kind, 'maxLr', maxLr, 0);
    checked(this.kind, 'pctStart', pctStart, 0, 1);
    checked(this.kind, 'divFactor', divFactor, Number.MIN_VALUE);
    checked(this.kind, 'finalDivFactor', finalDivFactor, Number.MIN_VALUE);
    checked(this.kind, 'baseMomentum', baseMomentum, 0, 1);
    checked(this.kind, 'maxMomentum', maxMomentum, 0, 1);
    const lacking = optimizer.paramGroups.some((group) => group.betas === undefined && !group.momentum);
    if (cycleMomentum && lacking) {
      const because = 'cycleMomentum is on';
      fail(this.kind, { expected: 'an optimizer with momentum or betas', because, got: optimizer.kind });
    }
    this.every = every;
    this.totalSteps = checked(this.kind, 'totalSteps', totalSteps, 1);
    this.#cosine = annealStrategy === 'cos';
    this.#cycleMomentum = cycleMomentum;
    const start = maxLr / divFactor;
    const end = start / finalDivFactor;
    const up: Phase = { end: pctStart * totalSteps - 1, rate: [start, maxLr], momentum: [maxMomentum, baseMomentum] };
    const back: readonly [number, number] = [baseMomentum, maxMomentum];
    this.#phases = threePhase
      ? [
          up,
          { end: 2 * pctStart * totalSteps - 2, rate: [maxLr, start], momentum: back },
          { end: totalSteps - 1, rate: [start, end], momentum: [maxMomentum, maxMomentum] },
        ]
      : [up, { end: totalSteps - 1, rate: [maxLr, end], momentum: back }];
    this.apply();
  }

  get kind(): string {
    return 'OneCycleLR';
  }

  /** @throws FoveaError after more than `totalSteps` steps. */
  protected override advance(): void {
    if (this.steps > this.totalSteps) {
      fail(this.kind, { expected: `at most ${this.totalSteps} steps`, because: 'totalSteps is so', got: 'one more' });
    }
  }

  rates(): number[] {
    const [rate] = this.#now();
    return this.optimizer.paramGroups.map(() => rate);
  }

  protected override apply(): void {
    super.apply();
    if (!this.#cycleMomentum) return;
    const [, momentum] = this.#now();
    for (const group of this.optimizer.paramGroups) {
      if (group.betas) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
    }
  }

  /** Rate and momentum; the step after the last one keeps the end. */
  #now(): [rate: number, momentum: number] {
    const step = Math.min(this.steps, this.totalSteps - 1);
    let start = 0;
    for (const [i, { end, rate, momentum }] of this.#phases.entries()) {
      if (step <= end || i === this.#phases.length - 1) {
        const done = end === start ? 1 : (step - start) / (end - start);
        return [this.#between(rate, done), this.#between(momentum, done)];
      }
      start = end;
    }
    return fail(this.kind, { expected: 'a phase', got: `step ${step}` });
  }

  #between([from, to]: readonly [number, number], done: number): number {
    return this.#cosine ? to + ((from - to) * (1 + Math.cos(Math.PI * done))) / 2 : from + (to - from) * done;
  }
}
