// The task of tagging words: parts of speech, names, slots, and with slots the intent of a sentence.
import {
  DataLoader,
  loadWordVectors,
  marksSpans,
  type SentenceBatch,
  SentenceData,
  SentenceEncoder,
  type TaggedSentence,
  type WordVectors,
} from '../../data/index.ts';
import { Tagger, type Tagging } from '../../models/index.ts';
import { DataError, Generator } from '../../tensor/index.ts';
import { taggingMetrics } from '../../training/index.ts';
import { type Context, interruptible, UsageError } from '../context.ts';
import { choice, count, integer, number } from '../options.ts';
import { findTagged, type Part, readTagged, tagColumns } from './tagger-data.ts';
import { type OpenTagger, openTagger, taggerInfo } from './tagger-file.ts';
import { scoreAsJson, scoreAsText, scoreInLine, scoreOf } from './tagger-score.ts';
import type { EvaluateRequest, Plan, Settings, Task } from './task.ts';
import { recipeWith } from './task-recipe.ts';

type Own = {
  readonly tags: (typeof tagColumns)[number];
  readonly output: 'softmax' | 'crf' | null;
  readonly spelling: 'lstm' | 'cnn' | 'none';
  readonly hiddenSize: number | null;
  readonly layers: number;
  readonly dropout: number | null;
  readonly vectors: string | null;
};

export const tagger: Task<Own, OpenTagger> = {
  architectures: {
    tagger: 'a tag for each word of a sentence: part of speech, name or slot; with slots also its intent',
  },
  data: {
    help: 'a directory of CoNLL-U, of CoNLL in columns or of seq.in, seq.out and label, in parts called train and test',
  },
  options: {
    tags: {
      flags: '--tags <column>',
      description: `of CoNLL-U: ${tagColumns.join(', ')} (default: upos); of columns it is the last`,
      parse: choice(...tagColumns),
      default: 'upos',
    },
    output: {
      flags: '--output <layer>',
      description: 'softmax: each tag alone; crf: the whole sequence (default: crf where tags are BIO)',
      parse: choice('softmax', 'crf'),
      default: null,
    },
    spelling: {
      flags: '--spelling <network>',
      description: 'what reads the letters of a word: lstm (default), cnn or none',
      parse: choice('lstm', 'cnn', 'none'),
      default: 'lstm',
    },
    hiddenSize: {
      flags: '--hidden-size <n>',
      description: 'units of the LSTM in each direction (default: the recipe)',
      parse: integer(1),
      default: null,
    },
    layers: { flags: '--layers <n>', description: 'of the LSTM (default: 1)', parse: integer(1), default: 1 },
    dropout: {
      flags: '--dropout <p>',
      description: 'of inputs and outputs of the LSTM (default: the recipe)',
      parse: number(0, 1),
      default: null,
    },
    vectors: {
      flags: '--vectors <file>',
      description: 'begin with these word vectors (GloVe, word2vec or JSON) where they have the word',
      default: null,
    },
  },
  examples: [
    'fovea train tagger --data ud-english-ewt/',
    'fovea train tagger --data snips/ --out slots.safetensors',
    'fovea train tagger --data conll2003/ --layers 2',
  ],
  prepare,
  open: openTagger,
  sample({ model, encoder }) {
    const words = ['time', 'flies', 'like', 'an', 'arrow'];
    return {
      model,
      what: `a sentence of ${words.length} words`,
      run: () => model.measure(encoder.encode([{ words, tags: [] }])),
    };
  },
  evaluate: measure,
};

/** Parts of speech depend on little beside the word itself; names and slots on one another and on the whole sentence. */
const recipes = {
  words: { hiddenSize: 192, dropout: 0.45, crf: false, epochs: 14 },
  spans: { hiddenSize: 200, dropout: 0.5, crf: true, epochs: 14 },
} as const;

const training = {
  optimizer: { name: 'adam', lr: 2e-3 },
  schedule: { name: 'cosine' },
  batchSize: 32,
  clipNorm: 5,
} as const;

