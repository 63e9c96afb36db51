// A text as a language model reads it: as characters, as words, or line by line; and back.

/**
 * What a token is: a character; a word or a mark of punctuation; or a character, where each line is a text of its own (as in
 * a list of names). In all of them the end of a line is a token.
 */
export const textLevels = ['char', 'word', 'line'] as const;
export type TextLevel = (typeof textLevels)[number];

/** The end of a line; with `line`, also the beginning of the next. */
export const lineEnd = '\n';

// A word may have apostrophes and hyphens in it and an apostrophe before it. <unk> and @-@ are how some corpora write
// unknown words and hyphens.
const word = /\n|<unk>|@[-.,]@|['’]?[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*|[^\s]/gu;

/** The tokens of a text, each as it is written. Words are without the spaces between them; \r\n is one end of a line. */
export function tokenize(text: string, level: TextLevel): string[] {
  const unix = text.replaceAll('\r\n', lineEnd);
  if (level === 'word') return unix.match(word) ?? [];
  return Array.from(unix);
}

/** What to write before a word that comes after another (or first, after none): a space, or nothing. */
export function spaceBetween(before: string | undefined, next: string): '' | ' ' {
  if (before === undefined || before === lineEnd || next === lineEnd) return '';
  if (/^[([{“]$/u.test(before) || /^(?:[.,;:!?)\]}”%]|['’]\p{L}{1,2})$/u.test(next)) return '';
  return ' ';
}
