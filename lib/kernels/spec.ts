// What the list is written in: the form of a kernel's description, words for its buffers, shapes that kernels share.

/** How a kernel uses a buffer: reads it, writes all of it, or changes it in place. */
export type Mode = 'read' | 'write' | 'update';

/** One buffer of a kernel. */
export interface BufferSpec {
  readonly mode: Mode;
  /** `f32` buffers may be Float64Array on the reference backend, where gradients are checked in double precision. */
  readonly type: 'f32' | 'i32';
  /** Shape fields and numbers whose product is the length; `''` is one element. */
  readonly length: string;
  readonly optional?: true;
  /** Of an optional buffer: the shape field that asks for it where it is above 0. */
  readonly unless?: string;
  /** A constant operand that native kernels take in packed form as well (`packed.ts`). */
  readonly packs?: true;
  /** For indices: every element is at or above 0 and below the product of these fields. */
  readonly below?: string;
  /** For indices: the shape field that holds a further allowed value. */
  readonly except?: string;
  /** A written buffer that may be the same memory as these read buffers (names), when their lengths agree. */
  readonly inPlace?: string;
}

/** One kernel: integer fields of its shape, float constants, and buffers in the order C++ takes them. */
export interface KernelSpec {
  readonly shape: readonly string[];
  readonly constants: readonly string[];
  readonly buffers: Readonly<Record<string, BufferSpec>>;
}

export const read = <L extends string>(length: L) => ({ mode: 'read', type: 'f32', length }) as const;
export const write = <L extends string>(length: L) => ({ mode: 'write', type: 'f32', length }) as const;
export const update = <L extends string>(length: L) => ({ mode: 'update', type: 'f32', length }) as const;
export const over = <L extends string, I extends string>(length: L, inPlace: I) =>
  ({ mode: 'write', type: 'f32', length, inPlace }) as const;
export const maybe = <S extends BufferSpec>(spec: S) => ({ ...spec, optional: true }) as const;
export const maybeUnless = <S extends BufferSpec, F extends string>(unless: F, spec: S) =>
  ({ ...spec, optional: true, unless }) as const;
export const packs = <S extends BufferSpec>(spec: S) => ({ ...spec, packs: true }) as const;
export const indices = <L extends string, B extends string>(length: L, below: B) =>
  ({ mode: 'read', type: 'i32', length, below }) as const;
export const writeIndices = <L extends string>(length: L) => ({ mode: 'write', type: 'i32', length }) as const;
/** Philox key and counter: [keyLow, keyHigh, counterLow, counterHigh]. */
export const seed = { mode: 'read', type: 'i32', length: 'seedWords' } as const;

/** y = f(x), element by element. */
export const unary = { shape: ['count'], constants: [], buffers: { x: read('count'), y: over('count', 'x') } } as const;

/** gradX = gradY f'(…), from the one thing the forward pass saved: its x or its y (see `savedBy`). */
export const unaryBackward = {
  shape: ['count'],
  constants: [],
  buffers: { saved: read('count'), gradY: read('count'), gradX: over('count', 'saved gradY') },
} as const;

export const withConstants = <K extends { readonly constants: readonly string[] }, const C extends readonly string[]>(
  kernel: K,
  constants: C,
): Omit<K, 'constants'> & { readonly constants: C } => ({ ...kernel, constants });

/** y[i0,i1,i2,i3] = f(a[i·aStride], b[i·bStride]): broadcasting over four dense output dimensions; a stride of 0 repeats. */
export const binary = {
  shape: ['d0', 'd1', 'd2', 'd3', 'a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3', 'aLength', 'bLength'],
  constants: [],
  buffers: { a: read('aLength'), b: read('bLength'), y: over('d0 d1 d2 d3', 'a b') },
} as const;

/** [outer, count, inner] -> [outer, inner]. */
export const reduce = {
  shape: ['outer', 'count', 'inner'],
  constants: [],
  buffers: { x: read('outer count inner'), y: write('outer inner') },
} as const;

export const reduceToIndex = {
  shape: ['outer', 'count', 'inner'],
  constants: [],
  buffers: { x: read('outer count inner'), y: writeIndices('outer inner') },
} as const;

export const softmaxLike = {
  shape: ['outer', 'count', 'inner'],
  constants: [],
  buffers: { x: read('outer count inner'), y: over('outer count inner', 'x') },
} as const;

export const softmaxLikeBackward = {
  shape: ['outer', 'count', 'inner'],
  constants: [],
  buffers: {
    y: read('outer count inner'),
    gradY: read('outer count inner'),
    gradX: over('outer count inner', 'gradY'),
  },
} as const;

// biome-ignore format: many fields a line
export const conv2dShape = [
  'batch', 'inChannels', 'height', 'width', 'outChannels', 'groupChannels', 'kernelHeight', 'kernelWidth',
  'strideHeight', 'strideWidth', 'padTop', 'padLeft', 'dilationHeight', 'dilationWidth', 'groups',
  'outHeight', 'outWidth', 'algorithm',
] as const; // groupChannels = inChannels / groups; bottom and right padding follow from outHeight and outWidth

/** The field `algorithm` of a convolution. All give the same answer, up to rounding; the reference knows one. */
export const convAlgorithms = { auto: 0, direct: 1, winograd: 2 } as const;

export const convX = 'batch inChannels height width';
export const convWeight = 'outChannels groupChannels kernelHeight kernelWidth';
export const convY = 'batch outChannels outHeight outWidth';

// biome-ignore format: many fields a line
export const pool2dShape = [
  'planes', 'height', 'width', 'kernelHeight', 'kernelWidth', 'strideHeight', 'strideWidth', 'padTop',
  'padLeft', 'outHeight', 'outWidth',
] as const; // planes = batch x channels; every window holds at least one element of x

export const poolX = 'planes height width';
export const poolY = 'planes outHeight outWidth';

/** How many steps of each sequence of a batch count, in any order. */
export const lengths = maybe({ ...indices('batch', 'steps'), except: 'steps' });
