// From --data to tokens: a text file, cut into what is trained on and what is tested on.
import { lineEnd, readText, type TextLevel, tokenize, Vocabulary } from '../../data/index.ts';
import { Random } from '../../data/random.ts';
import { DataError } from '../../tensor/index.ts';
import { count } from '../options.ts';

/** The last part of a text, or of the lines in random order, is for testing. */
const TEST_SHARE = 0.1;

/** A part of a text: the tokens of each piece that is to be read in one go. With characters and words, that is all of it. */
export interface TextPart {
  readonly pieces: readonly Int32Array[];
  /** Targets that the vocabulary does not know. */
  readonly unknown: number;
}

export interface TextData {
  readonly vocabulary: Vocabulary;
  readonly train: TextPart;
  readonly validation: TextPart | undefined;
  readonly test: TextPart;
  readonly description: string;
}

export interface TextOptions {
  readonly level: TextLevel;
  /** Another file to test on; then all of the first is for training. */
  readonly testData: string | null;
  /** Share of what is for training that is held out. */
  readonly validation?: number;
}

/** Pieces as they are written. */
type Pieces = readonly (readonly string[])[];

/**
 * Reads `file`. Its last tenth is the test part, or a tenth of its lines, drawn at random but always the same. The vocabulary
 * is that of the training part, unless one is given. Throws DataError for a text that is empty, or too short to be cut.
 */
export function openText(
  file: string,
  { level, testData, validation = 0 }: TextOptions,
  vocabularyOf: (tokens: Iterable<string>) => Vocabulary,
): TextData {
  const [rest, test] =
    testData === null
      ? cut(readPieces(file, level), TEST_SHARE, level)
      : [readPieces(file, level), readPieces(testData, level)];
  const [train, held] = validation > 0 ? cut(rest, validation, level) : [rest, undefined];
  const parts = held === undefined ? { train, test } : { train, validation: held, test };
  if (Object.values(parts).some((pieces) => targetsOf(pieces) === 0)) {
    const least = level === 'line' ? 'a line' : level === 'word' ? 'two words' : 'two characters';
    const sizes = Object.values(parts).map((pieces) => (level === 'line' ? pieces.length : (pieces[0]?.length ?? 0)));
    const expected = `text of at least ${least} for each of ${Object.keys(parts).join(', ')}`;
    throw new DataError(`${file}: expected ${expected}, but got ${sizes.join(', ')}`);
  }
  const vocabulary = vocabularyOf(train.flat());
  const tokens = { char: 'characters', word: 'words', line: 'lines' }[level];
  const amount = (pieces: Pieces) => count(level === 'line' ? pieces.length : targetsOf(pieces));
  const kinds = `${count(vocabulary.words.length)} different ${level === 'word' ? 'words' : 'characters'}`;
  return {
    vocabulary,
    train: encode(train, vocabulary),
    validation: held && encode(held, vocabulary),
    test: encode(test, vocabulary),
    description: `${file}: ${amount(train)} ${tokens} to train, ${amount(test)} to test, ${kinds}`,
  };
}

/** One piece, or with `line` one for each line that is not empty, begun and ended by the end of a line. */
function readPieces(file: string, level: TextLevel): Pieces {
  const tokens = tokenize(readText(file), level);
  if (tokens.length === 0) throw new DataError(`${file}: expected a text, but got an empty one`);
  if (level !== 'line') return [tokens];
  const pieces: string[][] = [];
  let line = [lineEnd];
  for (const token of [...tokens, lineEnd]) {
    line.push(token);
    if (token !== lineEnd) continue;
    if (line.length > 2) pieces.push(line);
    line = [lineEnd];
  }
  return pieces;
}

/** Cuts off the last `share`: of the tokens, or of the lines in an order that depends on their number alone. */
function cut(pieces: Pieces, share: number, level: TextLevel): [rest: Pieces, off: Pieces] {
  if (level !== 'line') {
    const all = pieces.flat();
    const at = Math.floor(all.length * (1 - share));
    return [[all.slice(0, at)], [all.slice(at)]];
  }
  const order = Array.from(new Random(0).permutation(pieces.length), (index) => pieces[index] ?? []);
  const at = Math.floor(order.length * (1 - share));
  return [order.slice(0, at), order.slice(at)];
}

/** Tokens that have one before them. */
const targetsOf = (pieces: Pieces): number => pieces.reduce((sum, piece) => sum + Math.max(0, piece.length - 1), 0);

function encode(pieces: Pieces, vocabulary: Vocabulary): TextPart {
  const encoded = pieces.map((piece) => Int32Array.from(piece, (token) => vocabulary.index(token)));
  const unknown = encoded.reduce(
    (sum, piece) => sum + piece.subarray(1).filter((t) => t === Vocabulary.unknown).length,
    0,
  );
  return { pieces: encoded, unknown };
}
