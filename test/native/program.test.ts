// Programs of the binary: nothing that JavaScript passes may crash the process, nor may the end of a thread in mid-run.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Binary, NativeProgram } from '../../lib/kernels/binary.ts';
import type { ProgramSpec } from '../../lib/kernels/executor.ts';
import { numbersOf } from '../../lib/kernels/native-executor.ts';
import { root, runModule, sameBinary, tryNative } from './helpers.ts';

const { native, problem } = tryNative();
const binary = native && (createRequire(import.meta.url)(native.path) as Binary);

const product = {
  batch: 1,
  aBatch: 1,
  bBatch: 1,
  m: 2,
  n: 4,
  k: 3,
  transposeA: 0,
  transposeB: 0,
  accumulate: 0,
  activation: 1,
};
const place = (memory: number, offset: number, length: number) => ({ memory, offset, length });

/** y = gather(relu(x weight), indices), momentum into the weight: an input of each kind, indices, settings, an output. */
function example(): { spec: ProgramSpec; memories: (Float32Array | Int32Array | undefined)[]; y: Float32Array } {
  const weight = Float32Array.from({ length: 12 }, (_, i) => i / 12);
  const settings = Float32Array.of(0.1, 0.9, 0, 0, 0, 0, 1);
  const y = new Float32Array(12);
  const memories = [undefined, weight, undefined, settings, y];
  const spec: ProgramSpec = {
    arena: 64,
    externals: [
      { type: 'f32', length: 6 },
      { type: 'f32', length: 12, data: weight },
      { type: 'i32', length: 3, copied: { way: 'in', at: 32 } },
      { type: 'f32', length: 7, data: settings },
      { type: 'f32', length: 12, data: y },
    ],
    calls: [
      { kernel: 'matmul', shape: product, places: [place(0, 0, 6), place(1, 0, 12), undefined, place(-1, 0, 8)] },
      {
        kernel: 'gather',
        shape: { outer: 1, axisLength: 2, inner: 4, count: 3 },
        places: [place(-1, 0, 8), place(-1, 32, 3), place(4, 0, 12)],
      },
      {
        kernel: 'sgd',
        shape: { count: 12, settingsLength: 7 },
        places: [place(3, 0, 7), place(4, 0, 12), place(1, 0, 12), place(-1, 48, 12)],
      },
    ],
  };
  return { spec, memories, y };
}

const x = () => Float32Array.of(1, -2, 3, 4, 5, -6);
const create = (numbers: readonly number[], memories: readonly unknown[]): NativeProgram =>
  Reflect.apply(binary!.createProgram, binary, [Float64Array.from(numbers), memories]) as NativeProgram;

/** Calls; anything but a TypeError or RangeError in our words is thrown on. */
function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    expect(error.message).toMatch(/^\w+: expected .*, but /s);
    return undefined;
  }
}

function runOnce(program: NativeProgram): true {
  binary!.runProgram(program, x(), Int32Array.of(1, 0, 1));
  return true;
}

const later = (program: NativeProgram, ...inputs: (Float32Array | Int32Array)[]) =>
  new Promise<string>((resolve) => binary!.startProgram(program, (_ms, wrong) => resolve(wrong ?? ''), ...inputs));

