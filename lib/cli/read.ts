// fovea read: what a saved model reads in handwritten words.
import { writeFileSync } from 'node:fs';
import {
  alphabet,
  type HandwrittenWord,
  joinLetters,
  loadLetter,
  loadOcrLetters,
  splitWords,
  WordLoader,
} from '../data/index.ts';
import type { WordReader } from '../models/index.ts';
import { predict } from '../training/index.ts';
import { type AddCommand, type Context, interruptible, UsageError } from './context.ts';
import { readModelFile } from './model-file.ts';
import { count, examples, integer, percent } from './options.ts';
import { ink, openReader } from './tasks/words.ts';
import { wordSheet } from './word-sheet.ts';

interface Options {
  readonly data?: string;
  readonly all?: true;
  readonly limit?: number;
  readonly sheet?: string;
  readonly json?: true;
}

export const addRead: AddCommand = (program, context) => {
  program
    .command('read')
    .description('read handwritten words: pictures of letters, or words of the OCR letters')
    .argument('<model>', 'a model file of `fovea train words`')
    .argument('[letters...]', 'pictures of the letters of one word, in order')
    .option('--data <where>', 'read the words of letter.data (or its folder) that were held out of the training')
    .option('--all', 'with --data: read every word there')
    .option('--limit <n>', 'with --data: only so many, spread evenly', integer(1))
    .option('--sheet <file>', 'draw the letters with what was read below them, as SVG')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'fovea read words.safetensors c.png a.png t.png',
        'fovea read words.safetensors --data ocr-letters/ --limit 24 --sheet words.svg',
      ),
    )
    .action((file: string, pictures: string[], options: Options) => read(file, pictures, options, context));
};

async function read(file: string, pictures: string[], options: Options, context: Context): Promise<void> {
  const { stdout } = context;
  const { data, sheet, json } = options;
  if ((data === undefined) === (pictures.length === 0)) {
    throw new UsageError('read takes either pictures of letters or --data');
  }
  const { model, holdOut } = openReader(readModelFile(file));
  const known = data !== undefined;
  const { letters, words } = known ? wordsOf(data, holdOut, options) : await wordOf(pictures);
  const texts = await interruptible(context, (signal) => readWords(model, letters, words, signal));
  const answers = words.map(({ text }, i) => ({ read: texts[i]!, ...(known && { written: text }) }));
  if (sheet !== undefined) writeFileSync(sheet, wordSheet(letters, words, texts, { known }));
  if (json) stdout.write(`${JSON.stringify(answers, null, 2)}\n`);
  else stdout.write(answers.map((answer) => `${line(answer)}\n`).join(''));
  if (json || !known) return;
  const right = answers.filter((answer) => answer.read === answer.written).length;
  stdout.write(`${count(right)} of ${count(words.length)} words, ${percent(right / words.length)}\n`);
}

const line = ({ read: text, written }: { read: string; written?: string }) =>
  written === undefined || written === text ? text : `${text}  (${written})`;

function wordsOf(data: string, holdOut: string, { all, limit }: Options) {
  const { words, letters } = loadOcrLetters(data);
  const chosen = all ? words : splitWords(words, holdOut).test;
  const kept = Math.min(limit ?? chosen.length, chosen.length);
  return {
    letters,
    words: Array.from({ length: kept }, (_, i) => chosen[Math.floor((i * chosen.length) / kept)]!),
  };
}

/** One word of pictures; what is written there is not known. */
async function wordOf(pictures: readonly string[]) {
  const letters = await Promise.all(pictures.map(loadLetter));
  return { letters: joinLetters(letters), words: [{ text: 'a'.repeat(pictures.length), first: 0, fold: 0 }] };
}

/** What the model reads, by word. */
async function readWords(
  model: WordReader,
  letters: Uint8Array,
  words: readonly HandwrittenWord[],
  signal: AbortSignal,
): Promise<string[]> {
  const paths = await predict(model, new WordLoader(letters, words, { batchSize: 256, transforms: [ink] }), {
    objective: ({ images, places, lengths }) => ({ outputs: model.read(images, places, lengths) }),
    signal,
  });
  return paths.flat().map((path) => path.map((letter) => alphabet[letter]).join(''));
}
