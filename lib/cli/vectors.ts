// fovea vectors: what a file of word vectors knows of words.
import {
  type AnalogyResult,
  evaluateFolder,
  loadWordVectors,
  type Neighbour,
  type WordVectorReport,
  type WordVectors,
} from '../data/index.ts';
import { type AddCommand, type Context, UsageError } from './context.ts';
import { count, examples, integer } from './options.ts';

interface Options {
  readonly neighbours?: string;
  readonly analogy?: readonly string[];
  readonly similarity?: readonly string[];
  readonly evaluate?: string;
  readonly top: number;
  readonly limit?: number;
  readonly json?: true;
}

export const addVectors: AddCommand = (program, context) => {
  program
    .command('vectors')
    .description('look into word vectors: neighbours, analogies, similarity, and how good they are')
    .argument('<file>', "GloVe's text, word2vec's text or binary form, or JSON of arrays by word; .gz too")
    .option('--neighbours <word>', 'print the words nearest to this one')
    .option('--analogy <words...>', 'three words a b c: print what is to c as b is to a')
    .option('--similarity <words...>', 'two words: print the cosine between them')
    .option('--evaluate <folder>', 'compare with the judged pairs and the analogies in the .txt files of a folder')
    .option('--top <n>', 'print so many words', integer(1), 10)
    .option('--limit <n>', 'read only the first so many words of the file', integer(1))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'fovea vectors glove.6B.50d.txt --neighbours king',
        'fovea vectors glove.6B.50d.txt --analogy man king woman --top 3',
        'fovea vectors vectors.bin --similarity coffee tea',
        'fovea vectors glove.6B.50d.txt --evaluate word-vectors/',
      ),
    )
    .action((file: string, options: Options) => look(file, options, context));
};

function look(file: string, options: Options, { stdout }: Context): void {
  const { neighbours, analogy, similarity, evaluate, top, limit, json } = options;
  if (analogy && analogy.length !== 3) throw new UsageError(`--analogy takes three words, but got ${analogy.length}`);
  if (similarity && similarity.length !== 2) {
    throw new UsageError(`--similarity takes two words, but got ${similarity.length}`);
  }
  const vectors = loadWordVectors(file, limit === undefined ? {} : { limit });
  const answers = {
    file,
    words: vectors.length,
    width: vectors.width,
    ...(neighbours !== undefined && { neighbours: vectors.neighbours(neighbours, top) }),
    ...(analogy && { analogy: answerAnalogy(vectors, analogy, top) }),
    ...(similarity && { similarity: vectors.similarity(similarity[0]!, similarity[1]!) }),
    ...(evaluate !== undefined && { evaluation: evaluateFolder(vectors, evaluate) }),
  };
  if (json) {
    stdout.write(`${JSON.stringify(answers, null, 2)}\n`);
    return;
  }
  const lines = [`${file}: ${count(vectors.length)} words, ${vectors.width} numbers each`];
  if (answers.neighbours) lines.push('', `nearest to ${neighbours}`, ...list(answers.neighbours));
  if (analogy && answers.analogy) {
    lines.push('', `${analogy[0]} is to ${analogy[1]} as ${analogy[2]} is to`, ...list(answers.analogy));
  }
  if (similarity && answers.similarity !== undefined) {
    lines.push('', `${similarity.join(' and ')}: ${answers.similarity.toFixed(4)}`);
  }
  if (answers.evaluation) lines.push(...report(answers.evaluation));
  stdout.write(`${lines.join('\n')}\n`);
}

const answerAnalogy = (vectors: WordVectors, [a, b, c]: readonly string[], top: number): Neighbour[] =>
  vectors.analogy(a!, b!, c!, top);

const list = (words: readonly Neighbour[]) =>
  words.map(({ word, similarity }) => `  ${similarity.toFixed(4)}  ${word}`);

/** Correlations by file, then analogies by section and altogether. */
function report({ similarity, analogies }: WordVectorReport): string[] {
  const lines: string[] = [];
  const row = (name: string, known: number, all: number, what: string) =>
    `  ${name.padEnd(28)} ${`${count(known)} of ${count(all)}`.padStart(16)}  ${what}`;
  if (similarity.length > 0) lines.push('', 'similarity: pairs whose words are known, rank correlation (Spearman)');
  for (const { file, known, pairs, spearman } of similarity) lines.push(row(file, known, pairs, spearman.toFixed(4)));
  if (analogies.length > 0) lines.push('', 'analogies: questions whose words are known, answered (3CosAdd)');
  const share = ({ correct, known }: Pick<AnalogyResult, 'correct' | 'known'>) =>
    `${count(correct)}${known === 0 ? '' : `, ${((100 * correct) / known).toFixed(1)} %`}`;
  for (const section of analogies) lines.push(row(section.name, section.known, section.questions, share(section)));
  const sum = (pick: (section: AnalogyResult) => number) => analogies.reduce((total, one) => total + pick(one), 0);
  const all = { known: sum((one) => one.known), correct: sum((one) => one.correct) };
  if (analogies.length > 0)
    lines.push(
      row(
        'all',
        all.known,
        sum((one) => one.questions),
        share(all),
      ),
    );
  return lines;
}
