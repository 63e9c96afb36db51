// From running text to words, where none of the shared formats does it: a small tokenizer for English and its like.

const notInWord = String.raw`(?![\p{L}\p{M}\p{N}])`;

/** In the order in which they are tried. Quantifiers that can fail late are bounded, so that time stays linear. */
const kinds = [
  String.raw`(?:https?:\/\/|www\.)\S*[^\s.,;:!?"'()\[\]]`, // an address, without the punctuation after it
  String.raw`[\p{L}\p{N}._+-]{1,64}@[\p{L}\p{N}-]{1,64}(?:\.[\p{L}\p{N}-]{1,64})+`, // of e-mail
  `[:;=]-?[()DP]${notInWord}`, // :-)
  String.raw`(?:\p{L}\.){2,}`, // U.S.
  String.raw`(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|etc|Inc|Corp)\.`,
  String.raw`\p{N}+(?:[.,:\/]\p{N}+)*`, // 1,000.50 and 12:30 and 1/2
  String.raw`\p{L}+?(?=n['’]t${notInWord})`, // do of don't
  `n['’]t${notInWord}`, // n't
  `['’](?:s|m|re|ve|ll|d)${notInWord}`, // 's
  String.raw`[\p{L}\p{M}\p{N}_]+`,
  String.raw`([.\-!?*=])\1+`, // ... and -- and !!!
  String.raw`\S`,
];

const token = new RegExp(kinds.join('|'), 'giu');

/**
 * The words of a text, as English treebanks separate them: punctuation stands alone, also a hyphen between words; n't, 's,
 * 're and their like are words; numbers, addresses, U.S. and Mr. stay whole. Spaces only separate.
 */
export function wordsOf(text: string): string[] {
  return text.match(token) ?? [];
}
