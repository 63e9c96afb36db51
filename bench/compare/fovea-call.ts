// A kernel call of fovea's, made from a row: its shape and its buffers, by the list of the build that is measured.
import type { BufferLayout, Layout } from '../../lib/kernels/layout.ts';
import { randomFloats, Skip } from './trial.ts';

export type Memory = Float32Array | Int32Array;
export type Shape = Readonly<Record<string, number>>;
export type Buffers = Readonly<Record<string, Memory>>;

/** What is used of a build, which may be older than this file. */
export interface Build {
  run(kernel: string, shape: Shape, buffers: Buffers, packed?: unknown): void;
  pack?(kernel: string, shape: Shape, operands: Buffers): unknown;
  readonly layouts: ReadonlyMap<string, Layout>;
}

/** Values for the buffers that random numbers would not suit. */
const constant: Readonly<Record<string, number>> = { variance: 1, inverseStd: 1, squareAverage: 0.01 };

/** Of one optimizer step (see the list). */
const settingsOf = (op: string, momentum: boolean): Float32Array =>
  Float32Array.from(
    op === 'sgd' ? [0.01, momentum ? 0.9 : 0, 0, 0, 0, 0, 0] : [0.001, 0.9, 0.999, 1e-8, 0, 0, 0, 1, 1],
  );

/** A buffer of a call, all of it written: no page may be touched first while the clock runs. */
function allocate({ name, spec }: BufferLayout, length: number, below: number): Memory {
  if (spec.type === 'i32') return Int32Array.from({ length }, () => Math.floor(Math.random() * below));
  const value = constant[name];
  return value === undefined ? randomFloats(length) : new Float32Array(length).fill(value);
}

/** One call, ready to run. */
export class KernelCall {
  readonly buffers: Buffers;
  readonly #build: Build;
  readonly #kernel: string;
  readonly #shape: Shape;
  #packed: unknown;

  /** `given` names the optional buffers to give; `existing` are used as they are. Throws Skip for an unknown kernel. */
  constructor(
    build: Build,
    kernel: string,
    fields: Shape,
    given: readonly string[],
    existing: Readonly<Record<string, Memory | undefined>> = {},
  ) {
    const layout = build.layouts.get(kernel);
    if (layout === undefined) throw new Skip('not in this build');
    const shape = Object.fromEntries(layout.fields.map((field) => [field, fields[field] ?? 0]));
    // Lengths are products of fields, and of numbers.
    const product = (factors: readonly string[]) =>
      factors.reduce((size, factor) => size * (shape[factor] ?? Number(factor)), 1);
    const buffers: Record<string, Memory> = {};
    for (const buffer of layout.buffers) {
      const { name, spec, length, below } = buffer;
      if (spec.optional && !given.includes(name)) continue;
      if (existing[name] !== undefined) buffers[name] = existing[name];
      else if (name === 'settings') buffers[name] = settingsOf(kernel, given.includes('velocity'));
      else buffers[name] = allocate(buffer, product(length), product(below));
    }
    this.#build = build;
    this.#kernel = kernel;
    this.#shape = shape;
    this.buffers = buffers;
  }

  /** Packs the operands that can be packed; whether any was. */
  pack(): boolean {
    if (this.#build.pack === undefined) throw new Skip('not in this build');
    this.#packed = this.#build.pack(this.#kernel, this.#shape, this.buffers);
    return this.#packed !== undefined;
  }

  /** A function that runs the call, and does nothing else. */
  runner(): () => void {
    const { run } = this.#build;
    const [kernel, shape, buffers, packed] = [this.#kernel, this.#shape, this.buffers, this.#packed];
    return () => run(kernel, shape, buffers, packed);
  }
}
