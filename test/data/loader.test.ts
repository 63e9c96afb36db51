// The loader: what it hands out depends on seed, epoch and sample alone; also when resumed, prefetched, or off the thread.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { afterAll, describe, expect, test } from 'vitest';
import { applyTransforms } from '../../lib/data/augment.ts';
import {
  ArrayDataset,
  type Batch,
  DataLoader,
  type Dataset,
  elastic,
  type Indices,
  mapImages,
  normalize,
  randomAffine,
  randomCrop,
} from '../../lib/data/index.ts';
import { Random } from '../../lib/data/random.ts';
import { TransformWorker } from '../../lib/data/worker.ts';
import { DataError, FoveaError, Generator, ShapeError } from '../../lib/tensor/index.ts';

const random = new Random(1);
const pictures = Float32Array.from({ length: 23 * 64 }, () => random.uniform());
const data = new ArrayDataset({
  inputs: pictures,
  inputShape: [1, 8, 8],
  targets: Int32Array.from({ length: 23 }, (_, i) => i),
});
const transforms = [randomAffine({ degrees: 20 }), elastic({ alpha: 10, sigma: 2 }), randomCrop(8, { padding: 1 })];

async function collect(loader: DataLoader, atMost = Number.POSITIVE_INFINITY): Promise<Batch[]> {
  const batches: Batch[] = [];
  if (atMost === 0) return batches;
  for await (const batch of loader) {
    batches.push(batch);
    if (batches.length === atMost) break;
  }
  return batches;
}

const plain = (batches: readonly Batch[]) =>
  batches.map(({ inputs, targets }) => [inputs.shape, [...inputs.data], [...targets.data]]);
const order = (batches: readonly Batch[]) => batches.flatMap(({ targets }) => [...targets.data]);

describe('batches', () => {
  test('unshuffled: in order, the last one smaller, or left out', async () => {
    const loader = new DataLoader(data, { batchSize: 5 });
    const batches = await collect(loader);
    expect(loader.length).toBe(5);
    expect(batches.map(({ inputs }) => inputs.shape[0])).toEqual([5, 5, 5, 5, 3]);
    expect(order(batches)).toEqual(Array.from({ length: 23 }, (_, i) => i));
    expect([...batches[0]!.inputs.data]).toEqual([...pictures.subarray(0, 320)]);
    const dropping = new DataLoader(data, { batchSize: 5, dropLast: true });
    expect((await collect(dropping)).length).toBe(4);
    expect(dropping.length).toBe(4);
    expect((await collect(new DataLoader(data, { batchSize: 24, dropLast: true }))).length).toBe(0);
  });

  test('shuffled: every sample once per epoch, in an order of seed and epoch', async () => {
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true, seed: 5 });
    const first = order(await collect(loader));
    const second = order(await collect(loader));
    expect(loader.epoch).toBe(2);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i));
    expect(second).not.toEqual(first);
    const other = new DataLoader(data, { batchSize: 7, shuffle: true, seed: 5 });
    other.setEpoch(1);
    expect(order(await collect(other))).toEqual(second);
    expect(order(await collect(new DataLoader(data, { shuffle: true, seed: 6 })))).not.toEqual(first);
  });

  test('a generator gives a seed', async () => {
    const make = (generator: Generator) => collect(new DataLoader(data, { shuffle: true, generator }));
    const generator = new Generator(3);
    const first = order(await make(generator));
    expect(order(await make(generator))).not.toEqual(first);
    expect(order(await make(new Generator(3)))).toEqual(first);
  });
});

describe('transforms', () => {
  test('a sample of an epoch looks the same whatever its batch', async () => {
    const one = await collect(new DataLoader(data, { batchSize: 23, seed: 2, transforms }));
    const many = await collect(new DataLoader(data, { batchSize: 3, seed: 2, transforms }));
    expect(many.flatMap(({ inputs }) => [...inputs.data])).toEqual([...one[0]!.inputs.data]);
  });

  test('differ from epoch to epoch and from seed to seed', async () => {
    const loader = new DataLoader(data, { batchSize: 23, seed: 2, transforms });
    const [first, second] = [plain(await collect(loader)), plain(await collect(loader))];
    expect(second).not.toEqual(first);
    expect(plain(await collect(new DataLoader(data, { batchSize: 23, seed: 3, transforms })))).not.toEqual(first);
  });

  test('change the shape, and leave the data set as it was', async () => {
    const loader = new DataLoader(data, { transforms: [randomCrop([4, 6])] });
    expect(loader.inputShape).toEqual([1, 4, 6]);
    expect((await collect(loader))[0]!.inputs.shape).toEqual([23, 1, 4, 6]);
    const before = pictures.slice();
    await collect(new DataLoader(data, { transforms: [normalize(1, 2), ...transforms] }));
    expect(pictures).toEqual(before);
  });
});

