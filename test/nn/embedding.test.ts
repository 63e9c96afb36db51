// Embedding: padding, pretrained vectors, and sparse gradients, whose steps are those of PyTorch (make-embedding.py).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../lib/io/index.ts';
import * as nn from '../../lib/nn/index.ts';
import {
  Adagrad,
  Adam,
  AdamW,
  clipGradNorm_,
  clipGradValue_,
  type Optimizer,
  RMSprop,
  SGD,
} from '../../lib/optim/index.ts';
import { Generator, randn, SparseGradient, sum, type Tensor, tensor } from '../../lib/tensor/index.ts';
import { expectClose, messageOf } from '../tensor/support.ts';
import { fill, load } from './fixtures/kept.ts';

type Name = 'SGD' | 'Adam' | 'Adagrad';
const kept = load<{
  batches: number[][][];
  answers: Record<Name, { gradients: number[][]; weights: number[][] }>;
}>('embedding');
const makers: Record<Name, (params: Tensor[]) => Optimizer> = {
  SGD: (params) => new SGD(params, { lr: 0.3 }),
  Adam: (params) => new Adam(params, { lr: 0.05, betas: [0.8, 0.95] }),
  Adagrad: (params) => new Adagrad(params, { lr: 0.2, lrDecay: 0.05 }),
};
const names: readonly Name[] = ['SGD', 'Adam', 'Adagrad'];

const [count, width, paddingIdx] = [9, 5, 2];

function layer(sparse: boolean): nn.Embedding {
  const made = new nn.Embedding(count, width, { paddingIdx, sparse });
  made.weight.floats.set(fill([count, width], 1).floats);
  return made;
}

const indices = (batch: readonly number[][]) =>
  tensor(
    batch.map((row) => [...row]),
    { dtype: 'int32' },
  );

function step(module: nn.Embedding, optimizer: Optimizer, i: number): void {
  optimizer.zeroGrad();
  const y = module.forward(indices(kept.batches[i]!));
  y.square()
    .mul(fill(y.shape, i + 2, 4))
    .sum()
    .backward();
}

const dense = (gradient: Tensor | null): ArrayLike<number> =>
  gradient instanceof SparseGradient ? gradient.toDense().floats : (gradient?.floats ?? []);

