// ReduceLROnPlateau: lowers the rate when a metric has stopped improving.
import { fail } from '../tensor/errors.ts';
import { checked, type Interval, Schedule, type Scheduled } from './schedule.ts';

export interface PlateauOptions {
  /** Whether a better metric is smaller (a loss) or larger (an accuracy). */
  mode?: 'min' | 'max';
  /** The rate becomes factor times itself. */
  factor?: number;
  /** Steps without improvement that are put up with. */
  patience?: number;
  /** How much better counts as better. */
  threshold?: number;
  /** Whether `threshold` is a share of the best metric or in its own unit. */
  thresholdMode?: 'rel' | 'abs';
  /** Steps after a reduction that do not count. */
  cooldown?: number;
  minLr?: number;
  /** Smaller changes of the rate are not made. */
  eps?: number;
  every?: Interval;
}

/** With PyTorch's options and rules. `step` wants the metric. */
export class ReduceLROnPlateau extends Schedule {
  readonly every: Interval;
  readonly #options: Required<Omit<PlateauOptions, 'every'>>;
  #rates: number[];
  #best: number | null = null;
  #bad = 0;
  #cooldown = 0;

  constructor(
    optimizer: Scheduled,
    {
      mode = 'min',
      factor = 0.1,
      patience = 10,
      threshold = 1e-4,
      thresholdMode = 'rel',
      cooldown = 0,
      minLr = 0,
      eps = 1e-8,
      every = 'epoch',
    }: PlateauOptions = {},
  ) {
    super(optimizer);
    checked(this.kind, 'factor', factor, 0, 1 - Number.EPSILON);
    checked(this.kind, 'patience', patience, 0);
    checked(this.kind, 'threshold', threshold, 0);
    checked(this.kind, 'cooldown', cooldown, 0);
    checked(this.kind, 'minLr', minLr, 0);
    checked(this.kind, 'eps', eps, 0);
    this.every = every;
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
    this.#rates = this.initialRates;
  }

  get kind(): string {
    return 'ReduceLROnPlateau';
  }

  rates(): number[] {
    return [...this.#rates];
  }

  /** A NaN is no improvement. @throws FoveaError without a metric. */
  protected override advance(metric?: number): void {
    if (metric === undefined) fail(this.kind, { expected: 'step(metric)', got: 'step() without one' });
    const { factor, patience, cooldown, minLr, eps } = this.#options;
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#bad = 0;
    } else {
      this.#bad++;
    }
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.#bad = 0;
    }
    if (this.#bad > patience) {
      this.#rates = this.#rates.map((rate) => {
        const lower = Math.max(rate * factor, minLr);
        return rate - lower > eps ? lower : rate;
      });
      this.#cooldown = cooldown;
      this.#bad = 0;
    }
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const best = this.#best ?? (mode === 'min' ? Infinity : -Infinity);
    const margin = thresholdMode === 'abs' ? threshold : threshold * best;
    if (!Number.isFinite(best)) return mode === 'min' ? metric < best : metric > best;
    return mode === 'min' ? metric < best - margin : metric > best + margin;
  }

  protected override values(): Record<string, number | null> {
    const rates = Object.fromEntries(this.#rates.map((rate, i) => [`rate${i}`, rate]));
    return { best: this.#best, bad: this.#bad, cooldown: this.#cooldown, ...rates };
  }

  protected override setValues(values: Readonly<Record<string, number | null>>): void {
    this.#best = values.best ?? null;
    this.#bad = values.bad ?? 0;
    this.#cooldown = values.cooldown ?? 0;
    this.#rates = this.initialRates.map((rate, i) => values[`rate${i}`] ?? rate);
  }
}
