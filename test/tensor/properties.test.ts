// Random shapes: broadcasting, reductions and movement against the plainest possible implementation.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromArray, type Range, type Shape, type Tensor } from '../../lib/tensor/index.ts';

const numbers = (shape: Shape, salt: number): Tensor => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 37 + salt * 11) % 19) - 9;
  return fromArray(data, shape);
};

/** Every position of a shape, in row-major order. */
function positions(shape: Shape): number[][] {
  let all: number[][] = [[]];
  for (const length of shape) all = all.flatMap((p) => Array.from({ length }, (_, i) => [...p, i]));
  return all;
}

/** The element at a position; dimensions of length 1 repeat, missing leading ones too. */
function at(x: Tensor, position: readonly number[]): number {
  const own = position.slice(position.length - x.rank);
  const offset = x.shape.reduce((sum, length, axis) => sum * length + (length === 1 ? 0 : (own[axis] ?? 0)), 0);
  return x.data[offset] ?? Number.NaN;
}

/** A shape, and two that broadcast to it, from lengths and choices. */
const broadcastable = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('both', 'a', 'b', 'none')), { maxLength: 7 })
  .chain((dims) =>
    fc.tuple(fc.nat(dims.length), fc.nat(dims.length)).map(([dropA, dropB]) => {
      const lengths = (missing: string) =>
        dims.map(([length, who]) => (who === missing || who === 'none' ? 1 : length));
      const isOne = (shape: number[], count: number) => shape.slice(0, count).every((length) => length === 1);
      const a = lengths('b');
      const b = lengths('a');
      return {
        a: isOne(a, dropA) ? a.slice(dropA) : a,
        b: isOne(b, dropB) ? b.slice(dropB) : b,
      };
    }),
  );

const shapes = (least: number, most: number, maxLength = 4) =>
  fc.array(fc.integer({ min: least, max: maxLength }), { maxLength: most });

