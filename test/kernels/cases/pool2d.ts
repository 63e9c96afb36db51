// Cases of pooling, forward and backward.
import type { Shape } from '../../../lib/kernels/call.ts';
import { type AnyCase, exact, type Fill, sumOf } from '../case.ts';

interface Geometry {
  readonly planes?: number;
  readonly size: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding?: readonly [number, number];
  readonly ceil?: true;
}

/** Output length; with `ceil`, a last window that starts inside the input or its left padding counts too. */
function outLength(size: number, kernel: number, stride: number, padding: number, ceil: boolean): number {
  const room = size + 2 * padding - kernel;
  const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  return ceil && (count - 1) * stride >= size + padding ? count - 1 : count;
}

/** The shape record of a pool with the given geometry. */
export function pool(g: Geometry): Shape<'maxPool2d'> {
  const [height, width] = g.size;
  const [kernelHeight, kernelWidth] = g.kernel;
  const [strideHeight, strideWidth] = g.stride;
  const [padTop, padLeft] = g.padding ?? [0, 0];
  return {
    planes: g.planes ?? 3,
    height,
    width,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    padTop,
    padLeft,
    outHeight: outLength(height, kernelHeight, strideHeight, padTop, g.ceil ?? false),
    outWidth: outLength(width, kernelWidth, strideWidth, padLeft, g.ceil ?? false),
  };
}

