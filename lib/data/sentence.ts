// A sentence with what there is to learn about it: a tag for each word, and perhaps an intent of the whole.

export interface TaggedSentence {
  readonly words: readonly string[];
  /** One for each word. */
  readonly tags: readonly string[];
  /** One for each word: what is known besides (of CoNLL-U: XPOS and features), worth learning for the tags' sake. */
  readonly details?: readonly string[] | undefined;
  /** What the whole sentence is. */
  readonly intent?: string | undefined;
}
