// What a data set is, and the ones held in memory: arrays, subsets, splits.
import { describe, fail, failShape, ShapeError } from '../tensor/errors.ts';
import { fromArray, Tensor } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';
import { checkSeed, Random } from './random.ts';

/** Some samples of a data set. */
export interface Batch {
  /** float32 [batch, ...inputShape]. */
  readonly inputs: Tensor;
  /** [batch]: int32 classes, or float32 values; of some data sets [batch, …]. */
  readonly targets: Tensor;
}

/** Samples by number, handed out in batches of any kind. It may answer later (a promise) where they come from disk. */
export interface Samples<B> {
  readonly length: number;
  /** The samples of these numbers, in this order, in memory of their own. */
  batch(indices: Indices): B | Promise<B>;
}

/** Inputs of one shape, each with a target: pictures, for one. */
export interface Dataset extends Samples<Batch> {
  /** Shape of one input, without the batch dimension. */
  readonly inputShape: readonly number[];
  /** Names of the classes, where targets are classes. */
  readonly classes: readonly string[] | undefined;
}

export type Indices = Int32Array | readonly number[];

export interface ArrayOptions {
  /** One sample after the other; of a Tensor the first dimension counts the samples. Used without a copy. */
  readonly inputs: Float32Array | Uint8Array | Tensor;
  /** Needed unless `inputs` is a Tensor. */
  readonly inputShape?: readonly number[];
  /** One per sample: integers are classes, floats are values. Used without a copy (Uint8Array is copied). */
  readonly targets: Int32Array | Uint8Array | Float32Array | Tensor;
  /** Names of the classes; targets must be integers from 0 to below their number. */
  readonly classes?: readonly string[] | undefined;
  /** Inputs are multiplied by this. Default 1/255 for a Uint8Array, 1 otherwise. */
  readonly scale?: number;
}

/** Samples held in memory; bytes stay bytes until a batch is asked for. Throws for lengths and labels that do not fit. */
export class ArrayDataset implements Dataset {
  readonly length: number;
  readonly inputShape: readonly number[];
  readonly classes: readonly string[] | undefined;
  /** All targets, [length]. */
  readonly targets: Int32Array | Float32Array;
  readonly #inputs: Float32Array | Uint8Array;
  readonly #scale: number;
  readonly #levels: Float32Array | undefined;

  constructor({ inputs, inputShape, targets, classes, scale }: ArrayOptions) {
    this.#inputs = inputs instanceof Tensor ? floats32('inputs', inputs) : inputs;
    this.inputShape = [...(inputShape ?? shapeOfSample(inputs))];
    this.targets = memoryOfTargets(targets);
    this.classes = classes === undefined ? undefined : [...classes];
    this.#scale = scale ?? (this.#inputs instanceof Uint8Array ? 1 / 255 : 1);
    this.length = this.targets.length;
    if (!Number.isFinite(this.#scale)) fail('ArrayDataset', { expected: 'a finite scale', got: describe(scale) });
    this.#checkLengths();
    if (this.targets instanceof Int32Array) checkLabels('ArrayDataset', this.targets, this.classes?.length);
    else if (classes) fail('ArrayDataset', { expected: 'int32 targets', because: 'classes are named', got: 'float32' });
    if (this.#inputs instanceof Uint8Array) {
      this.#levels = Float32Array.from({ length: 256 }, (_, level) => level * this.#scale);
    }
  }

  #checkLengths(): void {
    const { inputShape, length } = this;
    if (!inputShape.every((n) => Number.isSafeInteger(n) && n > 0)) {
      failShape('ArrayDataset', { expected: 'an inputShape of positive integers', got: describe(inputShape) });
    }
    if (length === 0) fail('ArrayDataset', { expected: 'at least one sample', got: 'an empty data set' });
    const numbers = length * product(inputShape);
    if (this.#inputs.length !== numbers) {
      const because = `there are ${length} targets and a sample is [${inputShape.join(', ')}]`;
      const got = `${this.#inputs.length}`;
      failShape('ArrayDataset', { expected: `${numbers} numbers in inputs`, because, got });
    }
  }

  batch(indices: Indices): Batch {
    checkIndices('batch', indices, this.length);
    const size = product(this.inputShape);
    const inputs = new Float32Array(indices.length * size);
    for (let row = 0; row < indices.length; row++) this.#copy(indices[row] ?? 0, size, inputs, row * size);
    const targets = gather(this.targets, indices);
    return { inputs: fromArray(inputs, [indices.length, ...this.inputShape]), targets: fromArray(targets) };
  }

  #copy(index: number, size: number, to: Float32Array, at: number): void {
    const from = this.#inputs;
    const start = index * size;
    const levels = this.#levels;
    if (levels !== undefined) {
      for (let i = 0; i < size; i++) to[at + i] = levels[from[start + i] ?? 0] ?? 0;
    } else if (this.#scale === 1) {
      to.set(from.subarray(start, start + size), at);
    } else {
      for (let i = 0; i < size; i++) to[at + i] = (from[start + i] ?? 0) * this.#scale;
    }
  }
}

