// Recurrent cells: one step at a time, for loops that decide as they go, such as writing text.
import {
  type Generator,
  gatesOf,
  type RecurrentCell,
  recurrent,
  reshape,
  type Tensor,
  zeros,
} from '../tensor/index.ts';
import { checkInteger } from './check.ts';
import { uniform_ } from './init.ts';
import { Module } from './module.ts';

export interface CellOptions {
  readonly bias?: boolean;
  readonly generator?: Generator | undefined;
}

/** [batch, hiddenSize] each; absent is zeros. */
export interface CellState {
  readonly h?: Tensor | null;
  /** The memory cell of an LSTM. */
  readonly c?: Tensor | null;
}

/** What the three cells share: weights by PyTorch's names, uniform over ±1 / sqrt(hiddenSize) at first. */
abstract class Cell<State extends { readonly h: Tensor; readonly c?: Tensor }> extends Module {
  readonly weightIh: Tensor;
  readonly weightHh: Tensor;
  readonly biasIh: Tensor | null;
  readonly biasHh: Tensor | null;
  readonly #cell: RecurrentCell;

  constructor(
    cell: RecurrentCell,
    readonly inputSize: number,
    readonly hiddenSize: number,
    { bias = true, generator }: CellOptions,
  ) {
    super();
    checkInteger(this.constructor.name, 'inputSize', inputSize, 1);
    checkInteger(this.constructor.name, 'hiddenSize', hiddenSize, 1);
    const rows = gatesOf[cell] * hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const parameter = (shape: readonly number[]) =>
      uniform_(zeros(shape, { requiresGrad: true }), -bound, bound, { generator });
    this.#cell = cell;
    this.weightIh = parameter([rows, inputSize]);
    this.weightHh = parameter([rows, hiddenSize]);
    this.biasIh = bias ? parameter([rows]) : null;
    this.biasHh = bias ? parameter([rows]) : null;
  }

  /** x [batch, inputSize] and the state before it -> the state after it. */
  abstract step(x: Tensor, state?: CellState): State;

  /** x [batch, inputSize] -> h [batch, hiddenSize], from a state of zeros. */
  override forward(x: Tensor): Tensor {
    return this.step(x).h;
  }

  /** One step; h and c as the kernel has them, [batch, hiddenSize]. */
  protected advance(
    x: Tensor,
    { h, c }: CellState,
    options: { nonlinearity?: 'tanh' | 'relu'; resetAfter?: boolean } = {},
  ): { h: Tensor; c: Tensor | undefined } {
    const lift = (state: Tensor | null | undefined) => (state ? reshape(state, [1, ...state.shape]) : null);
    const { weightIh, weightHh, biasIh, biasHh } = this;
    const weights = [{ weightIh, weightHh, biasIh, biasHh }] as const;
    const { hN, cN } = recurrent(this.#cell, reshape(x, [1, ...x.shape]), weights, {
      ...options,
      h0: lift(h),
      c0: lift(c),
    });
    const lower = (state: Tensor) => reshape(state, state.shape.slice(1));
    return { h: lower(hN), c: cN && lower(cN) };
  }

  override extraRepr(): string {
    return `${this.inputSize}, ${this.hiddenSize}${this.biasIh ? '' : ', bias=false'}`;
  }
}

/** h' = tanh(Wih x + bih + Whh h + bhh), or ReLU (Elman 1990). */
export class RNNCell extends Cell<{ readonly h: Tensor }> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    inputSize: number,
    hiddenSize: number,
    { nonlinearity = 'tanh', ...options }: CellOptions & { readonly nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    super('rnn', inputSize, hiddenSize, options);
    this.nonlinearity = nonlinearity;
  }

  override step(x: Tensor, state: CellState = {}): { readonly h: Tensor } {
    return { h: this.advance(x, state, { nonlinearity: this.nonlinearity }).h };
  }
}

/** One step of `GRU`. */
export class GRUCell extends Cell<{ readonly h: Tensor }> {
  readonly resetAfter: boolean;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { resetAfter = true, ...options }: CellOptions & { readonly resetAfter?: boolean } = {},
  ) {
    super('gru', inputSize, hiddenSize, options);
    this.resetAfter = resetAfter;
  }

  override step(x: Tensor, state: CellState = {}): { readonly h: Tensor } {
    return { h: this.advance(x, state, { resetAfter: this.resetAfter }).h };
  }
}

/** One step of `LSTM`. */
export class LSTMCell extends Cell<{ readonly h: Tensor; readonly c: Tensor }> {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super('lstm', inputSize, hiddenSize, options);
  }

  override step(x: Tensor, state: CellState = {}): { readonly h: Tensor; readonly c: Tensor } {
    const { h, c } = this.advance(x, state);
    return { h, c: c! };
  }
}
