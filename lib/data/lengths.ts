// Putting sequences of about equal length into one batch, so that little of it is padding.
import { describe, fail, failShape } from '../tensor/errors.ts';
import type { Random } from './random.ts';

/** Batches that are sorted together when shuffling: enough to find equals, few enough to leave the order random. */
const POOL = 50;

/**
 * `order` so rearranged that each run of `batchSize` samples is of about equal length. With `random`, samples are sorted
 * within pools of 50 batches, and full batches come in random order; without, all are sorted, shortest first.
 */
export function byLength(
  order: Int32Array,
  lengths: ArrayLike<number>,
  batchSize: number,
  random: Random | undefined,
): Int32Array {
  const pool = random === undefined ? order.length : POOL * batchSize;
  const sorted = new Int32Array(order.length);
  for (let from = 0; from < order.length; from += pool) {
    const part = order.slice(from, from + pool);
    // Stable: samples of one length keep the order in which they came.
    sorted.set(
      part.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0)),
      from,
    );
  }
  if (random === undefined) return sorted;
  // A last batch that is smaller stays the last: batches are cut at multiples of their size.
  const full = Math.floor(order.length / batchSize);
  const mixed = sorted.slice();
  for (const [to, from] of random.permutation(full).entries()) {
    mixed.set(sorted.subarray(from * batchSize, (from + 1) * batchSize), to * batchSize);
  }
  return mixed;
}

/** `lengths`, if there is one of 0 or more for each of `count` samples. */
export function checkLengths(operation: string, lengths: ArrayLike<number>, count: number): ArrayLike<number> {
  if (lengths.length !== count) {
    const because = `there are ${count} samples`;
    failShape(operation, { expected: `${count} lengths`, because, got: `${lengths.length}` });
  }
  const wrong = Array.from(lengths).findIndex((length) => !Number.isSafeInteger(length) || length < 0);
  if (wrong === -1) return lengths;
  return fail(operation, { expected: 'lengths of 0 or more', got: `${describe(lengths[wrong])} of sample ${wrong}` });
}
