// Tagger: words and their letters -> bidirectional LSTM -> a tag for each word, and perhaps an intent of the sentence.
import { CRF, Dropout, Embedding, Linear, LSTM, Module } from '../nn/index.ts';
import { fail } from '../tensor/errors.ts';
import { concat, crossEntropy, fromArray, type Generator, noGrad, type Tensor, zeros } from '../tensor/index.ts';
import { SpellingCNN, SpellingLSTM } from './spelling.ts';
import type { TaggerInput, TaggerScores, TaggerSizes, TaggerTargets, Tagging } from './tagger-batch.ts';

/** Plain JSON, but for the generator. */
export interface TaggerOptions {
  /** Numbers for each word, learnt with the rest. Default 100. */
  readonly wordFeatures?: number;
  /** How letters become features: the last states of an LSTM, a convolution, or not at all. Default 'lstm'. */
  readonly spelling?: 'lstm' | 'cnn' | 'none';
  /** Default 32. */
  readonly characterFeatures?: number;
  /** Numbers for each word's spelling. Default 128. */
  readonly spellingFeatures?: number;
  /** Units of the LSTM over words, in each direction. Default 192. */
  readonly hiddenSize?: number;
  /** Of the LSTM over words. Default 1. */
  readonly numLayers?: number;
  /** Of inputs and outputs of the LSTM over words. Default 0.33. */
  readonly dropout?: number;
  /** In training, a word that occurs n times is taken for unknown with probability a / (a + n); this is a. Default 0.25. */
  readonly wordDropout?: number;
  /** Whether a CRF scores whole sequences of tags; without, a softmax scores each tag alone (default). */
  readonly crf?: boolean;
  /** Source of the initial weights and of dropout. */
  readonly generator?: Generator | undefined;
}

const UNKNOWN = 1;

/**
 * A bidirectional LSTM over embeddings of words and spellings (Plank et al. 2016, Lample et al. 2016). With intents, the last
 * states of both directions stand for the sentence: they decide its intent, and weigh on each of its tags.
 */
export class Tagger extends Module {
  readonly embedding: Embedding;
  readonly spelling: SpellingLSTM | SpellingCNN | null;
  readonly lstm: LSTM;
  readonly dropout: Dropout;
  readonly tag: Linear;
  readonly detail: Linear | null;
  readonly intent: Linear | null;
  /** From the sentence to each of its tags. */
  readonly context: Linear | null;
  readonly crf: CRF | null;
  readonly wordDropout: number;
  readonly generator: Generator | undefined;

  constructor({ words, characters, tags, details, intents }: TaggerSizes, options: TaggerOptions = {}) {
    super();
    const { wordFeatures = 100, spelling = 'lstm', characterFeatures = 32, spellingFeatures = 128 } = options;
    const { hiddenSize = 192, numLayers = 1, dropout = 0.33, wordDropout = 0.25, crf = false, generator } = options;
    const letters = { characters, characterFeatures, features: spellingFeatures, generator };
    const linear = (outputs: number) => new Linear(2 * hiddenSize, outputs, { generator });
    this.embedding = new Embedding(words, wordFeatures, { paddingIdx: 0, generator });
    noGrad(() => this.embedding.weight.mul_(0.1));
    this.spelling = spellingOf(spelling, letters);
    const inputs = wordFeatures + (this.spelling === null ? 0 : spellingFeatures);
    this.lstm = new LSTM(inputs, hiddenSize, { numLayers, bidirectional: true, dropout, generator });
    this.dropout = new Dropout(dropout, { generator });
    this.tag = linear(tags);
    this.detail = details > 0 ? linear(details) : null;
    this.intent = intents > 0 ? linear(intents) : null;
    this.context = intents > 0 ? linear(tags) : null;
    this.crf = crf ? new CRF(tags, { reduction: 'none', generator }) : null;
    this.wordDropout = wordDropout;
    this.generator = generator;
  }

  /** The scores of tags, [steps, batch, tags], of the tensors of a TaggerInput in their order. */
  override forward(...tensors: Tensor[]): Tensor {
    const [words, counts, lengths, spellings, spellingLengths, spelling] = tensors;
    if (!words || !counts || !lengths || !spellings || !spellingLengths || !spelling) {
      return fail('Tagger', { expected: 'the six tensors of a TaggerInput', got: `${tensors.length}` });
    }
    return this.scores({ words, counts, lengths, spellings, spellingLengths, spelling }).tags;
  }

