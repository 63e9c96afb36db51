// The state of a tensor: memory, shape, and its place in the graph of gradients. Operations are attached in tensor.ts.
import { inspect } from 'node:util';
import { decidesBy, recorder } from '../kernels/recording.ts';
import { DisposedError, fail } from './errors.ts';
import { format, type Nested, nest } from './print.ts';
import { type Shape, show, sizeOf } from './shape.ts';
import { allocate, type Data, type Dtype, plain, Storage } from './storage.ts';

/** How one result came to be, kept so that its gradient can flow back. */
export interface GradientNode {
  /** Rises with creation: an operation always has a larger id than the ones it builds on. */
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** For every input: where its gradient goes; a Tensor is a leaf, null needs none. */
  readonly edges: readonly (GradientNode | Tensor | null)[];
  /** Throws if this node went backward before, or what it saved was changed since. */
  check(): void;
  /** The gradients of the inputs, from the gradient of the output. */
  apply(gradY: Tensor): readonly (Tensor | null | undefined)[];
  /** Whether `gradient`, returned by `apply`, is memory that nothing else refers to. */
  isFresh(gradient: Tensor, gradY: Tensor): boolean;
  /** Lets go of everything saved. */
  free(): void;
}

/**
 * A dense row-major array of numbers, of any rank. Memory belongs to the garbage collector; `dispose()` is optional.
 * Make one with `tensor`, `zeros`, `randn`, `fromArray` and the like, not with the constructor.
 */
export class Tensor implements Disposable {
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Number of elements. */
  readonly size: number;
  /** The gradient collected by `backward()`, a `SparseGradient` where `embedding` made it one; null before. */
  grad: Tensor | null = null;
  /** @internal How this tensor was computed; null for a leaf. */
  node: GradientNode | null = null;
  #storage: Storage | null;
  #requiresGrad = false;

  /** @internal */
  constructor(storage: Storage, shape: Shape, dtype: Dtype, size: number) {
    this.#storage = storage;
    this.shape = shape;
    this.dtype = dtype;
    this.size = size;
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** @internal The shared memory; throws DisposedError after `dispose()`. */
  get storage(): Storage {
    return this.#storage ?? fail('tensor', { expected: 'a live tensor', got: 'a disposed one' }, DisposedError);
  }

  /** The memory itself, without a copy. After writing to it call `touch()`. Throws DisposedError if it is gone. */
  get data(): Data {
    const data = this.#elements();
    decidesBy('data', data);
    return data;
  }

  #elements(): Data {
    const { data } = this.storage;
    if (data.length !== this.size) {
      const expected = `${this.size} elements for shape ${show(this.shape)}`;
      fail('tensor', { expected, got: 'memory that was transferred elsewhere' }, DisposedError);
    }
    return data;
  }

  /** `data` of a float tensor. */
  get floats(): Float32Array | Float64Array {
    const floats = this.operand;
    decidesBy('floats', floats);
    return floats;
  }

  /** `data` of an int32 tensor. */
  get ints(): Int32Array {
    const ints = this.indexOperand;
    decidesBy('ints', ints);
    return ints;
  }

  /** @internal The memory of a float tensor for a kernel call, whose numbers JavaScript does not look at. */
  get operand(): Float32Array | Float64Array {
    const data = this.#elements();
    recorder()?.uses(this.storage);
    return data instanceof Int32Array ? fail('floats', { expected: 'a float tensor', got: `${this.label}` }) : data;
  }

  /** @internal The same of an int32 tensor. */
  get indexOperand(): Int32Array {
    const data = this.#elements();
    return data instanceof Int32Array ? data : fail('ints', { expected: 'an int32 tensor', got: `${this.label}` });
  }

  /** @internal `float32 [2, 3]` for messages. */
  get label(): string {
    return `${this.dtype} ${show(this.shape)}`;
  }

  /** Whether operations on this tensor are recorded so that `backward()` reaches it. Settable on leaves. */
  get requiresGrad(): boolean {
    return this.#requiresGrad || this.node !== null;
  }

  set requiresGrad(value: boolean) {
    if (value && this.dtype === 'int32') {
      fail('requiresGrad', { expected: 'a float tensor', because: 'integers have no gradient', got: this.label });
    }
    if (!value && this.node !== null) {
      fail('requiresGrad', {
        expected: 'a leaf',
        because: 'a computed tensor keeps its history; use detach()',
        got: `the result of ${this.node.name}`,
      });
    }
    this.#requiresGrad = value && this.node === null;
  }

  /** True unless this tensor was computed from others that require gradients. */
  get isLeaf(): boolean {
    return this.node === null;
  }

  /** Raised by every change in place. */
  get version(): number {
    return this.storage.version;
  }

  /** Says that `data` was written to directly, so that autograd notices. */
  touch(): void {
    const { storage } = this;
    storage.version++;
    recorder()?.changed(() => storage.version++);
  }

  /** The same memory without history. */
  detach(): Tensor {
    return new Tensor(this.storage, this.shape, this.dtype, this.size);
  }

  /** @internal The same memory under another shape of the same size, without history. */
  view(shape: Shape): Tensor {
    return new Tensor(this.storage, shape, this.dtype, this.size);
  }

  /** The value of a tensor with one element. */
  item(): number {
    const data = this.#elements();
    decidesBy('item', data);
    const [value] = data;
    if (this.size !== 1 || value === undefined) {
      fail('item', { expected: 'one element', got: `${this.label}` });
    }
    return value;
  }

  /** Nested plain arrays; a number for a scalar. */
  toArray(): Nested {
    return nest(this.data, this.shape);
  }

  toString(): string {
    if (this.disposed) return `tensor(disposed, shape ${show(this.shape)}, ${this.dtype})`;
    return format(this.data, this.shape, this.dtype, this.requiresGrad);
  }

  [inspect.custom](): string {
    return this.toString();
  }

  get disposed(): boolean {
    return this.#storage === null;
  }

  /** Lets go of the memory at once; tensors that share it, and gradients that need it, keep it. */
  dispose(): void {
    this.#storage = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @internal A new tensor with unwritten memory. */
export function empty(shape: Shape, dtype: Dtype, operation?: string): Tensor {
  const size = sizeOf(shape, operation);
  return new Tensor(new Storage(allocate(dtype, size)), shape, dtype, size);
}

/** @internal A scalar of the given type. */
export function constant(value: number, dtype: Dtype): Tensor {
  const data = plain(dtype, 1);
  data[0] = value;
  return new Tensor(new Storage(data), [], dtype, 1);
}
