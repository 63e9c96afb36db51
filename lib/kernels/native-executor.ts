// Hands a program to the binary as numbers, and runs it there.
import { setImmediate } from 'node:timers/promises';
import { markAsUntransferable } from 'node:worker_threads';
import type { Binary } from './binary.ts';
import { type Executor, hasTurned, inTurn, type Place, type ProgramSpec, type Values } from './executor.ts';
import { layoutOf } from './layout.ts';

/** A program that took no longer last time runs where it is: to change threads and back would take as long again. */
const shortMs = 0.25;

/** Prepares a program for the instruction set and the threads that the binary uses now. */
export function nativeExecutor(binary: Binary, spec: ProgramSpec): Executor {
  for (const { data } of spec.externals) {
    // A run off the event loop must not lose the memory it works on.
    if (data !== undefined) markAsUntransferable(data.buffer);
  }
  const memories = spec.externals.map(({ data }) => data);
  const program = binary.createProgram(Float64Array.from(numbersOf(spec)), memories);

  let lastMs = Number.POSITIVE_INFINITY;

  function runNow(inputs: readonly Values[], times?: Float64Array): void {
    const begun = performance.now();
    if (times === undefined) binary.runProgram(program, ...inputs);
    else binary.timeProgram(program, times, ...inputs);
    lastMs = performance.now() - begun;
  }

  async function runLater(inputs: readonly Values[], signal: AbortSignal | undefined): Promise<void> {
    if (lastMs > shortMs) return start(inputs, signal);
    if (!hasTurned(lastMs)) await setImmediate();
    signal?.throwIfAborted();
    runNow(inputs);
  }

  function start(inputs: readonly Values[], signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = () => binary.cancelProgram(program);
      const done = (milliseconds: number, problem?: string) => {
        lastMs = milliseconds;
        signal?.removeEventListener('abort', cancel);
        if (problem === undefined) resolve();
        else reject(signal?.aborted ? signal.reason : new RangeError(problem));
      };
      binary.startProgram(program, done, ...inputs);
      signal?.addEventListener('abort', cancel);
    });
  }

  return inTurn(runNow, runLater);
}

/** As native/program.h reads them. */
export function* numbersOf({ arena, externals, calls }: ProgramSpec): Generator<number> {
  yield arena;
  yield externals.length;
  for (const { type, length, data, copied } of externals) {
    yield Number(type === 'i32');
    yield Number(data === undefined);
    yield length;
    yield copied === undefined ? 0 : copied.way === 'in' ? 1 : 2;
    yield copied?.at ?? 0;
  }
  yield calls.length;
  for (const { kernel, shape, places, packed } of calls) {
    const { index, fields } = layoutOf(kernel);
    yield index;
    for (const field of fields) yield shape[field]!;
    for (const place of [...places, packed]) yield* numbersOfPlace(place);
  }
}

const numbersOfPlace = (place: Place | undefined): readonly number[] =>
  place === undefined ? [-2, 0, 0] : [place.memory, place.offset, place.length];
