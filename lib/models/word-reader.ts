// Reading handwritten words: a small convolutional network looks at each letter, a BiLSTM at its neighbours, a CRF at the word.
import {
  BatchNorm2d,
  Conv2d,
  CRF,
  Dropout,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../nn/index.ts';
import { add, concat, embedding, type Generator, mul, ones, type Tensor, zeros } from '../tensor/index.ts';

/** Plain JSON, but for the generator. */
export interface WordReaderOptions {
  /** Letters there are; 26. */
  readonly classes?: number;
  /** Maps of the first convolutions; the later ones have twice as many. */
  readonly channels?: number;
  /** Units of the LSTM, in each direction. */
  readonly hiddenSize?: number;
  readonly dropout?: number;
  /** Share of the words for which training leaves the context out, so that each letter's own picture must be enough. */
  readonly contextDropout?: number;
  readonly generator?: Generator | undefined;
}

/** What a letter's picture says, and what its neighbours add. */
export interface LetterScores {
  /** [steps, words, classes]: from the picture and its neighbours, 0 after the end of a word. */
  readonly emissions: Tensor;
  /** [letters, classes]: from the pictures alone. */
  readonly own: Tensor;
}

/** Pictures [letters, 1, 16, 8] -> features [letters, 128]. */
class LetterFeatures extends Sequential {
  constructor(channels: number, rate: number, generator: Generator | undefined) {
    super({
      conv1: new Conv2d(1, channels, 3, { padding: 1, generator }),
      norm1: new BatchNorm2d(channels),
      relu1: new ReLU(),
      conv2: new Conv2d(channels, channels, 3, { padding: 1, generator }),
      norm2: new BatchNorm2d(channels),
      relu2: new ReLU(),
      pool1: new MaxPool2d(2), // [8, 4]
      conv3: new Conv2d(channels, 2 * channels, 3, { padding: 1, generator }),
      norm3: new BatchNorm2d(2 * channels),
      relu3: new ReLU(),
      pool2: new MaxPool2d(2), // [4, 2]
      flatten: new Flatten(),
      drop: new Dropout(rate),
      linear: new Linear(16 * channels, 128, { generator }),
      relu4: new ReLU(),
    });
  }
}

/**
 * Scores of letters are the sum of two parts: what the letter's own picture says, and what a bidirectional LSTM over the
 * pictures of the word adds. `crf` (Lafferty et al. 2001) then finds the best word.
 */
export class WordReader extends Module {
  readonly letters: LetterFeatures;
  readonly own: Linear;
  readonly rnn: LSTM;
  readonly context: Linear;
  readonly crf: CRF;
  readonly drop: Dropout;
  readonly sometimes: Dropout;

  constructor(options: WordReaderOptions = {}) {
    super();
    const { classes = 26, channels = 32, hiddenSize = 64, dropout = 0.3, contextDropout = 0.5, generator } = options;
    this.letters = new LetterFeatures(channels, dropout, generator);
    this.own = new Linear(128, classes, { generator });
    this.rnn = new LSTM(128, hiddenSize, { bidirectional: true, generator });
    this.context = new Linear(2 * hiddenSize, classes, { generator });
    this.crf = new CRF(classes, { reduction: 'sum', generator });
    this.drop = new Dropout(dropout);
    this.sometimes = new Dropout(contextDropout);
  }

  /** `scores`, put together: images [letters, 1, 16, 8], places int32 [steps, words] -> [steps, words, classes]. */
  override forward(images: Tensor, places: Tensor, lengths: Tensor | Int32Array | null = null): Tensor {
    return this.scores(images, places, lengths).emissions;
  }

  /** places: which of the letters is where, their number after the end of a word; lengths: letters of each word. */
  scores(images: Tensor, places: Tensor, lengths: Tensor | Int32Array | null = null): LetterScores {
    const features = this.drop.forward(this.letters.forward(images));
    const own = this.own.forward(features);
    const { output } = this.rnn.unroll(atPlaces(features, places), { lengths });
    const context = this.context.forward(this.drop.forward(output));
    return { emissions: add(atPlaces(own, places), this.#sometimes(context)), own };
  }

  /** Decoded words: numbers of letters. */
  read(images: Tensor, places: Tensor, lengths: Int32Array): number[][] {
    return this.crf.decode(this.forward(images, places, lengths), lengths).paths;
  }

  /** In training, 0 for some words. */
  #sometimes(context: Tensor): Tensor {
    if (!this.training) return context;
    const kept = this.sometimes.forward(ones([1, context.shape[1]!, 1])); // 0, or 1 / (1 - p)
    return mul(context, mul(kept, 1 - this.sometimes.p));
  }
}

/** Rows at their places [steps, words], zeros after the end of a word. */
function atPlaces(rows: Tensor, places: Tensor): Tensor {
  return embedding(concat([rows, zeros([1, rows.shape[1]!])], 0), places);
}
