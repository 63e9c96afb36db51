// Calls of the binary that no caller should make: right ones from the case table, changed in one or more places.
import fc from 'fast-check';
import { type Layout, layouts, sizeOf } from '../../lib/kernels/layout.ts';
import { cases } from '../kernels/cases/index.ts';

/** Elements around each buffer, which no kernel may touch. */
const guardLength = 5;
const guardValue = 1234567;
/** Longer buffers, or more elements to copy, would only make the test slow. */
const mostElements = 3000;

type Memory = Float32Array | Int32Array;
type Fields = Readonly<Record<string, number>>;

/** The arguments of a call, and the memory that its right buffers lie in. */
export interface Call {
  readonly layout: Layout;
  readonly shape: unknown;
  readonly buffers: readonly unknown[];
  readonly whole: readonly Memory[];
}

const product = (fields: readonly string[], shape: Fields): number =>
  fields.reduce((length, field) => length * sizeOf(field, shape), 1);

const dimensions = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7'];

/** Whether a test can hold the buffers and wait for the kernel. */
function isSmall(layout: Layout, shape: Fields): boolean {
  if (layout.name === 'copy' && product(dimensions, shape) > mostElements) return false;
  return layout.buffers.every((buffer) => {
    const length = product(buffer.length, shape);
    return length >= 0 && length <= mostElements && Number.isInteger(length);
  });
}

/** Shapes of the case table that are small enough. */
export const bases: readonly { layout: Layout; shape: Fields }[] = cases
  .map(({ kernel, shape }) => ({ layout: layouts.get(kernel)!, shape: shape as Fields }))
  .filter(({ layout, shape }) => isSmall(layout, shape));

const oddNumbers = [
  0,
  1,
  2,
  3,
  7,
  64,
  -1,
  -2,
  0.5,
  65536,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 + 1,
  -(2 ** 31),
  1e300,
];
export const oddNumber = fc.constantFrom(...oddNumbers, Number.NaN, Infinity, -Infinity, -0);

const detached = (length: number): Float32Array => {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

/** A view that follows, or is left behind by, a buffer that has changed its size since. */
const resized = (length: number, to: number, follows: boolean): unknown => {
  const buffer: object = Reflect.construct(ArrayBuffer, [length * 4, { maxByteLength: (length + 9) * 4 }]);
  const array: unknown = Reflect.construct(Float32Array, follows ? [buffer] : [buffer, 0, length]);
  Reflect.apply(Reflect.get(buffer, 'resize'), buffer, [to * 4]);
  return array;
};

class Derived extends Float32Array {}

/** What stands in the place of a buffer, given the right length. */
const wrongBuffers: readonly ((length: number) => unknown)[] = [
  () => undefined,
  () => null,
  () => 7,
  () => 'text',
  () => true,
  () => Symbol('buffer'),
  () => 10n,
  () => () => 0,
  () => ({}),
  () => ({ length: 3, buffer: new ArrayBuffer(12) }),
  () => [1, 2, 3],
  (length) => Array.from({ length }, () => 1),
  (length) => new ArrayBuffer(length * 4),
  (length) => new DataView(new ArrayBuffer(length * 4)),
  (length) => new Proxy(new Float32Array(length), {}),
  (length) => Object.create(new Float32Array(length)),
  (length) => new Float64Array(length),
  (length) => new Float32Array(length),
  (length) => new Int32Array(length),
  (length) => new Int32Array(length).fill(-1),
  (length) => new Int32Array(length).fill(2 ** 31 - 1),
  (length) => new Uint32Array(length),
  (length) => new Uint8Array(length * 4),
  (length) => new BigInt64Array(length),
  (length) => Buffer.alloc(length * 4),
  (length) => new Derived(length),
  (length) => new Float32Array(length + 1),
  (length) => new Float32Array(Math.max(0, length - 1)),
  () => new Float32Array(0),
  (length) => new Float32Array(new SharedArrayBuffer(length * 4)),
  (length) => new Int32Array(new SharedArrayBuffer(length * 4)),
  detached,
  (length) => resized(length, length + 5, true),
  (length) => resized(length, Math.max(0, length - 1), true),
  (length) => resized(length, 0, false),
  (length) => resized(length, length + 2, false),
  (length) => new Float32Array(length).fill(Number.NaN),
];

/** What stands in the place of the shape. */
const wrongShapes: readonly ((values: number[]) => unknown)[] = [
  () => undefined,
  () => ({}),
  (values) => values,
  (values) => Float32Array.from(values),
  (values) => Float64Array.from(values.slice(1)),
  (values) => Float64Array.from([...values, 1]),
  () => new Float64Array(0),
  (values) => new Float64Array(new SharedArrayBuffer(values.length * 8)),
  (values) => new DataView(Float64Array.from(values).buffer),
];

/** One change to a call. */
export type Change =
  | { readonly kind: 'field'; readonly at: number; readonly to: number; readonly buffersFollow: boolean }
  | { readonly kind: 'step'; readonly at: number; readonly by: number; readonly buffersFollow: boolean }
  | { readonly kind: 'buffer'; readonly at: number; readonly make: number }
  | { readonly kind: 'overlap'; readonly at: number; readonly other: number; readonly shift: number }
  | { readonly kind: 'shape'; readonly make: number }
  | { readonly kind: 'count'; readonly count: number };

const place = fc.nat(31);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('field' as const), at: place, to: oddNumber, buffersFollow: fc.boolean() }),
  fc.record({
    kind: fc.constant('step' as const),
    at: place,
    by: fc.integer({ min: -2, max: 2 }),
    buffersFollow: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('buffer' as const), at: place, make: fc.nat(wrongBuffers.length - 1) }),
  fc.record({ kind: fc.constant('overlap' as const), at: place, other: place, shift: fc.integer({ min: -1, max: 1 }) }),
  fc.record({ kind: fc.constant('shape' as const), make: fc.nat(wrongShapes.length - 1) }),
  fc.record({ kind: fc.constant('count' as const), count: fc.nat(12) }),
);

