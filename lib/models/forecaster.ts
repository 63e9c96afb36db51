// A forecaster: the next value of a series from the values before it, by a recurrent network and a linear rule beside it.
import { checkInteger } from '../nn/check.ts';
import { GRU, init, Linear, LSTM, Module } from '../nn/index.ts';
import { fail } from '../tensor/errors.ts';
import { concat, fromArray, type Generator, noGrad, type Tensor } from '../tensor/index.ts';

const cells = { lstm: LSTM, gru: GRU };

/** Plain JSON but for the generator. */
export interface ForecasterOptions {
  /** Values that a forecast looks at (default 24). */
  readonly window?: number;
  /** Units of the recurrent layer (default 32). */
  readonly hidden?: number;
  /** Default 'lstm'. */
  readonly cell?: keyof typeof cells;
  /**
   * Steps of a season, such as 12 for months: a forecast begins as the last value and what changed at this place of the
   * season before. Default 1: as the last value.
   */
  readonly season?: number;
  /** Standard deviation of the values trained on (default 1). */
  readonly deviation?: number;
  readonly generator?: Generator | undefined;
}

/**
 * Windows [batch, window] -> the value after each, [batch].
 *
 * A window is read relative to its own level and spread, and so is the forecast, so that a series which grows beyond all
 * that was trained on stays within reach (reversible instance normalisation, Kim et al. 2022). To the last value (with a
 * season, and to what changed a season before: Box and Jenkins' two differences), which is the forecast before any training,
 * a recurrent layer that reads the window adds what it expects to change, and so does a linear function of the window (the
 * autoregressive part of LSTNet, Lai et al. 2018).
 */
export class Forecaster extends Module {
  readonly recurrent: LSTM | GRU;
  readonly output: Linear;
  readonly linear: Linear;
  readonly season: number;
  readonly #deviation: number;

  constructor(options: ForecasterOptions = {}) {
    super();
    const { window = 24, hidden = 32, cell = 'lstm', season = 1, deviation = 1, generator } = options;
    if (!Object.hasOwn(cells, cell)) {
      fail('Forecaster', { expected: `cell to be one of ${Object.keys(cells).join(', ')}`, got: `'${cell}'` });
    }
    checkInteger('Forecaster', 'window', window, 1);
    if (checkInteger('Forecaster', 'season', season, 1) >= Math.max(2, window)) {
      const because = 'a forecast begins with what changed a season before';
      fail('Forecaster', { expected: `season below the window, ${window}`, because, got: String(season) });
    }
    this.recurrent = new cells[cell](1, hidden, { generator });
    this.output = new Linear(hidden, 1, { generator });
    this.linear = new Linear(window, 1, { bias: false, generator });
    this.season = season;
    this.#deviation = deviation;
    for (const weight of [this.output.weight, this.output.bias, this.linear.weight])
      if (weight) init.constant_(weight, 0);
  }

  get window(): number {
    return this.linear.weight.shape[1] ?? 0;
  }

  override forward(x: Tensor): Tensor {
    const level = x.mean(1, true);
    const centred = x.sub(level);
    // A window of equal values has no spread: it is then a hundredth of the series'.
    const spread = centred
      .square()
      .mean(1, true)
      .sqrt()
      .clamp(0.01 * this.#deviation, Infinity);
    const relative = centred.div(spread); // [batch, window]
    const steps = relative.transpose(0, 1).unsqueeze(-1); // [window, batch, 1]
    const { state } = this.recurrent.unroll(steps);
    const change = this.output.forward(state.h!.squeeze(0)).add(this.linear.forward(relative)); // [batch, 1]
    return this.#begin(x).add(change.mul(spread)).reshape(-1);
  }

  /** What is forecast before any training: [batch, window] -> [batch, 1]. */
  #begin(x: Tensor): Tensor {
    const back = (steps: number) => x.slice(1, this.window - steps, this.window - steps + 1);
    return this.season === 1
      ? back(1)
      : back(1)
          .add(back(this.season))
          .sub(back(this.season + 1));
  }

  /** The mean squared error, in deviations of the series. */
  loss(forecasts: Tensor, truth: Tensor): Tensor {
    return forecasts
      .sub(truth)
      .mul(1 / this.#deviation)
      .square()
      .mean();
  }

  /** The next `steps` values after each window: [batch, window] -> [batch, steps], each forecast from the ones before it. */
  rollOut(x: Tensor, steps: number): Tensor {
    checkInteger('rollOut', 'steps', steps, 1);
    let known = x;
    for (let step = 0; step < steps; step++) {
      const next = this.forward(known.slice(1, step)).reshape(-1, 1);
      known = concat([known, next], 1);
    }
    return known.slice(1, this.window);
  }

  /** The next `steps` values after those of `history`, which are at least a window. */
  forecast(history: ArrayLike<number>, steps: number): Float64Array {
    const known = Float32Array.from(history).slice(-this.window);
    if (known.length < this.window) {
      const because = 'a forecast looks at a whole window';
      fail('forecast', { expected: `at least ${this.window} values`, because, got: `${known.length}` });
    }
    return Float64Array.from(noGrad(() => this.rollOut(fromArray(known, [1, this.window]), steps)).data);
  }
}
