// Every case of the table on every instruction set this machine has, on one thread and on two, against the reference.
import { describe, expect, it } from 'vitest';
import { loadNative, type Native, type Packed } from '../../lib/kernels/native.ts';
import { allocate, disturbed, fieldsOf, inPlacePairs, type Named } from './buffers.ts';
import type { AnyCase } from './case.ts';
import { cases } from './cases/index.ts';
import { differences, runReference, sameBits } from './compare.ts';

function load(): { native?: Native; reason: string } {
  try {
    return { native: loadNative(), reason: '' };
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

const { native, reason } = load();
if (native === undefined) console.warn(`native kernels: every case is skipped, because ${reason}`);

/** Runs a case natively; `native.run` is typed by kernel, and here the kernel is data. */
const runNative = (backend: Native, test: AnyCase, buffers: Named, packed?: Packed) =>
  Reflect.apply(backend.run, backend, [test.kernel, fieldsOf(test.shape), buffers, packed]);

/** The constant operands of a case, packed; undefined where the kernel takes them as they are. */
const packedOf = (backend: Native, test: AnyCase): Packed | undefined =>
  Reflect.apply(backend.pack, backend, [test.kernel, fieldsOf(test.shape), allocate(test).buffers]);

const answers = new Map<AnyCase, Named>();

/** What the reference gives; computed once for all instruction sets. */
function expected(test: AnyCase): Named {
  const known = answers.get(test);
  if (known !== undefined) return known;
  const { buffers } = allocate(test);
  runReference(test, buffers);
  answers.set(test, buffers);
  return buffers;
}

describe.skipIf(native === undefined)(native ? 'native' : `native (skipped: ${reason})`, () => {
  it('has an instruction set for this machine', () => expect(native?.isas).toContain('scalar'));
  if (native === undefined) return;
  for (const isa of native.isas) {
    describe(isa, () => {
      it('really runs when it is chosen', () => {
        native.selectIsa(isa);
        native.run('fill', { count: 1, value: 1 }, { y: new Float32Array(1) });
        expect(native.info()).toMatchObject({ isa, lastIsa: isa });
      });

      for (const test of cases) {
        it(`${test.kernel} ${test.name}`, () => {
          native.selectIsa(isa);
          const want = expected(test);
          const [one, two] = [1, 2].map((threads) => {
            native.setThreads(threads);
            const got = allocate(test);
            runNative(native, test, got.buffers);
            expect(disturbed(test, got)).toEqual([]);
            return got;
          });
          if (one === undefined || two === undefined) throw new Error('two runs expected');
          expect(differences(test, one.buffers, want)).toEqual([]);
          expect(sameBits(test, one.buffers, two.buffers), 'one thread and two give the same bits').toBe(true);

          const operands = packedOf(native, test);
          if (operands !== undefined) {
            const packed = allocate(test);
            runNative(native, test, packed.buffers, operands);
            expect(disturbed(test, packed)).toEqual([]);
            expect(differences(test, packed.buffers, want), 'with packed operands').toEqual([]);
          }

          for (const alias of inPlacePairs(test)) {
            const inPlace = allocate(test, { alias });
            runNative(native, test, inPlace.buffers);
            expect(disturbed(test, inPlace, { alias })).toEqual([]);
            expect(differences(test, inPlace.buffers, want), `in place of ${alias[1]}`).toEqual([]);
          }
        });
      }
    });
  }
});
