// What goes into a tagger and comes out of it. `data.SentenceEncoder` makes such batches of sentences.
import type { Tensor } from '../tensor/index.ts';

/** Sizes of the vocabularies. Words and characters begin with padding (0) and the unknown one (1). */
export interface TaggerSizes {
  readonly words: number;
  readonly characters: number;
  readonly tags: number;
  /** Finer tags, learnt for the sake of the others alone; 0 for none. */
  readonly details: number;
  /** Kinds of whole sentences; 0 for none. */
  readonly intents: number;
}

/** Sentences side by side, a word of each in every step. */
export interface TaggerInput {
  /** int32 [steps, batch] */
  readonly words: Tensor;
  /** float32 [steps, batch]: how often each word occurred in training. */
  readonly counts: Tensor;
  /** int32 [batch]: words of each sentence. */
  readonly lengths: Tensor;
  /** int32 [characters, spellings]: each different word letter by letter. */
  readonly spellings: Tensor;
  /** int32 [spellings] */
  readonly spellingLengths: Tensor;
  /** int32 [steps, batch]: which of the spellings each word has. */
  readonly spelling: Tensor;
}

/** What there is to learn; -1 where there is nothing. */
export interface TaggerTargets {
  /** int32 [steps, batch] */
  readonly tags: Tensor;
  /** int32 [steps, batch] */
  readonly details: Tensor;
  /** int32 [batch] */
  readonly intents: Tensor;
}

/** What the model makes of a batch, before any decision. */
export interface TaggerScores {
  /** [steps, batch, tags] */
  readonly tags: Tensor;
  /** [steps, batch, details]; only in training. */
  readonly details: Tensor | undefined;
  /** [batch, intents] */
  readonly intents: Tensor | undefined;
}

/** What the model says of a sentence. */
export interface Tagging {
  /** One for each word. */
  readonly tags: readonly number[];
  readonly intent: number | undefined;
}
