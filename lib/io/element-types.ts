// The element types a safetensors file may hold, and how each becomes float32 or int32.
import type { Dtype } from '../tensor/tensor.ts';

interface ElementType {
  /** Bytes per element. */
  readonly width: number;
  /** Little-endian bytes to a typed array; `unfit` is called with the first value that int32 cannot hold. */
  decode(bytes: Uint8Array, unfit: (value: bigint | number) => never): Float32Array | Int32Array;
}

type View<T> = new (buffer: ArrayBufferLike, offset: number, length: number) => T;

/** The same bytes as typed elements where they lie aligned, else a copy. Typed arrays are little-endian wherever Node runs. */
function view<T>(bytes: Uint8Array, width: number, type: View<T>): T {
  const memory = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new type(memory.buffer, memory.byteOffset, memory.length / width);
}

/** int32 from wider integers, where every value fits. */
function narrow(
  values: BigInt64Array | BigUint64Array | Uint32Array,
  unfit: (value: bigint | number) => never,
): Int32Array {
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    result[i] = Number(value);
    if (result[i] !== Number(value)) unfit(value);
  }
  return result;
}

/** float32 from the IEEE 754 half-precision bits: 1 sign, 5 exponent, 10 fraction. */
function fromHalf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const sign = half & 0x8000 ? -1 : 1;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** float32 whose upper half is the bfloat16 number, and the lower half zero. */
function fromBfloat(halves: Uint16Array): Float32Array {
  const bits = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(bits.buffer);
}

export const elementTypes = {
  F32: { width: 4, decode: (bytes) => view(bytes, 4, Float32Array) },
  F64: { width: 8, decode: (bytes) => Float32Array.from(view(bytes, 8, Float64Array)) },
  F16: { width: 2, decode: (bytes) => fromHalf(view(bytes, 2, Uint16Array)) },
  BF16: { width: 2, decode: (bytes) => fromBfloat(view(bytes, 2, Uint16Array)) },
  I32: { width: 4, decode: (bytes) => view(bytes, 4, Int32Array) },
  I64: { width: 8, decode: (bytes, unfit) => narrow(view(bytes, 8, BigInt64Array), unfit) },
  U64: { width: 8, decode: (bytes, unfit) => narrow(view(bytes, 8, BigUint64Array), unfit) },
  U32: { width: 4, decode: (bytes, unfit) => narrow(view(bytes, 4, Uint32Array), unfit) },
  I16: { width: 2, decode: (bytes) => Int32Array.from(view(bytes, 2, Int16Array)) },
  U16: { width: 2, decode: (bytes) => Int32Array.from(view(bytes, 2, Uint16Array)) },
  I8: { width: 1, decode: (bytes) => Int32Array.from(view(bytes, 1, Int8Array)) },
  U8: { width: 1, decode: (bytes) => Int32Array.from(bytes) },
  BOOL: { width: 1, decode: (bytes) => Int32Array.from(bytes, (byte) => (byte ? 1 : 0)) },
} as const satisfies Record<string, ElementType>;

export type FileType = keyof typeof elementTypes;

export const isFileType = (value: unknown): value is FileType =>
  typeof value === 'string' && Object.hasOwn(elementTypes, value);

/** The type a tensor is written as. */
export function fileTypeOf(dtype: Dtype): FileType {
  return dtype === 'float32' ? 'F32' : dtype === 'int32' ? 'I32' : 'F64';
}
