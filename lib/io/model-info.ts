// What a model file says about its model besides the weights, so that it can be used from the file alone.
import { DataError } from '../tensor/errors.ts';
import { isRecord, type Json, parse, stringify } from './json.ts';

/** How a picture becomes an input: resized, scaled to 0..1, then (x - mean) / std for each channel. */
export interface Preprocessing {
  readonly size: readonly [height: number, width: number];
  readonly channels: 1 | 3;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** With a registry of architectures this makes the model again. */
export interface ModelInfo {
  readonly architecture: string;
  /** Plain JSON: sizes, and of a model of texts its vocabularies. */
  readonly options: object;
  /** Of one example, e.g. [channels, height, width], where examples have one shape. */
  readonly inputShape?: readonly number[] | undefined;
  /** Of models that take pictures. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Names of the outputs. */
  readonly classes?: readonly string[] | undefined;
}

/** The entries of a file's metadata that describe the model. */
export function encodeModelInfo(info: ModelInfo): Record<string, string> {
  const { architecture, options, inputShape, preprocessing, classes } = info;
  return {
    architecture,
    options: stringify(options),
    ...(inputShape && { inputShape: stringify(inputShape) }),
    ...(preprocessing && { preprocessing: stringify(preprocessing) }),
    ...(classes && { classes: stringify(classes) }),
  };
}

/** Reads the model's description from a file's metadata; undefined where there is none. Throws DataError if it is damaged. */
export function decodeModelInfo(metadata: Readonly<Record<string, string>>, file: string): ModelInfo | undefined {
  const { architecture } = metadata;
  if (architecture === undefined) return undefined;
  const damaged = (key: string, expected: string): never => {
    throw new DataError(
      `${file}: expected metadata '${key}' to be ${expected}, but got ${metadata[key]?.slice(0, 60)}`,
    );
  };
  const field = (key: string): Json | undefined => {
    const text = metadata[key];
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch {
      return damaged(key, 'JSON');
    }
  };
  const options = field('options') ?? {};
  const inputShape = field('inputShape');
  const classes = field('classes');
  const preprocessing = field('preprocessing');
  if (!isRecord(options)) return damaged('options', 'an object');
  if (inputShape !== undefined && !isNumbers(inputShape)) return damaged('inputShape', 'numbers');
  if (classes !== undefined && !isStrings(classes)) return damaged('classes', 'strings');
  if (preprocessing !== undefined && !isPreprocessing(preprocessing)) {
    return damaged(
      'preprocessing',
      '{ size: [height, width], channels: 1 or 3, mean, std } with a mean and std per channel',
    );
  }
  return {
    architecture,
    options,
    ...(inputShape && { inputShape }),
    ...(preprocessing && { preprocessing }),
    ...(classes && { classes }),
  };
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'number');

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function isPreprocessing(value: unknown): value is Preprocessing {
  if (!isRecord(value)) return false;
  const { size, channels, mean, std } = value;
  const perChannel = (list: unknown) => isNumbers(list) && list.length === channels;
  const sides = isNumbers(size) && size.length === 2 && size.every((side) => Number.isInteger(side) && side > 0);
  return sides && (channels === 1 || channels === 3) && perChannel(mean) && perChannel(std);
}
