// From a file to a model ready to use.
import { type Checkpoint, loadCheckpoint, type ModelInfo } from '../io/index.ts';
import { createModel, type ModelDefinition } from '../models/index.ts';
import { DataError } from '../tensor/index.ts';

export interface OpenModel {
  readonly definition: ModelDefinition;
  /** As the file says: its classes and preprocessing, not those of the architecture in general. */
  readonly info: ModelInfo;
  readonly checkpoint: Checkpoint;
}

/** Makes the model a file describes, with the file's weights. Throws DataError if the file does not describe one. */
export function openModel(file: string): OpenModel {
  const checkpoint = loadCheckpoint(file);
  const { model: info, weights } = checkpoint;
  if (info === undefined) {
    throw new DataError(`${file}: expected a model that fovea saved, but got tensors without a model's description`);
  }
  const classes = Reflect.get(info.options, 'classes');
  try {
    const definition = createModel(info.architecture, typeof classes === 'number' ? { classes } : {});
    definition.model.loadStateDict(weights);
    definition.model.eval();
    return { definition, info, checkpoint };
  } catch (error) {
    throw new DataError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** The description of a model for its file. */
export function infoOf(
  { architecture, options, inputShape, preprocessing, classes }: ModelDefinition,
  names: readonly string[] = classes,
): ModelInfo {
  return { architecture, options, inputShape, preprocessing, classes: names };
}
