// How far Winograd's algorithm may lie from the sums as they are defined: below 1e-4 of the largest sum of |terms|, on
// data chosen to be hard; and how far an infinity spreads.
import { describe, expect, it } from 'vitest';
import { loadNative, type Native } from '../../lib/kernels/native.ts';
import { reference } from '../../lib/kernels/reference.ts';
import { generator } from './buffers.ts';
import { convolution } from './geometry.ts';

function load(): Native | undefined {
  try {
    return loadNative();
  } catch {
    return undefined;
  }
}
const native = load();
if (native === undefined) console.warn('winograd: skipped, because there is no native binary');

const normal = (seed: number) => {
  const random = generator(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
};

const channels = 512;
const shape = convolution({
  inChannels: channels,
  outChannels: 4,
  size: [7, 9],
  kernel: 3,
  padding: 1,
  algorithm: 'winograd',
});
const plane = shape.height * shape.width;

/** Data by name: x and weight at an index. */
const data: Readonly<Record<string, (seed: number) => [(i: number) => number, (i: number) => number]>> = {
  'normal numbers': (seed) => [normal(seed), normal(seed + 1)],
  'positive numbers far from 0': (seed) => {
    const [x, w] = [normal(seed), normal(seed + 1)];
    return [() => 100 + x(), () => 1 + 0.01 * w()];
  },
  'a checkerboard, whose terms cancel': (seed) => {
    const x = normal(seed);
    return [(i) => (i % 2 === 0 ? 1 : -1) * (1 + 0.01 * x()), () => 1];
  },
  'one pixel a million times the others': (seed) => {
    const x = normal(seed);
    return [(i) => x() * (i % plane === 30 ? 1e6 : 1), normal(seed + 1)];
  },
  'channels of very different size': (seed) => {
    const [x, w] = [normal(seed), normal(seed + 1)];
    return [(i) => x() * 10 ** ((Math.floor(i / plane) % 9) - 4), w];
  },
};

/** The largest error, over the largest sum of |terms|; both in doubles. */
function error(got: Float32Array, want: Float64Array, magnitude: Float64Array): number {
  const off = want.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? Number.NaN))), 0);
  return off / magnitude.reduce((most, value) => Math.max(most, value), 0);
}

describe.skipIf(native === undefined)("Winograd's algorithm", () => {
  if (native === undefined) return;
  for (const isa of native.isas) {
    for (const [name, make] of Object.entries(data)) {
      it(`is exact to 1e-6 of the sum of |terms| over ${channels} channels on ${isa}: ${name}`, () => {
        native.selectIsa(isa);
        const [x, w] = make(7);
        const inputs = Float32Array.from({ length: channels * plane }, (_, i) => x(i));
        const weight = Float32Array.from({ length: shape.outChannels * channels * 9 }, (_, i) => w(i));
        const outputs = shape.outChannels * shape.outHeight * shape.outWidth;
        const y = new Float32Array(outputs);
        native.run('conv2d', { ...shape, activation: 0 }, { x: inputs, weight, y });
        const [want, magnitude] = [Float64Array.from(inputs), Float64Array.from(inputs, Math.abs)].map((values, i) => {
          const into = new Float64Array(outputs);
          const weights = Float64Array.from(weight, i === 0 ? Number : Math.abs);
          reference.conv2d({ ...shape, activation: 0 }, { x: values, weight: weights, y: into });
          return into;
        });
        if (want === undefined || magnitude === undefined) throw new Error('two answers expected');
        expect(error(y, want, magnitude)).toBeLessThan(1e-6);

        // Both gradients, of gradY = y scaled to the size of x.
        const gradY = y.map((value) => value / 100);
        const gradX = new Float32Array(inputs.length);
        const gradWeight = new Float32Array(weight.length);
        native.run('conv2dBackwardInput', shape, { weight, gradY, gradX });
        native.run<'conv2dBackwardWeight'>('conv2dBackwardWeight', shape, { x: inputs, gradY, gradWeight });
        const backward = (absolute: boolean) => {
          const of = (values: Float32Array) => Float64Array.from(values, absolute ? Math.abs : Number);
          const wanted = { gradX: new Float64Array(gradX.length), gradWeight: new Float64Array(gradWeight.length) };
          reference.conv2dBackwardInput(shape, { weight: of(weight), gradY: of(gradY), gradX: wanted.gradX });
          const { gradWeight: into } = wanted;
          reference.conv2dBackwardWeight(shape, { x: of(inputs), gradY: of(gradY), gradWeight: into });
          return wanted;
        };
        const [exact, sums] = [backward(false), backward(true)];
        expect(error(gradX, exact.gradX, sums.gradX)).toBeLessThan(2e-6);
        expect(error(gradWeight, exact.gradWeight, sums.gradWeight)).toBeLessThan(2e-6);
      });
    }

    it(`keeps an infinity within the tiles that read it, on ${isa}`, () => {
      native.selectIsa(isa);
      const small = convolution({
        batch: 2,
        inChannels: 3,
        outChannels: 2,
        size: 20,
        kernel: 3,
        padding: 1,
        algorithm: 'winograd',
      });
      const random = normal(3);
      const x = Float32Array.from({ length: 2 * 3 * 400 }, random);
      const weight = Float32Array.from({ length: 54 }, random);
      const run = () => {
        const y = new Float32Array(2 * 2 * 400);
        native.run('conv2d', { ...small, activation: 0 }, { x, weight, y });
        return y;
      };
      const before = run();
      x[10 * 20 + 10] = Infinity;
      const after = run();
      const far = (i: number) => {
        const row = Math.floor(i / 20) % 20;
        return i >= 800 || Math.abs(row - 10) > 5 || Math.abs((i % 20) - 10) > 5;
      };
      expect(after.filter((_, i) => far(i))).toEqual(before.filter((_, i) => far(i)));
      expect(Number.isFinite(after[10 * 20 + 10])).toBe(false);
    });
  }
});
