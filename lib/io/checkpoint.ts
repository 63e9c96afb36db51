// Checkpoints: one safetensors file with a model's weights, what it is, and all that training needs to go on exactly.

import type { OptimizerState } from '../optim/index.ts';
import { DataError } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { isRecord, type Json, parse, stringify } from './json.ts';
import { decodeModelInfo, encodeModelInfo, type ModelInfo } from './model-info.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { version } from './version.ts';

/** All parts but the weights are optional: a file with weights and `model` is a model file, any safetensors file loads. */
export interface Checkpoint {
  /** As `Module.stateDict()` gives them: any reader of safetensors finds a usable state dict under the plain names. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly model?: ModelInfo | undefined;
  readonly optimizer?: OptimizerState | undefined;
  /** Plain JSON of whoever trains: epoch, step, generators, history, … */
  readonly training?: unknown;
  /** The state that a recurrent network carries from batch to batch, in the middle of an epoch. */
  readonly carried?: Readonly<Record<string, Tensor>> | undefined;
}

/** Before the names of tensors that are no weights. Weights never begin so, because a property name holds no slash. */
const OPTIMIZER = '@optimizer/';
const CARRIED = '@carried/';

/**
 * Writes a checkpoint atomically: until it is complete and on disk, the old file stays. What is written is the state at the
 * call; it may change while the promise is pending. Equal checkpoints give equal bytes.
 */
export async function saveCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const { weights, model, optimizer, training, carried } = checkpoint;
  const tensors: Record<string, Tensor> = Object.assign(Object.create(null), weights);
  for (const [name, tensor] of Object.entries(optimizer?.tensors ?? {})) tensors[OPTIMIZER + name] = tensor;
  for (const [name, tensor] of Object.entries(carried ?? {})) tensors[CARRIED + name] = tensor;
  await writeSafetensors(file, tensors, {
    fovea: version(),
    ...(model && encodeModelInfo(model)),
    ...(optimizer && { optimizer: stringify(optimizer.values) }),
    ...(training !== undefined && { training: stringify(training) }),
  });
}

/** Reads what {@link saveCheckpoint} wrote, or any safetensors file. Throws DataError if it is damaged. */
export function loadCheckpoint(file: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(file);
  const weights: Record<string, Tensor> = Object.create(null);
  const own: Record<string, Tensor> = Object.create(null);
  const carried: Record<string, Tensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(tensors)) {
    if (name.startsWith(OPTIMIZER)) own[name.slice(OPTIMIZER.length)] = tensor;
    else if (name.startsWith(CARRIED)) carried[name.slice(CARRIED.length)] = tensor;
    else weights[name] = tensor;
  }
  const json = (key: string): Json | undefined => {
    const text = metadata[key];
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch {
      throw new DataError(`${file}: expected metadata '${key}' to be JSON, but got ${text.slice(0, 60)}`);
    }
  };
  const values = json('optimizer');
  return {
    weights,
    model: decodeModelInfo(metadata, file),
    optimizer: values === undefined ? undefined : { tensors: own, values: checkValues(values, file) },
    training: json('training'),
    carried: Object.keys(carried).length > 0 ? carried : undefined,
  };
}

function checkValues(values: Json, file: string): OptimizerState['values'] {
  const { kind, groups, steps, tensors } = isRecord(values) ? values : {};
  const right =
    typeof kind === 'string' &&
    Array.isArray(groups) &&
    groups.every((group) => isRecord(group) && typeof group.params === 'number' && isRecord(group.options)) &&
    Array.isArray(steps) &&
    steps.every((count) => typeof count === 'number') &&
    Array.isArray(tensors) &&
    tensors.every((name) => typeof name === 'string');
  if (right) return { kind, groups, steps, tensors };
  throw new DataError(
    `${file}: expected metadata 'optimizer' to be an optimizer's values, but got ${stringify(values).slice(0, 60)}`,
  );
}
