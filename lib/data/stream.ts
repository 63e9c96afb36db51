// One long stream of tokens, such as a text, as training by truncated backpropagation through time reads it.
import { describe, fail } from '../tensor/errors.ts';
import { fromArray, type Tensor } from '../tensor/index.ts';
import { ResumableBatches } from './batches.ts';
import { Random } from './random.ts';

/** A window of each row of a stream. The next batch goes on where this one ends, so a recurrent state may be carried. */
export interface StreamBatch {
  /** int32 [steps, rows] */
  readonly inputs: Tensor;
  /** int32 [steps, rows]: the token after each input. */
  readonly targets: Tensor;
  /** Of the targets. */
  readonly count: number;
}

export interface StreamOptions {
  /** Parts of the stream read side by side: the batch of a recurrent layer. Default 32. */
  readonly rows?: number;
  /** Tokens of a window, over which gradients flow back. Default 64. */
  readonly steps?: number;
  /**
   * Begins each epoch up to `steps` - 1 tokens later, by an amount that depends on nothing but seed and epoch, so that the
   * borders of windows move. Default: no seed, and each epoch is the same.
   */
  readonly seed?: number;
}

/**
 * Cuts a stream into `rows` parts of equal length, and these into windows of `steps` tokens, in order; the last window may
 * be shorter. Fewer than `rows` tokens at the end (with a seed, `rows` + `steps`) are left out. An epoch begins with no
 * state: whoever carries one along drops it there (as `fit` and `evaluate` do).
 *
 * Throws FoveaError for a stream too short to hold an input and its target in each row.
 */
export class StreamLoader extends ResumableBatches<StreamBatch> {
  readonly length: number;
  readonly rows: number;
  readonly steps: number;
  readonly #tokens: Int32Array | Uint16Array | Uint8Array;
  /** Inputs of a row. */
  readonly #columns: number;
  readonly #moving: boolean;

  constructor(tokens: Int32Array | Uint16Array | Uint8Array, { rows = 32, steps = 64, seed }: StreamOptions = {}) {
    super(seed ?? 0);
    for (const [name, value] of Object.entries({ rows, steps })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      fail('StreamLoader', { expected: `${name} of at least 1`, got: describe(value) });
    }
    this.rows = rows;
    this.steps = steps;
    this.#tokens = tokens;
    this.#moving = seed !== undefined;
    this.#columns = Math.floor((tokens.length - 1 - (this.#moving ? steps - 1 : 0)) / rows);
    this.length = Math.ceil(this.#columns / steps);
    if (this.#columns < 1) {
      const because = `each of ${rows} rows needs an input and its target${this.#moving ? ', and windows move' : ''}`;
      fail('StreamLoader', { expected: 'a longer stream', because, got: `${tokens.length} tokens` });
    }
  }

  /** Targets of an epoch. */
  get targets(): number {
    return this.rows * this.#columns;
  }

  protected override extent() {
    return { rows: this.rows, steps: this.steps, tokens: this.#tokens.length };
  }

  protected override words({ rows, steps, tokens }: Readonly<Record<string, number>>): string {
    return `${rows} rows and ${steps} steps of ${tokens} tokens`;
  }

  protected override async *read(epoch: number, from: number): AsyncGenerator<StreamBatch, void, undefined> {
    const begin = this.#moving ? new Random(this.seed, epoch).below(this.steps) : 0;
    for (let window = from; window < this.length; window++) yield this.#window(begin, window * this.steps);
  }

  #window(begin: number, at: number): StreamBatch {
    const { rows } = this;
    const steps = Math.min(this.steps, this.#columns - at);
    const inputs = new Int32Array(steps * rows);
    const targets = new Int32Array(steps * rows);
    for (let row = 0; row < rows; row++) {
      const first = begin + row * this.#columns + at;
      for (let step = 0; step < steps; step++) {
        inputs[step * rows + row] = this.#tokens[first + step] ?? 0;
        targets[step * rows + row] = this.#tokens[first + step + 1] ?? 0;
      }
    }
    const shape = [steps, rows];
    return { inputs: fromArray(inputs, shape), targets: fromArray(targets, shape), count: steps * rows };
  }
}
