// The type of a reference kernel, and scratch memory for those that need some.
import type { Buffers, Shape } from '../call.ts';
import type { KernelName } from '../list.ts';

/** One kernel of the list in TypeScript; it trusts its arguments, which were checked at the edge. */
export type Kernel<K extends KernelName> = (shape: Shape<K>, buffers: Buffers<K>) => void;

/** Memory that one kernel reuses from call to call; it grows to the largest length asked for. Its content is arbitrary. */
export function scratch(): (length: number) => Float64Array {
  let held = new Float64Array(0);
  return (length) => {
    if (held.length < length) held = new Float64Array(Math.ceil(length * 1.25));
    return held;
  };
}
