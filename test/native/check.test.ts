// Both backends refuse the same wrong calls in the same words; and how many threads are chosen.
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runReference } from '../../lib/kernels/backend.ts';
import { cgroupProcessors, chooseThreads } from '../../lib/kernels/threads.ts';
import { tryNative } from './helpers.ts';

const { native, problem } = tryNative();

interface Wrong {
  readonly name: string;
  readonly kernel: string;
  readonly shape: object;
  readonly buffers: object;
  readonly message: string;
}

const f32 = (length: number): Float32Array => new Float32Array(length);
const six = f32(6);

const wrong: readonly Wrong[] = [
  {
    name: 'a buffer that is too short',
    kernel: 'softmax',
    shape: { outer: 2, count: 3, inner: 1 },
    buffers: { x: f32(5), y: f32(6) },
    message: 'RangeError: softmax: expected x with 6 elements, because outer count inner is 2 x 3 x 1, but got 5',
  },
  {
    name: 'a buffer that is missing',
    kernel: 'relu',
    shape: { count: 6 },
    buffers: { x: f32(6) },
    message: 'TypeError: relu: expected y as a Float32Array, but got undefined',
  },
  {
    name: 'another type',
    kernel: 'gather',
    shape: { outer: 1, axisLength: 3, inner: 2, count: 2 },
    buffers: { x: f32(6), indices: f32(2), y: f32(4) },
    message: 'TypeError: gather: expected indices as an Int32Array, but got a Float32Array',
  },
  {
    name: 'an array of numbers',
    kernel: 'relu',
    shape: { count: 6 },
    buffers: { x: [1, 2, 3, 4, 5, 6], y: f32(6) },
    message: 'TypeError: relu: expected x as a Float32Array, but got another object',
  },
  {
    name: 'an unsigned array',
    kernel: 'relu',
    shape: { count: 6 },
    buffers: { x: f32(6), y: new Uint8Array(6) },
    message: 'TypeError: relu: expected y as a Float32Array, but got a Uint8Array',
  },
  {
    name: 'shared memory',
    kernel: 'relu',
    shape: { count: 2 },
    buffers: { x: new Float32Array(new SharedArrayBuffer(8)), y: f32(2) },
    message:
      'TypeError: relu: expected x as a Float32Array, but got one on a SharedArrayBuffer, which another thread may change meanwhile',
  },
  {
    name: 'an index that is too large',
    kernel: 'gather',
    shape: { outer: 1, axisLength: 3, inner: 2, count: 2 },
    buffers: { x: f32(6), indices: Int32Array.of(1, 3), y: f32(4) },
    message:
      'RangeError: gather: expected every element of indices at or above 0 and below 3, because axisLength is 3, but got 3 at 1',
  },
  {
    name: 'a negative index that is not the exception',
    kernel: 'crossEntropy',
    shape: { rows: 2, classes: 3, ignoreIndex: -100, smoothing: 0 },
    buffers: { x: f32(6), target: Int32Array.of(-100, -1), losses: f32(2), rowWeights: f32(2), probabilities: f32(6) },
    message:
      'RangeError: crossEntropy: expected every element of target at or above 0 and below 3 or -100, because classes is 3, but got -1 at 1',
  },
  {
    name: 'overlapping memory',
    kernel: 'relu',
    shape: { count: 4 },
    buffers: { x: six.subarray(0, 4), y: six.subarray(1, 5) },
    message: 'RangeError: relu: expected y in other memory than x, because it is written, but they overlap',
  },
  {
    name: 'the same memory where the list does not allow it',
    kernel: 'layerNorm',
    shape: { rows: 2, columns: 3, eps: 1e-5 },
    buffers: { x: six, y: six, mean: f32(2), inverseStd: f32(2) },
    message: 'RangeError: layerNorm: expected y in other memory than x, because it is written, but they overlap',
  },
  ...[-1, 0.5, Number.NaN, Infinity, -Infinity, 2147483648].map((count) => ({
    name: `a count of ${count}`,
    kernel: 'relu',
    shape: { count },
    buffers: { x: f32(1), y: f32(1) },
    message: `RangeError: relu: expected count as an integer from 0 to 2147483647, but got ${count}`,
  })),
  {
    name: 'an ignoreIndex that no int32 can hold',
    kernel: 'crossEntropy',
    shape: { rows: 0, classes: 3, ignoreIndex: -3e9, smoothing: 0 },
    buffers: { x: f32(0), target: new Int32Array(0), losses: f32(0), rowWeights: f32(0), probabilities: f32(0) },
    message:
      'RangeError: crossEntropy: expected ignoreIndex as an integer from -2147483648 to 2147483647, but got -3000000000',
  },
  {
    name: 'sizes whose product overflows',
    kernel: 'softmax',
    shape: { outer: 65536, count: 65536, inner: 65536 },
    buffers: { x: f32(0), y: f32(0) },
    message:
      'RangeError: softmax: expected sizes of x whose product is below 2^31, but got outer count inner of 65536 x 65536 x 65536',
  },
  {
    name: 'sizes whose product overflows but for a 0',
    kernel: 'sum',
    shape: { outer: 2147483647, count: 2147483647, inner: 0 },
    buffers: { x: f32(0), y: f32(0) },
    message:
      'RangeError: sum: expected sizes of x whose product is below 2^31, but got outer count inner of 2147483647 x 2147483647 x 0',
  },
  {
    name: 'a kernel that is not there',
    kernel: 'convolve',
    shape: {},
    buffers: {},
    message: "TypeError: run: expected the name of a kernel, but got 'convolve'",
  },
];

