// A language model and its file: what the file says besides the weights, and the model that it describes.
import { type TextLevel, textLevels, Vocabulary } from '../../data/index.ts';
import type { ModelInfo } from '../../io/index.ts';
import { LanguageModel, type LanguageModelOptions } from '../../models/index.ts';
import { DataError } from '../../tensor/index.ts';
import { checkArchitecture, type ModelFile, restore } from '../model-file.ts';

export const architecture = 'language-model';

/** A model with what it takes to read and write text. */
export interface TextModel {
  readonly model: LanguageModel;
  readonly level: TextLevel;
  readonly vocabulary: Vocabulary;
}

type Sizes = Omit<LanguageModelOptions, 'generator'>;

export function describeModel(level: TextLevel, vocabulary: Vocabulary, sizes: Sizes): ModelInfo {
  return { architecture, options: { level, ...sizes, vocabulary: vocabulary.toJSON() } };
}

/** The language model in a file. Throws DataError if it holds another model, or a damaged one. */
export function openLanguageModel(read: ModelFile): TextModel {
  checkArchitecture(read, architecture, 'a language model');
  const { file, info } = read;
  const options: Readonly<Record<string, unknown>> = { ...info.options };
  const level = textLevels.find((known) => known === options.level);
  if (level === undefined) {
    throw new DataError(
      `${file}: expected level to be one of ${textLevels.join(', ')}, but got ${String(options.level)}`,
    );
  }
  const vocabulary = Vocabulary.fromJSON(options.vocabulary, file);
  if (!vocabulary.open) throw new DataError(`${file}: expected an open vocabulary, but got a closed one`);
  const { model } = restore(read, () => ({ model: new LanguageModel(vocabulary.size, sizesIn(options)) }));
  return { model, level, vocabulary };
}

/** The sizes among the options of a file; wrong ones are refused here or by the layers. */
function sizesIn({ embeddingSize, hiddenSize, numLayers, cell, tied }: Readonly<Record<string, unknown>>): Sizes {
  const size = (name: string, value: unknown) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= 65_536) return value;
    throw new DataError(`expected ${name} from 1 to 65536, but got ${String(value)}`);
  };
  if (cell !== 'lstm' && cell !== 'gru' && cell !== 'rnn') {
    throw new DataError(`expected cell to be lstm, gru or rnn, but got ${String(cell)}`);
  }
  return {
    embeddingSize: size('embeddingSize', embeddingSize),
    hiddenSize: size('hiddenSize', hiddenSize),
    numLayers: size('numLayers', numLayers),
    cell,
    tied: tied === true,
  };
}
