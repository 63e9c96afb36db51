// What the recurrent kernels share: which sequences are alive at which step, and the products around the loop over time.
import type { Floats } from '../call.ts';
import { multiply, multiplyPacked, type Operand, pack, packedLength } from './gemm.ts';
import { scratch } from './kernel.ts';

/** The fields that the shapes of all recurrent kernels have. */
export interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly reverse: number;
  readonly yStride: number;
  readonly yOffset: number;
}

/**
 * The rows of a batch of sequences in the order they are worked on: step by step, and in a step the sequences that are
 * alive, longest first. So a padded step takes no part in anything.
 */
export interface Rows {
  /** Of all steps together. */
  readonly total: number;
  /** For each step how many sequences are alive, and their first row. */
  readonly alive: Int32Array;
  readonly first: Int32Array;
  /** The number in the batch of the j-th sequence, and its steps. */
  readonly sequence: Int32Array;
  readonly length: Int32Array;
  /** For each row its row in x and y. */
  readonly place: Int32Array;
}

export function rowsOf({ steps, batch, reverse }: Sizes, lengths: Int32Array | undefined): Rows {
  const sequence = Int32Array.from({ length: batch }, (_, b) => b);
  if (lengths !== undefined) sequence.sort((a, b) => lengths[b] - lengths[a] || a - b);
  const length = sequence.map((b) => lengths?.[b] ?? steps);
  const alive = new Int32Array(steps + 1);
  const first = new Int32Array(steps + 1);
  const place = new Int32Array(steps * batch);
  let total = 0;
  for (let step = 0; step < steps; step++) {
    first[step] = total;
    for (let j = 0; j < batch && length[j] > step; j++) {
      place[total++] = (reverse ? length[j] - 1 - step : step) * batch + sequence[j];
    }
    alive[step] = total - first[step];
  }
  return { total, alive, first, sequence, length, place };
}

/** to[row] = from[place of row], for rows of `columns` numbers that begin `stride` apart. */
export function gather(
  rows: Rows,
  from: Floats,
  offset: number,
  stride: number,
  columns: number,
  to: Float64Array,
): void {
  for (let row = 0, at = 0; row < rows.total; row++) {
    const start = offset + rows.place[row] * stride;
    for (let i = 0; i < columns; i++) to[at++] = from[start + i];
  }
}

/** y = 0 where a sequence has ended. */
export function clearPadding(
  rows: Rows,
  steps: number,
  y: Floats,
  offset: number,
  stride: number,
  columns: number,
): void {
  const batch = rows.sequence.length;
  for (let j = 0; j < batch; j++) {
    for (let time = rows.length[j]; time < steps; time++) {
      const start = offset + (time * batch + rows.sequence[j]) * stride;
      y.fill(0, start, start + columns);
    }
  }
}

/** States [batch, size] in the order of the rows; absent ones are 0. */
export function readStates(rows: Rows, size: number, from: Floats | undefined, state: Float64Array): void {
  for (let j = 0; j < rows.sequence.length; j++) {
    const start = rows.sequence[j] * size;
    for (let i = 0; i < size; i++) state[j * size + i] = from === undefined ? 0 : from[start + i];
  }
}
export function writeStates(rows: Rows, size: number, state: Float64Array, to: Floats | undefined): void {
  if (to === undefined) return;
  for (let j = 0; j < rows.sequence.length; j++) {
    const start = rows.sequence[j] * size;
    for (let i = 0; i < size; i++) to[start + i] = state[j * size + i];
  }
}

/** Adds a [rows, k] times a matrix that was packed once to y [rows, n], whose rows may lie further apart. */
export type Product = (
  rows: number,
  a: Float64Array,
  aOffset: number,
  aStep: number,
  y: Float64Array,
  yOffset: number,
  yStep: number,
) => void;

/** A product with column j of b along k for each of n columns; its memory is the caller's, so that two can be kept. */
export function productWith(b: Operand, n: number, k: number, packed: Float64Array, left: Float64Array): Product {
  pack(b, 0, n, k, packed);
  return (rows, a, aOffset, aStep, y, yOffset, yStep) => {
    const from = { data: a, offset: aOffset, step: aStep, depthStep: 1 };
    if (rows === 1) {
      multiply(1, n, k, from, b, true, y, yOffset);
    } else if (rows > 0) {
      pack(from, 0, rows, k, left);
      multiplyPacked(rows, n, k, left, packed, true, y, yOffset, yStep);
    }
  };
}

/** Memory of `productWith` for at most so many rows. */
export function productMemory(): (n: number, k: number, rows: number) => readonly [Float64Array, Float64Array] {
  const packed = scratch();
  const left = scratch();
  return (n, k, rows) => [packed(packedLength(n, k)), left(packedLength(rows, k))];
}

const gathered = scratch();

