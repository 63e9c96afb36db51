// The graph of gradients: accumulation, shared use, misuse.
import { describe, expect, test } from 'vitest';
import {
  conv2d,
  customOp,
  isGradEnabled,
  linear,
  maxPool2d,
  noGrad,
  ones,
  randn,
  scalar,
  type Tensor,
  tensor,
} from '../../lib/tensor/index.ts';
import { messageOf } from './support.ts';

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const gradOf = (x: Tensor): number[] => [...(x.grad?.floats ?? [])];

describe('backward', () => {
  test('a tensor used twice gets the sum of both gradients', () => {
    const x = leaf([3]);
    x.mul(x).backward();
    expect(gradOf(x)).toEqual([6]);
  });

  test('a diamond visits each operation once', () => {
    const x = leaf([2]);
    let calls = 0;
    const counted = customOp({
      name: 'counted',
      forward: (_, a: Tensor) => a.mul(3),
      backward: (_, gradY) => {
        calls++;
        return [gradY.mul(3)];
      },
    });
    const middle = counted(x);
    middle.add(1).mul(middle.sub(1)).add(middle).backward(); // 9x² - 1 + 3x
    expect(gradOf(x)).toEqual([18 * 2 + 3]);
    expect(calls).toBe(1);
  });

  test('a deep graph with much sharing is linear work', () => {
    const x = leaf([1]);
    let y: Tensor = x;
    for (let i = 0; i < 60; i++) y = y.mul(0.5).add(y.mul(0.5)); // 2^60 paths
    y.backward();
    expect(gradOf(x)).toEqual([1]);
  });

  test('a chain of 10,000 operations does not overflow the stack', () => {
    const x = leaf([1]);
    let y: Tensor = x;
    for (let i = 0; i < 10_000; i++) y = y.add(1);
    y.backward();
    expect(gradOf(x)).toEqual([1]);
    expect(y.item()).toBe(10_001);
  });

  test('gradients accumulate over calls until they are cleared', () => {
    const x = leaf([1, 2]);
    x.mul(2).sum().backward();
    x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([5, 5]);
    x.grad = null;
    x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([3, 3]);
  });

  test('the gradient of a broadcast operand is summed to its shape', () => {
    const x = tensor([[1], [2]], { requiresGrad: true });
    x.add(ones([4, 1, 3]))
      .sum()
      .backward();
    expect(x.grad?.shape).toEqual([2, 1]);
    expect(gradOf(x)).toEqual([12, 12]);
  });

  test('gradients of two inputs never share memory', () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const y = a.add(b); // both gradients are gradY itself
    y.sum().backward();
    a.grad?.mul_(10);
    expect(gradOf(b)).toEqual([1, 1]);
    a.mul(2).sum().backward(); // accumulates in place
    expect(gradOf(a)).toEqual([12, 12]);
    expect(gradOf(b)).toEqual([1, 1]);
  });

  test('a gradient passed to backward is neither kept nor changed', () => {
    const [x, seed] = [leaf([1, 2]), tensor([1, 1])];
    x.reshape(2, 1).reshape(2).backward(seed);
    expect(x.grad?.data.buffer).not.toBe(seed.data.buffer);
    x.reshape(2).backward(seed);
    x.backward(seed);
    expect(gradOf(x)).toEqual([3, 3]);
    expect([...seed.data]).toEqual([1, 1]);
  });

  test('a gradient set by the caller is not written to', () => {
    const [x, own] = [leaf([1]), tensor([5])];
    x.grad = own;
    x.mul(2).backward();
    expect(gradOf(x)).toEqual([7]);
    expect(own.item()).toBe(5);
  });

  test('branches that need no gradient are not computed', () => {
    const needs: (readonly boolean[])[] = [];
    const spy = customOp({
      name: 'spy',
      forward: (context, a: Tensor, b: Tensor) => {
        needs.push(context.needs);
        return a.add(b);
      },
      backward: ({ needs }, gradY) => needs.map((need) => (need ? gradY : null)),
    });
    const w = leaf([1]);
    spy(tensor([1]), w).backward();
    expect(needs).toEqual([[false, true]]);
    expect(gradOf(w)).toEqual([1]);
  });

  test('x of a first convolution gets no gradient, its weight does', () => {
    const x = randn([1, 1, 4, 4], { seed: 1 });
    const weight = randn([1, 1, 3, 3], { seed: 2, requiresGrad: true });
    conv2d(x, weight).sum().backward();
    expect(x.grad).toBeNull();
    expect(weight.grad?.shape).toEqual([1, 1, 3, 3]);
  });

  test('only a bias that requires a gradient gets one', () => {
    const bias = leaf([0, 0]);
    linear(ones([3, 4]), ones([2, 4]), bias)
      .sum()
      .backward();
    expect(gradOf(bias)).toEqual([3, 3]);
    const convBias = leaf([0, 0]);
    conv2d(ones([1, 1, 3, 3]), ones([2, 1, 2, 2]), convBias)
      .sum()
      .backward();
    expect(gradOf(convBias)).toEqual([4, 4]);
  });

  test('results know their history, leaves do not', () => {
    const x = leaf([1]);
    const y = x.exp();
    expect([x.isLeaf, x.requiresGrad, y.isLeaf, y.requiresGrad]).toEqual([true, true, false, true]);
    expect([y.detach().isLeaf, y.detach().requiresGrad]).toEqual([true, false]);
    expect(tensor([1]).add(1).requiresGrad).toBe(false);
  });

  test('detach shares the memory and stops the gradient', () => {
    const x = leaf([2]);
    const y = x.mul(3);
    expect(y.detach().data).toBe(y.data);
    y.detach().mul(y).backward();
    expect(gradOf(x)).toEqual([18]);
  });

  test('a disposed result still serves the gradient', () => {
    const x = leaf([2]);
    const y = x.exp();
    const z = y.mul(y);
    y.dispose();
    z.backward();
    expect(gradOf(x)[0]).toBeCloseTo(2 * Math.exp(4), 3);
  });
});

