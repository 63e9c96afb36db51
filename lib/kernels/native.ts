// The native backend: packs a call for the binary and runs it there.
import { type BinaryInfo, openBinary } from './binary.ts';
import { type Layout, layouts } from './layout.ts';
import type { Buffers, KernelName, Operands, Shape } from './list.ts';

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
  /** Packs the constant operands of calls of this shape; undefined where the kernel takes them as they are. */
  pack<K extends KernelName>(kernel: K, shape: Shape<K>, operands: Operands<K>): Packed | undefined;
}

/** Constant operands of a kernel as it computes with them: for one shape, and one instruction set. */
export interface Packed {
  readonly kernel: KernelName;
  readonly isa: string;
  readonly values: Float32Array;
}

type Memory = Float32Array | Float64Array | Int32Array | undefined;
type Prepared = Layout & { readonly values: Float64Array };

let loaded: Native | undefined;

/** Loads the native kernels, once. Throws a NativeLoadError that says every path tried and why it did not serve. */
export function loadNative(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const { binary, path, origin } = openBinary();
  let { isa } = binary.info();
  // One array of shape values per kernel, used again at every call: a call is over when it returns.
  const prepared = new Map<string, Prepared>();
  for (const [name, layout] of layouts)
    prepared.set(name, { ...layout, values: new Float64Array(layout.fields.length) });

  function prepare(kernel: string, shape: Readonly<Record<string, number>>): Prepared {
    const layout = prepared.get(kernel);
    if (layout === undefined) throw new TypeError(`run: expected the name of a kernel, but got '${kernel}'`);
    const { fields, values } = layout;
    for (let i = 0; i < fields.length; ++i) values[i] = shape[fields[i]!]!;
    return layout;
  }

  function call(
    kernel: string,
    shape: Readonly<Record<string, number>>,
    buffers: Readonly<Record<string, Memory>>,
    packed?: Packed,
  ): void {
    const { names, values, index } = prepare(kernel, shape);
    // The form of another instruction set is of no use; the operands themselves are there too.
    if (packed !== undefined && packed.kernel === kernel && packed.isa === isa) {
      binary.run(index, values, ...names.map((name) => buffers[name]), packed.values);
      return;
    }
    // Spreading costs more than the call itself for few buffers.
    switch (names.length) {
      case 1:
        binary.run(index, values, buffers[names[0]!]);
        break;
      case 2:
        binary.run(index, values, buffers[names[0]!], buffers[names[1]!]);
        break;
      case 3:
        binary.run(index, values, buffers[names[0]!], buffers[names[1]!], buffers[names[2]!]);
        break;
      case 4:
        binary.run(index, values, buffers[names[0]!], buffers[names[1]!], buffers[names[2]!], buffers[names[3]!]);
        break;
      default:
        binary.run(index, values, ...names.map((name) => buffers[name]));
    }
  }

  function pack(
    kernel: KernelName,
    shape: Readonly<Record<string, number>>,
    operands: Readonly<Record<string, Memory>>,
  ): Packed | undefined {
    const { packs, values, index } = prepare(kernel, shape);
    const length = binary.packedLength(index, values);
    if (length === 0) return undefined;
    const packed = { kernel, isa, values: new Float32Array(length) };
    binary.pack(index, values, ...packs.map((name) => operands[name]), packed.values);
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
    run: call,
    pack,
  };
}
