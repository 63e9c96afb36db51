// Transforms: parameters of no effect change nothing, known parameters give known images, and randomness is spread right.
import { describe, expect, test } from 'vitest';
import { applyTransforms, type Images, type Transform } from '../../lib/data/augment.ts';
import { elastic, mapImages, normalize, randomAffine, randomCrop, randomHorizontalFlip } from '../../lib/data/index.ts';
import { Random } from '../../lib/data/random.ts';
import { Warper } from '../../lib/data/warp.ts';
import { FoveaError } from '../../lib/tensor/index.ts';

const streamOf = (count: number, epoch = 0) => ({
  seed: 1,
  epoch,
  indices: Int32Array.from({ length: count }, (_, i) => i),
});

function noise(shape: Images['shape'], seed = 1): Images {
  const random = new Random(seed);
  return { data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.uniform()), shape };
}

const apply = (transforms: Transform[], images: Images, epoch = 0): Images =>
  applyTransforms(transforms, { data: images.data.slice(), shape: images.shape }, streamOf(images.shape[0], epoch));

/** One image of one channel. */
const single = (rows: number[][]): Images => ({
  data: Float32Array.from(rows.flat()),
  shape: [1, 1, rows.length, rows[0]!.length],
});

const rowsOf = ({ data, shape: [, , height, width] }: Images): number[][] =>
  Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)]);

describe('no effect', () => {
  test.each<[string, Transform[]]>([
    ['normalize(0, 1)', [normalize(0, 1)]],
    ['a crop of the whole', [randomCrop([7, 9])]],
    ['a flip of probability 0', [randomHorizontalFlip(0)]],
    ['an affine map without ranges', [randomAffine({})]],
    ['an elastic distortion of strength 0', [elastic({ alpha: 0 })]],
    ['both', [randomAffine({}), elastic({ alpha: 0 })]],
  ])('%s', (_, transforms) => {
    const images = noise([3, 2, 7, 9]);
    expect(apply(transforms, images)).toEqual(images);
  });
});

