// A list of kernel calls over one arena, as a backend takes it; and how the reference backend runs it.
import { setImmediate } from 'node:timers/promises';
import type { Fields } from './caller.ts';
import { checkCall } from './check.ts';
import { layoutOf } from './layout.ts';
import type { KernelName } from './list.ts';
import { reference } from './reference.ts';

/** Memory of f32 calls use where it lies. That of i32 is copied, so that indices stay what they were when checked. */
export type Values = Float32Array | Int32Array;

/** Memory outside the arena. */
export interface External {
  readonly type: 'f32' | 'i32';
  /** Elements. */
  readonly length: number;
  /** Absent: given with every run. */
  readonly data?: Values;
  /** Of i32: where in the arena it is copied to before the calls, or from after them. */
  readonly copied?: { readonly way: 'in' | 'out'; readonly at: number };
}

/** Elements [offset, offset + length) of the arena (memory -1), or of an external memory. */
export interface Place {
  readonly memory: number;
  readonly offset: number;
  readonly length: number;
}

export interface PlacedCall {
  readonly kernel: KernelName;
  readonly shape: Fields;
  /** In the order of the list; undefined where absent. */
  readonly places: readonly (Place | undefined)[];
  /** The packed form of its constant operands. */
  readonly packed?: Place | undefined;
}

export interface ProgramSpec {
  /** Elements of four bytes. */
  readonly arena: number;
  readonly externals: readonly External[];
  readonly calls: readonly PlacedCall[];
}

/**
 * Runs a program again and again. `inputs` are the external memories without data, in their order; `begin` is called when
 * the run's turn has come.
 */
export interface Executor {
  /** Throws where an index is out of bounds; calls before have run then, and none after. */
  runSync(inputs: readonly Values[], begin: () => void): void;
  /** The same; `times` gets the milliseconds of each call. */
  timeSync(inputs: readonly Values[], begin: () => void, times: Float64Array): void;
  /** The same off the event loop, one run after another; `end` is called before the next one begins. */
  run<R>(inputs: readonly Values[], begin: () => void, end: () => R, signal?: AbortSignal): Promise<R>;
}

/** Longest time for which a reference program keeps the event loop, if no single call takes longer. */
const sliceMs = 10;

/** Runs a program on the TypeScript kernels. */
export function referenceExecutor({ arena, externals, calls }: ProgramSpec): Executor {
  const memory = new ArrayBuffer(4 * arena);
  const inputsBefore = externals.map((_, i) => externals.slice(0, i).filter(({ data }) => data === undefined).length);
  const dataOf = (i: number, inputs: readonly Values[]): Values => externals[i]!.data ?? inputs[inputsBefore[i]!]!;
  const inArena = (type: 'f32' | 'i32', offset: number, length: number): Values =>
    type === 'i32' ? new Int32Array(memory, 4 * offset, length) : new Float32Array(memory, 4 * offset, length);

  const prepared = calls.map(({ kernel, shape, places }) => {
    const layout = layoutOf(kernel);
    const buffersFor = (inputs: readonly Values[]) =>
      Object.fromEntries(
        layout.buffers.flatMap(({ name, spec }, i) => {
          const place = places[i];
          if (place === undefined) return [];
          const { memory: index, offset, length } = place;
          if (index < 0) return [[name, inArena(spec.type, offset, length)]];
          return [[name, dataOf(index, inputs).subarray(offset, offset + length)]];
        }),
      );
    const fixed = places.every((place) => place === undefined || place.memory < 0 || externals[place.memory]!.data);
    const buffers = fixed ? buffersFor([]) : undefined;
    return (inputs: readonly Values[]) => {
      const given = buffers ?? buffersFor(inputs);
      checkCall(layout, shape, given);
      (reference[kernel] as (shape: Fields, buffers: object) => void)(shape, given);
    };
  });

  const copy = (way: 'in' | 'out', inputs: readonly Values[]): void => {
    for (const [i, { type, length, copied }] of externals.entries()) {
      if (copied?.way !== way) continue;
      const [inside, outside] = [inArena(type, copied.at, length), dataOf(i, inputs)];
      if (way === 'in') inside.set(outside);
      else outside.set(inside);
    }
  };

  async function runLater(inputs: readonly Values[], signal: AbortSignal | undefined): Promise<void> {
    copy('in', inputs);
    let begun = performance.now();
    for (const call of prepared) {
      call(inputs);
      if (performance.now() - begun < sliceMs) continue;
      await setImmediate();
      signal?.throwIfAborted();
      begun = performance.now();
    }
    copy('out', inputs);
  }

  function runNow(inputs: readonly Values[], times?: Float64Array): void {
    copy('in', inputs);
    for (const [i, call] of prepared.entries()) {
      const begun = performance.now();
      call(inputs);
      if (times !== undefined) times[i] = performance.now() - begun;
    }
    copy('out', inputs);
  }
  return inTurn(runNow, runLater);
}

/** Milliseconds that short runs have taken since the event loop turned. */
let spent = 0;

/**
 * Whether the event loop has turned lately, as far as runs on its own thread are concerned: they take turns with it every
 * few milliseconds. `ms` is what the next one will take. If not, the caller must let it turn first.
 */
export function hasTurned(ms: number): boolean {
  spent += ms;
  if (spent < sliceMs / 4) return true;
  spent = 0;
  return false;
}

/** Runs of one program: never two at once. */
export function inTurn(
  runNow: (inputs: readonly Values[], times?: Float64Array) => void,
  runLater: (inputs: readonly Values[], signal: AbortSignal | undefined) => Promise<void>,
): Executor {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function afterOthers<R>(
    inputs: readonly Values[],
    begin: () => void,
    end: () => R,
    signal: AbortSignal | undefined,
  ): Promise<R> {
    if (waiting > 1) await last;
    signal?.throwIfAborted();
    begin();
    await runLater(inputs, signal);
    return end();
  }

  function runSync(inputs: readonly Values[], begin: () => void, times?: Float64Array): void {
    if (waiting > 0) throw new Error('run: expected no other run of this program under way, but there is one');
    begin();
    runNow(inputs, times);
  }

  return {
    runSync,
    timeSync: runSync,
    run(inputs, begin, end, signal) {
      waiting++;
      const own = afterOthers(inputs, begin, end, signal).finally(() => waiting--);
      last = own.catch(() => {});
      return own;
    },
  };
}
