// The task of reading handwritten words, letter by letter.
import { InvalidArgumentError } from 'commander';
import {
  alphabet,
  letterSize,
  loadOcrLetters,
  normalize,
  randomAffine,
  splitWords,
  WordLoader,
  wordBatch,
} from '../../data/index.ts';
import { WordReader } from '../../models/index.ts';
import { DataError, Generator } from '../../tensor/index.ts';
import { evaluate, letterAccuracy, reading, wordAccuracy } from '../../training/index.ts';
import { type Context, interruptible } from '../context.ts';
import { checkArchitecture, type ModelFile, restore } from '../model-file.ts';
import { count, percent } from '../options.ts';
import type { EvaluateRequest, Plan, Sample, Settings, Task, TaskRecipe } from './task.ts';
import { recipeWith } from './task-recipe.ts';

type Own = {
  /** What is kept from training: a fold from 0 to 9, or `words`. */
  readonly holdOut: string;
  readonly augment: boolean;
};

/** The mean and spread of the ink, of all letters. */
export const ink = normalize([0.22], [0.415]);
const distortion = randomAffine({ degrees: 8, translate: [0.1, 0.06], scale: [0.88, 1.12], shear: 12 });

const recipe: TaskRecipe & { readonly batchSize: number } = {
  optimizer: { name: 'adamw', lr: 2e-3, weightDecay: 0.01 },
  schedule: { name: 'oneCycle', maxLr: 2e-3 },
  epochs: 10,
  batchSize: 32,
  clipNorm: 5,
};

export const words: Task<Own, OpenReader> = {
  architectures: { words: 'handwritten words: a network over each letter, a BiLSTM and a CRF over the word' },
  data: { help: 'letter.data of OCR letters, or its folder' },
  options: {
    holdOut: {
      flags: '--hold-out <part>',
      description: "measure on a fold, 0 to 9, or on every fifth distinct word, 'words', and train on the others",
      parse: (text) => {
        if (/^(\d|words)$/.test(text)) return text;
        throw new InvalidArgumentError("Expected a fold from 0 to 9, or 'words'.");
      },
      default: '0',
    },
    augment: { flags: '--no-augment', description: 'no random changes of the letters', default: true },
  },
  examples: ['fovea train words --data ocr-letters/ --hold-out words --out words.safetensors'],
  prepare,
  open: openReader,
  sample: ({ model }) => sampleOf(model),
  sampleOfNew: () => sampleOf(new WordReader()),
  evaluate: measure,
};

function sampleOf(model: WordReader): Sample {
  const letters = 5;
  const word = { text: 'a'.repeat(letters), first: 0, fold: 0 };
  const batch = wordBatch(new Uint8Array(letters * letterSize[0] * letterSize[1]), [word], [ink]);
  return { model, what: `a word of ${letters} letters`, run: () => reading(model)(batch) };
}

async function prepare(settings: Settings<Own>): Promise<Plan> {
  const { data, holdOut, augment, batchSize, seed } = settings;
  const { words: all, letters } = loadOcrLetters(data);
  const { train, test } = splitWords(all, holdOut);
  const model = new WordReader({ generator: new Generator(seed) });
  const objective = reading(model);
  const lettersOf = (part: typeof all) => part.reduce((sum, { text }) => sum + text.length, 0);
  const distinct = new Set(all.map(({ text }) => text)).size;
  return {
    model,
    info: { architecture: 'words', options: { holdOut }, classes: alphabet },
    description: [
      `${data}: ${count(all.length)} words, ${distinct} distinct ones, ${count(lettersOf(all))} letters`,
      `${count(train.length)} words to train, ${count(test.length)} held out (${heldOut(holdOut)})`,
    ],
    notes: [],
    loader: new WordLoader(letters, train, {
      batchSize: batchSize ?? recipe.batchSize,
      shuffle: true,
      seed,
      transforms: augment ? [distortion, ink] : [ink],
    }),
    recipe: recipeWith(recipe, settings),
    objective,
    metrics: [letterAccuracy(), wordAccuracy()],
    unit: 'letters',
    async test(signal) {
      const loader = new WordLoader(letters, test, { batchSize: 256, transforms: [ink] });
      const metrics = [letterAccuracy(), wordAccuracy()];
      const result = await evaluate(model, loader, { objective, metrics, signal });
      return summary(result);
    },
  };
}

const heldOut = (holdOut: string) => (holdOut === 'words' ? 'every fifth distinct word' : `fold ${holdOut}`);

const summary = ({ accuracy = 0, words: whole = 0, loss }: { accuracy?: number; words?: number; loss: number }) =>
  `letters ${percent(accuracy)}, words ${percent(whole)}, loss ${loss.toPrecision(4)} a letter`;

export interface OpenReader {
  readonly model: WordReader;
  /** What was kept from its training. */
  readonly holdOut: string;
}

/** The word reader in a file. Throws DataError for another model, or a damaged one. */
export function openReader(read: ModelFile): OpenReader {
  checkArchitecture(read, 'words', 'a reader of words');
  const { model } = restore(read, () => ({ model: new WordReader() }));
  const holdOut: unknown = Reflect.get(read.info.options, 'holdOut');
  return { model, holdOut: typeof holdOut === 'string' ? holdOut : '0' };
}

async function measure({ model, holdOut }: OpenReader, request: EvaluateRequest, context: Context): Promise<void> {
  const { data, split: part, json } = request;
  if (data === undefined) throw new DataError('evaluate: expected --data with the OCR letters, but got none');
  const { words: all, letters } = loadOcrLetters(data);
  const chosen = splitWords(all, holdOut)[part];
  const loader = new WordLoader(letters, chosen, { batchSize: 256, transforms: [ink] });
  const metrics = [letterAccuracy(), wordAccuracy()];
  const result = await interruptible(context, (signal) =>
    evaluate(model, loader, { objective: reading(model), metrics, signal }),
  );
  if (json) {
    const { loss, samples, accuracy, words: whole } = result;
    const answer = {
      part,
      holdOut,
      words: chosen.length,
      letters: samples,
      letterAccuracy: accuracy,
      wordAccuracy: whole,
      loss,
    };
    context.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  context.stdout.write(
    `${count(chosen.length)} words, ${count(result.samples)} letters (${data}, ${part} of ${heldOut(holdOut)} held out)\n`,
  );
  context.stdout.write(`${summary(result)}\n`);
}
