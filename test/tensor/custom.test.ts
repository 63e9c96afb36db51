// Differentiable operations written by users.
import { describe, expect, test } from 'vitest';
import { customOp, noGrad, type Tensor, tensor } from '../../lib/tensor/index.ts';
import { wrong } from './support.ts';

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const gradOf = (x: Tensor): number[] => [...(x.grad?.floats ?? [])];

describe('customOp', () => {
  const cube = customOp({
    name: 'cube',
    forward: (context, x: Tensor) => {
      context.save(x);
      return x.mul(x).mul(x);
    },
    backward: ({ saved: [x] }, gradY) => [x === undefined ? null : gradY.mul(x.square().mul(3))],
  });

  test('goes forward and backward', () => {
    const x = leaf([2, 3]);
    const y = cube(x);
    expect([...y.data]).toEqual([8, 27]);
    y.sum().backward();
    expect(gradOf(x)).toEqual([12, 27]);
  });

  test('takes other arguments, whose gradient is null', () => {
    const scale = customOp({
      name: 'scale',
      forward: (_, x: Tensor, factor: number) => x.mul(factor),
      backward: (_, gradY) => [gradY.mul(7), null],
    });
    const x = leaf([1]);
    scale(x, 7).backward();
    expect(gradOf(x)).toEqual([7]);
  });

  test('guards what it saved', () => {
    const x = leaf([2]);
    const y = cube(x);
    noGrad(() => x.add_(1));
    expect(() => y.backward()).toThrow("saved by 'cube'");
  });

  test('may return its input, or share a gradient, without mixing memory', () => {
    let kept: Tensor | undefined;
    const same = customOp({
      name: 'same',
      forward: (_, a: Tensor, b: Tensor) => (b.size > 0 ? a : b),
      backward: (_, gradY) => {
        kept = gradY.mul(2);
        return [kept, kept];
      },
    });
    const [a, b] = [leaf([1]), leaf([2])];
    const y = same(a, b);
    expect(a.isLeaf).toBe(true);
    y.backward();
    a.grad?.mul_(10);
    expect([gradOf(a), gradOf(b), kept?.item()]).toEqual([[20], [2], 2]);
  });

  test('checks number and shapes of the gradients', () => {
    const withGradients = (gradients: (gradY: Tensor) => (Tensor | null)[]) =>
      customOp({ name: 'odd', forward: (_, x: Tensor) => x.mul(1), backward: (_, gradY) => gradients(gradY) });
    const x = leaf([1, 2]);
    expect(() =>
      withGradients(() => [])(x)
        .sum()
        .backward(),
    ).toThrow('odd: expected backward to return 1 gradients, one for each argument, but got 0');
    expect(() =>
      withGradients((g) => [g.sum()])(x)
        .sum()
        .backward(),
    ).toThrow('backward of odd: expected a gradient of float32 [2], but got float32 []');
    withGradients(() => [null])(x)
      .sum()
      .backward();
    expect(x.grad).toBeNull();
  });

  test('a gradient must be a tensor, and backward cannot save', () => {
    const odd = customOp({ name: 'odd', forward: (_, x: Tensor) => x.mul(1), backward: () => [wrong(5)] });
    expect(() => odd(leaf([1])).backward()).toThrow('odd: expected gradient 0 to be a tensor or null, but got 5');
    const late = customOp({
      name: 'late',
      forward: (_, x: Tensor) => x.mul(1),
      backward: (context, gradY) => {
        context.save(gradY);
        return [gradY];
      },
    });
    expect(() => late(leaf([1])).backward()).toThrow('save() belongs in forward');
  });

  test('forward must return a tensor', () => {
    const bad = customOp({ name: 'bad', forward: (_, x: Tensor) => wrong(x.toArray()), backward: () => [null] });
    expect(() => bad(leaf([1]))).toThrow('bad: expected forward to return a tensor');
  });
});
