// A language model: what comes next in a text, said by a recurrent network that has read what came before.
import { Dropout, Embedding, GRU, init, Linear, LSTM, Module, type RecurrentState, RNN } from '../nn/index.ts';
import { fail } from '../tensor/errors.ts';
import { crossEntropy, type Generator, type Tensor } from '../tensor/index.ts';

const cells = { lstm: LSTM, gru: GRU, rnn: RNN };

/** Sizes of a language model; plain JSON but for the generator. */
export interface LanguageModelOptions {
  /** Numbers for each token (default 64). */
  readonly embeddingSize?: number;
  /** Units of each recurrent layer (default 512). */
  readonly hiddenSize?: number;
  /** Recurrent layers (default 1). */
  readonly numLayers?: number;
  /** Default 'lstm'. */
  readonly cell?: keyof typeof cells;
  /** Probability of dropout after each recurrent layer (default 0). */
  readonly dropout?: number;
  /** Of dropout on the embedding (default 0). */
  readonly inputDropout?: number;
  /** Whether the output layer has the embedding's weights (Press and Wolf 2017): `embeddingSize` must equal `hiddenSize`. */
  readonly tied?: boolean;
  readonly generator?: Generator | undefined;
}

/** Tokens and, for each, the one after it: int32 [steps, rows] each. A target equal to `padding` does not count. */
export interface TokenBatch {
  readonly inputs: Tensor;
  readonly targets: Tensor;
  /** Targets that are tokens, not padding. Default: they are counted, which no program can. */
  readonly count?: number;
}

/** Index of the token that only fills up: it is nobody's target. */
export const padding = 0;

/** embedding -> dropout -> recurrent layers, with dropout between them -> dropout -> logits of the next token. */
export class LanguageModel extends Module {
  readonly embedding: Embedding;
  readonly inputDropout: Dropout;
  readonly recurrent: LSTM | GRU | RNN;
  readonly dropout: Dropout;
  readonly output: Linear;

  constructor(
    readonly tokens: number,
    options: LanguageModelOptions = {},
  ) {
    super();
    const { embeddingSize = 64, hiddenSize = 512, numLayers = 1, cell = 'lstm', tied = false, generator } = options;
    const { dropout = 0, inputDropout = 0 } = options;
    if (!Object.hasOwn(cells, cell)) {
      fail('LanguageModel', { expected: `cell to be one of ${Object.keys(cells).join(', ')}`, got: `'${cell}'` });
    }
    if (tied && embeddingSize !== hiddenSize) {
      const because = 'a tied output layer multiplies states with embeddings';
      fail('LanguageModel', {
        expected: 'embeddingSize equal to hiddenSize',
        because,
        got: `${embeddingSize} and ${hiddenSize}`,
      });
    }
    this.embedding = new Embedding(tokens, embeddingSize, { generator });
    // As logits, rows of length sqrt(hiddenSize) would begin far too sure.
    if (tied) init.uniform_(this.embedding.weight, -0.1, 0.1, { generator });
    this.inputDropout = new Dropout(inputDropout, { generator });
    this.recurrent = new cells[cell](embeddingSize, hiddenSize, { numLayers, dropout, generator });
    this.dropout = new Dropout(dropout, { generator });
    this.output = new Linear(hiddenSize, tokens, { generator, ...(tied && { weight: this.embedding.weight }) });
  }

  /** tokens int32 [steps, rows] -> logits [steps, rows, tokens] of the ones after them, from a state of zeros. */
  override forward(tokens: Tensor): Tensor {
    return this.unroll(tokens).logits;
  }

  /** `forward` from a given state, that also gives the state after the last step. */
  unroll(tokens: Tensor, state: RecurrentState = {}): { readonly logits: Tensor; readonly state: RecurrentState } {
    const x = this.inputDropout.forward(this.embedding.forward(tokens));
    const { output, state: after } = this.recurrent.unroll(x, { state });
    return { logits: this.output.forward(this.dropout.forward(output)), state: after };
  }

  /**
   * The mean loss of a window in nats per token, over `count` tokens, and the state to carry to the next window. Detached,
   * that is truncated backpropagation through time.
   */
  measure({ inputs, targets, count }: TokenBatch, carried: RecurrentState = {}) {
    const { logits, state } = this.unroll(inputs, carried);
    const loss = crossEntropy(logits.reshape([-1, this.tokens]), targets.reshape([-1]), { ignoreIndex: padding });
    return { loss, count: count ?? counted(targets.ints), carry: { ...state } };
  }
}

/** Targets that are tokens, not padding. */
function counted(targets: Int32Array): number {
  let count = 0;
  for (const target of targets) if (target !== padding) count++;
  return count;
}
