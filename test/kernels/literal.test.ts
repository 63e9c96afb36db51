// The reference kernels with several paths (broadcasts, strided copies, products, convolutions) against their definitions.
import { describe, expect, it } from 'vitest';
import { allocate } from './buffers.ts';
import { cases } from './cases/index.ts';
import { differences, runReference } from './compare.ts';
import { literal } from './literal.ts';

describe('reference computes what its definition says', () => {
  for (const test of cases) {
    const definition = literal[test.kernel];
    if (definition === undefined) continue;
    it(`${test.kernel} ${test.name}`, () => {
      const got = allocate(test);
      runReference(test, got.buffers);
      const want = allocate(test, { double: true });
      Reflect.apply(definition, undefined, [test.shape, want.buffers]);
      const rounded = Object.fromEntries(
        Object.entries(want.buffers).map(([name, values]) => [name, values && Float32Array.from(values)]),
      );
      expect(differences(test, got.buffers, rounded)).toEqual([]);
    });
  }
});