  scores(input: TaggerInput): TaggerScores {
    const { lengths } = input;
    const { output, state } = this.lstm.unroll(this.dropout.forward(this.#features(input)), { lengths });
    const states = this.dropout.forward(output); // [steps, batch, 2 hiddenSize]
    const tags = this.tag.forward(states);
    const details = this.training ? this.detail?.forward(states) : undefined;
    if (this.intent === null || this.context === null) return { tags, details, intents: undefined };
    // The last states of both directions in the upper layer: [2, batch, hiddenSize] -> [batch, 2 hiddenSize].
    const last = state.h.slice(0, 2 * (this.lstm.numLayers - 1)).transpose(0, 1);
    const sentence = this.dropout.forward(last.reshape(lengths.size, -1));
    return { tags: tags.add(this.context.forward(sentence)), details, intents: this.intent.forward(sentence) };
  }

  /** An objective for `fit` and `evaluate`: the loss for each word, and outside training what the model says. */
  measure<B extends TaggerInput & TaggerTargets>(batch: B) {
    const { lengths } = batch;
    const scores = this.scores(batch);
    let loss = this.#tagLoss(scores.tags, batch);
    if (scores.details) loss = loss.add(meanLoss(scores.details, batch.details).mul(0.5));
    if (scores.intents) loss = loss.add(meanLoss(scores.intents, batch.intents));
    const count = lengths.ints.reduce((sum, length) => sum + length, 0);
    return this.training ? { loss, count } : { loss, count, outputs: this.decide(scores, lengths), targets: batch };
  }

  /** The most probable tags of each sentence, and its intent. */
  decide({ tags, intents }: TaggerScores, lengths: Tensor): Tagging[] {
    const paths = this.crf ? this.crf.decode(tags, lengths).paths : bestTags(tags, lengths);
    const kinds = intents?.argmax([1]).ints;
    return paths.map((path, b) => ({ tags: path, intent: kinds?.[b] }));
  }

  #features({ words, counts, spellings, spellingLengths, spelling }: TaggerInput): Tensor {
    const known = this.embedding.forward(this.#dropWords(words, counts));
    if (this.spelling === null) return known;
    const spelt = this.spelling.forward(spellings, spellingLengths).indexSelect(0, spelling.reshape(-1));
    return concat([known, spelt.reshape(...words.shape, -1)], 2);
  }

  #dropWords(words: Tensor, counts: Tensor): Tensor {
    const a = this.wordDropout;
    if (!this.training || a === 0) return words;
    const chance = zeros(words.shape).uniform_(0, 1, this.generator).floats;
    const n = counts.floats;
    const kept = Int32Array.from(words.ints, (word, i) => (chance[i]! * (a + n[i]!) < a ? UNKNOWN : word));
    return fromArray(kept, words.shape);
  }

  #tagLoss(scores: Tensor, { tags, lengths }: TaggerTargets & TaggerInput): Tensor {
    if (this.crf === null) return meanLoss(scores, tags);
    const { used, words } = completeSentences(tags, lengths);
    const losses = this.crf.forward(
      scores,
      fromArray(
        tags.ints.map((tag) => Math.max(0, tag)),
        tags.shape,
      ),
      lengths,
    );
    return losses.mul(used).sum().div(Math.max(1, words));
  }
}

function spellingOf(kind: string, options: ConstructorParameters<typeof SpellingLSTM>[0]) {
  if (kind === 'lstm') return new SpellingLSTM(options);
  if (kind === 'cnn') return new SpellingCNN(options);
  return kind === 'none' ? null : fail('Tagger', { expected: "spelling 'lstm', 'cnn' or 'none'", got: `'${kind}'` });
}

/** Cross-entropy over all but targets of -1; 0 where there are no others. scores [..., classes], targets [...]. */
function meanLoss(scores: Tensor, targets: Tensor): Tensor {
  const counted = targets.ints.reduce((sum, target) => sum + Number(target !== -1), 0);
  const options = { ignoreIndex: -1, reduction: 'sum' } as const;
  const rows = scores.reshape(-1, scores.shape.at(-1) ?? 0);
  return crossEntropy(rows, targets.reshape(-1), options).div(Math.max(1, counted));
}

/** 1 for each sentence whose tags are all known, else 0, [batch]; and the words of these. A path needs all of its tags. */
function completeSentences(tags: Tensor, lengths: Tensor): { used: Tensor; words: number } {
  const used = new Float32Array(lengths.size).fill(1);
  let words = 0;
  for (const [b, length] of lengths.ints.entries()) {
    for (let t = 0; t < length; t++) if (tags.ints[t * lengths.size + b] === -1) used[b] = 0;
    words += length * used[b]!;
  }
  return { used: fromArray(used), words };
}

/** The highest score at each step of each sentence. */
function bestTags(scores: Tensor, lengths: Tensor): number[][] {
  const best = scores.argmax([2]).ints;
  return Array.from(lengths.ints, (length, b) => Array.from({ length }, (_, t) => best[t * lengths.size + b] ?? 0));
}