async function prepare(settings: Settings<Own>): Promise<Plan> {
  const { data: where, seed, tags: column } = settings;
  const { format, files } = findTagged(where, 'train');
  const read = (part: Part) => (files[part] === undefined ? [] : readTagged(files[part], format, column));
  const sentences = { train: read('train'), validation: read('validation'), test: read('test') };
  if (sentences.train.length === 0) throw new DataError(`data: expected a file called train in ${where}, but got none`);
  const encoder = SentenceEncoder.of(sentences.train);
  const recipe = recipes[marksSpans(encoder.tags.words) ? 'spans' : 'words'];
  const vectors = settings.vectors === null ? undefined : loadWordVectors(settings.vectors);
  const options = {
    ...(vectors && { wordFeatures: vectors.width }),
    spelling: settings.spelling,
    hiddenSize: settings.hiddenSize ?? recipe.hiddenSize,
    numLayers: settings.layers,
    dropout: settings.dropout ?? recipe.dropout,
    crf: settings.output === null ? recipe.crf : settings.output === 'crf',
  };
  const model = new Tagger(encoder.sizes, { ...options, generator: new Generator(seed) });
  const begun = vectors ? [`${count(beginWith(vectors, model, encoder))} words begin with their vectors`] : [];
  const train = new SentenceData(sentences.train, encoder);
  const validation = new SentenceData(sentences.validation, encoder);
  const test = new SentenceData(sentences.test, encoder);
  const loader = (data: SentenceData, batchSize: number, shuffle = false) =>
    new DataLoader(data, { batchSize, shuffle, seed, lengths: data.lengths });
  const held = [test, validation].find(({ length }) => length > 0) ?? train;
  const plan: Plan<SentenceBatch, readonly Tagging[], SentenceBatch> = {
    model,
    info: taggerInfo(encoder, column, options),
    description: [`${where}: ${sizesOf(train, validation, test)}`, vocabularyOf(encoder), ...begun],
    notes: test.length > 0 ? [] : [`note: no part called test in ${where}: tested on what there is`],
    loader: loader(train, settings.batchSize ?? training.batchSize, true),
    validation: validation.length > 0 ? loader(validation, 64) : undefined,
    recipe: recipeWith({ ...training, epochs: recipe.epochs }, settings),
    objective: (batch) => model.measure(batch),
    metrics: taggingMetrics(encoder),
    unit: 'words',
    test: async (signal) => scoreInLine(await scoreOf(model, held, signal)),
  };
  return plan;
}

/** Gives each word that has a vector this one, and says how many have. */
function beginWith(vectors: WordVectors, { embedding: { weight } }: Tagger, { words }: SentenceEncoder): number {
  const known = words.words.filter((word) => vectors.has(word));
  for (const word of known) weight.floats.set(vectors.vector(word), words.index(word) * vectors.width);
  weight.touch();
  return known.length;
}

/** `12,544 sentences to train, 2,001 for validation, 2,077 to test` */
function sizesOf(train: SentenceData, validation: SentenceData, test: SentenceData): string {
  const held = [
    ...(validation.length > 0 ? [`${count(validation.length)} for validation`] : []),
    ...(test.length > 0 ? [`${count(test.length)} to test`] : []),
  ];
  return [`${count(train.length)} sentences to train`, ...held].join(', ');
}

function vocabularyOf({ words, tags, intents }: SentenceEncoder): string {
  const kinds = intents.size > 0 ? `, ${count(intents.size)} intents` : '';
  return `${count(words.words.length)} different words, ${count(tags.size)} tags${kinds}`;
}

async function measure(opened: OpenTagger, request: EvaluateRequest, context: Context): Promise<void> {
  const { model, encoder, column } = opened;
  const { file, data: where, split, json } = request;
  if (where === undefined) throw new UsageError('evaluate: expected --data, sentences with their tags, but got none');
  const { format, files } = findTagged(where, split);
  const path = files[split];
  if (path === undefined) throw new DataError(`data: expected a file called ${split} in ${where}, but got none`);
  const sentences = readTagged(path, format, column);
  checkTags(sentences, encoder, path, file);
  const score = await interruptible(context, (signal) => scoreOf(model, new SentenceData(sentences, encoder), signal));
  context.stdout.write(json ? scoreAsJson(score, sentences.length) : scoreAsText(score, path, sentences.length));
}

/** Throws DataError where the data has tags of another kind: a model that knows none of them can only be wrong. */
function checkTags(sentences: readonly TaggedSentence[], { tags }: SentenceEncoder, path: string, file: string): void {
  const used = new Set(sentences.flatMap((sentence) => sentence.tags));
  if ([...used].some((tag) => tags.has(tag))) return;
  const few = (words: readonly string[]) => `${words.slice(0, 5).join(', ')}${words.length > 5 ? ', …' : ''}`;
  throw new DataError(`${path}: expected tags that ${file} knows (${few(tags.words)}), but got ${few([...used])}`);
}
