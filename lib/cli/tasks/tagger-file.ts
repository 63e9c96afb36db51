// A tagger and its vocabularies, as a model file describes them.
import { SentenceEncoder } from '../../data/index.ts';
import type { ModelInfo } from '../../io/index.ts';
import { Tagger, type TaggerOptions } from '../../models/index.ts';
import { checkArchitecture, type ModelFile, restore } from '../model-file.ts';
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

/** The tagger in a file. Throws DataError if it holds another model, or a damaged one. */
export function openTagger(read: ModelFile): OpenTagger {
  checkArchitecture(read, ARCHITECTURE, 'a tagger');
  const { vocabularies, column, ...options }: Readonly<Record<string, unknown>> = { ...read.info.options };
  const encoder = SentenceEncoder.fromJSON(vocabularies, read.file);
  const { model } = restore(read, () => ({ model: new Tagger(encoder.sizes, options) }));
  return { model, encoder, column: tagColumns.find((name) => name === column) ?? 'upos' };
}