describe('known effect', () => {
  const image = single([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);

  test('normalize, per channel', () => {
    const images = { data: Float32Array.of(1, 2, 3, 4), shape: [1, 2, 1, 2] as const };
    expect([...apply([normalize([1, 2], [0.5, 2])], images).data]).toEqual([0, 2, 0.5, 1]);
  });

  test('a flip mirrors every row; of two flips nothing is left', () => {
    expect(rowsOf(apply([randomHorizontalFlip(1)], image))).toEqual([
      [3, 2, 1],
      [6, 5, 4],
      [9, 8, 7],
    ]);
    expect(apply([randomHorizontalFlip(1), randomHorizontalFlip(1)], image)).toEqual(image);
  });

  test('a turn of 90 degrees is clockwise', () => {
    const turned = rowsOf(apply([randomAffine({ degrees: [90, 90] })], image));
    [
      [7, 4, 1],
      [8, 5, 2],
      [9, 6, 3],
    ].forEach((row, y) => {
      row.forEach((value, x) => {
        expect(turned[y]![x]).toBeCloseTo(value, 5);
      });
    });
  });

  test('magnified twice, the middle pixel spreads over its neighbours', () => {
    const dot = single([
      [0, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]);
    const half = [0.25, 0.5, 0.25];
    expect(rowsOf(apply([randomAffine({ scale: [2, 2] })], dot))).toEqual([half, [0.5, 1, 0.5], half]);
  });

  test('a slant of 45 degrees leans to the right', () => {
    const line = single([
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
    const leaning = rowsOf(apply([randomAffine({ shear: [45, 45] })], line));
    expect(leaning.map((row) => row.indexOf(Math.max(...row)))).toEqual([2, 1, 0]);
  });

  test('what comes in is the fill', () => {
    const ones = single([
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]);
    const shrunk = rowsOf(apply([randomAffine({ scale: [0.25, 0.25], fill: 7 })], ones));
    expect(shrunk[1]![1]).toBe(1);
    expect(shrunk[0]![0]).toBe(7);
  });

  test('a crop with padding is a window of the padded image, and reaches every place', () => {
    const places = new Set<string>();
    for (let epoch = 0; epoch < 200; epoch++) {
      const cropped = apply([randomCrop(3, { padding: 1 })], image, epoch);
      const rows = rowsOf(cropped);
      const middle = rows[1]![1]!;
      const [y, x] = [Math.floor((middle - 1) / 3), (middle - 1) % 3];
      rows.forEach((row, dy) => {
        row.forEach((value, dx) => {
          const [fromY, fromX] = [y + dy - 1, x + dx - 1];
          const inside = fromY >= 0 && fromY < 3 && fromX >= 0 && fromX < 3;
          expect(value).toBe(inside ? 3 * fromY + fromX + 1 : 0);
        });
      });
      places.add(`${y} ${x}`);
    }
    expect(places.size).toBe(9);
  });

  test('a function of your own gets each image, its shape and its own random numbers', () => {
    const seen: number[] = [];
    const mark = mapImages((pixels, shape, random) => {
      expect(shape).toEqual([2, 3, 4]);
      pixels.fill(random.uniform());
      seen.push(pixels[0]!);
    });
    const { data } = apply([mark], noise([3, 2, 3, 4]));
    expect(new Set(seen).size).toBe(3);
    expect([data[0], data[24], data[71]]).toEqual([seen[0], seen[1], seen[2]]);
  });
});

describe('randomness', () => {
  const all = [randomAffine({ degrees: 10, translate: [0.1, 0.1], scale: [0.9, 1.1], shear: 5 }), elastic()];

  test('is the same for the same sample and epoch, another otherwise, and channels move together', () => {
    const images = noise([2, 1, 12, 12]);
    const twice = {
      data: Float32Array.from([...images.data.subarray(0, 144), ...images.data.subarray(0, 144)]),
      shape: images.shape,
    };
    expect(apply(all, images)).toEqual(apply(all, images));
    expect(apply(all, images, 1)).not.toEqual(apply(all, images));
    const { data } = apply(all, twice);
    expect(data.subarray(0, 144)).not.toEqual(data.subarray(144));
    const channels = apply(all, { data: twice.data, shape: [1, 2, 12, 12] }).data;
    expect(channels.subarray(0, 144)).toEqual(channels.subarray(144));
  });

  test('a pair in one resampling is close to two resamplings', () => {
    const shape = [1, 1, 28, 28] as const;
    const data = Float32Array.from(
      { length: 784 },
      (_, p) => Math.sin((p % 28) / 5) * Math.cos(Math.floor(p / 28) / 6),
    );
    const affine = randomAffine({ degrees: [10, 20], shear: 5 });
    const bend = elastic();
    // Randomness depends on the place in the list, so what stands first here does nothing but take its place.
    const nothing = mapImages(() => {});
    for (const [first, second] of [
      [affine, bend],
      [bend, affine],
    ] as const) {
      const fused = apply([first, second], { data, shape }).data;
      const apart = apply([nothing, second], apply([first], { data, shape })).data;
      // Where a border of zeros cannot reach. The image changes by up to 0.2 per pixel of displacement.
      for (let y = 8; y < 20; y++) {
        for (let x = 8; x < 20; x++) {
          expect(Math.abs(fused[y * 28 + x]! - apart[y * 28 + x]!)).toBeLessThan(first === affine ? 0.01 : 0.2);
        }
      }
      expect(Math.abs(fused[14 * 28 + 8]! - data[14 * 28 + 8]!)).toBeGreaterThan(0.02);
    }
  });

  test('a coin is fair: half of the images flip', () => {
    const images: Images = { data: Float32Array.from({ length: 8000 }, (_, i) => i % 2), shape: [4000, 1, 1, 2] };
    const { data } = apply([randomHorizontalFlip()], images);
    const flipped = data.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b, 0);
    expect(Math.abs(flipped - 2000)).toBeLessThan(5 * Math.sqrt(1000));
  });

  test.each([
    [34, 4],
    [8, 2],
    [3, 0.9],
  ])('the elastic field of alpha %f, sigma %f has the strength and smoothness of filtered noise', (alpha, sigma) => {
    const warper = new Warper(28, 28);
    let [square, near, middle, edge] = [0, 0, 0, 0];
    const fields = 1500;
    for (let i = 0; i < fields; i++) {
      const { dx } = warper.field(alpha, sigma, new Random(4, i));
      for (let y = 0; y < 28; y += 3) {
        for (let x = 0; x < 26; x += 3) {
          square += dx[28 * y + x]! ** 2 / fields / 90;
          near += (dx[28 * y + x]! - dx[28 * y + x + 2]!) ** 2 / fields / 90;
        }
      }
      middle += dx[28 * 14 + 14]! ** 2 / fields;
      edge += dx[0]! ** 2 / fields;
    }
    // Noise uniform in (-alpha, alpha) after a Gaussian filter: variance alpha^2 / 3 / (4 pi sigma^2), and correlation
    // exp(-d^2 / 4 sigma^2) at distance d. A discrete filter of small sigma is a little off.
    const variance = alpha ** 2 / (12 * Math.PI * sigma ** 2);
    expect(square / variance).toBeCloseTo(1, 1);
    expect(near / (2 * variance * (1 - Math.exp(-1 / sigma ** 2)))).toBeCloseTo(1, 1);
    expect(edge / middle).toBeGreaterThan(0.8);
    expect(edge / middle).toBeLessThan(1.25);
  });
});

describe('bad parameters', () => {
  test.each([
    () => normalize(Number.NaN, 1),
    () => normalize(0, 0),
    () => normalize([], 1),
    () => randomCrop(0),
    () => randomCrop(3, { padding: -1 }),
    () => randomHorizontalFlip(1.5),
    () => randomAffine({ degrees: Number.NaN }),
    () => randomAffine({ degrees: [5, -5] }),
    () => randomAffine({ translate: [2, 0] }),
    () => randomAffine({ scale: [0, 1] }),
    () => randomAffine({ shear: 90 }),
    () => elastic({ alpha: -1 }),
    () => elastic({ sigma: 0 }),
  ])('%s', (make) => {
    expect(make).toThrow(FoveaError);
  });
});