/** How a call is refused: the class of the error and its message. */
function refusal(call: (...parameters: never[]) => void, parameters: unknown[]): string {
  try {
    Reflect.apply(call, undefined, parameters);
    return 'it ran';
  } catch (error) {
    return String(error);
  }
}

describe('a wrong call', () => {
  it.for(wrong)('is refused by the reference: $name', ({ kernel, shape, buffers, message }) => {
    expect(refusal(runReference, [kernel, shape, buffers])).toBe(message);
  });

  it.skipIf(native === undefined).for(wrong)(
    `is refused by the native backend${problem && ` (skipped: ${problem})`}: $name`,
    ({ kernel, shape, buffers, message }) => {
      expect(refusal(native!.run, [kernel, shape, buffers])).toBe(message);
    },
  );
});

describe('the number of threads', () => {
  const files =
    (given: Record<string, string>) =>
    (file: string): string =>
      given[file] ?? '';

  it('is what the tightest quota of a control group above grants, rounded up', () => {
    const grants = {
      '/proc/self/cgroup': '0::/a/b',
      '/sys/fs/cgroup/cpu.max': 'max 100000',
      '/sys/fs/cgroup/a/cpu.max': '250000 100000',
      '/sys/fs/cgroup/a/b/cpu.max': 'max 100000',
    };
    expect(cgroupProcessors(files(grants))).toBe(3);
    expect(cgroupProcessors(files({ ...grants, '/sys/fs/cgroup/a/b/cpu.max': '50000 100000' }))).toBe(1);
  });

  it('follows version 1 groups of the processor alone', () => {
    const grants = {
      '/proc/self/cgroup': '4:memory:/m\n3:cpu,cpuacct:/docker/x',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/cpu/m/cpu.cfs_quota_us': '1000',
      '/sys/fs/cgroup/cpu/m/cpu.cfs_period_us': '100000',
    };
    expect(cgroupProcessors(files(grants))).toBe(2);
    expect(cgroupProcessors(files({ ...grants, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1' }))).toBe(Infinity);
  });

  it('has no quota where there are no control groups', () => {
    expect(cgroupProcessors(files({}))).toBe(Infinity);
  });

  it('is at least 1 and at most what the system offers', () => {
    expect(chooseThreads({})).toBeGreaterThanOrEqual(1);
    expect(chooseThreads({})).toBeLessThanOrEqual(availableParallelism());
    expect(chooseThreads({ FOVEA_THREADS: '' })).toBe(chooseThreads({}));
    expect(chooseThreads({ FOVEA_THREADS: '7' })).toBe(7);
  });
});
