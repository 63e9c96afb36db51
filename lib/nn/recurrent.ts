// Recurrent layers over whole sequences: Elman's RNN, GRU and LSTM, stacked and in both directions.
import { fail } from '../tensor/errors.ts';
import {
  concat,
  defaultGenerator,
  dropout,
  type Generator,
  gatesOf,
  type Indices,
  type RecurrentCell,
  type RecurrentWeights,
  recurrent,
  slice,
  Tensor,
  transpose,
  zeros,
} from '../tensor/index.ts';
import { checkInteger, checkNumber } from './check.ts';
import { uniform_ } from './init.ts';
import { Module } from './module.ts';

export interface RecurrentOptions {
  /** Layers on top of one another: each reads the output of the one below (default 1). */
  readonly numLayers?: number;
  /** Whether each layer also runs backward in time; its output is then [.., 2 hiddenSize] (default false). */
  readonly bidirectional?: boolean;
  readonly bias?: boolean;
  /** Probability of dropout on the output of each layer but the last (default 0). */
  readonly dropout?: number;
  /** Whether x and the output are [batch, steps, ..] instead of [steps, batch, ..] (default false). */
  readonly batchFirst?: boolean;
  readonly generator?: Generator | undefined;
}

/** The state between steps: [numLayers directions, batch, hiddenSize]. Absent is zeros. */
export interface RecurrentState {
  readonly h?: Tensor | null;
  /** The memory cell of an LSTM. */
  readonly c?: Tensor | null;
}

export interface UnrollOptions {
  /** The state before the first step. */
  readonly state?: RecurrentState;
  /** Steps of each sequence: later ones count for nothing, and output is 0 there. */
  readonly lengths?: Indices | null;
}

export interface Unrolled {
  /** [steps, batch, directions hiddenSize], or batch first. */
  readonly output: Tensor;
  /** After the last step of each sequence. */
  readonly state: { readonly h: Tensor; readonly c?: Tensor };
}

/**
 * What the three layers share. Parameters have PyTorch's names and shapes: `weight_ih_l0` [gates hiddenSize, inputSize],
 * `weight_hh_l0` [gates hiddenSize, hiddenSize], `bias_ih_l0`, `bias_hh_l0`, for each layer, and with `_reverse` for the
 * direction backward in time. All start uniform over ±1 / sqrt(hiddenSize).
 */
export abstract class Recurrent extends Module {
  readonly numLayers: number;
  readonly bidirectional: boolean;
  readonly bias: boolean;
  readonly dropout: number;
  readonly batchFirst: boolean;
  /** That of dropout; the default generator if undefined. */
  readonly generator: Generator | undefined;
  /** Numbers of the state h and of the output of one direction: hiddenSize, or of an LSTM with a projection fewer. */
  readonly #outputSize: number;
  readonly #cell: RecurrentCell;

  constructor(
    cell: RecurrentCell,
    readonly inputSize: number,
    readonly hiddenSize: number,
    options: RecurrentOptions = {},
    /** Of an LSTM; 0 for no projection. */
    readonly projSize = 0,
  ) {
    super();
    const { numLayers = 1, bidirectional = false, bias = true, dropout = 0, batchFirst = false, generator } = options;
    const layer = this.constructor.name;
    checkInteger(layer, 'inputSize', inputSize, 1);
    checkInteger(layer, 'hiddenSize', hiddenSize, 1);
    checkInteger(layer, 'projSize', projSize, 0);
    if (projSize >= hiddenSize) {
      const because = 'a projection makes the state smaller';
      fail(layer, { expected: `projSize below hiddenSize ${hiddenSize}`, because, got: String(projSize) });
    }
    this.#outputSize = projSize || hiddenSize;
    this.#cell = cell;
    this.numLayers = checkInteger(layer, 'numLayers', numLayers, 1);
    this.bidirectional = bidirectional;
    this.bias = bias;
    this.dropout = checkNumber(layer, 'dropout', dropout, 0, 1);
    this.batchFirst = batchFirst;
    this.generator = generator;
    const rows = gatesOf[cell] * hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const parameter = (name: string, shape: readonly number[]) =>
      Reflect.set(this, name, uniform_(zeros(shape, { requiresGrad: true }), -bound, bound, { generator }));
    for (let index = 0; index < numLayers; index++) {
      const inputs = index === 0 ? inputSize : this.#directions.length * this.#outputSize;
      for (const suffix of this.#directions) {
        parameter(`weightIhL${index}${suffix}`, [rows, inputs]);
        parameter(`weightHhL${index}${suffix}`, [rows, this.#outputSize]);
        if (bias) parameter(`biasIhL${index}${suffix}`, [rows]);
        if (bias) parameter(`biasHhL${index}${suffix}`, [rows]);
        if (projSize > 0) parameter(`weightHrL${index}${suffix}`, [projSize, hiddenSize]);
      }
    }
  }

  /** x [steps, batch, inputSize] -> [steps, batch, directions hiddenSize], or batch first, from a state of zeros. */
  override forward(x: Tensor): Tensor {
    return this.unroll(x).output;
  }

  /** `forward` from a given state, with sequences of different lengths, that also gives the state at the end. */
  unroll(x: Tensor, { state = {}, lengths = null }: UnrollOptions = {}): Unrolled {
    const count = this.#directions.length;
    const part = (all: Tensor | null | undefined, index: number) =>
      all && (this.numLayers === 1 ? all : slice(all, [[index * count, (index + 1) * count]]));
    let output = this.batchFirst ? transpose(x, 0, 1) : x;
    const h: Tensor[] = [];
    const c: Tensor[] = [];
    this.#checkState(state.h ?? null, output, this.#outputSize);
    this.#checkState(state.c ?? null, output, this.hiddenSize);
    for (let index = 0; index < this.numLayers; index++) {
      if (index > 0) output = this.#drop(output);
      const { y, hN, cN } = recurrent(this.#cell, output, this.#weights(index), {
        ...this.cellOptions(),
        h0: part(state.h, index) ?? null,
        c0: part(state.c, index) ?? null,
        lengths,
      });
      output = y;
      h.push(hN);
      if (cN) c.push(cN);
    }
    const all = (parts: Tensor[]) => (parts.length === 1 ? parts[0]! : concat(parts, 0));
    return {
      output: this.batchFirst ? transpose(output, 0, 1) : output,
      state: c.length > 0 ? { h: all(h), c: all(c) } : { h: all(h) },
    };
  }

  /** What the kind of cell leaves open. */
  protected cellOptions(): { nonlinearity?: 'tanh' | 'relu'; resetAfter?: boolean } {
    return {};
  }

  get #directions(): readonly string[] {
    return this.bidirectional ? ['', 'Reverse'] : [''];
  }

