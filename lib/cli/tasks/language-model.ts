// The task of saying what comes next in a text: recurrent language models of characters, words and lines.
import {
  type Batches,
  countingLosses,
  DataLoader,
  LineSamples,
  StreamLoader,
  type TextLevel,
  textLevels,
  Vocabulary,
} from '../../data/index.ts';
import { isRecord } from '../../io/json.ts';
import { LanguageModel, type TokenBatch } from '../../models/index.ts';
import { DataError, Generator, zeros } from '../../tensor/index.ts';
import { type Carried, evaluate } from '../../training/index.ts';
import { type Context, interruptible } from '../context.ts';
import { choice, count, integer, number, numberFrom, percent } from '../options.ts';
import { openText, type TextPart } from './language-data.ts';
import { architecture, describeModel, openLanguageModel, type TextModel } from './language-file.ts';
import { languageRecipes } from './language-recipes.ts';
import type { EvaluateRequest, Plan, Settings, Task } from './task.ts';
import { recipeWith } from './task-recipe.ts';

/** null: as the recipe of the level says. */
type Own = {
  readonly level: TextLevel;
  readonly testData: string | null;
  readonly validation: number;
  readonly cell: 'lstm' | 'gru' | 'rnn' | null;
  readonly hiddenSize: number | null;
  readonly layers: number | null;
  readonly embeddingSize: number | null;
  readonly dropout: number | null;
  readonly steps: number | null;
  readonly minCount: number | null;
};

/** A whole number of at least 1, with what it counts. */
const size = (flags: string, what: string) => ({
  flags,
  description: `${what} (default: the recipe of the level)`,
  parse: integer(1),
  default: null,
});

export const languageModel: Task<Own, TextModel> = {
  architectures: { [architecture]: 'a recurrent network that says what comes next in a text, and so writes' },
  data: { help: 'a text file in UTF-8, also as .gz; its last tenth is for testing' },
  options: {
    level: {
      flags: '--level <level>',
      description: "tokens: 'char', 'word', or 'line': characters, each line a text of its own (default: 'char')",
      parse: choice(...textLevels),
      default: 'char',
    },
    testData: {
      flags: '--test-data <file>',
      description: 'test on this text, and train on all of the other',
      default: null,
    },
    validation: {
      flags: '--validation <share>',
      description: 'hold out this share of the training text and measure it after each epoch',
      parse: number(0, 1),
      default: 0,
    },
    cell: {
      flags: '--cell <cell>',
      description: 'lstm, gru or rnn (default: the recipe of the level)',
      parse: choice('lstm', 'gru', 'rnn'),
      default: null,
    },
    hiddenSize: size('--hidden-size <n>', 'units of each recurrent layer'),
    layers: size('--layers <n>', 'recurrent layers'),
    embeddingSize: size('--embedding-size <n>', 'numbers for each token'),
    dropout: {
      flags: '--dropout <p>',
      description: 'probability of dropout after each recurrent layer (default: the recipe of the level)',
      parse: numberFrom(0, 1),
      default: null,
    },
    steps: size('--steps <n>', 'tokens over which gradients flow back'),
    minCount: size('--min-count <n>', 'rarer tokens are read as unknown ones'),
  },
  examples: [
    'fovea train language-model --data shakespeare.txt',
    'fovea train language-model --data names.txt --level line --out names.safetensors',
    'fovea train language-model --data train.txt.gz --test-data test.txt.gz --level word --hidden-size 400 --embedding-size 400',
  ],
  prepare,
  open: openLanguageModel,
  sample({ model, level }) {
    const steps = 16;
    const tokens = zeros([steps, 1], { dtype: 'int32' });
    return { model, what: `${steps} ${unitsOf[level]}`, run: () => model.forward(tokens) };
  },
  evaluate: measure,
};

async function prepare(settings: Settings<Own>): Promise<Plan<TokenBatch>> {
  const { level, data: file, seed, batchSize, steps } = settings;
  const recipe = languageRecipes[level];
  const minCount = settings.minCount ?? recipe.minCount;
  const data = openText(file, settings, (tokens) => Vocabulary.count(tokens, { minCount }));
  const { vocabulary, train, validation, test } = data;
  const sizes = sizesOf(settings);
  const model = new LanguageModel(vocabulary.size, { ...sizes, generator: new Generator(seed) });
  const cut = { rows: batchSize ?? recipe.rows, steps: steps ?? recipe.steps, seed };
  if (level !== 'line') checkEnough(file, streamOf(train).length, cut, unitsOf[level]);
  return {
    model,
    info: describeModel(level, vocabulary, sizes),
    description: [data.description, `counting: ${baselines(train, test, vocabulary, level).line}`],
    notes: notesOn(test, level),
    loader: level === 'line' ? linesIn(train, cut.rows, seed) : new StreamLoader(streamOf(train), cut),
    validation: validation && inOrder(validation, level, 16),
    recipe: recipeWith(recipe, settings),
    objective: objectiveOf(model, level),
    metrics: [],
    unit: unitsOf[level],
    async test(signal) {
      const loader = inOrder(test, level);
      const { loss } = await evaluate(model, loader, { objective: objectiveOf(model, level), programs: true, signal });
      return lossLine(loss, level);
    },
  };
}

