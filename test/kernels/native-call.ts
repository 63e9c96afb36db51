// The native backend as a function of a kernel whose name is data, where there is a binary.
import type { KernelName } from '../../lib/kernels/list.ts';
import { loadNative } from '../../lib/kernels/native.ts';
import type { Named } from './buffers.ts';

export type Call = (kernel: KernelName, shape: Readonly<Record<string, number>>, buffers: Named) => void;

/** The call, or why there is none. */
export function nativeCall(): { call?: Call; reason: string } {
  try {
    const native = loadNative();
    return { call: (...call) => Reflect.apply(native.run, native, call), reason: '' };
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}