describe('state', () => {
  test.each([0, 1, 3, 6])('after %i batches of 6 the rest is the same as without the break', async (taken) => {
    const options = { batchSize: 4, shuffle: true, seed: 9, transforms };
    const whole = new DataLoader(data, options);
    whole.setEpoch(3);
    const expected = plain(await collect(whole));
    const cut = new DataLoader(data, options);
    cut.setEpoch(3);
    await collect(cut, taken);
    const state: unknown = JSON.parse(JSON.stringify(cut.state()));
    const resumed = new DataLoader(data, { ...options, seed: 1 });
    resumed.setState(state);
    resumed.setEpoch(3);
    expect(plain(await collect(resumed))).toEqual(expected.slice(taken));
    expect(resumed.state()).toMatchObject({ epoch: 4, position: 0, seed: 9 });
    expect(plain(await collect(resumed))).toEqual(plain(await collect(whole)));
  });

  test('a loop left early without setState starts its epoch anew', async () => {
    const loader = new DataLoader(data, { batchSize: 4, shuffle: true });
    const first = plain(await collect(loader, 2));
    expect(loader.state()).toMatchObject({ epoch: 0, position: 2 });
    expect(plain(await collect(loader, 2))).toEqual(first);
  });

  test('of another loader or no state at all is refused', () => {
    const state = new DataLoader(data, { batchSize: 4 }).state();
    const loader = new DataLoader(data, { batchSize: 5 });
    expect(() => loader.setState(state)).toThrow(/batches of 5 from 23 samples, but got batches of 4 from 23/);
    for (const wrong of [null, 7, {}, { ...loader.state(), position: -1 }, { ...loader.state(), position: 6 }]) {
      expect(() => loader.setState(wrong)).toThrow(DataError);
    }
  });
});

describe('batches by length', () => {
  const lengths = Array.from({ length: 500 }, (_, i) => (i * 7919) % 60);
  const sentences = { length: 500, batch: (indices: Indices) => Array.from(indices) };
  const options = { batchSize: 8, shuffle: true, seed: 3, lengths };

  async function epoch(loader: DataLoader<number[]>): Promise<number[][]> {
    const batches: number[][] = [];
    for await (const batch of loader) batches.push(batch);
    return batches;
  }

  const spread = (batch: readonly number[]) => {
    const all = batch.map((i) => lengths[i] ?? 0);
    return Math.max(...all) - Math.min(...all);
  };

  test('every sample once, those of a batch of about equal length, batches in random order', async () => {
    const loader = new DataLoader(sentences, options);
    const [first, second] = [await epoch(loader), await epoch(loader)];
    expect(first.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(first.map((batch) => batch.length)).toEqual([...Array.from({ length: 62 }, () => 8), 4]);
    expect(second).not.toEqual(first);
    const mean = first.reduce((sum, batch) => sum + spread(batch), 0) / first.length;
    expect(mean).toBeLessThan(4); // of 60
    const shortest = first.map((batch) => lengths[batch[0] ?? 0] ?? 0);
    expect(shortest).not.toEqual(shortest.toSorted((a, b) => a - b));
  });

  test('resumed, the rest of the epoch is the same', async () => {
    const whole = await epoch(new DataLoader(sentences, options));
    const cut = new DataLoader(sentences, options);
    let taken = 0;
    for await (const _ of cut) if (++taken === 20) break;
    const resumed = new DataLoader(sentences, { ...options, seed: 9 });
    resumed.setState(JSON.parse(JSON.stringify(cut.state())));
    expect(await epoch(resumed)).toEqual(whole.slice(20));
  });

  test('unshuffled: shortest first, equals in the order of the data', async () => {
    const order = (await epoch(new DataLoader(sentences, { ...options, shuffle: false }))).flat();
    const wanted = Array.from({ length: 500 }, (_, i) => i).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0));
    expect(order).toEqual(wanted);
  });

  test('lengths that cannot be are refused', () => {
    expect(() => new DataLoader(sentences, { lengths: [1, 2] })).toThrow('500 lengths, because there are 500 samples');
    expect(() => new DataLoader(sentences, { lengths: lengths.with(7, -1) })).toThrow('but got -1 of sample 7');
    expect(() => new DataLoader(sentences, { lengths: lengths.with(7, 0.5) })).toThrow('but got 0.5 of sample 7');
  });
});

