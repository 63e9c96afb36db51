// Runs a function once and keeps the kernel calls it makes.
import type { Fields, Memories } from '../kernels/caller.ts';
import type { KernelName } from '../kernels/list.ts';
import { type Elements, type Recorder, recordWith } from '../kernels/recording.ts';
import { type Complaint, describe, fail, RecordingError } from '../tensor/errors.ts';
import { type Shape, Tensor } from '../tensor/tensor.ts';
import { type Call, type Graph, type Memory, type Operand, usesOf, writes } from './graph.ts';

/** Shape and element type of what a program takes or gives. */
export interface Form {
  readonly shape: Shape;
  readonly dtype: 'float32' | 'int32';
}

export interface Recorded<R> {
  readonly graph: Graph;
  /** What the function returned. Its tensors hold the numbers of this run. */
  readonly result: R;
  readonly inputs: readonly Form[];
  readonly outputs: readonly Form[];
}

/**
 * Runs `fn(...inputs)` and records it; `outputsOf` says which tensors of its result a run gives. Throws RecordingError where
 * numbers that differ from run to run decide what `fn` does, and for tensors of float64.
 */
export function recordCalls<R>(
  fn: (...inputs: Tensor[]) => R,
  inputs: readonly Tensor[],
  outputsOf: (result: R) => readonly Tensor[],
): Recorded<R> {
  const recording = new Recording(inputs);
  const result = recordWith(recording, () => fn(...inputs));
  if (Object(result) === result && 'then' in Object(result)) {
    refuse({ expected: 'a synchronous function', got: 'one that returns a promise' });
  }
  const outputs = outputsOf(result);
  const graph = recording.finish(outputs);
  return { graph, result, inputs: inputs.map(formOf), outputs: outputs.map(formOf) };
}

export function formOf({ shape, dtype }: Tensor): Form {
  return dtype === 'float64' ? refuse({ expected: 'float32 or int32', got: dtype }) : { shape, dtype };
}

function refuse(complaint: Complaint): never {
  return fail('record', complaint, RecordingError);
}

class Recording implements Recorder {
  readonly #calls: Call[] = [];
  readonly #repeated: (() => void)[] = [];
  readonly #raised: (() => void)[] = [];
  readonly #inputs: Memory[];
  /** Memories by the ArrayBuffer they lie in; inputs before what is captured around them. */
  readonly #memories = new Map<ArrayBufferLike, { readonly memory: Memory; readonly begin: number }[]>();
  readonly #written = new Set<Memory>();
  readonly #storages = new Map<ArrayBufferLike, Set<{ readonly version: number }>>();

