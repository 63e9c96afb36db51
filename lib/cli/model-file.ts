// From a file to a model ready to use.
import { type Checkpoint, loadCheckpoint, type ModelInfo } from '../io/index.ts';
import { createModel, type ModelDefinition } from '../models/index.ts';
import { DataError } from '../tensor/index.ts';

export interface OpenFile {
  readonly info: ModelInfo;
  readonly checkpoint: Checkpoint;
}

export interface OpenModel extends OpenFile {
  readonly definition: ModelDefinition;
  /** As the file says: its classes and preprocessing, not those of the architecture in general. */
  readonly info: ModelInfo;
}

/** Reads a model file of any kind. Throws DataError if it does not say what its model is. */
export function openFile(file: string): OpenFile {
  const checkpoint = loadCheckpoint(file);
  return { info: infoIn(checkpoint, file), checkpoint };
}

/** Makes the model of pictures a file describes, with the file's weights. Throws DataError if it does not describe one. */
export function openModel(file: string): OpenModel {
  return modelOf(file, loadCheckpoint(file));
}

/** The same for a file that has been read. */
export function modelOf(file: string, checkpoint: Checkpoint): OpenModel {
  const info = infoIn(checkpoint, file);
  const classes = Reflect.get(info.options, 'classes');
  try {
    const definition = createModel(info.architecture, typeof classes === 'number' ? { classes } : {});
    definition.model.loadStateDict(checkpoint.weights);
    definition.model.eval();
    return { definition, info, checkpoint };
  } catch (error) {
    throw new DataError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function infoIn({ model }: Checkpoint, file: string): ModelInfo {
  if (model !== undefined) return model;
  throw new DataError(`${file}: expected a model that fovea saved, but got tensors without a model's description`);
}

/** The description of a model of pictures for its file. */
export function infoOf(
  { architecture, options, inputShape, preprocessing, classes }: ModelDefinition,
  names: readonly string[] = classes,
): ModelInfo {
  return { architecture, options, inputShape, preprocessing, classes: names };
}
