// What a program need not do in every run: calls of nothing but weights, and packing weights for the kernels.
import { pack, run } from '../kernels/backend.ts';
import type { Memories } from '../kernels/caller.ts';
import type { Place } from '../kernels/executor.ts';
import { layoutOf } from '../kernels/layout.ts';
import { fail } from '../tensor/errors.ts';
import { type Call, type Graph, isWhole, type Memory, type Operand, reads, usesOf, writes } from './graph.ts';

/** A graph whose constant calls are apart from those of every run. */
export interface Folded {
  readonly graph: Graph;
  /** Calls before the first run, and before the next one after a weight has changed. */
  readonly prepared: readonly Call[];
}

/** Memories that no call of the graph changes: weights, and constants made in JavaScript. */
export function constantsOf({ calls }: Graph): Set<Memory> {
  const constants = new Set<Memory>();
  for (const { operand } of calls.flatMap(usesOf))
    if (operand.memory.kind === 'captured') constants.add(operand.memory);
  for (const use of calls.flatMap(usesOf)) if (writes(use)) constants.delete(use.operand.memory);
  return constants;
}

/** Takes out calls whose operands are all constant, and gives what they make memory of its own. */
export function fold(graph: Graph): Folded {
  const constants = constantsOf(graph);
  const writers = new Map<Memory, number>();
  for (const use of graph.calls.flatMap(usesOf)) {
    if (writes(use)) writers.set(use.operand.memory, (writers.get(use.operand.memory) ?? 0) + 1);
  }
  const replaced = new Map<Memory, Memory>();
  const replace = (call: Call): Call => ({
    ...call,
    operands: Object.fromEntries(
      Object.entries(call.operands).map(([name, operand]) => [
        name,
        operand && { ...operand, memory: replaced.get(operand.memory) ?? operand.memory },
      ]),
    ),
  });
  const prepared: Call[] = [];
  const calls: Call[] = [];
  for (const call of graph.calls) {
    const uses = usesOf(call);
    const foldable =
      uses.some(reads) &&
      uses.every((use) =>
        writes(use)
          ? use.operand.memory.kind === 'temporary' &&
            use.operand.memory.type === 'f32' &&
            isWhole(use.operand) &&
            writers.get(use.operand.memory) === 1
          : constants.has(replaced.get(use.operand.memory) ?? use.operand.memory) && use.buffer.spec.type === 'f32',
      );
    if (foldable) {
      for (const { operand } of uses.filter(writes)) {
        const { length, type } = operand.memory;
        const own: Memory = { kind: 'captured', type, length, data: new Float32Array(length) };
        replaced.set(operand.memory, own);
        constants.add(own);
      }
      prepared.push(replace(call));
    } else calls.push(replace(call));
  }
  return { graph: { ...graph, calls }, prepared };
}

/** The packed weights of a program's calls, and what its constant calls make, as of the weights' latest change. */
export class Constants {
  /** The packed form for a call, in memory that `dataOf` gives. */
  readonly packed = new Map<Call, Float32Array>();
  readonly #prepared: readonly Call[];
  readonly #packing: readonly Call[];
  readonly #watched: readonly Memory[];
  #isa = '';
  #seen = Number.NaN;

  constructor({ graph, prepared }: Folded, { packs }: { readonly packs: boolean }) {
    const constants = packs ? constantsOf(graph) : new Set<Memory>();
    this.#prepared = prepared;
    this.#packing = graph.calls.filter((call) => {
      const operands = layoutOf(call.kernel).packs.flatMap((name) => call.operands[name] ?? []);
      return operands.length > 0 && operands.every(({ memory }) => constants.has(memory));
    });
    const all = [...prepared, ...this.#packing].flatMap(usesOf).map(({ operand }) => operand.memory);
    this.#watched = [...new Set(all)].filter(({ version }) => version !== undefined);
    this.refresh();
  }

  /** Does it all again if a weight has changed since. */
  refresh(): void {
    let now = 0;
    for (const { version } of this.#watched) now += version?.() ?? 0;
    if (now === this.#seen) return;
    this.#seen = now;
    for (const { kernel, shape, operands } of this.#prepared) run(kernel, shape as never, arraysOf(operands) as never);
    for (const call of this.#packing) this.#pack(call);
  }

  #pack(call: Call): void {
    const names = layoutOf(call.kernel).packs;
    const operands = Object.fromEntries(names.map((name) => [name, call.operands[name]]));
    const form = pack(call.kernel, call.shape as never, arraysOf(operands) as never);
    if (form === undefined) return;
    const before = this.packed.get(call);
    if (before === undefined) {
      this.#isa = form.isa;
      this.packed.set(call, form.values);
      return;
    }
    if (form.isa !== this.#isa) {
      fail('run', { expected: `the instruction set ${this.#isa} of this program`, got: form.isa });
    }
    before.set(form.values);
  }
}

const arraysOf = (operands: Readonly<Record<string, Operand | undefined>>): Memories =>
  Object.fromEntries(
    Object.entries(operands).map(([name, operand]) => [
      name,
      operand?.memory.data?.subarray(operand.offset, operand.offset + operand.length),
    ]),
  );

/** All of an external memory. */
export const wholePlace = (memory: number, length: number): Place => ({ memory, offset: 0, length });
