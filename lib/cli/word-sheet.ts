// A drawing of handwritten words with what was read below each letter, as SVG.
import { type HandwrittenWord, letterSize } from '../data/index.ts';

const [high, wide] = letterSize;
const columns = 3;
/** Pixels of the drawing for a pixel of a letter; room for a letter, and for a word. */
const [scale, letterWidth, wordHeight] = [2, 24, 62];
const margin = 16;

/** `known`: whether the words' texts are what is written, so that mistakes can be red. */
export function wordSheet(
  letters: Uint8Array,
  words: readonly HandwrittenWord[],
  read: readonly string[],
  { known }: { readonly known: boolean },
): string {
  const wordWidth = 2 * margin + letterWidth * Math.max(0, ...words.map(({ text }) => text.length));
  const used = Math.min(columns, words.length);
  const rows = Math.ceil(words.length / columns);
  const parts = words.flatMap(({ text, first }, word) =>
    Array.from(text, (written, i) => {
      const x = margin + (word % columns) * wordWidth + i * letterWidth;
      const y = margin + Math.floor(word / columns) * wordHeight;
      const letter = read[word]?.[i] ?? '';
      const wrong = known && letter !== written ? ' class="wrong"' : '';
      const pixels = letters.subarray((first + i) * high * wide, (first + i + 1) * high * wide);
      const path = `<path transform="translate(${x} ${y}) scale(${scale})" d="${runs(pixels)}"/>`;
      return `${path}<text x="${x + scale * (wide / 2)}" y="${y + scale * high + 14}"${wrong}>${letter}</text>`;
    }),
  );
  const [width, height] = [used * wordWidth, margin + rows * wordHeight];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    '<title>Handwritten words, and what was read</title>',
    '<style>text{font:14px sans-serif;text-anchor:middle;fill:#06c}.wrong{fill:#d00;font-weight:bold}</style>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** The ink as one path: a rectangle for each run of pixels in a row. */
function runs(pixels: Uint8Array): string {
  let path = '';
  for (let row = 0; row < high; row++) {
    for (let from = 0; from < wide; from++) {
      if (!pixels[row * wide + from]) continue;
      let to = from;
      while (to < wide && pixels[row * wide + to]) to++;
      path += `M${from} ${row}h${to - from}v1h-${to - from}z`;
      from = to;
    }
  }
  return path;
}
