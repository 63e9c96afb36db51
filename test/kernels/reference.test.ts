// The reference kernels against the table: float32 agrees with float64, nothing else is touched, in place is the same.
import { describe, expect, it } from 'vitest';
import { type KernelName, kernels } from '../../lib/kernels/list.ts';
import { allocate, disturbed, inPlacePairs, specsOf } from './buffers.ts';
import { cases } from './cases/index.ts';
import { differences, runReference, sameBits } from './compare.ts';

const isKernel = (name: string): name is KernelName => name in kernels;

describe('the case table', () => {
  it('has cases of every kernel', () => {
    const covered = new Set<string>(cases.map((test) => test.kernel));
    expect(Object.keys(kernels).filter((name) => !covered.has(name))).toEqual([]);
  });

  it('runs every optional buffer present and absent', () => {
    const missing = Object.keys(kernels)
      .filter(isKernel)
      .flatMap((kernel) =>
        Object.entries(specsOf(kernel)).flatMap(([buffer, spec]) => {
          if (!spec.optional) return [];
          const leftOut = cases.filter((test) => test.kernel === kernel).map((test) => test.without ?? []);
          const absent = leftOut.some((names: readonly string[]) => names.includes(buffer));
          const present = leftOut.some((names: readonly string[]) => !names.includes(buffer));
          return absent && present ? [] : [`${kernel} ${buffer}`];
        }),
      );
    expect(missing).toEqual([]);
  });

  it('names every case of a kernel differently', () => {
    const names = cases.map((test) => `${test.kernel} ${test.name}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

describe('reference', () => {
  for (const test of cases) {
    it(`${test.kernel} ${test.name}`, () => {
      const single = allocate(test);
      runReference(test, single.buffers);
      expect(disturbed(test, single)).toEqual([]);

      const double = allocate(test, { double: true });
      runReference(test, double.buffers);
      expect(disturbed(test, double, { double: true })).toEqual([]);
      const rounded = Object.fromEntries(
        Object.entries(double.buffers).map(([name, values]) => [
          name,
          values instanceof Float64Array ? Float32Array.from(values) : values,
        ]),
      );
      expect(differences(test, single.buffers, rounded)).toEqual([]);

      for (const alias of inPlacePairs(test)) {
        const inPlace = allocate(test, { alias });
        runReference(test, inPlace.buffers);
        expect(disturbed(test, inPlace, { alias })).toEqual([]);
        expect(sameBits(test, inPlace.buffers, single.buffers), `in place of ${alias[1]}`).toBe(true);
      }
    });
  }
});
