// fovea generate: a language model goes on with a text.
import { setImmediate } from 'node:timers/promises';
import { lineEnd, spaceBetween, tokenize, Vocabulary } from '../data/index.ts';
import { padding, writeTokens } from '../models/index.ts';
import { DataError, Generator } from '../tensor/index.ts';
import { type AddCommand, type Context, interruptible } from './context.ts';
import { readModelFile } from './model-file.ts';
import { examples, integer, numberFrom } from './options.ts';
import { openLanguageModel, type TextModel } from './tasks/language-file.ts';

interface Options {
  readonly prompt: string;
  readonly length: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly seed: number;
}

export const addGenerate: AddCommand = (program, context) => {
  program
    .command('generate')
    .description('write text with a language model, character by character or word by word')
    .argument('<model>', 'a model file')
    .option('--prompt <text>', 'go on with this (default: begin a line)', '')
    .option('--length <n>', 'characters, or words of a model of words, to write after the prompt', integer(1), 500)
    .option('--temperature <t>', 'below 1 bolder choices are rarer; 0 always takes the likeliest', numberFrom(0), 1)
    .option('--top-k <n>', 'choose among so many of the likeliest only', integer(1))
    .option('--top-p <p>', 'choose among the likeliest that together have this probability', numberFrom(0, 1), 1)
    .option('--seed <n>', 'of the choices', integer(0), 1)
    .addHelpText(
      'after',
      '\nA character of the prompt that the model does not know is an error; an unknown word is read as unknown.\n' +
        examples(
          'fovea generate shakespeare.safetensors --prompt "ROMEO:" --temperature 0.8',
          'fovea generate names.safetensors --length 200 --seed 7',
        ),
    )
    .action((file: string, options: Options) => generate(file, options, context));
};

async function generate(file: string, options: Options, context: Context): Promise<void> {
  const { stdout } = context;
  const text = openLanguageModel(readModelFile(file));
  const { model, level, vocabulary } = text;
  const { length, temperature, topK = Infinity, topP, seed } = options;
  const prompt = promptOf(text, options.prompt, context);
  const boundary = level === 'line' ? vocabulary.index(lineEnd) : undefined;
  const never = [padding, Vocabulary.unknown];
  const generator = new Generator(seed);
  const tokens = writeTokens(model, prompt.tokens, { temperature, topK, topP, never, boundary, generator });
  let before = prompt.last;
  let left = length;
  stdout.write(options.prompt);
  await interruptible(context, async (signal) => {
    for (const index of tokens) {
      const token = vocabulary.word(index) ?? '';
      stdout.write(level === 'word' ? spaceBetween(before, token) + token : token);
      before = token;
      if (--left === 0) break;
      await setImmediate();
      signal.throwIfAborted();
    }
  }).finally(() => stdout.write(before === lineEnd ? '' : lineEnd));
}

/** The prompt as tokens, begun by the end of a line, as texts are; and its last word. */
function promptOf({ level, vocabulary }: TextModel, prompt: string, { stderr }: Context) {
  const words = tokenize(prompt, level);
  const unknown = [...new Set(words.filter((word) => !vocabulary.has(word)))].map((word) => JSON.stringify(word));
  if (unknown.length > 0 && level !== 'word') {
    throw new DataError(
      `generate: expected a prompt of characters that the model knows, but got ${unknown.join(', ')}, which its text did not have`,
    );
  }
  if (unknown.length > 0) stderr.write(`note: the model does not know ${unknown.join(', ')}\n`);
  const begun = vocabulary.has(lineEnd) ? [lineEnd, ...words] : words;
  const tokens = begun.map((word) => vocabulary.index(word));
  return { tokens: tokens.length > 0 ? tokens : [Vocabulary.unknown], last: words.at(-1) };
}
