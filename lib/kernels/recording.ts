// The seam through which a recorder sees what a function does: its kernel calls, the memory made for their results, and
// what must happen again before every later run.
import type { Fields, Memories } from './caller.ts';
import type { KernelName } from './list.ts';

/** Watches a function while it runs. */
export interface Recorder {
  /** A kernel call, before it runs. */
  called(kernel: KernelName, shape: Fields, buffers: Memories): void;
  /** An operand's memory, with the count of its changes in place. */
  uses(storage: { readonly data: Elements; readonly version: number }): void;
  /** New memory. Kernels alone write it, and one does before anything reads it. */
  allocated(data: Elements): void;
  /** The numbers in `data` decide in JavaScript what happens next. Throws if they may differ from run to run. */
  decides(operation: string, data: Elements): void;
  /** A memory was changed in place; `raise` raises its version. */
  changed(raise: () => void): void;
  /** Work in JavaScript that every run begins with: it has been done for this one. */
  repeats(work: () => void): void;
}

export type Elements = Float32Array | Float64Array | Int32Array;

let current: Recorder | undefined;

/** The recorder that watches, if any. */
export const recorder = (): Recorder | undefined => current;

/** Runs `fn` watched by `next`. Throws within another recording, and for a function that returns a promise. */
export function recordWith<T>(next: Recorder, fn: () => T): T {
  if (current !== undefined) {
    throw new Error('record: expected a function that records nothing itself, but got one within another recording');
  }
  current = next;
  try {
    return fn();
  } finally {
    current = undefined;
  }
}

/** Does `work`, which must come before every run of what is being recorded: new seeds, settings of a step. */
export function everyRun(work: () => void): void {
  work();
  current?.repeats(work);
}

/** Says that the numbers in `data` decide in JavaScript what happens next. Throws while recording what may change. */
export function decidesBy(operation: string, data: Elements): void {
  current?.decides(operation, data);
}
