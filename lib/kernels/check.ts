// Checks a call against the list, as the native edge does (native/check.cpp), for the reference backend.
import { type BufferLayout, type Layout, sizeOf } from './layout.ts';

type Values = Readonly<Record<string, number>>;
type Given = Readonly<Record<string, unknown>>;
type Elements = Float32Array | Float64Array | Int32Array;

const longest = 2 ** 31 - 1;

/** Counts may not be negative. What may: a label to ignore, and the strides of a copy. */
const mayBeNegative = (kernel: string, field: string): boolean =>
  field === 'ignoreIndex' || (kernel === 'copy' && (field.startsWith('x') || field.startsWith('y')));

function checkShape(layout: Layout, shape: Values): void {
  for (const field of layout.integers) {
    const value = shape[field];
    const least = mayBeNegative(layout.name, field) ? -longest - 1 : 0;
    if (!Number.isInteger(value) || value! < least || value! > longest) {
      throw new RangeError(
        `${layout.name}: expected ${field} as an integer from ${least} to ${longest}, but got ${value}`,
      );
    }
  }
}

const sizes = (fields: readonly string[], shape: Values): string =>
  fields.map((field) => sizeOf(field, shape)).join(' x ');

function because(fields: readonly string[], shape: Values): string {
  return fields.length === 0 ? '' : `, because ${fields.join(' ')} is ${sizes(fields, shape)}`;
}

/** The product of some fields; sizes of 0 counted as 1, it must stay below 2^31. */
function multiply(layout: Layout, buffer: BufferLayout, fields: readonly string[], shape: Values): number {
  let length = 1;
  let bound = 1;
  for (const field of fields) {
    length *= sizeOf(field, shape);
    bound *= Math.max(1, sizeOf(field, shape));
  }
  if (bound <= longest) return length;
  throw new RangeError(
    `${layout.name}: expected sizes of ${buffer.name} whose product is below 2^31, ` +
      `but got ${fields.join(' ')} of ${sizes(fields, shape)}`,
  );
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (!ArrayBuffer.isView(value)) return 'another object';
  const name = value.constructor.name;
  return `${/^[AIU]/.test(name) && !name.startsWith('Ui') ? 'an' : 'a'} ${name}`;
}

function checkElements(layout: Layout, { name, spec }: BufferLayout, value: unknown): Elements {
  const right =
    spec.type === 'i32' ? value instanceof Int32Array : value instanceof Float32Array || value instanceof Float64Array;
  const wanted = spec.type === 'i32' ? 'an Int32Array' : 'a Float32Array';
  if (!right) throw new TypeError(`${layout.name}: expected ${name} as ${wanted}, but got ${kindOf(value)}`);
  const elements = value as Elements;
  if (elements.buffer instanceof ArrayBuffer) return elements;
  throw new TypeError(
    `${layout.name}: expected ${name} as ${wanted}, ` +
      'but got one on a SharedArrayBuffer, which another thread may change meanwhile',
  );
}

function checkIndices(layout: Layout, buffer: BufferLayout, elements: Elements, shape: Values): void {
  const below = multiply(layout, buffer, buffer.below, shape);
  const except = buffer.spec.except === undefined ? undefined : shape[buffer.spec.except];
  const at = elements.findIndex((index) => (index < 0 || index >= below) && index !== except);
  if (at < 0) return;
  const allowed = except === undefined ? '' : ` or ${except}`;
  throw new RangeError(
    `${layout.name}: expected every element of ${buffer.name} at or above 0 and below ${below}${allowed}` +
      `${because(buffer.below, shape)}, but got ${elements[at]} at ${at}`,
  );
}

function overlap(a: Elements, b: Elements): boolean {
  if (a.buffer !== b.buffer || a.length === 0 || b.length === 0) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}

function checkOverlap(layout: Layout, given: readonly (Elements | undefined)[]): void {
  for (const [i, written] of layout.buffers.entries()) {
    const a = given[i];
    if (written.spec.mode === 'read' || a === undefined) continue;
    for (const [j, other] of layout.buffers.entries()) {
      const b = given[j];
      if (i === j || b === undefined || !overlap(a, b)) continue;
      if (written.inPlace.includes(other.name) && a.byteOffset === b.byteOffset && a.length === b.length) continue;
      throw new RangeError(
        `${layout.name}: expected ${written.name} in other memory than ${other.name}, ` +
          'because it is written, but they overlap',
      );
    }
  }
}

/**
 * Checks a call's integers, and the types, lengths, index bounds and overlap of its buffers. Throws a TypeError or a
 * RangeError in the words of the native edge.
 */
export function checkCall(layout: Layout, shape: Values, buffers: Given): void {
  const given = layout.buffers.map((buffer) => {
    const value = buffers[buffer.name];
    if (buffer.spec.optional && (value === undefined || value === null)) return undefined;
    return checkElements(layout, buffer, value);
  });
  checkShape(layout, shape);
  for (const [i, buffer] of layout.buffers.entries()) {
    const length = multiply(layout, buffer, buffer.length, shape);
    const elements = given[i];
    const { unless } = buffer.spec;
    if (elements === undefined && unless !== undefined && shape[unless]! > 0) {
      throw new RangeError(
        `${layout.name}: expected ${buffer.name}, because ${unless} is ${shape[unless]}, but got none`,
      );
    }
    if (elements === undefined) continue;
    if (elements.length !== length) {
      throw new RangeError(
        `${layout.name}: expected ${buffer.name} with ${length} elements${because(buffer.length, shape)}, ` +
          `but got ${elements.length}`,
      );
    }
    if (buffer.spec.below !== undefined) checkIndices(layout, buffer, elements, shape);
  }
  checkOverlap(layout, given);
}
