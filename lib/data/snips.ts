// SNIPS and ATIS as they are published for joint intents and slots: seq.in (words), seq.out (BIO tags), label (intent).
import { DataError } from '../tensor/errors.ts';
import type { TaggedSentence } from './sentence.ts';
import { readText } from './text-file.ts';

/**
 * The sentences of one part, such as 'train', from <dir>/<part>.seq.in, .seq.out and .label: a sentence in each line.
 * Throws DataError, with file and line, where a line is empty or the three do not agree.
 */
export function readIntents(dir: string, part: string): TaggedSentence[] {
  const file = (kind: string) => `${dir}/${part}.${kind}`;
  const linesOf = (kind: string): string[] => {
    const lines = readText(file(kind)).split('\n');
    while (lines.at(-1)?.trim() === '') lines.pop();
    return lines;
  };
  const wrong = (kind: string, i: number, expected: string, got: string): never => {
    throw new DataError(`${file(kind)}:${i + 1}: expected ${expected}, but got ${got}`);
  };
  const sentences = linesOf('seq.in');
  const slots = linesOf('seq.out');
  const intents = linesOf('label');
  for (const [kind, lines] of [['seq.out', slots] as const, ['label', intents] as const]) {
    if (lines.length === sentences.length) continue;
    const i = Math.min(lines.length, sentences.length);
    wrong(kind, i, `${sentences.length} lines as in ${file('seq.in')}`, `${lines.length}`);
  }
  return sentences.map((line, i) => {
    const words = partsOf(line);
    const tags = partsOf(slots[i] ?? '');
    const intent = intents[i]?.trim() ?? '';
    if (words.length === 0) wrong('seq.in', i, 'words', 'an empty line');
    if (tags.length !== words.length) wrong('seq.out', i, `a tag for each of ${words.length} words`, `${tags.length}`);
    if (intent === '') wrong('label', i, 'an intent', 'an empty line');
    return { words, tags, intent };
  });
}

const partsOf = (line: string): string[] => line.split(/\s+/).filter((part) => part !== '');
