// The tasks there are, found by the architecture of a model.
import { DataError } from '../../tensor/index.ts';
import type { ModelFile } from '../model-file.ts';
import { forecaster } from './forecaster.ts';
import { languageModel } from './language-model.ts';
import { pictures } from './pictures.ts';
import { tagger } from './tagger.ts';
import type { Task } from './task.ts';
import { words } from './words.ts';

export const tasks: readonly Task[] = [pictures, tagger, words, languageModel, forecaster];

/** Every architecture that can be trained. */
export const architectures: readonly string[] = tasks.flatMap((task) => Object.keys(task.architectures));

/** The task that an architecture belongs to; undefined for an unknown one. */
export const taskOf = (architecture: string): Task | undefined =>
  tasks.find((task) => Object.hasOwn(task.architectures, architecture));

/** The task of the model in a file. Throws DataError for one that no task knows. */
export function taskIn({ file, info: { architecture } }: ModelFile): Task {
  const task = taskOf(architecture);
  if (task !== undefined) return task;
  const known = architectures.join(', ');
  throw new DataError(`${file}: expected a model that is one of ${known}, but got '${architecture}'`);
}