/** A base and some changes: none, one, or a few. */
export const nearlyValid = fc.record({
  base: fc.nat(bases.length - 1),
  changes: fc.oneof({ weight: 4, arbitrary: change.map((it) => [it]) }, fc.array(change, { maxLength: 4 })),
  seed: fc.nat(),
});

/** Anything as an argument. */
export const anything = fc.oneof(
  oddNumber,
  fc.anything(),
  fc.tuple(fc.nat(wrongBuffers.length - 1), fc.nat(20)).map(([make, length]) => wrongBuffers[make]!(length)),
);

/** The call that a base and changes describe; undefined where it would take too much memory or time. */
export function build({
  base,
  changes,
  seed,
}: {
  base: number;
  changes: readonly Change[];
  seed: number;
}): Call | undefined {
  const { layout, shape: right } = bases[base]!;
  const shape: Record<string, number> = { ...right };
  const lengths: Record<string, number> = { ...right };
  for (const it of changes) {
    if (it.kind !== 'field' && it.kind !== 'step') continue;
    const field = layout.fields[it.at % layout.fields.length]!;
    shape[field] = it.kind === 'field' ? it.to : shape[field]! + it.by;
    if (it.buffersFollow) lengths[field] = shape[field];
  }
  if (!isSmall(layout, lengths)) return undefined;
  if (layout.name === 'copy' && !(Math.abs(product(dimensions, shape)) <= mostElements)) return undefined;
  const { buffers, whole } = allocate(layout, lengths, seed);
  const unguarded = new Set<Memory>();
  let values: unknown = Float64Array.from(layout.fields, (field) => shape[field]!);
  for (const it of changes) {
    if (it.kind === 'buffer') {
      const at = it.at % whole.length;
      buffers[at] = wrongBuffers[it.make]!(product(layout.buffers[at]!.length, lengths));
    } else if (it.kind === 'overlap') {
      const [at, other] = [it.at % whole.length, it.other % whole.length];
      const [length, memory] = [product(layout.buffers[at]!.length, lengths), whole[other]!];
      const start = guardLength + it.shift;
      if (start + length <= memory.length) buffers[at] = memory.subarray(start, start + length);
      unguarded.add(memory); // the call may be right, and the guard a part of its buffer
    } else if (it.kind === 'shape') {
      values = wrongShapes[it.make]!(layout.fields.map((field) => shape[field]!));
    } else if (it.kind === 'count') {
      while (buffers.length < it.count) buffers.push(new Float32Array(1));
      buffers.length = it.count;
    }
  }
  return { layout, shape: values, buffers, whole: whole.filter((memory) => !unguarded.has(memory)) };
}

function allocate(layout: Layout, shape: Fields, seed: number): { buffers: unknown[]; whole: Memory[] } {
  const whole = layout.buffers.map(({ spec, length, below }, i) => {
    const count = product(length, shape);
    const memory =
      spec.type === 'f32' ? new Float32Array(count + 2 * guardLength) : new Int32Array(count + 2 * guardLength);
    memory.fill(guardValue);
    const bound = spec.below === undefined ? 100 : product(below, shape);
    for (let at = 0; at < count; ++at) {
      const number = (seed + 17 * i + 7 * at) % 101;
      memory[guardLength + at] = spec.type === 'f32' ? number / 50 - 1 : number % Math.max(1, bound);
    }
    return memory;
  });
  return { buffers: whole.map((memory) => memory.subarray(guardLength, memory.length - guardLength)), whole };
}

/** Whether the elements around every buffer are as they were. */
export function guardsStand(whole: readonly Memory[]): boolean {
  return whole.every((memory) =>
    [...memory.subarray(0, guardLength), ...memory.subarray(memory.length - guardLength)].every(
      (it) => it === guardValue,
    ),
  );
}
