// Compiled functions do what they do eagerly, and say why where they cannot.
import { describe, expect, test } from 'vitest';
import { usesOf } from '../../lib/graph/graph.ts';
import { compile, record, recordCalls } from '../../lib/graph/index.ts';
import { createModel } from '../../lib/models/index.ts';
import * as nn from '../../lib/nn/index.ts';
import { SGD } from '../../lib/optim/index.ts';
import {
  crossEntropy,
  Generator,
  noGrad,
  ones,
  RecordingError,
  randn,
  ShapeError,
  scalar,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';

const generator = () => new Generator(1);
const x4 = (seed = 1, batch = 2) => randn([batch, 3, 9, 9], { seed });

const layers: Record<string, () => nn.Module> = {
  'conv2d, ReLU, pooling': () =>
    new nn.Sequential(new nn.Conv2d(3, 4, 3, { generator: generator() }), new nn.ReLU(), new nn.MaxPool2d(2)),
  'conv2d whose sums are read twice': () => new Twice(),
  'batch norm of x itself': () => new nn.Sequential(new nn.BatchNorm2d(3), new nn.ReLU()),
  'linear layers': () =>
    new nn.Sequential(
      new nn.Flatten(),
      new nn.Linear(243, 40, { generator: generator() }),
      new nn.ReLU(),
      new nn.Tanh(),
    ),
  'GELU, softmax and dropout at rest': () =>
    new nn.Sequential(new nn.GELU(), new nn.Dropout(0.5), new nn.Flatten(), new nn.Softmax(-1)),
};

class Twice extends nn.Module {
  readonly conv = new nn.Conv2d(3, 4, 3, { generator: generator() });
  override forward(x: Tensor): Tensor {
    const y = this.conv.forward(x);
    return y.relu().add(y);
  }
}

describe('compile', () => {
  test.each(Object.entries(layers))('%s: the same numbers as eagerly, now and later', async (_, make) => {
    const model = make().eval();
    const compiled = compile(model);
    for (const [seed, batch] of [
      [1, 2],
      [2, 2],
      [3, 5],
      [4, 2],
    ] as const) {
      const x = x4(seed, batch);
      const expected = noGrad(() => model.forward(x));
      expect(compiled.runSync(x).toArray()).toEqual(expected.toArray());
      expect((await compiled.run(x)).toArray()).toEqual(expected.toArray());
    }
  });

  test.each(['lenet5', 'lenet5-1998'])('%s', async (name) => {
    const { model, inputShape } = createModel(name, { generator: generator() });
    const compiled = compile(model.eval());
    for (const seed of [1, 2, 3]) {
      const x = randn([3, ...inputShape], { seed });
      const expected = noGrad(() => model.forward(x)).toArray();
      expect((await compiled.run(x)).toArray()).toEqual(expected);
    }
  });

  test.each([true, false])('batch norm is folded into what comes before it (affine %s)', async (affine) => {
    const model = new nn.Sequential(
      new nn.Conv2d(3, 4, 3, { generator: generator() }),
      new nn.BatchNorm2d(4, { affine }),
      new nn.ReLU(),
      new nn.Conv2d(4, 6, 3, { bias: false, groups: 2, generator: generator() }),
      new nn.BatchNorm2d(6, { affine }),
      new nn.Flatten(),
      new nn.Linear(150, 8, { generator: generator() }),
      new nn.BatchNorm1d(8, { affine }),
    );
    for (const seed of [1, 2, 3]) model.forward(x4(seed, 6)); // running means
    model.eval();
    const compiled = compile(model);
    const agree = (x: Tensor) => {
      const expected = noGrad(() => model.forward(x)).floats;
      for (const [i, value] of compiled.runSync(x).floats.entries()) expect(value).toBeCloseTo(expected[i]!, 4);
    };
    agree(x4(4));
    expect(String(compiled.program(x4(4)))).not.toContain('batchNorm');
    expect(compiled.program(x4(4)).length).toBe(3);
    model.train();
    model.forward(x4(5, 6));
    model.eval();
    agree(x4(4)); // with other means
  });

  test('a recurrent network with lengths as an input', () => {
    const model = new nn.LSTM(5, 7, { generator: generator(), bidirectional: true });
    const compiled = compile((x: Tensor, lengths: Tensor) => model.unroll(x, { lengths }).output);
    for (const lengths of [
      [4, 1, 6],
      [6, 6, 6],
      [2, 3, 1],
    ]) {
      const x = randn([6, 3, 5], { seed: lengths[0]! });
      const given = tensor(Int32Array.from(lengths));
      const expected = noGrad(() => model.unroll(x, { lengths: given }).output);
      expect(compiled.runSync(x, given).toArray()).toEqual(expected.toArray());
    }
  });

  test('follows weights that change', () => {
    const model = new nn.Linear(40, 30, { generator: generator() });
    const x = randn([8, 40], { seed: 2 });
    const compiled = compile(model);
    const before = compiled.runSync(x).toArray();
    noGrad(() => model.weight.mul_(2));
    expect(compiled.runSync(x).toArray()).not.toEqual(before);
    expect(compiled.runSync(x).toArray()).toEqual(noGrad(() => model.forward(x)).toArray());
  });

  test('many at once come in order, and each has a result of its own', async () => {
    const model = layers['linear layers']!();
    const compiled = compile(model);
    const inputs = Array.from({ length: 20 }, (_, i) => x4(i));
    const results = await Promise.all(inputs.map((x) => compiled.run(x)));
    for (const [i, x] of inputs.entries()) {
      expect(results[i]!.toArray()).toEqual(noGrad(() => model.forward(x)).toArray());
    }
  });

  test('keeps only so many programs', () => {
    let calls = 0;
    const compiled = compile(
      (x: Tensor) => {
        calls++;
        return x.exp();
      },
      { limit: 2 },
    );
    for (const size of [1, 2, 1, 3, 1, 2]) compiled.runSync(ones([size]));
    expect(calls).toBe(4); // 1, 2, 3 and, dropped meanwhile, 2 again
  });

  test('gives inputs and constants back as copies', () => {
    const kept = ones([2]);
    const x = randn([2], { seed: 1 });
    const y = compile((x: Tensor) => x).runSync(x);
    expect(y.toArray()).toEqual(x.toArray());
    y.data[0] = 7;
    expect(x.toArray()).not.toEqual(y.toArray());
    expect(
      compile(() => kept)
        .runSync(x)
        .toArray(),
    ).toEqual([1, 1]);
  });
});

describe('what cannot be recorded is refused', () => {
  const refuses = (fn: (x: Tensor) => Tensor, because: string, x = ones([2])) =>
    expect(() => compile(fn).runSync(x)).toThrow(because);

  test('numbers of inputs and results that decide what happens', () => {
    refuses((x) => (x.sum().item() > 0 ? x.exp() : x), 'item');
    refuses((x) => x.mul(x.exp().floats[0]!), 'floats, which looks at the numbers of a result');
    refuses((x) => x.mul(x.data[0]!), 'data, which looks at the numbers of an input');
    refuses((x) => x.mul(String(x.exp()).length), 'looks at the numbers of a result');
    expect(() => compile((x: Tensor) => x.exp().item() as never).runSync(ones([1]))).toThrow(RecordingError);
  });

  test('but weights may be looked at', () => {
    const weight = scalar(3);
    expect(
      compile((x: Tensor) => x.mul(weight.item()))
        .runSync(ones([2]))
        .toArray(),
    ).toEqual([3, 3]);
  });

  test('float64, promises, other recordings, disposed tensors, other results', () => {
    refuses((x) => x, 'float64', ones([2], { dtype: 'float64' }));
    refuses((async (x: Tensor) => x) as never, 'promise');
    refuses((x) => compile((y: Tensor) => y.exp()).runSync(x), 'within another recording');
    refuses((x) => {
      const y = x.exp();
      y.dispose();
      return y.exp();
    }, 'disposed');
    refuses((() => 3) as never, 'tensors as results');
    expect(() => compile((x: Tensor) => x).runSync(3 as never)).toThrow('inputs that are tensors');
    expect(() => compile((x: Tensor) => x, { limit: 0 })).toThrow('limit');
  });

  test('writing to an input', () => {
    refuses((x) => x.add_(1), 'inputs that are only read');
  });

  test('and eager work goes on as before', () => {
    expect(ones([2]).exp().sum().item()).toBeCloseTo(2 * Math.E, 5);
  });
});

describe('record', () => {
  test('keeps nothing of what the recording computed but what was there before', () => {
    const weight = ones([4, 4]);
    const { graph } = recordCalls(
      (x: Tensor) => x.matmul(weight).relu().exp(),
      [zeros([2, 4])],
      (y) => [y],
    );
    const memories = graph.calls.flatMap(usesOf).map(({ operand }) => operand.memory);
    expect(new Set(memories.map(({ kind }) => kind))).toEqual(new Set(['input', 'captured', 'temporary', 'output']));
    for (const { kind, data } of memories) expect(data === undefined).toBe(kind !== 'captured');
  });

  test('a training step: the weights end the same, bit for bit', async () => {
    const train = () => {
      const model = new nn.Sequential(
        new nn.Linear(6, 8, { generator: new Generator(1) }),
        new nn.BatchNorm1d(8),
        new nn.ReLU(),
        new nn.Dropout(0.3, { generator: new Generator(5) }),
        new nn.Linear(8, 3, { generator: new Generator(2) }),
      );
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.01 });
      const step = (x: Tensor, labels: Tensor) => {
        optimizer.zeroGrad();
        const loss = crossEntropy(model.forward(x), labels);
        loss.backward();
        optimizer.step();
        return loss;
      };
      return { model, optimizer, step };
    };
    const batches = Array.from({ length: 8 }, (_, i) => ({
      x: randn([5, 6], { seed: i }),
      labels: tensor(Int32Array.of(i % 3, 1, 2, 0, (i + 1) % 3)),
    }));
    const [eager, recorded] = [train(), train()];
    const losses = batches.map(({ x, labels }, i) => {
      if (i === 5) eager.optimizer.paramGroups[0]!.lr = 0.01;
      return eager.step(x, labels).item();
    });
    // The optimizer's first step makes its state.
    const [first, second, ...rest] = batches;
    const got = [recorded.step(first!.x, first!.labels).item()];
    const program = record(recorded.step, [second!.x, second!.labels]);
    got.push(losses[1]!);
    for (const [i, { x, labels }] of rest.entries()) {
      if (i === 3) recorded.optimizer.paramGroups[0]!.lr = 0.01;
      const [loss] = i % 2 === 0 ? program.runSync([x, labels]) : await program.run([x, labels]);
      got.push(loss!.item());
    }
    expect(got).toEqual(losses);
    const state = ({ model }: typeof eager) => Object.values(model.stateDict()).map((value) => value.toArray());
    expect(state(recorded)).toEqual(state(eager));
  });

  test('indices that are out of bounds stop a run, and the next one is fine', async () => {
    const weight = randn([4, 2], { seed: 1 });
    const program = record((indices: Tensor) => weight.indexSelect(0, indices), [tensor(Int32Array.of(0, 3))]);
    expect(() => program.runSync([tensor(Int32Array.of(0, 4))])).toThrow(/below 4.*but got 4 at 1/);
    await expect(program.run([tensor(Int32Array.of(-1, 0))])).rejects.toThrow('but got -1 at 0');
    expect(program.runSync([tensor(Int32Array.of(1, 1))])[0]!.shape).toEqual([2, 2]);
  });

  test('inputs of other shapes and kinds are refused', async () => {
    const program = record((x: Tensor) => x.exp(), [zeros([2, 3])]);
    expect(() => program.runSync([zeros([3, 2])])).toThrow(ShapeError);
    expect(() => program.runSync([])).toThrow('expected 1 inputs');
    await expect(program.run([tensor(Int32Array.of(1))])).rejects.toThrow('input 0 of float32 [2, 3]');
  });

  test('runs can be aborted, and no two are under way at once', async () => {
    const program = record((x: Tensor) => x.exp().sum(), [zeros([50_000])]);
    const running = program.run([zeros([50_000])]);
    expect(() => program.runSync([zeros([50_000])])).toThrow('no other run');
    await running;
    await expect(program.run([zeros([50_000])], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(program.runSync([zeros([50_000])])[0]!.item()).toBe(50_000);
  });

  test('prints its calls and the bytes of its arena', () => {
    const program = record(
      (x: Tensor) =>
        x
          .matmul(ones([4, 4]))
          .relu()
          .exp(),
      [zeros([2, 4])],
    );
    expect(String(program)).toMatch(/matmul\(.*activation 1\).*\n.*exp\(count 8\)[\s\S]*arena \d+ bytes, at least \d+/);
    expect(program.arenaBytes).toBeGreaterThanOrEqual(program.leastBytes);
  });
});