describe('sparse gradients', () => {
  it.each(names)('and steps of %s are those of PyTorch', (name) => {
    const module = layer(true);
    const optimizer = makers[name](module.parameters());
    for (const i of kept.batches.keys()) {
      step(module, optimizer, i);
      expect(module.weight.grad).toBeInstanceOf(SparseGradient);
      expectClose(dense(module.weight.grad), kept.answers[name].gradients[i]!, 2e-6);
      optimizer.step();
      expectClose(module.weight.floats, kept.answers[name].weights[i]!, 2e-6);
    }
  });

  it.each(['SGD', 'Adagrad'] as const)('of %s make the step that dense ones make, to the bit', (name) => {
    const weights = [true, false].map((sparse) => {
      const module = layer(sparse);
      const optimizer = makers[name](module.parameters());
      for (const i of kept.batches.keys()) {
        step(module, optimizer, i);
        optimizer.step();
      }
      return module.weight.floats;
    });
    expect(weights[0]).toEqual(weights[1]);
  });

  it('hold the rows used, rising and each once, and not the padding', () => {
    const module = layer(true);
    module
      .forward(indices([[8, 2, 1, 8]]))
      .sum()
      .backward();
    const gradient = module.weight.grad as SparseGradient;
    expect(gradient.indices).toEqual(Int32Array.of(1, 8));
    expect(gradient.rows.toArray()).toEqual([
      [1, 1, 1, 1, 1],
      [2, 2, 2, 2, 2],
    ]);
    expect(gradient.shape).toEqual([count, width]);
    module
      .forward(indices([[2, 2]]))
      .sum()
      .backward();
    expect((module.weight.grad as SparseGradient).indices).toEqual(Int32Array.of(1, 8));
  });

  it('add up over several backward passes, with each other and with dense ones in either order', () => {
    const ones = (rows: readonly number[]) => {
      const expected = new Float32Array(count * width);
      for (const row of rows) for (let i = 0; i < width; i++) expected[row * width + i]! += 1;
      return expected;
    };
    const module = layer(true);
    module
      .forward(indices([[1, 3]]))
      .sum()
      .backward();
    module
      .forward(indices([[3, 4]]))
      .sum()
      .backward();
    expect(dense(module.weight.grad)).toEqual(ones([1, 3, 3, 4]));
    sum(module.weight).backward();
    expect(module.weight.grad).not.toBeInstanceOf(SparseGradient);
    const all = Array.from({ length: count }, (_, i) => i);
    expect(dense(module.weight.grad)).toEqual(ones([1, 3, 3, 4, ...all]));
    module
      .forward(indices([[5, 5]]))
      .sum()
      .backward();
    expect(dense(module.weight.grad)).toEqual(ones([1, 3, 3, 4, 5, 5, ...all]));
  });

  it('are clipped by the length of their rows, and by value', () => {
    const [sparse, full] = [true, false].map((how) => {
      const module = layer(how);
      step(module, makers.SGD(module.parameters()), 0);
      return { module, norm: clipGradNorm_(module.parameters(), 0.5) };
    });
    expect(sparse!.norm).toBeCloseTo(full!.norm, 5);
    expectClose(dense(sparse!.module.weight.grad), dense(full!.module.weight.grad), 1e-6);
    for (const { module } of [sparse!, full!]) clipGradValue_(module.parameters(), 0.01);
    expectClose(dense(sparse!.module.weight.grad), dense(full!.module.weight.grad), 1e-6);
  });

  it('show a NaN in the length of the gradient', () => {
    const module = layer(true);
    module
      .forward(indices([[1]]))
      .mul(Number.NaN)
      .sum()
      .backward();
    expect(() => clipGradNorm_(module.parameters(), 1, { errorIfNonfinite: true })).toThrow('length NaN');
  });

  it.each([
    ['SGD with momentum', (p: Tensor[]) => new SGD(p, { lr: 1, momentum: 0.9 }), 'because momentum moves rows'],
    ['Adam with weight decay', (p: Tensor[]) => new Adam(p, { weightDecay: 0.1 }), 'because a penalty changes all'],
    ['AdamW', (p: Tensor[]) => new AdamW(p), 'AdamW: expected a dense gradient, because a penalty changes all'],
    ['RMSprop', (p: Tensor[]) => new RMSprop(p), 'but got a sparse one [9, 5] with 3 rows'],
  ])('are refused by %s, which changes nothing', (_, make, message) => {
    const module = layer(true);
    const optimizer = make(module.parameters());
    const before = module.weight.clone();
    step(module, optimizer, 0);
    expect(messageOf(() => optimizer.step())).toContain(message);
    expect(module.weight.floats).toEqual(before.floats);
    expect(optimizer.stateDict().values.steps).toEqual([0]);
  });

  it('say what they are where all elements are asked for', () => {
    const module = layer(true);
    module
      .forward(indices([[1]]))
      .sum()
      .backward();
    expect(String(module.weight.grad)).toBe('a sparse one [9, 5] with 1 rows');
    expect(messageOf(() => module.weight.grad!.add(1))).toContain('use toDense()');
  });

  it('of a computed table are dense', () => {
    const module = layer(true);
    const table = module.weight.mul(2);
    const halves = new nn.Embedding(count, width, { sparse: true });
    Reflect.set(halves, 'weight', table);
    halves
      .forward(indices([[1, 1]]))
      .sum()
      .backward();
    expect(module.weight.grad?.floats[width]).toBe(4);
  });

  it.each(names)('go on bit for bit after a checkpoint of %s', async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'fovea-embedding-'));
    try {
      const run = (module: nn.Embedding, optimizer: Optimizer, from: number, to: number) => {
        for (let i = from; i < to; i++) {
          step(module, optimizer, i);
          optimizer.step();
        }
      };
      const straight = layer(true);
      run(straight, makers[name](straight.parameters()), 0, 6);
      const first = layer(true);
      const before = makers[name](first.parameters());
      run(first, before, 0, 3);
      const path = join(folder, 'checkpoint.safetensors');
      await saveCheckpoint(path, { weights: first.stateDict(), optimizer: before.stateDict() });
      const second = new nn.Embedding(count, width, { paddingIdx, sparse: true });
      const after = makers[name](second.parameters());
      const { weights, optimizer } = loadCheckpoint(path);
      second.loadStateDict(weights);
      after.loadStateDict(optimizer!);
      run(second, after, 3, 6);
      expect(second.weight.floats).toEqual(straight.weight.floats);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('cost the same on a table of 1,000 and of 300,000 rows', () => {
    const time = (rows: number) => {
      const module = new nn.Embedding(rows, 100, { sparse: true });
      const optimizer = new Adam(module.parameters());
      const used = tensor(
        Array.from({ length: 200 }, (_, i) => (i * 7) % 1000),
        { dtype: 'int32' },
      );
      const once = () => {
        optimizer.zeroGrad();
        module.forward(used).sum().backward();
        optimizer.step();
      };
      once();
      const times = Array.from({ length: 15 }, () => {
        const begun = performance.now();
        once();
        return performance.now() - begun;
      });
      return Math.min(...times);
    };
    // A dense step goes through 30 million elements several times: some 100 times longer.
    expect(time(300_000)).toBeLessThan(10 * time(1000) + 2);
  });
});

