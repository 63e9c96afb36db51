// The memory of tensors: a typed array, and how often it was changed in place.
import { recorder } from '../kernels/recording.ts';
import { describe, FoveaError, fail } from './errors.ts';
import { maxBytes } from './shape.ts';

/** Element types. float64 exists to check gradients and runs on the reference backend only. */
export type Dtype = 'float32' | 'int32' | 'float64';
export type Data = Float32Array | Int32Array | Float64Array;

/** Memory shared by a tensor and its reshaped and detached versions. */
export class Storage {
  readonly data: Data;
  /** Raised by every change in place; autograd compares it with what it remembers. */
  version = 0;

  constructor(data: Data) {
    this.data = data;
  }
}

/** Memory of `size` elements, not zeroed: for outputs that kernels write completely, and JavaScript never. */
export function allocate(dtype: Dtype, size: number): Data {
  const bytes = size * (dtype === 'float64' ? 8 : 4);
  if (bytes > maxBytes)
    fail('allocate', { expected: `at most ${maxBytes} bytes`, got: `${size} elements of ${dtype}` });
  let buffer: ArrayBufferLike;
  try {
    buffer = Buffer.allocUnsafeSlow(bytes).buffer;
  } catch (error) {
    throw new FoveaError(`allocate: out of memory for ${size} elements of ${dtype}: ${String(error)}`);
  }
  const data = viewOf(dtype, buffer, size);
  recorder()?.allocated(data);
  return data;
}

/** Zeros that JavaScript may write: a program that is being recorded keeps them as they are then. */
export function plain(dtype: Dtype, size: number): Data {
  if (dtype === 'float32') return new Float32Array(size);
  return dtype === 'int32' ? new Int32Array(size) : new Float64Array(size);
}

function viewOf(dtype: Dtype, buffer: ArrayBufferLike, size: number): Data {
  if (dtype === 'float32') return new Float32Array(buffer, 0, size);
  return dtype === 'int32' ? new Int32Array(buffer, 0, size) : new Float64Array(buffer, 0, size);
}

/** The element type of a typed array; throws for anything else. */
export function dtypeOf(operation: string, data: unknown): Dtype {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Float64Array) return 'float64';
  return fail(operation, { expected: 'a Float32Array, Int32Array or Float64Array', got: describe(data) });
}

/** Throws unless the memory can be used as it is: not shared between threads, not resizable, not transferred away. */
export function checkMemory(operation: string, data: Data): void {
  const buffer: ArrayBufferLike & { readonly resizable?: boolean; readonly detached?: boolean } = data.buffer;
  const complain = (kind: string, because: string): never =>
    fail(operation, { expected: 'memory that stays as it is', because, got: `${data.constructor.name} over ${kind}` });
  if (typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer) {
    complain('a SharedArrayBuffer', 'another thread could change it during an operation');
  }
  if (buffer.resizable === true) complain('a resizable ArrayBuffer', 'it could shrink under a tensor');
  if (isDetached(buffer)) complain('a detached ArrayBuffer', 'its bytes were transferred elsewhere');
}

/** Node 20 has no ArrayBuffer.prototype.detached: there, only a view of a detached buffer cannot be made. */
function isDetached(buffer: ArrayBufferLike & { readonly detached?: boolean }): boolean {
  if (buffer.detached !== undefined) return buffer.detached;
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
