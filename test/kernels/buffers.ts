// Makes the buffers of a case from its seed, each inside guard elements, and tells what a kernel may not have touched.
import { sizeOf } from '../../lib/kernels/layout.ts';
import { type KernelName, kernels } from '../../lib/kernels/list.ts';
import type { BufferSpec } from '../../lib/kernels/spec.ts';
import type { AnyCase, Fill } from './case.ts';

export type Numbers = Float32Array | Float64Array | Int32Array;
export type Named = Readonly<Record<string, Numbers | undefined>>;

/** Elements before and after each buffer; odd, so that buffers are not aligned to vectors. */
const guardLength = 19;
const guardValue = 123456;
/** What a buffer that a kernel only writes holds before. */
const unwritten = -98765;

/** Uniform numbers in [0, 1) by mulberry32. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const largest = 3.4028234663852886e38;
const edges = [0, -0, 1, -1, 0.5, largest, -largest, 1.1754943508222875e-38, 1e-40, -1e-40, 88.5, -88.5, 20, -20];
const specials = [...edges, Number.NaN, Infinity, -Infinity, Number.NaN];

function number(fill: Fill, random: () => number, index: number): number {
  if (typeof fill !== 'string') return fill[index % fill.length] ?? 0;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  switch (fill) {
    case 'normal':
      return normal;
    case 'positive':
      return Math.abs(normal) + 0.1;
    case 'huge':
      return normal * 1e18;
    case 'tiny':
      return normal * 1e-12;
    case 'subnormal':
      return normal * 1e-38;
    case 'ties':
      return Math.floor(random() * 5) - 2;
    case 'special':
      return random() < 0.5 ? normal : (specials[Math.floor(random() * specials.length)] ?? 0);
    case 'finite':
      return random() < 0.5 ? normal : (edges[Math.floor(random() * edges.length)] ?? 0);
  }
}

/** The product of the shape fields and numbers of a length. */
export const productOf = (length: string, shape: Readonly<Record<string, number>>) =>
  length.split(' ').reduce((product, word) => product * (word === '' ? 1 : sizeOf(word, shape)), 1);

/** The buffers of a kernel by name, as the list has them. */
export const specsOf = (kernel: KernelName): Readonly<Record<string, BufferSpec>> => kernels[kernel].buffers;

/** A shape as fields by name. */
export const fieldsOf = (shape: AnyCase['shape']): Readonly<Record<string, number>> => shape;

function contents(spec: BufferSpec, shape: Readonly<Record<string, number>>, fill: Fill | undefined, seed: number) {
  const length = productOf(spec.length, shape);
  const random = generator(seed);
  if (spec.type === 'f32') {
    return Float32Array.from({ length }, (_, i) =>
      spec.mode === 'write' ? unwritten : number(fill ?? 'normal', random, i),
    );
  }
  if (spec.mode === 'write') return new Int32Array(length).fill(unwritten);
  const { below, except } = spec;
  return Int32Array.from({ length }, (_, i) => {
    if (fill !== undefined) return number(fill, random, i);
    if (below === undefined) return random() * 2 ** 32;
    if (except !== undefined && random() < 0.25) return shape[except] ?? 0;
    return random() * productOf(below, shape);
  });
}

/** The memory of one call: the buffers by name, each a view into the middle of a larger array. */
export interface Memory {
  readonly buffers: Record<string, Numbers | undefined>;
  readonly whole: Readonly<Record<string, Numbers>>;
}

/** Float32 (or float64) buffers of a case; `alias` puts one written buffer where a read one is. */
export function allocate(
  test: AnyCase,
  { double = false, alias }: { readonly double?: boolean; readonly alias?: readonly [string, string] } = {},
): Memory {
  const shape = fieldsOf(test.shape);
  const buffers: Record<string, Numbers | undefined> = {};
  const whole: Record<string, Numbers> = {};
  const without: readonly string[] = test.without ?? [];
  const fills: Readonly<Record<string, Fill | undefined>> = test.fills ?? {};
  let place = 0;
  for (const [name, spec] of Object.entries(specsOf(test.kernel))) {
    place++;
    if (without.includes(name)) continue;
    const values = contents(spec, shape, fills[name], test.seed * 1009 + place);
    const length = values.length + 2 * guardLength;
    const memory =
      spec.type === 'i32' ? new Int32Array(length) : double ? new Float64Array(length) : new Float32Array(length);
    memory.fill(guardValue);
    memory.set(values, guardLength);
    whole[name] = memory;
    buffers[name] = memory.subarray(guardLength, guardLength + values.length);
  }
  if (alias !== undefined) {
    const [written, read] = alias;
    const shared = whole[read];
    if (shared === undefined) throw new Error(`no buffer ${read}`);
    whole[written] = shared;
    buffers[written] = buffers[read];
  }
  return { buffers, whole };
}

const bytes = (numbers: Numbers) => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Says which guards, or which buffers that are only read, differ from a fresh allocation; empty if none. */
export function disturbed(test: AnyCase, after: Memory, options: Parameters<typeof allocate>[1] = {}): string[] {
  const before = allocate(test, options);
  const found: string[] = [];
  for (const [name, spec] of Object.entries(specsOf(test.kernel))) {
    const was = before.whole[name];
    const is = after.whole[name];
    if (was === undefined || is === undefined || is === after.whole[options.alias?.[0] ?? '']) continue;
    const end = was.length - guardLength;
    if (spec.mode === 'read' && !bytes(was).equals(bytes(is))) found.push(`${name} was only to be read`);
    const guards = (all: Numbers) => Buffer.concat([bytes(all.subarray(0, guardLength)), bytes(all.subarray(end))]);
    if (!guards(was).equals(guards(is))) found.push(`elements around ${name} were written`);
  }
  return found;
}

/** Pairs [written, read] that may be the same memory in this case, as the list says and its lengths and strides allow. */
export function inPlacePairs(test: AnyCase): [string, string][] {
  const shape = fieldsOf(test.shape);
  const specs = specsOf(test.kernel);
  const without: readonly string[] = test.without ?? [];
  const pairs: [string, string][] = [];
  for (const [name, spec] of Object.entries(specs)) {
    for (const other of spec.inPlace?.split(' ') ?? []) {
      if (without.includes(name) || without.includes(other)) continue;
      const length = productOf(specs[other]?.length ?? '', shape);
      if (length === productOf(spec.length, shape) && isDense(test, other)) pairs.push([name, other]);
    }
  }
  return pairs;
}

/** Whether the strides of a broadcast operand are those of a dense buffer. */
function isDense(test: AnyCase, operand: string): boolean {
  const shape = fieldsOf(test.shape);
  if (!(`${operand}0` in shape)) return true;
  let stride = 1;
  for (let i = 3; i >= 0; i--) {
    const size = shape[`d${i}`] ?? 1;
    if (size !== 1 && shape[`${operand}${i}`] !== stride) return false;
    stride *= size;
  }
  return true;
}
