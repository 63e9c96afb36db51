// The rows of the benchmark: each is a valid call of the list, has its own title, and can be selected by words.
import { describe, expect, test } from 'vitest';
import { type Build, KernelCall } from '../../bench/compare/fovea-call.ts';
import { goalOf } from '../../bench/shapes/goals.ts';
import { rows } from '../../bench/shapes/index.ts';
import { footprint, select, title } from '../../bench/shapes/row.ts';
import { run } from '../../lib/kernels/backend.ts';
import type { Buffers, Shape } from '../../lib/kernels/call.ts';
import { checkCall } from '../../lib/kernels/check.ts';
import { layouts } from '../../lib/kernels/layout.ts';
import type { KernelName } from '../../lib/kernels/list.ts';

const single = rows.filter((row) => row.call.op !== 'recurrent');
/** Small enough to be made and run in a test. */
const small = single.filter((row) => footprint(row) < 300_000 && row.flops < 1e7);

const build: Build = {
  run: (kernel, shape, buffers) =>
    run(kernel as KernelName, shape as Shape<KernelName>, buffers as Buffers<KernelName>),
  layouts,
};

describe('the rows', () => {
  test('have titles of their own', () => {
    expect(rows.length).toBeGreaterThan(200);
    expect(new Set(rows.map(title)).size).toBe(rows.length);
  });

  test('name a kernel of the list, and all fields of its shape', () => {
    for (const row of single) {
      const { fields } = layouts.get(row.call.op)!;
      expect(
        fields.filter((field) => !Number.isFinite(Number(row.call[field]))),
        title(row),
      ).toEqual([]);
    }
  });

  test('work, and have a goal', () => {
    for (const row of rows) {
      expect(row.reads + row.writes, title(row)).toBeGreaterThan(0);
      expect(Object.keys(goalOf(row, 1)), title(row)).not.toEqual([]);
    }
  });

  test.each(small.map((row) => [title(row), row] as const))('%s is a call that its kernel takes', (_, { call }) => {
    const fields = call as unknown as Readonly<Record<string, number>>;
    const one = new KernelCall(build, call.op, fields, String(call.with ?? '').split(','));
    expect(() => checkCall(layouts.get(call.op)!, fields, one.buffers)).not.toThrow();
    expect(one.runner()).not.toThrow();
  });
});

describe('words', () => {
  const titles = (...words: string[]) => select(rows, words).map(title);

  test('must each begin a word of the title', () => {
    expect(titles('gemm', 'square', '51')).toEqual(['gemm square 512x512x512 NN', 'gemm square 512x512x512 NN packed']);
    expect(titles('GEMM', 'gates', 'tn')).toEqual(['gemm gates 32x2048x512 TN']);
    expect(titles('quare')).toEqual([]);
  });

  test('with commas select either', () => {
    expect(titles('lenet1,lenet2', 'b1', 'forward')).toHaveLength(2);
  });

  test('that are none select everything', () => {
    expect(titles()).toHaveLength(rows.length);
  });
});
