// A file of letters as the OCR letters have them, whose pictures are stripes that depend on the letter alone.
import { alphabet } from '../../lib/data/index.ts';

/** Lines for these words, each with its fold. */
export function lettersFile(words: readonly (readonly [text: string, fold: number])[]): string {
  let id = 0;
  const lines = words.flatMap(([text, fold], word) =>
    Array.from(text, (letter, i) => {
      id++;
      const number = alphabet.indexOf(letter) + 1;
      const pixels = Array.from({ length: 128 }, (_, p) => (number >> (Math.floor(p / 8) % 5)) & 1);
      return [id, letter, i + 1 < text.length ? id + 1 : -1, word + 1, i + 1, fold, ...pixels].join('\t');
    }),
  );
  return lines.map((line) => `${line}\t\n`).join('');
}