  #weights(index: number): readonly [RecurrentWeights] | readonly [RecurrentWeights, RecurrentWeights] {
    const of = (suffix: string): RecurrentWeights => ({
      weightIh: this.#parameter(`weightIhL${index}${suffix}`),
      weightHh: this.#parameter(`weightHhL${index}${suffix}`),
      biasIh: this.bias ? this.#parameter(`biasIhL${index}${suffix}`) : null,
      biasHh: this.bias ? this.#parameter(`biasHhL${index}${suffix}`) : null,
      weightHr: this.projSize > 0 ? this.#parameter(`weightHrL${index}${suffix}`) : null,
    });
    return this.bidirectional ? [of(''), of('Reverse')] : [of('')];
  }

  #parameter(name: string): Tensor {
    const value: unknown = Reflect.get(this, name);
    return value instanceof Tensor
      ? value
      : fail(this.constructor.name, { expected: `${name} as a tensor`, got: typeof value });
  }

  #drop(x: Tensor): Tensor {
    return dropout(x, this.dropout, { training: this.training, generator: this.generator ?? defaultGenerator() });
  }

  #checkState(state: Tensor | null, x: Tensor, size: number): void {
    const expected = [this.numLayers * this.#directions.length, x.shape[1] ?? 0, size];
    if (state === null || state.shape.join() === expected.join()) return;
    fail(this.constructor.name, {
      expected: `a state [${expected.join(', ')}]`,
      because: `that is layers x directions, batch and ${size === this.hiddenSize ? 'hiddenSize' : 'projSize'}`,
      got: `[${state.shape.join(', ')}]`,
    });
  }

  override multiplyAdds(inputs: readonly (readonly number[])[], _output: readonly number[]): number {
    const [steps = 0, batch = 0] = inputs[0] ?? [];
    let weights = 0;
    for (const parameter of this.ownParameters()) if (parameter.rank === 2) weights += parameter.size;
    return steps * batch * weights;
  }

  override extraRepr(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (this.projSize > 0) parts.push(`projSize=${this.projSize}`);
    if (this.numLayers !== 1) parts.push(`numLayers=${this.numLayers}`);
    if (!this.bias) parts.push('bias=false');
    if (this.batchFirst) parts.push('batchFirst=true');
    if (this.dropout !== 0) parts.push(`dropout=${this.dropout}`);
    if (this.bidirectional) parts.push('bidirectional=true');
    return parts.join(', ');
  }
}

/** h' = tanh(Wih x + bih + Whh h + bhh), or ReLU (Elman 1990). */
export class RNN extends Recurrent {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(
    inputSize: number,
    hiddenSize: number,
    { nonlinearity = 'tanh', ...options }: RecurrentOptions & { readonly nonlinearity?: 'tanh' | 'relu' } = {},
  ) {
    super('rnn', inputSize, hiddenSize, options);
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      fail('RNN', { expected: "nonlinearity 'tanh' or 'relu'", got: String(nonlinearity) });
    }
    this.nonlinearity = nonlinearity;
  }

  protected override cellOptions() {
    return { nonlinearity: this.nonlinearity };
  }
}

/**
 * Gates r and z, h' = (1 - z) n + z h (Cho et al. 2014). `resetAfter` (default) is the form of PyTorch and cuDNN,
 * n = tanh(Win x + bin + r (Whn h + bhn)); without it the reset gate acts on h, as in the paper.
 */
export class GRU extends Recurrent {
  readonly resetAfter: boolean;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { resetAfter = true, ...options }: RecurrentOptions & { readonly resetAfter?: boolean } = {},
  ) {
    super('gru', inputSize, hiddenSize, options);
    this.resetAfter = resetAfter;
  }

  protected override cellOptions() {
    return { resetAfter: this.resetAfter };
  }
}

export interface LstmOptions extends RecurrentOptions {
  /** Numbers of h, fewer than of c, by a product h' = Whr (o tanh(c')): `weight_hr_l0` [projSize, hiddenSize] (default 0: none). */
  readonly projSize?: number;
}

/**
 * Gates i, f, g and o, c' = f c + i g, h' = o tanh(c') (Hochreiter and Schmidhuber 1997, Gers et al. 2000). With
 * `projSize` the state h and the output are projections (Sak, Senior and Beaufays 2014).
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, { projSize = 0, ...options }: LstmOptions = {}) {
    super('lstm', inputSize, hiddenSize, options, projSize);
  }
}
