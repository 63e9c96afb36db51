// fovea tag: words and their tags, of a text on the command line or of standard input, line by line.
import { marksSpans, SentenceData, type SentenceEncoder, spans, wordsOf } from '../data/index.ts';
import { predict } from '../training/index.ts';
import { type AddCommand, type Context, interruptible } from './context.ts';
import { linesOf } from './lines.ts';
import { readModelFile } from './model-file.ts';
import { examples } from './options.ts';
import { type OpenTagger, openTagger } from './tasks/tagger-file.ts';

interface Options {
  readonly tokenized?: true;
  readonly json?: true;
}

/** Sentences that go through the model at once. */
const BATCH = 64;

const about = `
Each line is a sentence. It is printed as columns, a word and its tag, with a blank line after it; the intent of the
sentence, where the model knows such, comes before, as a line that begins with #. With --json each sentence is a line.

Words are separated as English treebanks do it: punctuation stands alone, and n't, 's and their like are words. A text
that is separated already needs --tokenized: its words are what spaces separate. Models of slots want that too.
`;

export const addTag: AddCommand = (program, context) => {
  program
    .command('tag')
    .description('tag the words of sentences: parts of speech, names or slots, as the model learnt')
    .argument('<model>', 'a model file of fovea train tagger')
    .argument('[text...]', 'a sentence; without one, standard input is read line by line')
    .option('--tokenized', 'words are what spaces separate')
    .option('--json', 'print JSON: words, tags, and spans and intent where there are such')
    .addHelpText('after', about)
    .addHelpText(
      'after',
      examples(
        'fovea tag tagger.safetensors "time flies like an arrow"',
        'fovea tag slots.safetensors --tokenized --json < sentences.txt',
      ),
    )
    .action((file: string, text: string[], options: Options) => tag(file, text, options, context));
};

async function tag(file: string, text: readonly string[], options: Options, context: Context): Promise<void> {
  const { stdout, stdin = process.stdin } = context;
  const opened = openTagger(readModelFile(file));
  const show = options.json ? asJson : asColumns;
  const split = options.tokenized ? (line: string) => line.split(/\s+/).filter((word) => word !== '') : wordsOf;
  await interruptible(context, async (signal) => {
    const print = async (lines: readonly string[]) => {
      for (const sentence of await tagged(opened, lines.map(split), signal)) stdout.write(show(sentence));
    };
    if (text.length > 0) return print([text.join(' ')]);
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    stopped.catch(() => {}); // nobody waits for it once all lines are there
    const lines = linesOf(stdin, 'standard input');
    for (;;) {
      const { done, value } = await Promise.race([lines.next(), stopped]);
      if (done) return;
      await print(value);
    }
  });
}

interface Tagged {
  readonly words: readonly string[];
  readonly tags: readonly string[];
  readonly intent: string | undefined;
  /** Undefined where tags mark no spans. */
  readonly spans: readonly { readonly type: string; readonly begin: number; readonly end: number }[] | undefined;
}

async function tagged(
  { model, encoder }: OpenTagger,
  sentences: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<Tagged[]> {
  const plain = sentences.map((words) => ({ words, tags: [] }));
  const taggings = await predict(model, new SentenceData(plain, encoder, { tagged: false }), {
    batchSize: BATCH,
    objective: (batch) => ({ outputs: model.decide(model.scores(batch), batch.lengths) }),
    signal,
  });
  const all = taggings.flat();
  const marking = marksSpans(encoder.tags.words);
  return sentences.map((words, i) => {
    const { tags: numbers = [], intent } = all[i] ?? {};
    const tags = numbers.map((number) => encoder.tags.word(number) ?? '');
    return { words, tags, intent: nameOf(encoder, intent), spans: marking ? spans(tags) : undefined };
  });
}

const nameOf = ({ intents }: SentenceEncoder, number: number | undefined): string | undefined =>
  number === undefined ? undefined : intents.word(number);

function asColumns({ words, tags, intent }: Tagged): string {
  const heading = intent === undefined || words.length === 0 ? '' : `# intent = ${intent}\n`;
  return `${heading}${words.map((word, i) => `${word}\t${tags[i]}\n`).join('')}\n`;
}

function asJson({ words, tags, intent, spans }: Tagged): string {
  const named = spans?.map(({ type, begin, end }) => ({ type, begin, end, text: words.slice(begin, end).join(' ') }));
  return `${JSON.stringify({ words, tags, intent, spans: named })}\n`;
}
