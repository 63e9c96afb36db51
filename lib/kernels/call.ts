// What a call of each kernel takes, as types that follow from the list.
import type { KernelName, kernels } from './list.ts';

type Kernels = typeof kernels;

/** The shape record of a kernel: its integers and float constants by name. */
export type Shape<K extends KernelName> = {
  readonly [F in Kernels[K]['shape'][number] | Kernels[K]['constants'][number]]: number;
};

/** Element storage of a floating-point buffer; double precision exists on the reference backend only. */
export type Floats = Float32Array | Float64Array;

type BufferOf<S> = S extends { readonly type: 'i32' } ? Int32Array : Floats;
type OptionalNames<B> = { [N in keyof B]: B[N] extends { readonly optional: true } ? N : never }[keyof B];

/** The buffers of a kernel by name; optional ones may be left out. */
export type Buffers<K extends KernelName> = {
  readonly [N in Exclude<keyof Kernels[K]['buffers'], OptionalNames<Kernels[K]['buffers']>>]: BufferOf<
    Kernels[K]['buffers'][N]
  >;
} & {
  readonly [N in OptionalNames<Kernels[K]['buffers']>]?: BufferOf<Kernels[K]['buffers'][N]> | undefined;
};

type PackedNames<B> = { [N in keyof B]: B[N] extends { readonly packs: true } ? N : never }[keyof B];

/** The constant operands of a kernel that can be packed, by name. */
export type Operands<K extends KernelName> = Pick<Buffers<K>, PackedNames<Kernels[K]['buffers']> & keyof Buffers<K>>;
