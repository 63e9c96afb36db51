// Every backward kernel against central finite differences of its forward kernel, in double precision.
import { describe, expect, it } from 'vitest';
import { type KernelName, kernels, savedBy } from '../../lib/kernels/list.ts';
import { generator, type Named, type Numbers, productOf, specsOf } from './buffers.ts';
import { pool } from './cases/pool2d.ts';
import { callReference } from './compare.ts';
import { convolution } from './geometry.ts';

type Fields = Readonly<Record<string, number>>;

/** Double-precision buffers of a kernel: those given, and random numbers in ±(0.2, 2) away from kinks for the rest. */
function buffersOf(kernel: KernelName, shape: Fields, given: Named, seed: number): Record<string, Numbers | undefined> {
  const random = generator(seed);
  return Object.fromEntries(
    Object.entries(specsOf(kernel)).map(([name, spec]) => {
      if (name in given) return [name, given[name]];
      const length = productOf(spec.length, shape);
      if (spec.type === 'i32')
        return [name, Int32Array.from({ length }, () => random() * productOf(spec.below ?? '', shape))];
      return [name, Float64Array.from({ length }, () => (random() < 0.5 ? -1 : 1) * (0.2 + 1.8 * random()))];
    }),
  );
}

const doubles = (buffers: Named, name: string): Float64Array => {
  const found = buffers[name];
  if (!(found instanceof Float64Array)) throw new Error(`expected doubles as ${name}`);
  return found;
};

/** d/dx of sum(weights · y) for each element of input `x`, by (f(x + h) - f(x - h)) / 2h. */
function numeric(kernel: KernelName, shape: Fields, buffers: Named, x: string, y: string, weights: Float64Array) {
  const input = doubles(buffers, x);
  const loss = () => {
    callReference(kernel, shape, buffers);
    return doubles(buffers, y).reduce((total, value, i) => total + value * (weights[i] ?? 0), 0);
  };
  return input.map((value, i) => {
    const h = 1e-5 * Math.max(1, Math.abs(value));
    input[i] = value + h;
    const above = loss();
    input[i] = value - h;
    const below = loss();
    input[i] = value;
    return (above - below) / (2 * h);
  });
}

/** Largest difference, relative to the largest gradient. */
function distance(got: Float64Array, want: Float64Array): number {
  expect(got.length).toBe(want.length);
  let largest = 1e-3;
  let difference = 0;
  for (let i = 0; i < want.length; i++) {
    largest = Math.max(largest, Math.abs(want[i] ?? Number.NaN));
    difference = Math.max(difference, Math.abs((got[i] ?? Number.NaN) - (want[i] ?? Number.NaN)));
    if (Number.isNaN(got[i])) return Number.NaN;
  }
  return difference / largest;
}

interface Check {
  readonly name: string;
  readonly forward: KernelName;
  readonly backward: KernelName;
  readonly shape: Fields;
  /** The shape of the backward kernel, where it differs. */
  readonly backwardShape?: Fields;
  /** Buffers of the forward kernel other than random numbers; undefined leaves one out. */
  readonly given?: Named;
  /** The output whose gradient comes, y by default; and how the backward kernel calls it, gradY by default. */
  readonly output?: string;
  readonly gradOutput?: string;
  /** [input of the forward kernel, its gradient in the backward kernel]. */
  readonly gradients: readonly (readonly [string, string])[];
  /** Buffers of the backward kernel that are neither the forward's by name nor gradients. */
  readonly saved?: Readonly<Record<string, string>>;
}

function check(test: Check, seed: number): void {
  const { forward, backward, shape, output = 'y', gradOutput = 'gradY' } = test;
  const buffers = buffersOf(forward, shape, test.given ?? {}, seed);
  callReference(forward, shape, buffers);
  const y = doubles(buffers, output);
  const random = generator(seed + 1);
  const gradY = Float64Array.from({ length: y.length }, () => 2 * random() - 1);
  const given: Record<string, Numbers | undefined> = { [gradOutput]: gradY };
  for (const name of Object.keys(specsOf(backward))) {
    const source = test.saved?.[name] ?? name;
    if (source in buffers && name !== gradOutput) given[name] = buffers[source]?.slice();
  }
  const backwardShape = test.backwardShape ?? shape;
  const gradients = buffersOf(backward, backwardShape, given, seed + 2);
  callReference(backward, backwardShape, gradients);
  for (const [input, gradient] of test.gradients) {
    const want = numeric(forward, shape, buffers, input, output, gradY);
    expect(distance(doubles(gradients, gradient), want), `gradient of ${input}`).toBeLessThanOrEqual(1e-8);
  }
}

