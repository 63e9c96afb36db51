// Memory belongs to the garbage collector: thousands of training steps keep the process as large as it was.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  avgPool2d,
  concat,
  conv2d,
  crossEntropy,
  customOp,
  dropout,
  linear,
  maxPool2d,
  noGrad,
  randn,
  stack,
  type Tensor,
} from '../../lib/tensor/index.ts';

const MiB = 2 ** 20;
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes that are still reachable: JavaScript objects and the memory of tensors. */
async function reachable(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect(); // frees the memory of dead tensors only some time later
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('10,000 training steps of a small network keep memory flat without any freeing', async () => {
  const parameter = (shape: number[], seed: number): Tensor => randn(shape, { seed, std: 0.1, requiresGrad: true });
  const [convWeight, convBias] = [parameter([4, 1, 3, 3], 1), parameter([4], 2)];
  const [weight, bias] = [parameter([10, 64], 3), parameter([10], 4)];
  const parameters = [convWeight, convBias, weight, bias];
  const x = randn([8, 1, 8, 8], { seed: 5 });
  const target = Int32Array.from({ length: 8 }, (_, i) => i);

  const train = (steps: number): { rss: number; loss: number } => {
    let [rss, last] = [0, 0];
    for (let i = 1; i <= steps; i++) {
      const hidden = maxPool2d(conv2d(x, convWeight, convBias, { padding: 1 }).relu(), 2).flatten(1);
      const loss = crossEntropy(linear(hidden, weight, bias), target);
      loss.backward();
      noGrad(() => {
        for (const each of parameters) {
          if (each.grad) each.sub_(each.grad.mul(0.01));
          each.grad = null;
        }
      });
      if (i % 50 === 0) rss = Math.max(rss, process.memoryUsage().rss);
      last = loss.item();
    }
    return { rss, loss: last };
  };

  const early = train(2_000);
  const reachableEarly = await reachable();
  const late = train(8_000);
  const growth = { rss: (late.rss - early.rss) / MiB, reachable: ((await reachable()) - reachableEarly) / MiB };
  console.log(
    `from step 2,000 to 10,000: RSS ${(early.rss / MiB).toFixed(1)} -> ${(late.rss / MiB).toFixed(1)} MiB, ` +
      `reachable memory ${growth.reachable.toFixed(2)} MiB more`,
  );
  expect(late.loss).toBeLessThan(early.loss / 2);
  // One step makes about 40 KiB: 8,000 steps that were kept would be 320 MiB.
  expect(growth.reachable).toBeLessThan(1);
  // RSS also holds V8's young generation, which grows by up to 3 x 16 MiB at times of its own choosing.
  expect(growth.rss).toBeLessThan(48);
});

test('a loss that is kept does not keep its graph after backward', () => {
  const weight = randn([4, 4], { seed: 1, requiresGrad: true });
  const losses: Tensor[] = [];
  const step = (): WeakRef<Tensor> => {
    const hidden = linear(weight, weight).exp();
    const loss = hidden.mean();
    loss.backward();
    losses.push(loss);
    return new WeakRef(hidden);
  };
  const hidden = Array.from({ length: 20 }, step);
  return new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => {
    collect();
    expect(losses.length).toBe(20);
    expect(hidden.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
  });
});

const withoutInput: Record<string, (x: Tensor) => Tensor> = {
  add: (x) => x.add(x),
  sub: (x) => x.sub(x),
  'mul by a number': (x) => x.mul(2),
  neg: (x) => x.neg(),
  exp: (x) => x.exp(),
  relu: (x) => x.relu(),
  softmax: (x) => x.softmax(),
  sum: (x) => x.sum([1, 3]),
  mean: (x) => x.mean(0, true),
  reshape: (x) => x.reshape(4, -1),
  permute: (x) => x.permute(3, 0, 2, 1),
  expand: (x) => x.expand(3, -1, -1, -1, -1),
  slice: (x) => x.slice([null, [1, 2]]),
  pad: (x) => x.pad([[1, 1]]),
  concat: (x) => concat([x, x], 1),
  stack: (x) => stack([x, x]),
  clone: (x) => x.clone(),
  indexSelect: (x) => x.indexSelect(1, [1, 0]),
  maxPool2d: (x) => maxPool2d(x, 2),
  avgPool2d: (x) => avgPool2d(x, 2),
  dropout: (x) => dropout(x, 0.5),
  crossEntropy: (x) => crossEntropy(x.reshape(4, 8), [0, 1, 2, 3]),
  customOp: customOp({ name: 'mine', forward: (_, x: Tensor) => x.mul(2), backward: (_, gradY) => [gradY.mul(2)] }),
};

test.each(Object.entries(withoutInput))(
  '%s does not keep its input, which its gradient does not need',
  (_, operation) => {
    const weight = randn([2, 2, 2, 4], { seed: 1, requiresGrad: true });
    const make = (): { y: Tensor; input: WeakRef<Tensor>; memory: WeakRef<object> } => {
      const input = weight.add(1);
      return { y: operation(input), input: new WeakRef(input), memory: new WeakRef(input.data) };
    };
    const { y, input, memory } = make();
    return new Promise<void>((resolve) => setTimeout(resolve, 0)).then(() => {
      collect();
      expect(input.deref()).toBeUndefined();
      if (operation !== withoutInput.reshape) expect(memory.deref()).toBeUndefined(); // reshape shares it
      y.sum().backward();
      expect(weight.grad?.shape).toEqual([2, 2, 2, 4]);
    });
  },
);
