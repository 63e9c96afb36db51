// A recorded function, planned and ready to run: one call into the backend for all of its kernel calls.
import { executorOf } from '../kernels/backend.ts';
import type { Executor, External, Place, PlacedCall, Values } from '../kernels/executor.ts';
import { layoutOf } from '../kernels/layout.ts';
import { fail, failShape } from '../tensor/errors.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { Storage } from '../tensor/storage.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Constants, fold, wholePlace } from './constants.ts';
import { foldNorms } from './fold-norm.ts';
import type { Call, Graph, Memory, Operand } from './graph.ts';
import { type Plan, plan } from './plan.ts';
import type { Form, Recorded } from './record.ts';
import { simplify } from './simplify.ts';
import { flopsOf } from './work.ts';

/** @internal */
export interface ProgramOptions {
  /** Whether weights change between runs, as in training: then what is made of them is made in each. */
  readonly weightsChange?: boolean;
  /** Memory for the outputs, by their number; others get their own. */
  readonly results?: ReadonlyMap<number, Values>;
}

/** How long a call of a program takes. */
export interface CallProfile {
  readonly kernel: string;
  readonly ms: number;
  readonly share: number;
  readonly gflops: number | undefined;
}

/** A program: runs what was recorded on other inputs of the same shapes. */
export class Program {
  readonly inputs: readonly Form[];
  readonly outputs: readonly Form[];
  /** Of the memory that results within a run share. */
  readonly arenaBytes: number;
  /** The most of it in use at once: no arena could be smaller. */
  readonly leastBytes: number;
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #constants: Constants;
  readonly #executor: Executor;
  /** Where outputs are after a run; of inputs that are given back, nowhere. */
  readonly #results: readonly (Values | undefined)[];

  /** @internal */
  constructor({ graph, inputs, outputs }: Omit<Recorded<unknown>, 'result'>, options: ProgramOptions = {}) {
    this.inputs = inputs;
    this.outputs = outputs;
    const { weightsChange = false, results } = options;
    const simple = simplify(weightsChange ? graph : foldNorms(graph));
    const folded = weightsChange ? { graph: simple, prepared: [] } : fold(simple);
    this.#graph = folded.graph;
    this.#constants = new Constants(folded, { packs: !weightsChange });
    const placed = new Placement(this.#graph, this.#constants.packed, results);
    this.#plan = placed.plan;
    this.#executor = executorOf({ arena: placed.plan.length, externals: placed.externals, calls: placed.calls });
    this.#results = this.#graph.outputs.map((operand) => placed.dataOf(operand));
    this.arenaBytes = 4 * placed.plan.length;
    this.leastBytes = 4 * placed.plan.least;
  }

  /** Kernel calls of a run. */
  get length(): number {
    return this.#graph.calls.length;
  }

  /** Runs on the calling thread. */
  runSync(inputs: readonly Tensor[]): Tensor[] {
    this.#executor.runSync(this.#dataOf(inputs), this.#begin);
    return this.#finish(inputs).map(copyOf);
  }

  /** Runs off the event loop, after all runs asked for before. The inputs must stay as they are until then. */
  run(inputs: readonly Tensor[], signal?: AbortSignal): Promise<Tensor[]> {
    return this.runInPlace(inputs, (outputs) => outputs.map(copyOf), signal);
  }

  /** @internal The same; `collect` gets outputs in memory that the next run overwrites. */
  async runInPlace<R>(inputs: readonly Tensor[], collect: (outputs: Tensor[]) => R, signal?: AbortSignal): Promise<R> {
    const end = () => collect(this.#finish(inputs));
    return this.#executor.run(this.#dataOf(inputs), this.#begin, end, signal);
  }

  /** Each call with its shape and where its operands lie, and the bytes of the arena. */
  toString(): string {
    const lines = this.#graph.calls.map(({ kernel, shape, operands }, i) => {
      const fields = layoutOf(kernel).fields.map((field) => `${field} ${shape[field]}`);
      const places = Object.entries(operands).map(([name, operand]) => `${name} ${this.#placeOf(operand)}`);
      return `${String(i).padStart(4)}  ${kernel}(${fields.join(', ')})  ${places.join(', ')}`;
    });
    const arena = `arena ${this.arenaBytes} bytes, at least ${this.leastBytes} in use at once`;
    return [...lines, `${this.length} calls, ${arena}`].join('\n');
  }