describe('Embedding', () => {
  it('begins with a padding row of zeros, which dense gradients leave alone too', () => {
    const module = new nn.Embedding(4, 3, { paddingIdx: -1, generator: new Generator(1) });
    expect(module.paddingIdx).toBe(3);
    expect(module.weight.floats.subarray(9)).toEqual(new Float32Array(3));
    expect(module.weight.floats.subarray(0, 9)).toEqual(
      new nn.Embedding(4, 3, { generator: new Generator(1) }).weight.floats.subarray(0, 9),
    );
    module
      .forward(tensor([3, 0, 3], { dtype: 'int32' }))
      .sum()
      .backward();
    expect(module.weight.grad?.toArray()).toEqual([
      [1, 1, 1],
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('takes pretrained vectors, frozen or not, as a copy', () => {
    const vectors = randn([3, 2], { seed: 1 });
    const frozen = nn.Embedding.fromPretrained(vectors);
    expect(frozen.weight.requiresGrad).toBe(false);
    expect(frozen.forward(tensor([2], { dtype: 'int32' })).floats).toEqual(vectors.floats.subarray(4));
    const trained = nn.Embedding.fromPretrained(vectors, { freeze: false, paddingIdx: 0, sparse: true });
    trained.weight.floats[0] = 9;
    expect(vectors.floats[0]).not.toBe(9);
    expect(String(trained)).toBe('Embedding(3, 2, paddingIdx=0, sparse)');
    expect(Object.keys(trained.stateDict())).toEqual(['weight']);
    expect(trained.parameters()[0]?.requiresGrad).toBe(true);
  });

  it.each([
    [
      'a padding index out of range',
      () => new nn.Embedding(4, 3, { paddingIdx: 4 }),
      'paddingIdx from -4 to 3, but got 4',
    ],
    ['no rows', () => new nn.Embedding(0, 3), 'numEmbeddings to be an integer of at least 1'],
    ['vectors that are no table', () => nn.Embedding.fromPretrained(randn([3])), '[numEmbeddings, embeddingDim]'],
    ['an index out of range', () => layer(true).forward(tensor([9], { dtype: 'int32' })), 'weight [9, 5] has 9 rows'],
  ])('refuses %s', (_, call, message) => expect(messageOf(call)).toContain(message));
});
