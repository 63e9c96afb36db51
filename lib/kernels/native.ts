// The native backend: packs a call for the binary and runs it there.
import { type BinaryInfo, openBinary } from './binary.ts';
import type { Buffers, Operands, Shape } from './call.ts';
import { type Caller, callerOf, type Fields, type Memories } from './caller.ts';
import type { Executor, ProgramSpec } from './executor.ts';
import { layouts } from './layout.ts';
import type { KernelName } from './list.ts';
import { nativeExecutor } from './native-executor.ts';

/** The native kernels. Each thread of JavaScript has its own choice of instruction set and number of threads. */
export interface Native {
  readonly path: string;
  /** Where it was found: 'prebuilt', 'local build' or 'FOVEA_BINARY'. */
  readonly origin: string;
  /** The instruction sets this machine can run, best first. */
  readonly isas: readonly string[];
  /** Throws where this machine has no such instruction set. */
  selectIsa(name: string): void;
  /** From 1 to 256. */
  setThreads(count: number): void;
  info(): BinaryInfo;
  /**
   * Runs one call, with its constant operands packed beforehand or not. Throws a TypeError or RangeError, before
   * anything is written, where it does not fit the list.
   */
  run<K extends KernelName>(kernel: K, shape: Shape<K>, buffers: Buffers<K>, packed?: Packed): void;
  /** Prepares a program for the instruction set and the number of threads in use. */
  executor(spec: ProgramSpec): Executor;
  /** Packs the constant operands of calls of this shape; undefined where the kernel takes them as they are. */
  pack<K extends KernelName>(kernel: K, shape: Shape<K>, operands: Operands<K>): Packed | undefined;
}

/** Constant operands of a kernel as it computes with them: for one shape, and one instruction set. */
export interface Packed {
  readonly kernel: KernelName;
  readonly isa: string;
  readonly values: Float32Array;
}

let loaded: Native | undefined;

/** Loads the native kernels, once. Throws a NativeLoadError that says every path tried and why it did not serve. */
export function loadNative(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const { binary, path, origin } = openBinary();
  let { isa } = binary.info();
  const callers = new Map<string, Caller>();
  for (const [name, layout] of layouts) callers.set(name, callerOf(layout));

  function callerFor(kernel: string): Caller {
    const caller = callers.get(kernel);
    if (caller === undefined) throw new TypeError(`run: expected the name of a kernel, but got '${kernel}'`);
    return caller;
  }

  function run(kernel: string, shape: Fields, buffers: Memories, packed?: Packed): void {
    const caller = callerFor(kernel);
    // The form of another instruction set is of no use; the operands themselves are there too.
    const fits = packed !== undefined && packed.kernel === kernel && packed.isa === isa;
    caller.run(binary.run, caller.values, shape, buffers, fits ? packed.values : undefined);
  }

  function pack(kernel: KernelName, shape: Fields, operands: Memories): Packed | undefined {
    const { layout, values, setShape } = callerFor(kernel);
    setShape(values, shape);
    const length = binary.packedLength(layout.index, values);
    if (length === 0) return undefined;
    const packed = { kernel, isa, values: new Float32Array(length) };
    binary.pack(layout.index, values, ...layout.packs.map((name) => operands[name]), packed.values);
    return packed;
  }

  return {
    path,
    origin,
    isas: binary.isas(),
    selectIsa: (name) => {
      binary.selectIsa(name);
      isa = name;
    },
    setThreads: (count) => binary.setThreads(count),
    info: () => binary.info(),
    run,
    pack,
    executor: (spec) => nativeExecutor(binary, spec),
  };
}
