// Operands packed beforehand: what is refused, in which words, and what is merely left unused.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Shape } from '../../lib/kernels/call.ts';
import { tryNative } from './helpers.ts';

const { native, problem } = tryNative();
if (problem) console.warn(`packed operands: skipped, because there is ${problem}`);

const shape: Shape<'matmul'> = {
  batch: 1,
  aBatch: 1,
  bBatch: 1,
  m: 64,
  n: 64,
  k: 64,
  transposeA: 0,
  transposeB: 0,
  accumulate: 0,
  activation: 0,
};
const numbers = (seed: number) => Float32Array.from({ length: 64 * 64 }, (_, i) => ((i * 37 + seed) % 19) - 9);

describe.skipIf(native === undefined)('packed operands', () => {
  if (native === undefined) return;
  const best = native.isas[0] ?? '';
  const a = numbers(1);
  const b = numbers(2);
  const y = new Float32Array(64 * 64);
  const packed = () => {
    const form = native.pack<'matmul'>('matmul', shape, { b });
    if (form === undefined) throw new Error('a product of 64 x 64 x 64 packs b');
    return form;
  };

  beforeEach(() => {
    native.selectIsa(best);
    y.fill(0);
  });

  it('refuses a packed form of another shape, and writes nothing', () => {
    const form = packed();
    const short = { ...form, values: form.values.subarray(1) };
    const message = `matmul: expected packed with ${form.values.length} elements, because this shape has so many, but got`;
    expect(() => native.run<'matmul'>('matmul', shape, { a, b, y }, short)).toThrow(RangeError);
    expect(() => native.run<'matmul'>('matmul', shape, { a, b, y }, short)).toThrow(message);
    expect(y.every((value) => value === 0)).toBe(true);
  });

  it('refuses a packed form that is also written', () => {
    const form = packed();
    const memory = new Float32Array(Math.max(form.values.length, y.length));
    const shared = { ...form, values: memory.subarray(0, form.values.length) };
    shared.values.set(form.values);
    expect(() => native.run<'matmul'>('matmul', shape, { a, b, y: memory.subarray(0, y.length) }, shared)).toThrow(
      'matmul: expected y in other memory than packed, because it is written, but they overlap',
    );
  });

  it('refuses a packed form where the shape has none', () => {
    const empty = { ...shape, k: 0 };
    const none = new Float32Array(0);
    expect(native.pack<'matmul'>('matmul', empty, { b: none })).toBeUndefined();
    expect(() => native.run<'matmul'>('matmul', empty, { a: none, b: none, y }, packed())).toThrow(
      'matmul: expected no packed operand, because this shape has none, but got one',
    );
  });

  it('leaves the form of another instruction set unused', () => {
    const form = { ...packed(), isa: 'another', values: new Float32Array(3) };
    native.run<'matmul'>('matmul', shape, { a, b, y }, form);
    const plain = new Float32Array(y.length);
    native.run<'matmul'>('matmul', shape, { a, b, y: plain });
    expect(y).toEqual(plain);
    expect(y.some((value) => value !== 0)).toBe(true);
  });

  it('does not read b where its packed form is given', () => {
    const form = packed();
    native.run<'matmul'>('matmul', shape, { a, b: new Float32Array(b.length).fill(Number.NaN), y }, form);
    expect(y.every(Number.isFinite)).toBe(true);
  });
});