describe.skipIf(native === undefined)(`programs of the binary${problem && ` (skipped: ${problem})`}`, () => {
  it('run as they are described', async () => {
    const { spec, memories, y } = example();
    const program = create([...numbersOf(spec)], memories);
    binary!.runProgram(program, x(), Int32Array.of(1, 0, 1));
    expect([...y.subarray(0, 4)]).toEqual([...y.subarray(8)]);
    expect(await later(program, x(), Int32Array.of(0, 2, 1))).toContain(
      'below 2, because axisLength is 2, but got 2 at 1',
    );
    expect(await later(program, x(), Int32Array.of(0, 0, 0))).toBe('');
    expect([...y.subarray(0, 4)]).toEqual([...y.subarray(4, 8)]);
  });

  it('refuse inputs that are wrong, or memory that has gone', () => {
    const { spec, memories } = example();
    const program = create([...numbersOf(spec)], memories);
    const run = (...inputs: unknown[]) => Reflect.apply(binary!.runProgram, binary, inputs) as unknown;
    const indices = Int32Array.of(0, 0, 0);
    for (const inputs of [
      [],
      [x()],
      [x(), indices, x()],
      [x().subarray(1), indices],
      [Float64Array.of(1, 2, 3, 4, 5, 6), indices],
      [new Float32Array(new SharedArrayBuffer(24)), indices],
      [indices, x()],
      [memories[1]!.subarray(0, 6), indices],
    ]) {
      expect(() => run(program, ...inputs)).toThrow(/^run: expected /);
    }
    for (const wrong of [undefined, null, 3, {}, [], spec, Object.create(program)]) {
      expect(() => run(wrong, x(), indices)).toThrow('expected a program');
      expect(() => Reflect.apply(binary!.cancelProgram, binary, [wrong])).toThrow('expected a program');
    }
    structuredClone(memories[3]!.buffer, { transfer: [memories[3]!.buffer as ArrayBuffer] });
    expect(() => run(program, x(), indices)).toThrow('transferred elsewhere');
  });

  it('no two of one program at once', async () => {
    const { spec, memories } = example();
    const program = create([...numbersOf(spec)], memories);
    const first = later(program, x(), Int32Array.of(0, 0, 0));
    expect(() => binary!.runProgram(program, x(), Int32Array.of(0, 0, 0))).toThrow('no other run');
    expect(await first).toBe('');
  });

  it('20,000 descriptions that are nearly right run or are refused', () => {
    const right = [...numbersOf(example().spec)];
    const change = fc.tuple(
      fc.nat(right.length - 1),
      fc.oneof(fc.integer({ min: -3, max: 70 }), fc.constantFrom(0.5, -1, Number.NaN, 2 ** 31, 2 ** 53, Infinity)),
    );
    const ended = { ran: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(3), (changes, cut) => {
        const { memories } = example();
        const numbers = [...right];
        for (const [at, value] of changes) if (at > 0) numbers[at] = value;
        const program = attempt(() => create(cut === 0 ? numbers.slice(0, -1) : numbers, memories));
        const done = program && attempt(() => runOnce(program));
        ended[done ? 'ran' : 'refused']++;
      }),
      { numRuns: 20_000, seed: 3, endOnFailure: true },
    );
    expect(Math.min(ended.ran, ended.refused)).toBeGreaterThan(500);
  }, 120_000);
});

const compiling = `
  import(${JSON.stringify(join(root, 'dist', 'index.js'))}).then(async ({ compile, models, randn }) => {
    const { parentPort } = await import('node:worker_threads');
    const { model } = models.createModel('lenet5');
    const compiled = compile(model.eval());
    const inputs = [1, 64].map((batch) => randn([batch, 1, 28, 28]));
    await compiled.run(inputs[1]);
    parentPort.postMessage('started');
    for (;;) await Promise.all(inputs.map((x) => compiled.run(x)));
  });
`;

describe.skipIf(native === undefined)('threads that end in the middle of runs', () => {
  it('take nobody with them', () => {
    const result = runModule(
      `
      import { Worker } from 'node:worker_threads';
      import { setTimeout as wait } from 'node:timers/promises';
      for (let round = 0; round < 5; ++round) {
        const workers = [1, 2, 3, 4].map(() => new Worker(${JSON.stringify(compiling)}, { eval: true }));
        await Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        })));
        await wait(2 * round);
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      console.log('alive');
    `,
      { ...sameBinary, FOVEA_BACKEND: 'native', FOVEA_THREADS: '2' },
    );
    expect(result).toEqual({ status: 0, stdout: 'alive\n', stderr: '' });
  }, 120_000);

  it('nor does a process that exits, or ends, while one is under way', () => {
    for (const [end, status] of [
      ['process.exit(0)', 0],
      ['', 0],
    ] as const) {
      const result = runModule(
        `
        import { compile, models, randn } from ${JSON.stringify(join(root, 'dist', 'index.js'))};
        const { model } = models.createModel('lenet5');
        const compiled = compile(model.eval());
        const x = randn([256, 1, 28, 28]);
        await compiled.run(x);
        compiled.run(x).then(() => console.log('done'));
        ${end}
      `,
        { ...sameBinary, FOVEA_BACKEND: 'native' },
      );
      expect(result).toEqual({ status, stdout: end === '' ? 'done\n' : '', stderr: '' });
    }
  });
});