describe('broadcasting', () => {
  test('add, sub, maximum and less agree with the definition', () => {
    fc.assert(
      fc.property(broadcastable, ({ a: aShape, b: bShape }) => {
        const [a, b] = [numbers(aShape, 1), numbers(bShape, 5)];
        const rank = Math.max(a.rank, b.rank);
        const shape = Array.from({ length: rank }, (_, i) => {
          const [la, lb] = [a.shape[i - rank + a.rank] ?? 1, b.shape[i - rank + b.rank] ?? 1];
          return la === 1 ? lb : la;
        });
        const expected = (f: (x: number, y: number) => number) => positions(shape).map((p) => f(at(a, p), at(b, p)));
        const sum = a.add(b);
        expect(sum.shape).toEqual(shape);
        expect([...sum.data]).toEqual(expected((x, y) => x + y));
        expect([...a.sub(b).data]).toEqual(expected((x, y) => x - y));
        expect([...a.maximum(b).data]).toEqual(expected(Math.max));
        expect([...a.less(b).data]).toEqual(expected((x, y) => Number(x < y)));
      }),
      { numRuns: 300 },
    );
  });

  test('over more dimensions than the kernel has', () => {
    const [a, b] = [numbers([2, 1, 3, 1, 2, 1], 1), numbers([3, 1, 2, 1, 4], 5)];
    const y = a.sub(b);
    expect(y.shape).toEqual([2, 3, 3, 2, 2, 4]);
    expect([...y.data]).toEqual(positions(y.shape).map((p) => at(a, p) - at(b, p)));
    const wide = numbers(y.shape, 2);
    expect([...wide.clone().mul_(a).data]).toEqual(positions(y.shape).map((p) => at(wide, p) * at(a, p)));
  });

  test('the gradient of each operand counts how often its elements were used', () => {
    fc.assert(
      fc.property(broadcastable, ({ a: aShape, b: bShape }) => {
        const [a, b] = [numbers(aShape, 1), numbers(bShape, 5)];
        a.requiresGrad = true;
        b.requiresGrad = true;
        const y = a.add(b);
        y.sum().backward();
        for (const x of [a, b]) {
          expect(x.grad?.shape).toEqual(x.shape);
          if (x.size > 0) expect([...(x.grad?.data ?? [])]).toEqual(new Array(x.size).fill(y.size / x.size));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('shapes that differ where neither is 1 are refused', () => {
    fc.assert(
      fc.property(shapes(1, 3), shapes(1, 3), (a, b) => {
        const rank = Math.max(a.length, b.length);
        const fits = Array.from({ length: rank }, (_, i) => [a.at(-1 - i) ?? 1, b.at(-1 - i) ?? 1]).every(
          ([x, y]) => x === y || x === 1 || y === 1,
        );
        const add = () => numbers(a, 1).add(numbers(b, 2));
        if (fits) add();
        else expect(add).toThrow('add: expected shapes that broadcast');
      }),
    );
  });
});

describe('reductions over any axes', () => {
  const withAxes = shapes(1, 5, 3).chain((shape) =>
    fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()]), fc.boolean()),
  );
  const naive = (x: Tensor, axes: readonly number[], f: (values: number[]) => number): number[] => {
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const rest = x.shape.map((length, axis) => (axes.includes(axis) ? length : 1));
    return positions(kept).map((p) =>
      f(
        positions(rest).map((r) =>
          at(
            x,
            p.map((i, axis) => i + (r[axis] ?? 0)),
          ),
        ),
      ),
    );
  };

  test('sum, mean, max and min agree with the definition', () => {
    fc.assert(
      fc.property(withAxes, ([shape, axes, keepDims]) => {
        const x = numbers(shape, 3);
        const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
        const y = x.sum(axes, keepDims);
        const kept = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
        expect(y.shape).toEqual(keepDims ? kept : shape.filter((_, axis) => !axes.includes(axis)));
        expect([...y.data]).toEqual(naive(x, axes, total));
        expect([...x.max(axes, keepDims).data]).toEqual(naive(x, axes, (values) => Math.max(...values)));
        expect([...x.min(axes, keepDims).data]).toEqual(naive(x, axes, (values) => Math.min(...values)));
        const means = naive(x, axes, (values) => total(values) / values.length);
        x.mean(axes, keepDims).data.forEach((value, i) => {
          expect(Math.abs(value - (means[i] ?? Number.NaN))).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('movement', () => {
  const permuted = shapes(0, 10, 2).chain((shape) =>
    fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
  );

  test('permute, of up to ten dimensions, agrees with the definition and is undone by its inverse', () => {
    fc.assert(
      fc.property(permuted, ([shape, axes]) => {
        const x = numbers(shape, 3);
        const y = x.permute(axes);
        expect(y.shape).toEqual(axes.map((axis) => shape[axis]));
        expect([...y.data]).toEqual(
          positions(y.shape).map((p) =>
            at(
              x,
              shape.map((_, axis) => p[axes.indexOf(axis)] ?? 0),
            ),
          ),
        );
        expect([...y.permute(shape.map((_, axis) => axes.indexOf(axis))).data]).toEqual([...x.data]);
      }),
      { numRuns: 200 },
    );
  });

  test('slice agrees with slices of nested arrays', () => {
    const position = fc.integer({ min: -6, max: 6 });
    const range = fc.oneof(
      fc.constant(null),
      fc.tuple(position),
      fc.tuple(position, position),
      fc.tuple(position, position, fc.integer({ min: 1, max: 3 })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), range), { maxLength: 4 }), (dims) => {
        const x = numbers(
          dims.map(([length]) => length),
          3,
        );
        const ranges = dims.map(([, each]) => each as Range);
        const chosen = dims.map(([length, each]) => {
          const [start, end, step = 1] = each ?? [0];
          return Array.from({ length }, (_, i) => i)
            .slice(start, end)
            .filter((_, i) => i % step === 0);
        });
        const y = x.slice(ranges);
        expect(y.shape).toEqual(chosen.map((kept) => kept.length));
        expect([...y.data]).toEqual(
          positions(y.shape).map((p) =>
            at(
              x,
              p.map((i, axis) => chosen[axis]?.[i] ?? Number.NaN),
            ),
          ),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('slices put together again are the whole, for floats and integers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        (shape, a, c, ints) => {
          const axis = a % shape.length;
          const cut = c % ((shape[axis] ?? 0) + 1);
          const x = ints ? numbers(shape, 2).to('int32') : numbers(shape, 2);
          const whole = concat([x.slice(axis, 0, cut), x.slice(axis, cut)], axis);
          expect(whole.dtype).toBe(x.dtype);
          expect(whole.shape).toEqual(shape);
          expect([...whole.data]).toEqual([...x.data]);
        },
      ),
    );
  });

  test('expand repeats as addition to zeros does', () => {
    fc.assert(
      fc.property(broadcastable, ({ a: aShape, b: bShape }) => {
        const [a, b] = [numbers(aShape, 1), numbers(bShape, 5)];
        const sum = a.mul(0).add(b);
        expect([...b.expand(sum.shape).data]).toEqual([...sum.data]);
      }),
    );
  });
});