const positive = (length: number) => Float64Array.from({ length }, (_, i) => 0.3 + ((i * 7) % 11) / 5);
const constants: Fields = { slope: 0.1, alpha: 0.75, low: -1.1, high: 0.9 };

const isKernel = (name: string): name is KernelName => name in kernels;

const unary = Object.entries(savedBy).flatMap(([forward, saved]): Check[] => {
  const backward = `${forward}Backward`;
  if (!isKernel(forward) || !isKernel(backward)) return [];
  const shape = {
    count: 40,
    ...Object.fromEntries(kernels[forward].constants.map((name) => [name, constants[name] ?? 0])),
  };
  const given = forward === 'log' || forward === 'sqrt' ? { x: positive(40) } : {};
  return [{ name: '', forward, backward, shape, given, saved: { saved }, gradients: [['x', 'gradX']] }];
});

const convolutions = {
  plain: convolution({ batch: 2, inChannels: 2, outChannels: 3, size: [5, 6], kernel: 3, padding: 1 }),
  'stride above kernel': convolution({ inChannels: 1, outChannels: 2, size: [7, 8], kernel: 2, stride: 3 }),
  'dilation and uneven padding': convolution({
    inChannels: 2,
    outChannels: 2,
    size: [7, 6],
    kernel: [3, 2],
    dilation: [2, 3],
    stride: [2, 1],
    padding: [2, 1, 0, 3],
  }),
  'two groups': convolution({ inChannels: 4, outChannels: 6, size: 5, kernel: 3, padding: 1, groups: 2 }),
  depthwise: convolution({ batch: 2, inChannels: 3, outChannels: 3, size: [6, 5], kernel: 3, padding: 2, groups: 3 }),
  '1x1 stride 2': convolution({ batch: 2, inChannels: 3, outChannels: 4, size: 5, kernel: 1, stride: 2 }),
};

const pools = {
  '2x2': pool({ planes: 2, size: [6, 7], kernel: [2, 2], stride: [2, 2] }),
  overlapping: pool({ planes: 2, size: [7, 9], kernel: [3, 3], stride: [2, 2] }),
  'padded, ceil mode': pool({ planes: 1, size: [7, 8], kernel: [3, 3], stride: [2, 2], padding: [1, 1], ceil: true }),
};

const input = [['x', 'gradX']] as const;
const farApart = Float64Array.of(-200, 0.5, -90, 1, -150, 0.25, 40, -120, -1);

