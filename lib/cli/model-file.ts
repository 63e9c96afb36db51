// From a file to a model ready to use.
import { type Checkpoint, loadCheckpoint, type ModelInfo } from '../io/index.ts';
import { createModel, type ModelDefinition, models } from '../models/index.ts';
import type { Module } from '../nn/index.ts';
import { DataError } from '../tensor/index.ts';

/** A model file that has been read. */
export interface ModelFile {
  readonly file: string;
  /** As the file says: its classes and preprocessing, not those of the architecture in general. */
  readonly info: ModelInfo;
  readonly checkpoint: Checkpoint;
}

export interface OpenModel extends ModelFile {
  readonly definition: ModelDefinition;
}

/** Reads a model file of any kind. Throws DataError if it does not say what its model is. */
export function readModelFile(file: string): ModelFile {
  const checkpoint = loadCheckpoint(file);
  if (checkpoint.model !== undefined) return { file, info: checkpoint.model, checkpoint };
  throw new DataError(`${file}: expected a model that fovea saved, but got tensors without a model's description`);
}

/** The model of pictures in a file. Throws DataError if it holds none, or a damaged one. */
export function openModel(read: ModelFile): OpenModel {
  const { architecture, options } = read.info;
  checkArchitecture(read, Object.keys(models), 'a model of pictures');
  const classes = Reflect.get(options, 'classes');
  const definition = restore(read, () => createModel(architecture, typeof classes === 'number' ? { classes } : {}));
  return { ...read, definition };
}

/** Throws DataError unless a file holds one of the `architectures`, which the message calls `what`. */
export function checkArchitecture(
  { file, info }: ModelFile,
  architectures: string | readonly string[],
  what: string,
): void {
  if ([architectures].flat().includes(info.architecture)) return;
  throw new DataError(`${file}: expected ${what} that fovea saved, but got a model '${info.architecture}'`);
}

/** What `make` makes, with the file's weights in its model, ready to be used. Throws DataError, which names the file, if they do not fit. */
export function restore<T extends { readonly model: Module }>({ file, checkpoint }: ModelFile, make: () => T): T {
  try {
    const made = make();
    made.model.loadStateDict(checkpoint.weights);
    made.model.eval();
    return made;
  } catch (error) {
    throw new DataError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** The description of a model of pictures for its file. */
export function infoOf(
  { architecture, options, inputShape, preprocessing, classes }: ModelDefinition,
  names: readonly string[] = classes,
): ModelInfo {
  return { architecture, options, inputShape, preprocessing, classes: names };
}
