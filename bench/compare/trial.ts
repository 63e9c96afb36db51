// A trial: one process that is asked for one row after the other, and answers each with the time it took.
//
// A request is a line `seconds=0.1 op=matmul m=16 …`; an answer is a line of JSON: { ms, how?, bareMs? }, or { skip }, or
// { error }. The first line says who answers. trial.h and trial.py speak the same.
import { createInterface } from 'node:readline';
import type { Call } from '../shapes/row.ts';

/** One way to do a call. `bare` is the same without what a caller with operands laid out to its liking can leave out. */
export interface Way {
  run(): unknown;
  readonly bare?: () => unknown;
  readonly how?: string;
  readonly done?: () => unknown;
}

/** One side of a comparison. `prepare` throws an error of the class Skip for what it cannot do. */
export interface Side {
  readonly name: string;
  readonly version: string;
  /** The instruction set it runs on, where it says. */
  readonly isa?: string;
  prepare(call: Call): Way | Promise<Way>;
}

/** This side has no such call; the message says why. */
export class Skip extends Error {
  override readonly name = 'Skip';
}

export interface Answer {
  readonly ms?: number;
  readonly how?: string;
  readonly bareMs?: number;
  readonly skip?: string;
  readonly error?: string;
}

const period = 65_521;

/** Random floats from -0.5 to 0.5, the same ones again after a while: large buffers are filled fast. */
export function randomFloats(length: number): Float32Array {
  const floats = new Float32Array(length);
  for (let i = 0; i < Math.min(length, period); ++i) floats[i] = Math.random() - 0.5;
  for (let i = period; i < length; i += period) floats.copyWithin(i, 0, Math.min(period, length - i));
  return floats;
}

const sampleMs = 1;

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
};

/**
 * Milliseconds per call: warm up for a fifth of the time, then samples of a millisecond or more until it is over; their
 * median. A call that takes longer than the time is made twice.
 */
export async function time(run: () => unknown, seconds: number): Promise<number> {
  const budget = 1000 * seconds;
  const repeat = async (count: number): Promise<number> => {
    const begin = performance.now();
    for (let i = 0; i < count; ++i) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    return (performance.now() - begin) / count;
  };
  let count = 1;
  let estimate = 0;
  for (const begin = performance.now(); performance.now() - begin < budget / 5 || estimate === 0; ) {
    estimate = await repeat(count);
    count = Math.max(1, Math.ceil(sampleMs / Math.max(estimate, 1e-6)));
  }
  const samples: number[] = [];
  for (const begin = performance.now(); performance.now() - begin < 0.8 * budget || samples.length === 0; )
    samples.push(await repeat(count));
  return median(samples);
}

function parse(line: string): { call: Call; seconds: number } {
  const words = line.split(' ').map((word) => word.split('=') as [string, string]);
  const call: Record<string, string | number> = {};
  for (const [name, value] of words) call[name] = value === '' || Number.isNaN(Number(value)) ? value : Number(value);
  const { seconds, ...rest } = call;
  return { call: rest as Call, seconds: Number(seconds) };
}

async function answer(side: Side, line: string): Promise<Answer> {
  try {
    const { call, seconds } = parse(line);
    const way = await side.prepare(call);
    const ms = await time(way.run, seconds);
    const bare = way.bare && { bareMs: await time(way.bare, seconds / 2) };
    await way.done?.();
    return { ms, ...(way.how === undefined ? {} : { how: way.how }), ...bare };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return error instanceof Skip ? { skip: message } : { error: message };
  }
}

/** Answers the lines of the standard input until it ends. */
export async function serve(side: Side): Promise<void> {
  const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
  print({ name: side.name, version: side.version, isa: side.isa });
  for await (const line of createInterface({ input: process.stdin })) {
    print(await answer(side, line));
    // Node's --expose-gc: the buffers of one row must be gone before the next.
    globalThis.gc?.();
  }
}