/** Named geometries. */
export const geometries: Readonly<Record<string, Geometry>> = {
  '2x2 stride 2 (LeNet-5)': { planes: 7, size: [28, 28], kernel: [2, 2], stride: [2, 2] },
  '2x2 stride 2 of an odd plane': { size: [9, 11], kernel: [2, 2], stride: [2, 2] },
  '2x2 stride 2 of an odd plane, ceil mode': { size: [9, 11], kernel: [2, 2], stride: [2, 2], ceil: true },
  '3x3 stride 2, overlapping (AlexNet)': { size: [13, 13], kernel: [3, 3], stride: [2, 2] },
  '3x3 stride 2, overlapping, ceil mode': { size: [14, 12], kernel: [3, 3], stride: [2, 2], ceil: true },
  '3x3 stride 2 padded (ResNet)': { size: [16, 15], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  '3x3 stride 2 padded, ceil mode': { size: [15, 16], kernel: [3, 3], stride: [2, 2], padding: [1, 1], ceil: true },
  '3x3 stride 1 padded': { size: [7, 33], kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
  'stride above kernel': { size: [11, 13], kernel: [2, 2], stride: [3, 4] },
  'rectangular windows': { size: [10, 17], kernel: [1, 4], stride: [2, 3], padding: [0, 2] },
  'one window over the whole plane': { planes: 17, size: [6, 7], kernel: [6, 7], stride: [1, 1] },
  'windows larger than the plane': { size: [3, 2], kernel: [5, 5], stride: [2, 2], padding: [2, 2] },
  '1x1 windows': { size: [4, 5], kernel: [1, 1], stride: [1, 1] },
  'a single element': { planes: 1, size: [1, 1], kernel: [1, 1], stride: [1, 1] },
  'many planes': { planes: 90, size: [28, 30], kernel: [2, 2], stride: [2, 2] },
  'wide rows': { planes: 2, size: [4, 131], kernel: [2, 2], stride: [2, 2] },
  'wide overlapping rows': { planes: 2, size: [7, 129], kernel: [3, 3], stride: [2, 2] },
  'wide overlapping rows, ceil mode': { planes: 2, size: [6, 66], kernel: [3, 3], stride: [2, 2], ceil: true },
  'wide padded rows': { planes: 2, size: [7, 127], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  'wide padded rows of even width': { planes: 2, size: [6, 112], kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  'narrow planes (LeNet-5)': { planes: 33, size: [10, 10], kernel: [2, 2], stride: [2, 2] },
  'two columns of tall windows': { size: [23, 30], kernel: [5, 2], stride: [3, 2], padding: [2, 0] },
  '2x2 stride 2 padded': { size: [9, 35], kernel: [2, 2], stride: [2, 2], padding: [1, 1] },
  'five columns, two apart': { size: [12, 37], kernel: [4, 5], stride: [2, 2], padding: [2, 2] },
  'more than a band': { planes: 2, size: [70, 67], kernel: [3, 3], stride: [1, 1], padding: [1, 1] },
  'more than a band, far apart': { planes: 2, size: [90, 100], kernel: [5, 5], stride: [3, 3], padding: [2, 2] },
  'planes of one row': { planes: 40, size: [1, 40], kernel: [1, 3], stride: [1, 2] },
  'no planes': { planes: 0, size: [4, 4], kernel: [2, 2], stride: [2, 2] },
};

const ends = (s: Shape<'maxPool2d'>) => ({ padBottom: s.padTop, padRight: s.padLeft });

const adaptive: readonly (readonly [number, number, number, number])[] = [
  [6, 6, 1, 1],
  [7, 9, 3, 4],
  [8, 8, 8, 8],
  [5, 33, 2, 7],
  [3, 4, 6, 5],
  [13, 13, 6, 6],
];

const specials: readonly (readonly [string, Fill])[] = [
  ['NaN and infinities', 'special'],
  ['equal numbers', 'ties'],
  ['only -Infinity', [-Infinity]],
  ['huge numbers', 'huge'],
];

const padded = pool({ size: [15, 16], kernel: [3, 3], stride: [2, 2], padding: [1, 1], ceil: true });
const twoByTwo = pool({ size: [12, 35], kernel: [2, 2], stride: [2, 2] });

export const cases: readonly AnyCase[] = [
  ...Object.entries(geometries).flatMap(([name, geometry], seed): AnyCase[] => {
    const shape = pool(geometry);
    const average = { tolerance: sumOf(shape.kernelHeight * shape.kernelWidth), seed };
    return [
      { name: `pools ${name}`, kernel: 'maxPool2d', shape, tolerance: exact, seed },
      {
        name: `pools ${name} without indices`,
        kernel: 'maxPool2d',
        shape,
        tolerance: exact,
        seed,
        without: ['indices'],
      },
      {
        name: `pools ${name}, with equal numbers`,
        kernel: 'maxPool2d',
        shape,
        tolerance: exact,
        seed,
        fills: { x: 'ties' },
      },
      {
        name: `takes the gradient of ${name}`,
        kernel: 'maxPool2dBackward',
        shape,
        // Any index within the plane may come, any number of times.
        tolerance: sumOf(shape.outHeight * shape.outWidth),
        seed,
      },
      ...[0, 1].flatMap((countPadding): AnyCase[] => [
        {
          name: `pools ${name}, countPadding ${countPadding}`,
          kernel: 'avgPool2d',
          shape: { ...shape, ...ends(shape), countPadding },
          ...average,
        },
        {
          name: `takes the gradient of ${name}, countPadding ${countPadding}`,
          kernel: 'avgPool2dBackward',
          shape: { ...shape, ...ends(shape), countPadding },
          ...average,
        },
      ]),
    ];
  }),
  ...specials.flatMap(([name, x], seed): AnyCase[] =>
    [padded, twoByTwo].map((shape) => ({
      name: `takes ${name} in ${shape.kernelHeight}x${shape.kernelWidth} windows`,
      kernel: 'maxPool2d',
      shape,
      tolerance: exact,
      seed,
      fills: { x },
    })),
  ),
  {
    name: 'spreads NaN and infinity within their windows only',
    kernel: 'avgPool2d',
    shape: { ...padded, ...ends(padded), countPadding: 1 },
    tolerance: sumOf(9),
    seed: 1,
    fills: { x: [...new Array(100).fill(1), Number.NaN, ...new Array(100).fill(2), Infinity] },
  },
  ...adaptive.flatMap(([height, width, outHeight, outWidth], seed): AnyCase[] => {
    const shape = { planes: 5, height, width, outHeight, outWidth };
    const tolerance = sumOf(height * width);
    const name = `from ${height}x${width} to ${outHeight}x${outWidth}`;
    return [
      { name: `pools ${name}`, kernel: 'adaptiveAvgPool2d', shape, tolerance, seed },
      { name: `takes the gradient ${name}`, kernel: 'adaptiveAvgPool2dBackward', shape, tolerance, seed },
    ];
  }),
];