  /**
   * Runs on the calling thread, as often as told, and says how long each call took: a line for each, with its median in
   * milliseconds, its share of the whole and, of products, GFLOP/s.
   */
  profile(inputs: readonly Tensor[], { runs = 10 }: { readonly runs?: number } = {}): CallProfile[] {
    if (!Number.isInteger(runs) || runs < 1) fail('profile', { expected: 'runs to be 1 or more', got: String(runs) });
    const all = Array.from({ length: runs }, () => {
      const times = new Float64Array(this.length);
      this.#executor.timeSync(this.#dataOf(inputs), this.#begin, times);
      this.#finish(inputs);
      return times;
    });
    const medians = this.#graph.calls.map((_, i) => all.map((times) => times[i]!).sort((a, b) => a - b)[runs >> 1]!);
    const total = medians.reduce((sum, ms) => sum + ms, 0);
    return this.#graph.calls.map((call, i) => {
      const ms = medians[i]!;
      const flops = flopsOf(call);
      return { kernel: call.kernel, ms, share: ms / total, gflops: flops === undefined ? undefined : flops / ms / 1e6 };
    });
  }

  readonly #begin = (): void => {
    this.#constants.refresh();
    for (const work of this.#graph.repeated) work();
  };

  #placeOf(operand: Operand | undefined): string {
    if (operand === undefined) return 'none';
    const { memory, offset, length } = operand;
    const at = memory.kind === 'temporary' ? ` at ${4 * ((this.#plan.offsets.get(memory) ?? 0) + offset)}` : '';
    return `${memory.kind}${at} [${length}]`;
  }

  #dataOf(inputs: readonly Tensor[]): Values[] {
    if (inputs.length !== this.inputs.length) {
      fail('run', { expected: `${this.inputs.length} inputs, as recorded`, got: `${inputs.length}` });
    }
    return inputs.map((tensor, i) => {
      const { shape, dtype } = this.inputs[i]!;
      if (!(tensor instanceof Tensor) || tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) {
        const got = tensor instanceof Tensor ? tensor.label : String(tensor);
        failShape('run', { expected: `input ${i} of ${dtype} ${show(shape)}, as recorded`, got });
      }
      return tensor.dtype === 'int32' ? tensor.indexOperand : (tensor.operand as Float32Array);
    });
  }

  #finish(inputs: readonly Tensor[]): Tensor[] {
    for (const raise of this.#graph.raised) raise();
    return this.outputs.map(({ shape, dtype }, i) => {
      const { memory, offset, length } = this.#graph.outputs[i]!;
      const given = inputs[this.#graph.inputs.indexOf(memory)]?.storage.data.slice(offset, offset + length);
      return new Tensor(new Storage(given ?? this.#results[i]!), shape, dtype, length);
    });
  }
}

/** @internal The same numbers in memory of their own. */
export const copyOf = (x: Tensor): Tensor => new Tensor(new Storage(x.storage.data.slice()), x.shape, x.dtype, x.size);

/** Gives each memory of a graph its place, inside the arena or outside. */
class Placement {
  readonly plan: Plan;
  readonly externals: External[] = [];
  readonly calls: PlacedCall[];
  readonly #numbers = new Map<Memory, number>();
  readonly #outputs = new Map<Memory, Values>();

  constructor(
    { calls, inputs, outputs, ...rest }: Graph,
    packed: ReadonlyMap<Call, Float32Array>,
    results: ReadonlyMap<number, Values> = new Map(),
  ) {
    for (const [i, { memory }] of outputs.entries()) {
      const given = results.get(i);
      if (given !== undefined && memory.kind === 'output') this.#outputs.set(memory, given);
    }
    const used = new Set([
      ...inputs,
      ...calls.flatMap(({ operands }) =>
        Object.values(operands).flatMap((operand) => (operand ? [operand.memory] : [])),
      ),
      ...outputs.map(({ memory }) => memory),
    ]);
    const outside = [...used].filter(({ kind }) => kind !== 'temporary');
    this.plan = plan(
      { calls, inputs, outputs, ...rest },
      outside.filter(({ type }) => type === 'i32'),
    );
    for (const memory of outside) this.#add(memory);
    this.calls = calls.map((call) => {
      const { kernel, shape, operands } = call;
      const places = layoutOf(kernel).names.map((name) => this.#place(operands[name]));
      const form = packed.get(call);
      if (form === undefined) return { kernel, shape, places };
      this.externals.push({ type: 'f32', length: form.length, data: form });
      return { kernel, shape, places, packed: wholePlace(this.externals.length - 1, form.length) };
    });
  }

  /** The memory that holds an output after a run, unless it is an input. */
  dataOf({ memory, offset, length }: Operand): Values | undefined {
    const data = this.#outputs.get(memory) ?? memory.data;
    return data?.subarray(offset, offset + length);
  }

  #add(memory: Memory): void {
    const { kind, type, length } = memory;
    const at = this.plan.offsets.get(memory);
    if (kind === 'output' && !this.#outputs.has(memory)) {
      this.#outputs.set(memory, type === 'i32' ? new Int32Array(length) : new Float32Array(length));
    }
    const data = kind === 'input' ? undefined : (this.#outputs.get(memory) ?? memory.data);
    this.#numbers.set(memory, this.externals.length);
    this.externals.push({
      type,
      length,
      ...(data && { data }),
      ...(at !== undefined && { copied: { way: kind === 'output' ? 'out' : 'in', at } }),
    });
  }

  #place(operand: Operand | undefined): Place | undefined {
    if (operand === undefined) return undefined;
    const { memory, offset, length } = operand;
    const inArena = this.plan.offsets.get(memory);
    if (inArena !== undefined) return { memory: -1, offset: inArena + offset, length };
    return { memory: this.#numbers.get(memory)!, offset, length };
  }
}
