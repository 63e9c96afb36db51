// What the kernels mean at the edges, where no outside authority is compared with: pinned one by one on the reference.
import { describe, expect, it } from 'vitest';
import { erfc } from '../../lib/kernels/reference/erf.ts';
import { reference } from '../../lib/kernels/reference.ts';

const one = { outer: 1, count: 0, inner: 1 };
const oneOutput = () => Float32Array.of(7);

describe('reductions of nothing', () => {
  it.each([
    ['sum', 0],
    ['sumSquares', 0],
    ['mean', Number.NaN],
    ['max', -Infinity],
    ['min', Infinity],
  ] as const)('%s is %d', (kernel, expected) => {
    const y = oneOutput();
    reference[kernel](one, { x: new Float32Array(0), y });
    expect(y[0]).toBe(expected);
  });
});

describe('argmax and argmin', () => {
  const of = (kernel: 'argmax' | 'argmin', ...x: number[]) => {
    const y = Int32Array.of(-1);
    reference[kernel]({ outer: 1, count: x.length, inner: 1 }, { x: Float32Array.from(x), y });
    return y[0];
  };
  it('take the first of equals', () => {
    expect(of('argmax', 1, 3, 3, 0)).toBe(1);
    expect(of('argmin', 1, 0, 3, 0)).toBe(1);
    expect(of('argmax', -Infinity, -Infinity)).toBe(0);
  });
  it('take the first NaN before anything', () => {
    expect(of('argmax', 1, Infinity, Number.NaN, 4, Number.NaN)).toBe(2);
    expect(of('argmin', 1, -Infinity, Number.NaN, 4, Number.NaN)).toBe(2);
  });
});

describe('gradients at kinks', () => {
  const gradient = (kernel: 'absBackward' | 'reluBackward', ...saved: number[]) => {
    const gradX = new Float32Array(saved.length);
    reference[kernel](
      { count: saved.length },
      { saved: Float32Array.from(saved), gradY: new Float32Array(saved.length).fill(2), gradX },
    );
    return [...gradX];
  };
  it('are 0 for abs at 0', () => expect(gradient('absBackward', -1, 0, -0, 3)).toEqual([-2, 0, 0, 2]));
  it('are 0 for relu at 0', () => expect(gradient('reluBackward', 0, 1e-30, 5)).toEqual([0, 2, 2]));
  it('pass at both bounds for clamp, and not for NaN', () => {
    const gradX = new Float32Array(5);
    const saved = Float32Array.of(-0.1, 0.7, -0.11, 0.71, Number.NaN);
    reference.clampBackward({ count: 5, low: -0.1, high: 0.7 }, { saved, gradY: new Float32Array(5).fill(3), gradX });
    expect([...gradX]).toEqual([3, 3, 0, 0, 0]);
  });
});

describe('batchNorm', () => {
  it('keeps the running variance finite where a channel has one element', () => {
    const runningVar = Float64Array.of(2);
    const buffers = { runningMean: Float64Array.of(1), runningVar, mean: oneOutput(), inverseStd: oneOutput() };
    const x = Float64Array.of(5);
    reference.batchNorm({ batch: 1, channels: 1, inner: 1, momentum: 0.5, eps: 1 }, { x, y: x.slice(), ...buffers });
    expect(runningVar[0]).toBe(1);
    expect(buffers.runningMean[0]).toBe(3);
  });
});

describe('crossEntropy', () => {
  it('ignores a class that is a valid index', () => {
    const losses = new Float64Array(3);
    const rowWeights = new Float64Array(3);
    const gradX = new Float64Array(9);
    const shape = { rows: 3, classes: 3, ignoreIndex: 2, smoothing: 0 };
    const target = Int32Array.of(0, 2, 1);
    const probabilities = new Float64Array(9);
    const x = new Float64Array(9);
    reference.crossEntropy(shape, { x, target, losses, rowWeights, probabilities });
    expect([...losses]).toEqual([Math.log(3), 0, Math.log(3)]);
    expect([...rowWeights]).toEqual([1, 0, 1]);
    const gradLosses = Float64Array.of(1, 1, 1);
    reference.crossEntropyBackward(shape, { probabilities, target, gradLosses, gradX });
    expect([...gradX.subarray(3, 6)]).toEqual([0, 0, 0]);
    expect(gradX[0]).toBeCloseTo(-2 / 3, 12);
  });
});

describe('rmsprop', () => {
  it('leaves the average alone where it is not centered', () => {
    const average = Float64Array.of(0.5);
    const squareAverage = Float64Array.of(1);
    const settings = Float64Array.of(0.1, 0.5, 0, 0, 0, 0, 0);
    const param = Float64Array.of(1);
    const grad = Float64Array.of(1);
    reference.rmsprop({ count: 1, settingsLength: 7 }, { settings, grad, param, squareAverage, average });
    expect(average[0]).toBe(0.5);
    expect(param[0]).toBeCloseTo(0.9, 12);
  });
});

describe('erfc', () => {
  // C's erfc, from Python's math.erfc.
  it.each([
    [-6, 2],
    [-2.5, 1.999593047982555],
    [-0.75, 1.7111556336535152],
    [-0.46875, 1.492613473217938],
    [-0.1, 1.1124629160182848],
    [0, 1],
    [0.3, 0.6713732405408726],
    [0.46875, 0.507386526782062],
    [0.47, 0.5062549491139179],
    [1, 0.15729920705028513],
    [1.9375, 0.0061431936047867996],
    [3.999, 1.554474949099499e-8],
    [4.01, 1.4196939421371052e-8],
    [5.5, 7.357847917974398e-15],
    [9, 4.13703174651381e-37],
    [15, 7.212994172451206e-100],
    [26.5, 2.2109076642637343e-307],
  ])('of %d is right to 15 digits', (x, expected) => {
    expect(Math.abs(erfc(x) - expected)).toBeLessThanOrEqual(2e-15 * expected);
  });
  it('has limits', () => {
    expect(erfc(Infinity)).toBe(0);
    expect(erfc(-Infinity)).toBe(2);
    expect(erfc(40)).toBe(0);
    expect(erfc(Number.NaN)).toBeNaN();
  });
});