  constructor(inputs: readonly Tensor[]) {
    this.#inputs = inputs.map((tensor) => {
      if (!(tensor instanceof Tensor)) refuse({ expected: 'inputs that are tensors', got: describe(tensor) });
      const data = tensor.storage.data;
      return this.#add('input', data, data.byteOffset, tensor.size);
    });
  }

  called(kernel: KernelName, shape: Fields, buffers: Memories): void {
    const operands: Record<string, Operand | undefined> = {};
    for (const [name, data] of Object.entries(buffers)) {
      operands[name] = data === undefined || data === null ? undefined : this.#operand(kernel, data);
    }
    const call: Call = { kernel, shape: { ...shape }, operands };
    for (const use of usesOf(call)) {
      const { memory } = use.operand;
      // JavaScript has filled it in: a constant of this program.
      if (use.buffer.spec.mode === 'read' && memory.kind === 'temporary' && !this.#written.has(memory)) {
        memory.kind = 'captured';
      }
      if (writes(use) && memory.kind === 'input') {
        refuse({
          expected: `inputs that are only read`,
          because: 'their memory belongs to the caller of a run',
          got: `${kernel}, which writes one`,
        });
      }
      if (writes(use)) this.#written.add(memory);
    }
    this.#calls.push(call);
  }

  uses(storage: { readonly data: Elements; readonly version: number }): void {
    const { buffer } = storage.data;
    const known = this.#storages.get(buffer);
    if (known === undefined) this.#storages.set(buffer, new Set([storage]));
    else known.add(storage);
  }

  allocated(data: Elements): void {
    if (!(data instanceof Float64Array)) this.#add('temporary', data, 0, data.length);
  }

  decides(operation: string, data: Elements): void {
    const kind = this.#find(data)?.memory.kind;
    if (kind !== 'input' && !this.#isResult(data)) return;
    refuse({
      expected: 'a function that does the same for all numbers',
      because: 'a program repeats its kernel calls',
      got: `${operation}, which looks at the numbers of ${kind === 'input' ? 'an input' : 'a result'}`,
    });
  }

  changed(raise: () => void): void {
    this.#raised.push(raise);
  }

  repeats(work: () => void): void {
    this.#repeated.push(work);
  }

  /** The graph, with these tensors as what a run gives. */
  finish(outputs: readonly Tensor[]): Graph {
    const places = outputs.map((tensor): Operand => {
      if (!(tensor instanceof Tensor)) refuse({ expected: 'tensors as results', got: describe(tensor) });
      const operand = this.#operand('record', tensor.storage.data);
      if (operand.memory.kind === 'temporary') operand.memory.kind = 'output';
      return operand;
    });
    this.#letGo();
    return {
      calls: this.#calls,
      inputs: this.#inputs,
      outputs: places,
      repeated: this.#repeated,
      raised: this.#raised,
    };
  }

  /** What the recording itself computed with is not to be kept: only what is captured. */
  #letGo(): void {
    for (const [buffer, regions] of this.#memories) {
      const storages = this.#storages.get(buffer) ?? [];
      for (const { memory } of regions) {
        if (memory.kind !== 'captured') delete memory.data;
        else memory.version = () => [...storages].reduce((sum, { version }) => sum + version, 0);
      }
    }
    this.#memories.clear();
    this.#storages.clear();
  }

  #isResult(data: Elements): boolean {
    const memory = this.#find(data)?.memory;
    return memory?.kind === 'temporary' && this.#written.has(memory);
  }

  #add(kind: Memory['kind'], data: Elements, begin: number, length: number): Memory {
    if (data instanceof Float64Array) {
      refuse({
        expected: 'float32 tensors',
        because: 'float64, and int32 tensors that are moved, have no native kernels',
        got: 'float64',
      });
    }
    const type = data instanceof Int32Array ? 'i32' : 'f32';
    const memory: Memory = { kind, type, length, data };
    const known = this.#memories.get(data.buffer);
    if (known === undefined) this.#memories.set(data.buffer, [{ memory, begin }]);
    else known.push({ memory, begin });
    return memory;
  }

  #find(data: Elements): { readonly memory: Memory; readonly begin: number } | undefined {
    const end = data.byteOffset + data.byteLength;
    return this.#memories
      .get(data.buffer)
      ?.find(({ memory, begin }) => data.byteOffset >= begin && end <= begin + 4 * memory.length);
  }

  #operand(operation: string, data: Elements): Operand {
    const found = this.#find(data) ?? this.#capture(operation, data);
    return { memory: found.memory, offset: (data.byteOffset - found.begin) / 4, length: data.length };
  }

  /** Floats with all that lies in the same ArrayBuffer, so that views of it are seen to overlap; integers as they are. */
  #capture(operation: string, data: Elements): { readonly memory: Memory; readonly begin: number } {
    if (data instanceof Int32Array) {
      return { memory: this.#add('captured', data, data.byteOffset, data.length), begin: data.byteOffset };
    }
    const { buffer } = data;
    if (buffer instanceof SharedArrayBuffer || data instanceof Float64Array) {
      return { memory: this.#add('captured', data, data.byteOffset, data.length), begin: data.byteOffset };
    }
    if (this.#memories.has(buffer)) {
      refuse({
        expected: 'inputs in memory of their own',
        got: `one that overlaps with another operand of ${operation}`,
      });
    }
    const whole = new Float32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    return { memory: this.#add('captured', whole, 0, whole.length), begin: 0 };
  }
}
