// The built-in digits: seeded, balanced, in range, and recognisable.
import { describe, expect, test } from 'vitest';
import { builtinDigits } from '../../lib/data/index.ts';
import { FoveaError } from '../../lib/tensor/index.ts';

const all = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

describe('builtinDigits', () => {
  const data = builtinDigits({ count: 2000, seed: 1 });
  const { inputs, targets } = data.batch(all(2000));
  const pixels = inputs.floats;

  test('image i depends on the seed and i alone', () => {
    const fewer = builtinDigits({ count: 30, seed: 1 }).batch(all(30));
    expect([...fewer.inputs.data]).toEqual([...pixels.slice(0, 30 * 784)]);
    const other = builtinDigits({ count: 30, seed: 2 }).batch(all(30));
    expect([...other.inputs.data]).not.toEqual([...fewer.inputs.data]);
  });

  test('every digit has the same share, in no fixed order', () => {
    const counts = new Array<number>(10).fill(0);
    for (const target of targets.data) counts[target]!++;
    expect(counts).toEqual(new Array(10).fill(200));
    expect([...targets.data.slice(0, 10)]).not.toEqual([...targets.data.slice(10, 20)]);
    expect(data.classes).toEqual([...'0123456789']);
  });

  test('white on black in 0..1, no two alike, as much ink as handwriting has', () => {
    expect(Math.min(...pixels.subarray(0, 78400))).toBe(0);
    expect(Math.max(...pixels.subarray(0, 78400))).toBe(1);
    const seen = new Set(Array.from({ length: 2000 }, (_, i) => pixels.slice(i * 784, (i + 1) * 784).join()));
    expect(seen.size).toBe(2000);
    const mean = meanOf(pixels);
    // MNIST: 0.1307.
    expect(mean).toBeGreaterThan(0.11);
    expect(mean).toBeLessThan(0.15);
  });

  test('the centre of mass is in the middle, the border is empty', () => {
    for (let i = 0; i < 300; i++) {
      let [sum, sumX, sumY, border] = [0, 0, 0, 0];
      for (let p = 0; p < 784; p++) {
        const value = pixels[i * 784 + p]!;
        const [x, y] = [p % 28, Math.floor(p / 28)];
        sum += value;
        sumX += value * x;
        sumY += value * y;
        if (x === 0 || y === 0 || x === 27 || y === 27) border += value;
      }
      expect(Math.abs(sumX / sum - 14)).toBeLessThan(0.75);
      expect(Math.abs(sumY / sum - 14)).toBeLessThan(0.75);
      expect(border).toBeLessThan(4);
    }
  });

  test('the nearest mean image tells most digits of another seed', () => {
    const means = Array.from({ length: 10 }, () => new Float64Array(784));
    for (let i = 0; i < 2000; i++) {
      const mean = means[targets.data[i]!]!;
      for (let p = 0; p < 784; p++) mean[p]! += pixels[i * 784 + p]! / 200;
    }
    const test = builtinDigits({ count: 500, seed: 77 }).batch(all(500));
    let right = 0;
    for (let i = 0; i < 500; i++) {
      const distances = means.map((mean) => {
        let sum = 0;
        for (let p = 0; p < 784; p++) sum += (mean[p]! - test.inputs.data[i * 784 + p]!) ** 2;
        return sum;
      });
      if (distances.indexOf(Math.min(...distances)) === test.targets.data[i]) right++;
    }
    // Chance is 0.1; MNIST itself has 0.82, and these vary more on purpose: too easy would also be wrong.
    expect(right / 500).toBeGreaterThan(0.6);
    expect(right / 500).toBeLessThan(0.9);
  });

  test('come in other sizes', () => {
    const { inputs: large } = builtinDigits({ count: 10, seed: 1, size: 56 }).batch(all(10));
    expect(large.shape).toEqual([10, 1, 56, 56]);
    const mean = meanOf(large.floats);
    expect(mean).toBeGreaterThan(0.08);
    expect(mean).toBeLessThan(0.2);
  });

  test.each([{ count: 0 }, { count: 1.5 }, { count: 3, size: 4 }, { count: 3, seed: -1 }])('refuses %j', (options) => {
    expect(() => builtinDigits(options)).toThrow(FoveaError);
  });
});