/** Throws DataError unless each row has an input and its target, wherever its windows begin. */
function checkEnough(file: string, tokens: number, cut: { rows: number; steps: number }, unit: string): void {
  const least = cut.rows + cut.steps;
  if (tokens >= least) return;
  const because = `--batch-size is ${cut.rows} and --steps ${cut.steps}`;
  throw new DataError(`${file}: expected at least ${least} ${unit} to train on, because ${because}, but got ${tokens}`);
}

/** The recipe's sizes, with what the command line says in their place. */
function sizesOf({ level, cell, hiddenSize, layers, embeddingSize, dropout }: Settings<Own>) {
  const { model } = languageRecipes[level];
  const sizes = {
    ...model,
    cell: cell ?? model.cell,
    hiddenSize: hiddenSize ?? model.hiddenSize,
    numLayers: layers ?? model.numLayers,
    embeddingSize: embeddingSize ?? model.embeddingSize,
    dropout: dropout ?? model.dropout,
  };
  return { ...sizes, tied: model.tied && sizes.embeddingSize === sizes.hiddenSize };
}

/** A line begins with no state; everything else goes on where the window before it ended. */
function objectiveOf(model: LanguageModel, level: TextLevel) {
  return (batch: TokenBatch, carried?: Carried) => {
    const { loss, count, carry } = model.measure(batch, carried);
    return level === 'line' ? { loss, count } : { loss, count, carry };
  };
}

const streamOf = ({ pieces }: TextPart): Int32Array => pieces[0] ?? new Int32Array(0);

function linesIn(part: TextPart, batchSize: number, seed?: number): Batches<TokenBatch> {
  const samples = new LineSamples(part.pieces);
  return new DataLoader(samples, { batchSize, lengths: samples.lengths, shuffle: seed !== undefined, seed: seed ?? 0 });
}

/** A part to be measured: from its beginning to its end in one go, or, faster and with a little less context, in `rows`. */
function inOrder(part: TextPart, level: TextLevel, rows = 1): Batches<TokenBatch> {
  return level === 'line' ? linesIn(part, 256) : new StreamLoader(streamOf(part), { rows, steps: 512 });
}

async function measure(opened: TextModel, request: EvaluateRequest, context: Context): Promise<void> {
  const { model, level, vocabulary } = opened;
  const { file, checkpoint, data, split, json } = request;
  const trained = trainingData(checkpoint.training);
  const source = data ?? trained.data;
  if (source === null) throw new DataError(`evaluate: expected --data, because ${file} does not say what it learnt`);
  const testData = source === trained.data ? trained.testData : null; // or it would be tested on what it learnt
  const text = openText(source, { level, testData }, () => vocabulary);
  const part = text[split];
  for (const note of notesOn(part, level)) context.stderr.write(`${note}\n`);
  const { loss, samples } = await interruptible(context, (signal) =>
    evaluate(model, inOrder(part, level), { objective: objectiveOf(model, level), programs: true, signal }),
  );
  const { unigram, bigram, line } = baselines(text.train, part, vocabulary, level);
  if (json) {
    const own = {
      nats: loss,
      perplexity: Math.exp(loss),
      ...(level !== 'word' && { bitsPerCharacter: loss / Math.LN2 }),
    };
    const result = { level, tokens: samples, unknown: part.unknown, ...own, unigram, bigram };
    context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const where = testData !== null && split === 'test' ? testData : source;
  context.stdout.write(`${count(samples)} ${unitsOf[level]} (${where}, ${split})\n`);
  context.stdout.write(`${lossLine(loss, level)}\ncounting: ${line}\n`);
}

const unitsOf = { char: 'characters', word: 'words', line: 'characters' } as const;
const unitOf = { char: 'character', word: 'word', line: 'character' } as const;

function lossLine(loss: number, level: TextLevel): string {
  const bits = level === 'word' ? '' : `, ${(loss / Math.LN2).toFixed(4)} bits per character`;
  return `${loss.toFixed(4)} nats per ${unitOf[level]}, perplexity ${Math.exp(loss).toPrecision(4)}${bits}`;
}

/** What counting tokens and pairs in `train` gives on `test`. */
function baselines(train: TextPart, test: TextPart, { size }: Vocabulary, level: TextLevel) {
  const { unigram, bigram } = countingLosses(train.pieces, test.pieces, size);
  const show = (loss: number) => `${loss.toFixed(4)} nats (perplexity ${Math.exp(loss).toPrecision(4)})`;
  return { unigram, bigram, line: `single ${unitsOf[level]} ${show(unigram)}, pairs ${show(bigram)}` };
}

function notesOn({ pieces, unknown }: TextPart, level: TextLevel): string[] {
  const all = pieces.reduce((sum, { length }) => sum + length - 1, 0);
  if (unknown === 0) return [];
  return [`note: ${percent(unknown / all)} of the ${unitsOf[level]} to test on are unknown, and predicted as such`];
}

/** The files of the run that made a checkpoint; null where it does not say. */
function trainingData(training: unknown): { data: string | null; testData: string | null } {
  const extra = isRecord(training) && isRecord(training.extra) ? training.extra : {};
  const file = (value: unknown) => (typeof value === 'string' ? value : null);
  return { data: file(extra.data), testData: file(extra.testData) };
}
