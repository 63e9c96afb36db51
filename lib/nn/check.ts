// Checks of the sizes and numbers that layers are made of.
import { fail } from '../tensor/errors.ts';
import type { Pair } from '../tensor/index.ts';

/** @throws FoveaError unless `value` is an integer of at least `least`. */
export function checkInteger(layer: string, name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    fail(layer, { expected: `${name} to be an integer of at least ${least}`, got: show(value) });
  }
  return value;
}

/** @throws FoveaError unless both numbers are integers of at least `least`. */
export function checkPair(layer: string, name: string, value: Pair, least: number): readonly [number, number] {
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (both.length !== 2 || both.some((one) => !Number.isSafeInteger(one) || Number(one) < least)) {
    const expected = `${name} to be an integer of at least ${least}, or two of them`;
    fail(layer, { expected, got: show(value) });
  }
  return [Number(both[0]), Number(both[1])];
}

/** Padding in numbers, or 'same' (output as large as input, at stride 1) or 'valid' (none). */
export type Padding<Size> = Size | 'same' | 'valid';

/** @throws FoveaError unless `padding` is 'same', 'valid' or passes `check`; 'same' asks for stride 1. */
export function checkPadding<Size>(
  layer: string,
  padding: Padding<Size>,
  stride: readonly number[],
  check: (size: Size) => Size,
): Padding<Size> {
  if (padding === 'valid') return padding;
  if (padding !== 'same') return check(padding);
  if (stride.some((one) => one !== 1)) {
    fail(layer, { expected: 'stride 1', because: "padding is 'same'", got: `stride ${stride.join(', ')}` });
  }
  return padding;
}

/** @throws FoveaError unless `groups` divides both numbers of channels. */
export function checkGroups(layer: string, groups: number, inChannels: number, outChannels: number): number {
  checkInteger(layer, 'groups', groups, 1);
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    const got = `${inChannels} input and ${outChannels} output channels`;
    fail(layer, { expected: 'channels that divide into groups', because: `groups is ${groups}`, got });
  }
  return groups;
}

/** @throws FoveaError unless `value` is finite and low <= value <= high. */
export function checkNumber(layer: string, name: string, value: number, low: number, high = Infinity): number {
  if (!(Number.isFinite(value) && value >= low && value <= high)) {
    const range = high === Infinity ? `a finite number of at least ${low}` : `a number from ${low} to ${high}`;
    fail(layer, { expected: `${name} to be ${range}`, got: show(value) });
  }
  return value;
}

function show(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}
