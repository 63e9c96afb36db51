// What a word looks like: features of its letters, so that words never seen have some too.
import { Conv1d, Embedding, LSTM, Module } from '../nn/index.ts';
import { concat, fromArray, type Generator, noGrad, type Tensor } from '../tensor/index.ts';

export interface SpellingOptions {
  /** Different letters, padding (0) and unknown ones (1) included. */
  readonly characters: number;
  /** Numbers for each letter. */
  readonly characterFeatures: number;
  /** Numbers for each word. */
  readonly features: number;
  readonly generator?: Generator | undefined;
}

/** The last states of a bidirectional LSTM over the letters (Ling et al. 2015), half of the features from each direction. */
export class SpellingLSTM extends Module {
  readonly embedding: Embedding;
  readonly lstm: LSTM;

  constructor({ characters, characterFeatures, features, generator }: SpellingOptions) {
    super();
    this.embedding = embeddingOf(characters, characterFeatures, generator);
    this.lstm = new LSTM(characterFeatures, features / 2, { bidirectional: true, generator });
  }

  /** letters int32 [characters, words], lengths int32 [words] -> [words, features]; a word without letters has zeros. */
  override forward(letters: Tensor, lengths: Tensor): Tensor {
    const { state } = this.lstm.unroll(this.embedding.forward(letters), { lengths });
    return state.h.transpose(0, 1).reshape(lengths.size, -1); // [2, words, features / 2] -> [words, features]
  }
}

/** The largest response of convolutions of widths 2 to 5 anywhere in the word (dos Santos and Zadrozny 2014, Kim 2014). */
export class SpellingCNN extends Module {
  readonly embedding: Embedding;
  readonly convs: readonly Conv1d[];

  constructor({ characters, characterFeatures, features, generator }: SpellingOptions) {
    super();
    this.embedding = embeddingOf(characters, characterFeatures, generator);
    this.convs = [2, 3, 4, 5].map(
      (width) => new Conv1d(characterFeatures, features / 4, width, { padding: width - 1, generator }),
    );
  }

  /** letters int32 [characters, words], lengths int32 [words] -> [words, features]; a word without letters has zeros. */
  override forward(letters: Tensor, lengths: Tensor): Tensor {
    const x = this.embedding.forward(letters).permute(1, 2, 0); // [words, characterFeatures, characters]
    const responses = this.convs.map((conv) => {
      const y = conv.forward(x).relu(); // [words, features / 4, positions]
      return y.mul(touching(lengths, y.shape[2] ?? 0, conv.kernelSize)).max([2]);
    });
    return concat(responses, 1);
  }
}

/** [words, 1, positions]: 1 where a window touches the word, else 0. */
function touching(lengths: Tensor, positions: number, width: number): Tensor {
  const values = new Float32Array(lengths.size * positions);
  for (const [word, length] of lengths.ints.entries()) {
    if (length > 0) values.fill(1, word * positions, word * positions + length + width - 1);
  }
  return fromArray(values, [lengths.size, 1, positions]);
}

/** Letters as small vectors; padding is zeros and stays so. */
function embeddingOf(characters: number, features: number, generator: Generator | undefined): Embedding {
  const embedding = new Embedding(characters, features, { paddingIdx: 0, generator });
  noGrad(() => embedding.weight.mul_(0.3));
  return embedding;
}
