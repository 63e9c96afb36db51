// How good word vectors are: rank correlation with people's judgement of similarity, and analogies answered.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../tensor/errors.ts';
import { readLines } from '../text-file.ts';
import { spearman } from './spearman.ts';
import type { Question, WordVectors } from './word-vectors.ts';

/** Two words, and how similar people find them. */
export interface JudgedPair {
  readonly words: readonly [string, string];
  readonly score: number;
}

/** Questions of one kind: a is to b as c is to the answer. */
export interface AnalogySection {
  readonly name: string;
  readonly questions: readonly (readonly [a: string, b: string, c: string, answer: string])[];
}

/** Pairs whose words both have a vector, and the rank correlation of their similarity with people's. */
export interface SimilarityResult {
  readonly pairs: number;
  readonly known: number;
  readonly spearman: number;
}

/** Questions whose words all have a vector, and those answered. */
export interface AnalogyResult {
  readonly name: string;
  readonly questions: number;
  readonly known: number;
  readonly correct: number;
}

/** Reads two words and a score a line, between tabs. Throws DataError with file and line. */
export function readSimilarities(file: string): JudgedPair[] {
  const pairs: JudgedPair[] = [];
  let line = 0;
  for (const text of readLines(file)) {
    line++;
    if (text.trim() === '') continue;
    const [one = '', other = '', score = '', ...more] = text.trim().split(/\t/);
    if (one === '' || other === '' || score.trim() === '' || !Number.isFinite(Number(score)) || more.length > 0) {
      wrong(file, line, 'two words and a number between tabs', text);
    }
    pairs.push({ words: [one, other], score: Number(score) });
  }
  return pairs;
}

/** Reads four words a line, under lines of `: section`, as word2vec's questions-words. Throws DataError with file and line. */
export function readAnalogies(file: string): AnalogySection[] {
  const sections: { name: string; questions: [string, string, string, string][] }[] = [];
  let line = 0;
  for (const text of readLines(file)) {
    line++;
    if (text.trim() === '') continue;
    if (text.startsWith(':')) {
      sections.push({ name: text.slice(1).trim(), questions: [] });
      continue;
    }
    const [a, b, c, answer, ...more] = text.trim().split(/\s+/);
    if (!a || !b || !c || !answer || more.length > 0) wrong(file, line, 'four words', text);
    const section = sections.at(-1) ?? wrong(file, line, 'a section, `: name`, before the first question', text);
    section.questions.push([a, b, c, answer]);
  }
  return sections;
}

function wrong(file: string, line: number, expected: string, got: string): never {
  throw new DataError(`${file}:${line}: expected ${expected}, but got '${got.slice(0, 60)}'`);
}

/** The word as it is, or in lower case, whichever has a vector. */
const known = (vectors: WordVectors, word: string): string | undefined =>
  [word, word.toLowerCase()].find((form) => vectors.has(form));

/** Pairs with an unknown word do not count. */
export function evaluateSimilarity(vectors: WordVectors, pairs: readonly JudgedPair[]): SimilarityResult {
  const scores: number[] = [];
  const cosines: number[] = [];
  for (const { words, score } of pairs) {
    const [one, other] = words.map((word) => known(vectors, word));
    if (one === undefined || other === undefined) continue;
    scores.push(score);
    cosines.push(vectors.similarity(one, other));
  }
  return { pairs: pairs.length, known: scores.length, spearman: spearman(scores, cosines) };
}

/** By 3CosAdd. Questions with an unknown word do not count. */
export function evaluateAnalogies(vectors: WordVectors, sections: readonly AnalogySection[]): AnalogyResult[] {
  return sections.map(({ name, questions }) => {
    const asked = questions.flatMap((words) => {
      const found = words.flatMap((word) => known(vectors, word) ?? []);
      return found.length === 4 ? [found] : [];
    });
    const answers = vectors.analogies(asked.map(([a, b, c]): Question => [a!, b!, c!]));
    const correct = answers.filter(([best], i) => best?.word === asked[i]![3]).length;
    return { name, questions: questions.length, known: asked.length, correct };
  });
}

/** What was found in the files of a folder. */
export interface WordVectorReport {
  readonly similarity: readonly (SimilarityResult & { readonly file: string })[];
  readonly analogies: readonly (AnalogyResult & { readonly file: string })[];
}

/** Evaluates with every file of a folder that is text: of analogies where it begins with `:`, else of judged pairs. */
export function evaluateFolder(vectors: WordVectors, folder: string): WordVectorReport {
  const files = readdirSync(folder)
    .filter((name) => /\.txt(\.gz)?$/.test(name))
    .sort();
  if (files.length === 0)
    throw new DataError(`${folder}: expected files .txt or .txt.gz of pairs or analogies, but got none`);
  const similarity: WordVectorReport['similarity'][number][] = [];
  const analogies: WordVectorReport['analogies'][number][] = [];
  for (const name of files) {
    const path = join(folder, name);
    const [first = ''] = readLines(path);
    if (first.startsWith(':')) {
      analogies.push(...evaluateAnalogies(vectors, readAnalogies(path)).map((result) => ({ file: name, ...result })));
    } else {
      similarity.push({ file: name, ...evaluateSimilarity(vectors, readSimilarities(path)) });
    }
  }
  return { similarity, analogies };
}
