// What a recording leaves: kernel calls in order, and the memories they read and write.
import type { Fields } from '../kernels/caller.ts';
import type { BufferLayout } from '../kernels/layout.ts';
import { layoutOf } from '../kernels/layout.ts';
import type { KernelName } from '../kernels/list.ts';

/**
 * Memory that calls use. `input`: an argument's, another in every run. `captured`: was there before, such as weights; calls
 * see it as it is when a run begins, and may change it. `temporary`: made and used within a run. `output`: what a run
 * gives back.
 */
export interface Memory {
  kind: 'input' | 'captured' | 'temporary' | 'output';
  readonly type: 'f32' | 'i32';
  /** Elements. */
  readonly length: number;
  /** Of captured memory: itself. */
  data?: Float32Array | Int32Array;
  /** Of captured memory: how often it was changed in place. While that stays, so do its packed and folded forms. */
  version?: () => number;
}

/** Elements [offset, offset + length) of a memory. */
export interface Operand {
  readonly memory: Memory;
  readonly offset: number;
  readonly length: number;
}

/** A kernel call, of operands in memories instead of arrays. */
export interface Call {
  readonly kernel: KernelName;
  readonly shape: Fields;
  readonly operands: Readonly<Record<string, Operand | undefined>>;
}

export interface Graph {
  readonly calls: readonly Call[];
  readonly inputs: readonly Memory[];
  readonly outputs: readonly Operand[];
  /** Work in JavaScript before each run, in order. */
  readonly repeated: readonly (() => void)[];
  /** After each run. */
  readonly raised: readonly (() => void)[];
}

/** An operand with what the list says of it. */
export interface Use {
  readonly buffer: BufferLayout;
  readonly operand: Operand;
}

/** The operands that a call has, in the order of the list. */
export function usesOf({ kernel, operands }: Call): Use[] {
  return layoutOf(kernel).buffers.flatMap((buffer) => {
    const operand = operands[buffer.name];
    return operand === undefined ? [] : [{ buffer, operand }];
  });
}

export const writes = ({ buffer }: Use): boolean => buffer.spec.mode !== 'read';
export const reads = ({ buffer }: Use): boolean => buffer.spec.mode !== 'write';

/** Whether an operand is all of its memory. */
export const isWhole = ({ memory, offset, length }: Operand): boolean => offset === 0 && length === memory.length;