describe('misuse is an error, not a wrong number', () => {
  test('backward twice names the operation', () => {
    const x = leaf([1]);
    const y = x.exp();
    y.backward();
    expect(messageOf(() => y.backward())).toBe(
      "FoveaError: backward: expected the graph of 'exp' [1], because backward needs what the forward pass saved, " +
        'but got a graph that was freed by an earlier backward(); run the forward pass again',
    );
    expect(gradOf(x)).toEqual([Math.fround(Math.E)]);
  });

  test('backward through a part that was freed touches no gradient', () => {
    const [x, w] = [leaf([1]), leaf([1])];
    const shared = x.exp();
    shared.mul(2).backward();
    const before = gradOf(x);
    expect(() => shared.mul(w).backward()).toThrow("graph of 'exp'");
    expect(w.grad).toBeNull();
    expect(gradOf(x)).toEqual(before);
  });

  test('a change in place of what a gradient needs names versions and operation', () => {
    const x = leaf([1, 2]);
    const y = x.exp();
    const z = y.mul(2).sum();
    noGrad(() => y.add_(1));
    expect(messageOf(() => z.backward())).toBe(
      "FoveaError: backward: expected version 0 of a tensor [2] saved by 'exp', because its gradient depends on the " +
        'value at that time, but got version 1: it was changed in place since; use a clone()',
    );
    expect(x.grad).toBeNull();
  });

  test('touch() after writing to data counts as a change', () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    x.data[0] = 5;
    x.touch();
    expect(() => y.backward()).toThrow("saved by 'square'");
  });

  test('a change through a reshaped or detached tensor counts too', () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    x.detach().reshape(2, 1).fill_(0);
    expect(() => y.backward()).toThrow("saved by 'square'");
  });

  test('a factor whose partner needs no gradient may change', () => {
    const [x, mask] = [leaf([1, 2]), tensor([3, 4])];
    const y = x.mul(mask).sum();
    noGrad(() => x.zero_());
    y.backward();
    expect(gradOf(x)).toEqual([3, 4]);
    const z = x.mul(mask).sum();
    mask.zero_();
    expect(() => z.backward()).toThrow("saved by 'mul'");
  });

  test('a change of what no gradient needs is fine', () => {
    const x = leaf([1, 2]);
    const y = x.add(1);
    const z = y.mul(2).sum();
    noGrad(() => y.zero_());
    z.backward();
    expect(gradOf(x)).toEqual([2, 2]);
  });

  test('a change in place is refused while gradients are recorded', () => {
    const x = leaf([1]);
    const y = x.add(1);
    for (const change of [() => x.add_(1), () => y.mul_(2), () => x.fill_(0), () => x.copy_(y), () => x.normal_()]) {
      expect(change).toThrow('expected a tensor without gradients, because a change in place is not recorded');
    }
    noGrad(() => x.add_(1));
    expect(x.item()).toBe(2);
  });

  test('backward from many elements wants their weights', () => {
    const y = leaf([1, 2]).mul(2);
    expect(messageOf(() => y.backward())).toBe(
      'FoveaError: backward: expected a gradient, or a tensor of one element, because only a single number has a ' +
        'gradient without weights, but got float32 [2]',
    );
    expect(messageOf(() => y.backward(ones([3])))).toBe(
      'ShapeError: backward: expected a gradient of float32 [2], but got float32 [3]',
    );
    expect(() => y.backward(ones([2], { dtype: 'float64' }))).toThrow('but got float64 [2]');
  });

  test('backward from a tensor without history', () => {
    expect(() => scalar(1).backward()).toThrow('expected a tensor computed from some that require gradients');
    const x = leaf([1]);
    expect(() => noGrad(() => x.mul(2)).backward()).toThrow('float32 [1] without history');
  });

  test('integers have no gradient, and history cannot be switched off', () => {
    expect(() => tensor(new Int32Array([1]), { requiresGrad: true })).toThrow('integers have no gradient');
    const y = leaf([1]).mul(2);
    expect(() => {
      y.requiresGrad = false;
    }).toThrow('use detach()');
  });

  test('the indices of a pool are guarded like everything saved', () => {
    const x = randn([1, 1, 4, 4], { seed: 1, requiresGrad: true });
    const y = maxPool2d(x, 2);
    noGrad(() => x.zero_()); // the pool saved positions, not x
    y.sum().backward();
    expect(x.grad?.sum().item()).toBe(4);
  });
});

describe('noGrad', () => {
  test('records nothing inside, gives the result, and ends with an error too', () => {
    const x = leaf([1]);
    expect(noGrad(() => [isGradEnabled(), x.mul(2).requiresGrad])).toEqual([false, false]);
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(isGradEnabled()).toBe(true);
    noGrad(() => noGrad(() => {}));
    expect(isGradEnabled()).toBe(true);
  });

  test('refuses asynchronous functions', () => {
    expect(() => noGrad(async () => 1)).toThrow('noGrad: expected a synchronous function');
    expect(isGradEnabled()).toBe(true);
  });
});
