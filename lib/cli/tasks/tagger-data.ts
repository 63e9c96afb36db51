// From --data to sentences with tags: CoNLL-U, CoNLL in columns, or the files of SNIPS; a directory of parts, or one file.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readColumns, readConllu, readIntents, type TaggedSentence } from '../../data/index.ts';
import { DataError } from '../../tensor/index.ts';

export const tagColumns = ['upos', 'xpos', 'features'] as const;
/** What of CoNLL-U is to be learnt. */
export type TagColumn = (typeof tagColumns)[number];

export const parts = ['train', 'validation', 'test'] as const;
export type Part = (typeof parts)[number];

/** How each part may be called, in the name of its file. */
const names: Readonly<Record<Part, RegExp>> = {
  train: /train/i,
  validation: /dev|valid|testa/i,
  test: /test(?!a)/i,
};

const formats = {
  intents: /\.seq\.in$/,
  conllu: /\.conllu(\.gz)?$/,
  columns: /\.(conll|bio2?|iob2?|tsv|txt|train|testa|testb)(\.gz)?$/,
} as const;

export interface TaggedFiles {
  readonly format: keyof typeof formats;
  /** The file of each part there is. */
  readonly files: Readonly<Partial<Record<Part, string>>>;
}

const EXPECTED = 'a directory with .conllu, .conll or .seq.in files called train and test, or one such file';

/** Finds out what --data names. A single file is the part `as`. Throws DataError where it is nothing of the kind. */
export function findTagged(where: string, as: Part): TaggedFiles {
  const found = statSync(where, { throwIfNoEntry: false });
  if (found === undefined) throw new DataError(`data: expected ${EXPECTED}, but got ${where}, which does not exist`);
  if (!found.isDirectory()) {
    const format = formats.intents.test(where) ? 'intents' : formats.conllu.test(where) ? 'conllu' : 'columns';
    return { format, files: { [as]: where } };
  }
  const all = readdirSync(where).sort();
  for (const format of ['intents', 'conllu', 'columns'] as const) {
    const candidates = all.filter((name) => formats[format].test(name));
    const files: Partial<Record<Part, string>> = {};
    for (const part of parts) {
      const [file, other] = candidates.filter((name) => names[part].test(name));
      if (other !== undefined) {
        throw new DataError(`data: expected one file called ${part} in ${where}, but got ${file} and ${other}`);
      }
      if (file !== undefined) files[part] = join(where, file);
    }
    if (Object.keys(files).length > 0) return { format, files };
  }
  throw new DataError(`data: expected ${EXPECTED}, but got ${where}, which holds none`);
}

/** The sentences of a file, with the tags asked for. Throws DataError, with file and line, for what is malformed or empty. */
export function readTagged(file: string, format: TaggedFiles['format'], column: TagColumn): TaggedSentence[] {
  const sentences = read(file, format, column);
  if (sentences.length === 0) throw new DataError(`${file}: expected sentences, but got none`);
  return sentences;
}

function read(file: string, format: TaggedFiles['format'], column: TagColumn): TaggedSentence[] {
  if (format === 'columns') return readColumns(file);
  if (format === 'intents') return readIntents(dirname(file), basename(file).replace(formats.intents, ''));
  return readConllu(file).map(({ words, upos, xpos, features, line }) => {
    const tags = { upos, xpos, features }[column];
    if (column !== 'features' && tags.includes('_')) {
      throw new DataError(`${file}:${line}: expected ${column.toUpperCase()} of every word of the sentence, but got _`);
    }
    return { words, tags, details: words.map((_, i) => `${xpos[i]}|${features[i]}`) };
  });
}