const checks: readonly Check[] = [
  ...unary,
  ...Object.entries(convolutions).flatMap(([name, backwardShape]): Check[] => {
    const shape = { ...backwardShape, activation: 0 };
    return [
      { name, forward: 'conv2d', backward: 'conv2dBackwardInput', shape, backwardShape, gradients: input },
      {
        name,
        forward: 'conv2d',
        backward: 'conv2dBackwardWeight',
        shape,
        backwardShape,
        gradients: [
          ['weight', 'gradWeight'],
          ['bias', 'gradBias'],
        ],
      },
    ];
  }),
  ...Object.entries(pools).flatMap(([name, shape]): Check[] => [
    { name, forward: 'maxPool2d', backward: 'maxPool2dBackward', shape, gradients: input },
    ...[0, 1].map((countPadding): Check => {
      const average = { ...shape, countPadding, padBottom: shape.padTop, padRight: shape.padLeft };
      const which = `${name}, countPadding ${countPadding}`;
      return { name: which, forward: 'avgPool2d', backward: 'avgPool2dBackward', shape: average, gradients: input };
    }),
  ]),
  ...[
    { planes: 2, height: 7, width: 5, outHeight: 3, outWidth: 2 },
    { planes: 1, height: 3, width: 4, outHeight: 5, outWidth: 4 },
  ].map(
    (shape): Check => ({
      name: `to ${shape.outHeight}x${shape.outWidth}`,
      forward: 'adaptiveAvgPool2d',
      backward: 'adaptiveAvgPool2dBackward',
      shape,
      gradients: input,
    }),
  ),
  ...[
    { outer: 3, count: 7, inner: 1 },
    { outer: 2, count: 4, inner: 3 },
  ].flatMap((shape): Check[] => {
    const name = `of [${Object.values(shape).join(', ')}]`;
    return [
      { name, forward: 'softmax', backward: 'softmaxBackward', shape, gradients: input },
      { name, forward: 'logSoftmax', backward: 'logSoftmaxBackward', shape, gradients: input },
    ];
  }),
  ...[0, 0.2].flatMap((smoothing) =>
    [true, false].map((weighted): Check => {
      const target = Int32Array.of(0, 3, -1, 2, 4, 1);
      return {
        name: `smoothing ${smoothing}, ${weighted ? 'weighted' : 'not weighted'}`,
        forward: 'crossEntropy',
        backward: 'crossEntropyBackward',
        shape: { rows: 6, classes: 5, ignoreIndex: -1, smoothing },
        given: { target, weight: weighted ? positive(5) : undefined },
        output: 'losses',
        gradOutput: 'gradLosses',
        gradients: input,
      };
    }),
  ),
  ...[true, false].flatMap((weighted): Check[] => {
    const name = weighted ? 'with weight' : 'without weight';
    const given = weighted ? {} : { weight: undefined };
    const gradients = [
      ['x', 'gradX'],
      ['bias', 'gradBias'],
      ...(weighted ? ([['weight', 'gradWeight']] as const) : []),
    ] as const;
    return [
      {
        name,
        forward: 'batchNorm',
        backward: 'batchNormBackward',
        shape: { batch: 3, channels: 2, inner: 5, momentum: 0.1, eps: 1e-3 },
        given: { ...given, runningMean: undefined, runningVar: undefined },
        gradients,
      },
      {
        name,
        forward: 'layerNorm',
        backward: 'layerNormBackward',
        shape: { rows: 4, columns: 6, eps: 1e-3 },
        given,
        gradients,
      },
    ];
  }),
  ...[
    { name: 'of every part', given: {} },
    { name: 'without start and end', given: { start: undefined, end: undefined } },
    { name: 'without target', given: { target: undefined } },
    { name: 'without lengths', given: { lengths: undefined } },
    { name: 'of scores far apart', given: { transitions: farApart } },
  ].map(({ name, given }): Check => {
    const shape = { steps: 4, batch: 5, tags: 3 };
    const ends =
      'start' in given
        ? []
        : ([
            ['start', 'gradStart'],
            ['end', 'gradEnd'],
          ] as const);
    return {
      name,
      forward: 'crf',
      backward: 'crfBackward',
      shape,
      given: { lengths: Int32Array.of(2, 4, 0, 1, 4), ...given },
      gradients: [['emissions', 'gradEmissions'], ['transitions', 'gradTransitions'], ...ends],
    };
  }),
  {
    name: '',
    forward: 'pick',
    backward: 'pickBackward',
    shape: { rows: 5, columns: 4 },
    gradients: input,
  },
];

describe('gradients in double precision', () => {
  for (const [seed, test] of checks.entries()) {
    it(`${test.backward} ${test.name} agrees with finite differences`, () => check(test, seed + 1));
  }

  it('gatherBackward agrees with finite differences, on top of what was there', () => {
    const shape = { outer: 2, axisLength: 4, inner: 3, count: 5 };
    const indices = Int32Array.of(3, 0, 3, 1, 0);
    const buffers = buffersOf('gather', shape, { indices }, 1);
    const gradY = Float64Array.from({ length: 30 }, (_, i) => Math.sin(i));
    const gradX = new Float64Array(24).fill(2);
    callReference('gatherBackward', shape, { gradY, indices, gradX });
    const want = numeric('gather', shape, buffers, 'x', 'y', gradY);
    expect(
      distance(
        gradX.map((value) => value - 2),
        want,
      ),
    ).toBeLessThanOrEqual(1e-8);
  });

  it('dropout of the gradient with the same seed agrees with finite differences', () => {
    const shape = { count: 50, seedWords: 4, probability: 0.4 };
    const seed = Int32Array.of(1, 2, 3, 4);
    const buffers = buffersOf('dropout', shape, { seed }, 1);
    const gradY = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i));
    const gradX = new Float64Array(50);
    callReference('dropout', shape, { x: gradY, seed, y: gradX });
    expect(distance(gradX, numeric('dropout', shape, buffers, 'x', 'y', gradY))).toBeLessThanOrEqual(1e-8);
    expect(gradX.filter((value) => value === 0).length).toBeGreaterThan(5);
  });

  it('covers every backward kernel', () => {
    const elsewhere = ['gatherBackward', 'rnnBackward', 'gruBackward', 'lstmBackward']; // the latter: recurrent.test.ts
    const covered = new Set<string>([...checks.map((test) => test.backward), ...elsewhere]);
    const all = Object.keys(kernels).filter((name) => name.includes('Backward'));
    expect(all.filter((name) => !covered.has(name))).toEqual([]);
  });
});
