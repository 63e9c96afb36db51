// Nothing that JavaScript passes to the binary may crash the process, or be written to outside its buffers.
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Binary } from '../../lib/kernels/binary.ts';
import { layouts } from '../../lib/kernels/layout.ts';
import { tryNative } from './helpers.ts';
import { anything, bases, build, guardsStand, nearlyValid } from './hostile.ts';

const { native, problem } = tryNative();
const binary = native && (createRequire(import.meta.url)(native.path) as Binary);
const isas = binary?.isas() ?? [];

/** With FOVEA_FUZZ_TRACE=1 each call is told before it is made: the last one told is the one that crashed. */
const trace = (text: () => string): void => {
  if (process.env.FOVEA_FUZZ_TRACE) writeSync(2, `${text()}\n`);
};

/** Calls, and says how it ended; anything but a TypeError or RangeError in our words is thrown on. */
function attempt(call: () => unknown): 'ran' | 'refused' {
  try {
    call();
    return 'ran';
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    expect(error.message).toMatch(/^\w+: expected .*, but /s);
    return 'refused';
  }
}

const run = (...parameters: unknown[]): unknown => Reflect.apply(binary!.run, binary, parameters);
/** The same call with its operands packed, where its kernel has such. */
function runPacked({ layout, shape, buffers }: NonNullable<ReturnType<typeof build>>): void {
  if (layout.packs.length === 0 || !(shape instanceof Float64Array)) return;
  const length = binary!.packedLength(layout.index, shape);
  if (length === 0) return;
  const packed = new Float32Array(length);
  const operand = (i: number) => layout.packs.includes(layout.names[i]!);
  Reflect.apply(binary!.pack, binary, [layout.index, shape, ...buffers.filter((_, i) => operand(i)), packed]);
  run(layout.index, shape, ...buffers.map((buffer, i) => (operand(i) ? undefined : buffer)), packed);
}

const settings = { seed: 20, endOnFailure: true } as const;

describe.skipIf(native === undefined)(`the binary${problem && ` (skipped: ${problem})`}`, () => {
  it('runs or refuses 25,000 calls that are nearly right, and writes only into their buffers', () => {
    const ended = { ran: 0, refused: 0 };
    const property = fc.property(nearlyValid, fc.nat(), (plan, choice) => {
      const call = build(plan);
      if (call === undefined) return;
      trace(() => `${call.layout.name} ${JSON.stringify(plan)} ${Array.from(call.shape as number[])}`);
      binary!.selectIsa(isas[choice % isas.length]!);
      binary!.setThreads(1 + (choice % 3));
      const before = call.whole.map((memory) => memory.slice());
      const outcome = attempt(() => run(call.layout.index, call.shape, ...call.buffers));
      ended[outcome]++;
      expect(guardsStand(call.whole)).toBe(true);
      if (outcome === 'refused') expect(call.whole).toEqual(before);
    });
    fc.assert(property, { ...settings, numRuns: 25_000 });
    // Both ends are well represented: neither is the check so strict nor the changes so gross that nothing is tested.
    expect(ended.ran).toBeGreaterThan(2000);
    expect(ended.refused).toBeGreaterThan(5000);
  });

  it('runs every small shape of the case table as it is', () => {
    for (const base of bases.keys()) {
      const call = build({ base, changes: [], seed: base })!;
      trace(() => `${call.layout.name} ${Array.from(call.shape as number[])}`);
      const fields = Object.fromEntries(call.layout.fields.map((field, i) => [field, (call.shape as number[])[i]!]));
      const optional = call.buffers.map((buffer, i) => {
        const { optional, unless } = call.layout.buffers[i]!.spec;
        return optional && !(unless !== undefined && fields[unless]! > 0) ? undefined : buffer;
      });
      run(
        call.layout.index,
        call.shape,
        ...optional.map((buffer, i) => (needed(call.layout.name) ? call.buffers[i] : buffer)),
      );
      expect(guardsStand(call.whole)).toBe(true);
      runPacked(call);
      expect(guardsStand(call.whole)).toBe(true);
    }
  });

  it('refuses 10,000 lists of anything', () => {
    const kernel = fc.oneof(fc.nat(layouts.size + 1), anything);
    fc.assert(
      fc.property(kernel, fc.array(anything, { maxLength: 12 }), (first, rest) => {
        trace(() => `run with ${typeof first} and ${rest.length} more`);
        attempt(() => run(first, ...rest));
      }),
      { ...settings, numRuns: 10_000 },
    );
  });

  it('takes anything at its other exports', () => {
    const others = Object.getOwnPropertyNames(binary).filter((name) => name !== 'run');
    const programs = ['cancelProgram', 'createProgram', 'runProgram', 'startProgram', 'timeProgram'];
    const known = ['describe', 'info', 'isas', 'pack', 'packedLength', 'selectIsa', 'setThreads', ...programs];
    expect(others.sort()).toEqual(known.sort());
    fc.assert(
      fc.property(fc.constantFrom(...others), fc.array(anything, { maxLength: 3 }), (name, parameters) => {
        trace(() => `${name} with ${parameters.length}`);
        const method: (...parameters: unknown[]) => unknown = Reflect.get(binary!, name);
        attempt(() => Reflect.apply(method, binary, parameters));
        attempt(() => Reflect.apply(method, parameters[0], parameters));
      }),
      { ...settings, numRuns: 3000 },
    );
  });
});

/** Kernels whose settings may ask for a buffer that is otherwise optional. */
const needed = (kernel: string): boolean => kernel === 'sgd' || kernel === 'rmsprop';
