// The applications and their goals, as data: which commands a figure comes from, and where in their JSON it stands.

/** Which side of its goal a figure should be on. */
export type Goal =
  | { readonly atLeast: number }
  | { readonly atMost: number }
  /** To so many digits after the point. */
  | { readonly equal: number; readonly digits: number };

export interface Figure {
  readonly name: string;
  /** Keys on the way to it in what `measure` prints; in a list, the `file` of an entry, or `+` for the sum over all. */
  readonly at: readonly string[];
  readonly goal: Goal;
  readonly unit: 'share' | 'number';
}

/** In commands, {data} is the folder of data, {model} the model's file, {seed} the seed, {fold} the fold. */
export interface Application {
  readonly name: string;
  readonly title: string;
  /** Arguments of `fovea` that train the model; none where nothing is trained. */
  readonly train?: readonly string[];
  /** Arguments of `fovea` that print the figures as JSON. */
  readonly measure: readonly string[];
  readonly seeds: readonly number[];
  /** Parts of the data that are held out in turn: a model for each. */
  readonly folds?: readonly number[];
  readonly figures: readonly Figure[];
  /** A training should take no longer. */
  readonly minutes?: number;
}

const train = (model: string, data: string, ...more: readonly string[]) => [
  ...['train', model, '--data', `{data}/${data}`, ...more, '--seed', '{seed}', '--quiet', '--out', '{model}'],
];
const evaluate = (data: string) => ['evaluate', '{model}', '--data', `{data}/${data}`, '--json'];

const series = (name: string, title: string, file: string, ...options: readonly string[]) => ({
  name,
  title: `forecasts of ${title}, last 33 %`,
  train: train('forecaster', `time-series/${file}.csv`, ...options),
  measure: evaluate(`time-series/${file}.csv`),
  seeds: [1, 2, 3],
});

const oneStep = (rmse: number): Figure => ({
  name: 'RMSE one step ahead',
  at: ['rmse'],
  goal: { atMost: rmse },
  unit: 'number',
});

const year = (rmse: number): Figure => ({
  name: 'RMSE twelve steps ahead',
  at: ['ahead', 'rmse'],
  goal: { atMost: rmse },
  unit: 'number',
});

const letters = (name: string, title: string, holdOut: string, goal: number): Application => ({
  name,
  title: `handwritten words, ${title}`,
  train: train('words', 'ocr-letters', '--hold-out', holdOut),
  measure: evaluate('ocr-letters'),
  seeds: [1],
  figures: [{ name: 'letters right', at: ['letterAccuracy'], goal: { atLeast: goal }, unit: 'share' }],
});

const similarity = (name: string, file: string, spearman: number): Figure => ({
  name: `Spearman ${name}`,
  at: ['evaluation', 'similarity', file, 'spearman'],
  goal: { equal: spearman, digits: 4 },
  unit: 'number',
});

const counted = (name: string, key: string, goal: number): Figure => ({
  name,
  at: ['evaluation', 'analogies', '+', key],
  goal: { equal: goal, digits: 0 },
  unit: 'number',
});

export const applications: readonly Application[] = [
  {
    name: 'tagger',
    title: 'parts of speech, UD English EWT, test',
    train: train('tagger', 'ud-english-ewt'),
    measure: evaluate('ud-english-ewt'),
    seeds: [1, 2, 3],
    figures: [{ name: 'UPOS accuracy', at: ['accuracy'], goal: { atLeast: 0.948 }, unit: 'share' }],
    minutes: 15,
  },
  {
    name: 'slots',
    title: 'slots and intents, SNIPS, test',
    train: train('tagger', 'snips'),
    measure: evaluate('snips'),
    seeds: [1],
    figures: [
      { name: 'slot F1', at: ['spans', 'f1'], goal: { atLeast: 0.93 }, unit: 'share' },
      { name: 'intents right', at: ['intentAccuracy'], goal: { atLeast: 0.975 }, unit: 'share' },
    ],
  },
  letters('letters', 'fold 0', '0', 0.96),
  {
    ...letters('letters-folds', 'ten folds, each by a model of the other nine', '{fold}', 0.96),
    folds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  },
  letters('letters-unseen', 'every fifth distinct word held out', 'words', 0.8),
  {
    name: 'characters',
    title: 'character model, tinyshakespeare, last 10 %',
    train: train('language-model', 'text/tinyshakespeare.txt'),
    measure: evaluate('text/tinyshakespeare.txt'),
    seeds: [1],
    figures: [{ name: 'nats per character', at: ['nats'], goal: { atMost: 1.5 }, unit: 'number' }],
    minutes: 20,
  },
  {
    name: 'names',
    title: 'character model, names, a tenth of them',
    train: train('language-model', 'text/names.txt', '--level', 'line'),
    measure: evaluate('text/names.txt'),
    seeds: [1],
    figures: [{ name: 'nats per character', at: ['nats'], goal: { atMost: 2.1 }, unit: 'number' }],
  },
  {
    name: 'shakespeare-words',
    title: 'word model, tinyshakespeare, last 10 %',
    train: train('language-model', 'text/tinyshakespeare.txt', '--level', 'word', '--epochs', '8'),
    measure: evaluate('text/tinyshakespeare.txt'),
    seeds: [1],
    // Better than counting pairs of words.
    figures: [{ name: 'perplexity', at: ['perplexity'], goal: { atMost: 97.96 }, unit: 'number' }],
  },
  {
    name: 'vectors',
    title: 'word vectors, GloVe subset',
    measure: ['vectors', '{data}/word-vectors/glove-50d-5k.json.gz', '--evaluate', '{data}/word-vectors', '--json'],
    seeds: [1],
    figures: [
      similarity('WS-353', 'EN-WS-353-ALL.txt', 0.5449),
      similarity('SimLex', 'EN-SIMLEX-999.txt', 0.2337),
      similarity('MEN', 'EN-MEN-TR-3k.txt', 0.6817),
      counted('analogies right', 'correct', 1942),
      counted('analogies known', 'known', 3006),
    ],
  },
  // Better than the value of the same month a year before (41.85 and 41.70), not only than the last value (48.04).
  {
    ...series('airline', 'airline passengers', 'airline-passengers', '--season', '12', '--epochs', '100'),
    figures: [oneStep(41.85), year(41.7)],
  },
  // Better than the last value.
  {
    ...series('temperatures', 'daily minimum temperatures', 'daily-min-temperatures'),
    figures: [oneStep(2.624), year(3.767)],
  },
  { ...series('sunspots', 'monthly sunspots', 'monthly-sunspots'), figures: [oneStep(18.4), year(36.49)] },
];

/** Training beside PyTorch: rates, not the quality of a model. */
export const races = { names: ['tagger', 'characters'], goal: 1.5 } as const;