/** Wih x + the biases, for every row: [total, wide]. The bias of h counts up to `split`. */
export function inputSums(
  sizes: Sizes,
  rows: Rows,
  wide: number,
  x: Floats,
  weightIh: Floats,
  biasIh: Floats | undefined,
  biasHh: Floats | undefined,
  split: number,
  sums: Float64Array,
): void {
  const { inputSize } = sizes;
  const inputs = gathered(rows.total * inputSize);
  gather(rows, x, 0, inputSize, inputSize, inputs);
  const left = { data: inputs, offset: 0, step: inputSize, depthStep: 1 };
  const right = { data: weightIh, offset: 0, step: inputSize, depthStep: 1 };
  multiply(rows.total, wide, inputSize, left, right, false, sums, 0);
  for (let row = 0, at = 0; row < rows.total; row++) {
    for (let i = 0; i < wide; i++, at++) {
      if (biasIh !== undefined) sums[at] += biasIh[i];
      if (biasHh !== undefined && i < split) sums[at] += biasHh[i];
    }
  }
}

/** h before each step, for every row: h0, or y of the step before. */
export function statesBefore(
  sizes: Sizes,
  rows: Rows,
  stateSize: number,
  h0: Floats | undefined,
  y: Floats,
  before: Float64Array,
): void {
  const { steps, yStride, yOffset } = sizes;
  for (let step = 0; step < steps; step++) {
    for (let j = 0; j < rows.alive[step]; j++) {
      const to = (rows.first[step] + j) * stateSize;
      const from = step === 0 ? h0 : y;
      const start =
        step === 0 ? rows.sequence[j] * stateSize : rows.place[rows.first[step - 1] + j] * yStride + yOffset;
      for (let i = 0; i < stateSize; i++) before[to + i] = from === undefined ? 0 : from[start + i];
    }
  }
}

/** gradWeight [wide, columns] at an offset = gradientsᵀ inputs over all rows. */
export function weightGradient(
  total: number,
  gradients: Float64Array,
  wide: number,
  inputs: Float64Array,
  columns: number,
  gradWeight: Floats,
  offset = 0,
): void {
  const left = { data: gradients, offset: 0, step: 1, depthStep: wide };
  const right = { data: inputs, offset: 0, step: 1, depthStep: columns };
  multiply(wide, columns, total, left, right, false, gradWeight, offset);
}

/** gradBias = the sum of the gradients over all rows. */
export function biasGradient(total: number, gradients: Float64Array, wide: number, gradBias: Floats | undefined): void {
  if (gradBias === undefined) return;
  const sums = gathered(wide).fill(0, 0, wide);
  for (let row = 0, at = 0; row < total; row++) {
    for (let i = 0; i < wide; i++) sums[i] += gradients[at++];
  }
  for (let i = 0; i < wide; i++) gradBias[i] = sums[i];
}

/** From the gradients of all gates' sums: those of weightIh, and of x, which may come on top of what is there. */
export function inputGradients(
  sizes: Sizes & { readonly accumulate: number },
  rows: Rows,
  gradients: Float64Array,
  wide: number,
  x: Floats,
  weightIh: Floats,
  gradWeightIh: Floats,
  gradX: Floats | undefined,
): void {
  const { inputSize: columns, accumulate } = sizes;
  const inputs = gathered(rows.total * columns);
  gather(rows, x, 0, columns, columns, inputs);
  weightGradient(rows.total, gradients, wide, inputs, columns, gradWeightIh);
  if (gradX === undefined) return;
  const left = { data: gradients, offset: 0, step: wide, depthStep: 1 };
  const right = { data: weightIh, offset: 0, step: 1, depthStep: columns };
  multiply(rows.total, columns, wide, left, right, false, inputs, 0);
  if (!accumulate) gradX.fill(0);
  for (let row = 0, at = 0; row < rows.total; row++) {
    const start = rows.place[row] * columns;
    for (let i = 0; i < columns; i++) gradX[start + i] += inputs[at++];
  }
}

const beforeOf = scratch();

/** The rest of a gradient where the gates' sums are one, Wih x + Whh h + biases: from their gradients all others. */
export function sumGradients(
  sizes: Sizes & { readonly accumulate: number },
  rows: Rows,
  gradients: Float64Array,
  wide: number,
  stateSize: number,
  buffers: {
    readonly x: Floats;
    readonly weightIh: Floats;
    readonly h0?: Floats | undefined;
    readonly y: Floats;
    readonly gradX?: Floats | undefined;
    readonly gradWeightIh: Floats;
    readonly gradWeightHh: Floats;
    readonly gradBias?: Floats | undefined;
  },
): void {
  const { x, weightIh, h0, y, gradX, gradWeightIh, gradWeightHh, gradBias } = buffers;
  const inputs = beforeOf(rows.total * stateSize);
  statesBefore(sizes, rows, stateSize, h0, y, inputs);
  weightGradient(rows.total, gradients, wide, inputs, stateSize, gradWeightHh);
  inputGradients(sizes, rows, gradients, wide, x, weightIh, gradWeightIh, gradX);
  biasGradient(rows.total, gradients, wide, gradBias);
}