test('transforms of batches without inputs are refused', async () => {
  const loader = new DataLoader({ length: 3, batch: () => 'text' }, { transforms: [normalize(1, 2)] });
  await expect(loader[Symbol.asyncIterator]().next()).rejects.toThrow('transform: expected batches with inputs');
});

describe('a data set that answers later', () => {
  const slow = (fails = -1): Dataset & { asked: number } => ({
    length: 23,
    inputShape: [1, 8, 8],
    classes: undefined,
    asked: 0,
    async batch(indices) {
      const number = this.asked++;
      // Later batches are ready first.
      await new Promise((resolve) => setTimeout(resolve, 10 - number));
      if (number === fails) throw new DataError('broken picture');
      return data.batch(indices);
    },
  });

  test('is asked ahead, and keeps its order', async () => {
    const dataset = slow();
    const options = { batchSize: 4, shuffle: true, seed: 4, transforms };
    const batches: Batch[] = [];
    for await (const batch of new DataLoader(dataset, { ...options, prefetch: 3 })) {
      if (batches.length === 0) expect(dataset.asked).toBe(4);
      batches.push(batch);
    }
    expect(plain(batches)).toEqual(plain(await collect(new DataLoader(data, options))));
  });

  test('its error comes at its turn, and nowhere if the loop was left before', async () => {
    const loader = new DataLoader(slow(2), { batchSize: 4 });
    const seen: Batch[] = [];
    const run = async () => {
      for await (const batch of loader) seen.push(batch);
    };
    await expect(run()).rejects.toThrow('broken picture');
    expect(seen.length).toBe(2);
    await collect(new DataLoader(slow(2), { batchSize: 4 }), 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
});

describe('bad options', () => {
  test.each([{ batchSize: 0 }, { batchSize: 2.5 }, { prefetch: -1 }, { seed: -1 }, { seed: 0.5 }])('%j', (options) => {
    expect(() => new DataLoader(data, options)).toThrow(FoveaError);
  });

  test('transforms that do not fit the data', () => {
    expect(() => new DataLoader(data, { transforms: [randomCrop(9)] })).toThrow(
      /\[8, 8\] with a padding of 0, but got/,
    );
    expect(() => new DataLoader(data, { transforms: [normalize([1, 2], [1])] })).toThrow(/1 or 1 values, but got 2/);
    const flat = new ArrayDataset({ inputs: pictures, inputShape: [64], targets: new Int32Array(23) });
    expect(() => new DataLoader(flat, { transforms: [elastic()] })).toThrow(ShapeError);
    expect(() => new DataLoader(data).setEpoch(-1)).toThrow(/an epoch of 0 or more/);
  });
});

describe('a worker thread', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fovea-worker-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const images = { data: pictures.slice(0, 5 * 64), shape: [5, 1, 8, 8] as const };
  const stream = { seed: 1, epoch: 2, indices: Int32Array.of(3, 1, 4, 1, 5) };
  const here = () => applyTransforms(transforms, { ...images, data: images.data.slice() }, stream);

  test('gives the same images as this thread', async () => {
    // Workers cannot load TypeScript here, so the worker is built first, as it is in the package.
    await build({
      logLevel: 'silent',
      configFile: false,
      build: {
        ssr: fileURLToPath(new URL('../../lib/data/augment-worker.ts', import.meta.url)),
        outDir: directory,
        rollupOptions: { output: { entryFileNames: 'worker.mjs' } },
      },
    });
    const worker = new TransformWorker(pathToFileURL(join(directory, 'worker.mjs')));
    const results = await Promise.all([1, 2, 3].map(() => worker.run(transforms, images, stream)));
    expect(worker.alive).toBe(true);
    expect(results).toEqual([here(), here(), here()]);
  });

  test('that cannot be loaded changes nothing', async () => {
    const worker = new TransformWorker(pathToFileURL(join(directory, 'absent.mjs')));
    expect(await worker.run(transforms, images, stream)).toEqual(here());
    expect(worker.alive).toBe(false);
    expect(await worker.run(transforms, images, stream)).toEqual(here());
  });

  test('is not asked to run a function', async () => {
    const double = mapImages((image) => {
      for (let p = 0; p < image.length; p++) image[p]! *= 2;
    });
    const [batch] = await collect(new DataLoader(data, { transforms: [double], worker: true }));
    expect([...batch!.inputs.data]).toEqual([...pictures].map((value) => value * 2));
  });
});
