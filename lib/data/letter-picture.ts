// A picture of one letter as the OCR letters have them: cut out, as large as 16 x 8 allows, in the middle, ink or none.
import { loadImage } from './image.ts';
import { toModelInput } from './model-input.ts';
import { letterSize } from './ocr-letters.ts';

const [high, wide] = letterSize;

/** The letter on a picture of any size, dark on light or light on dark, as bytes [16, 8] of 0 and 1; all 0 if it is empty. */
export async function loadLetter(file: string): Promise<Uint8Array> {
  const picture = await loadImage(file, { channels: 1, size: 256, fit: 'inside' });
  const [, height = 0, width = 0] = picture.shape;
  const contrast = { size: [height, width], channels: 1, mean: [0], std: [1], invert: 'auto' } as const;
  return letterOf(toModelInput(picture, contrast).floats, height, width);
}

/** The same of brightness [height, width], 0 where there is no ink. */
export function letterOf(brightness: ArrayLike<number>, height: number, width: number): Uint8Array {
  let most = 0;
  for (let p = 0; p < height * width; p++) most = Math.max(most, brightness[p]!);
  const isInk = (y: number, x: number) => brightness[y * width + x]! > most / 2;
  let [top, bottom, left, right] = [height, -1, width, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isInk(y, x)) continue;
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
    }
  }
  const letter = new Uint8Array(high * wide);
  if (bottom < 0) return letter;
  const [tall, broad] = [bottom + 1 - top, right + 1 - left];
  const scale = Math.max(tall / high, broad / wide);
  const [rows, columns] = [Math.max(1, Math.round(tall / scale)), Math.max(1, Math.round(broad / scale))];
  const [above, before] = [Math.floor((high - rows) / 2), Math.floor((wide - columns) / 2)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const y = [top + Math.floor((row * tall) / rows), top + Math.ceil(((row + 1) * tall) / rows)] as const;
      const x = [
        left + Math.floor((column * broad) / columns),
        left + Math.ceil(((column + 1) * broad) / columns),
      ] as const;
      letter[(above + row) * wide + before + column] = share(isInk, y, x) >= 0.4 ? 1 : 0;
    }
  }
  return letter;
}

type Range = readonly [from: number, to: number];

/** Of a rectangle the part that is ink. */
function share(isInk: (y: number, x: number) => boolean, [top, bottom]: Range, [left, right]: Range): number {
  let found = 0;
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) found += Number(isInk(y, x));
  return found / ((bottom - top) * (right - left));
}

/** Letters one after the other, as `wordBatch` takes them. */
export function joinLetters(letters: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(letters.length * high * wide);
  for (const [i, letter] of letters.entries()) joined.set(letter, i * high * wide);
  return joined;
}
