// Chooses the backend once per process and runs kernel calls on it.
import type { Buffers, KernelName, Shape } from './list.ts';
import { reference } from './reference.ts';

/** Runs one kernel call: all written buffers hold the result when it returns. */
export function run<K extends KernelName>(kernel: K, shape: Shape<K>, buffers: Buffers<K>): void {
  (reference as Record<string, (shape: Shape<K>, buffers: Buffers<K>) => void>)[kernel]?.(shape, buffers);
}
