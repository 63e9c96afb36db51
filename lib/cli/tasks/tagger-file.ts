// A tagger and its vocabularies, as a model file describes them.
import { SentenceEncoder } from '../../data/index.ts';
import type { Checkpoint, ModelInfo } from '../../io/index.ts';
import { Tagger, type TaggerOptions } from '../../models/index.ts';
import { DataError } from '../../tensor/index.ts';
import { type TagColumn, tagColumns } from './tagger-data.ts';

const ARCHITECTURE = 'tagger';

export interface OpenTagger {
  readonly model: Tagger;
  readonly encoder: SentenceEncoder;
  /** Which tags of CoNLL-U it learnt. */
  readonly column: TagColumn;
}

/** What a file says of a tagger. */
export function taggerInfo(encoder: SentenceEncoder, column: TagColumn, options: TaggerOptions): ModelInfo {
  return { architecture: ARCHITECTURE, options: { ...options, column, vocabularies: encoder.toJSON() } };
}

/** The tagger in a file that has been read. Throws DataError if it holds another model, or a damaged one. */
export function taggerIn({ model: info, weights }: Checkpoint, file: string): OpenTagger {
  if (info?.architecture !== ARCHITECTURE) {
    const got = info === undefined ? "tensors without a model's description" : `a model '${info.architecture}'`;
    throw new DataError(`${file}: expected a tagger that fovea saved, but got ${got}`);
  }
  const { vocabularies, column, ...options }: Readonly<Record<string, unknown>> = { ...info.options };
  const encoder = SentenceEncoder.fromJSON(vocabularies, file);
  try {
    const model = new Tagger(encoder.sizes, options);
    model.loadStateDict(weights);
    model.eval();
    return { model, encoder, column: tagColumns.find((name) => name === column) ?? 'upos' };
  } catch (error) {
    throw new DataError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