/** Some samples of another data set, under new numbers. */
class Subset implements Dataset {
  readonly length: number;
  readonly inputShape: readonly number[];
  readonly classes: readonly string[] | undefined;

  readonly #whole: Dataset;
  readonly #indices: Int32Array;

  constructor(whole: Dataset, indices: Int32Array) {
    this.#whole = whole;
    this.#indices = indices;
    this.length = indices.length;
    this.inputShape = whole.inputShape;
    this.classes = whole.classes;
  }

  batch(indices: Indices): Batch | Promise<Batch> {
    checkIndices('batch', indices, this.length);
    return this.#whole.batch(gather(this.#indices, indices));
  }
}

/** The samples of these numbers (at least one, repeats allowed) as a data set. Nothing is copied. */
export function subset(dataset: Dataset, indices: Indices): Dataset {
  if (indices.length === 0) fail('subset', { expected: 'at least one index', got: 'none' });
  checkIndices('subset', indices, dataset.length);
  return new Subset(dataset, Int32Array.from(indices));
}

/**
 * Random disjoint parts, such as `split(dataset, [0.9, 0.1], 1)`. Fractions are above 0 and sum to at most 1; what they
 * leave over is in no part. Throws when a part would be empty.
 */
export function split(dataset: Dataset, fractions: readonly number[], seed = 0): Dataset[] {
  const sum = fractions.reduce((a, b) => a + b, 0);
  if (fractions.length === 0 || !fractions.every((f) => f > 0) || !(sum <= 1 + 1e-9)) {
    fail('split', { expected: 'fractions above 0 with a sum of at most 1', got: describe(fractions) });
  }
  const order = new Random(checkSeed('split', seed)).permutation(dataset.length);
  let share = 0;
  let start = 0;
  return fractions.map((fraction) => {
    share += fraction;
    const end = Math.min(dataset.length, Math.round(share * dataset.length));
    const part = order.subarray(start, end);
    start = end;
    if (part.length > 0) return new Subset(dataset, part.slice().sort());
    const because = `the data set has ${dataset.length} samples`;
    return fail('split', { expected: 'at least one sample per part', because, got: `a fraction of ${fraction}` });
  });
}

/** Throws ShapeError unless every index is an integer from 0 to below `length`. */
export function checkIndices(operation: string, indices: Indices, length: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (Number.isInteger(index) && index !== undefined && index >= 0 && index < length) continue;
    const expected = `indices from 0 to ${length - 1}`;
    failShape(operation, { expected, because: `the data set has ${length} samples`, got: describe(index) });
  }
}

/** Throws unless every label is from 0 to below `classes` (if given). */
export function checkLabels(operation: string, labels: Int32Array | Uint8Array, classes = 2 ** 31): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong === -1) return;
  const because = `there are ${classes} classes`;
  fail(operation, { expected: `labels from 0 to ${classes - 1}`, because, got: `${labels[wrong]} at sample ${wrong}` });
}

function gather<A extends Int32Array | Float32Array>(from: A, indices: Indices): A {
  const to = from instanceof Int32Array ? new Int32Array(indices.length) : new Float32Array(indices.length);
  for (let i = 0; i < indices.length; i++) to[i] = from[indices[i] ?? 0] ?? 0;
  return to as A;
}

function floats32(what: string, { dtype, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  return fail('ArrayDataset', { expected: `float32 ${what}`, got: dtype });
}

function shapeOfSample(inputs: Float32Array | Uint8Array | Tensor): readonly number[] {
  if (inputs instanceof Tensor && inputs.rank > 0) return inputs.shape.slice(1);
  return fail(
    'ArrayDataset',
    { expected: 'an inputShape', because: 'inputs is not a tensor', got: 'none' },
    ShapeError,
  );
}

function memoryOfTargets(targets: ArrayOptions['targets']): Int32Array | Float32Array {
  if (targets instanceof Uint8Array) return Int32Array.from(targets);
  if (!(targets instanceof Tensor)) return targets;
  if (targets.rank !== 1) failShape('ArrayDataset', { expected: 'targets of rank 1', got: `[${targets.shape}]` });
  return targets.data instanceof Int32Array ? targets.data : floats32('targets', targets);
}
