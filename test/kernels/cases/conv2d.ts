// Cases of convolution, forward and backward: the same geometries for all three kernels.
import { type AnyCase, sumOf } from '../case.ts';
import { convolution, type Geometry } from '../geometry.ts';

/** Named geometries; small, but each kind of layer is there. */
export const geometries: Readonly<Record<string, Geometry>> = {
  'one pixel': { inChannels: 1, outChannels: 1, size: 1, kernel: 1 },
  '1x1': { batch: 2, inChannels: 5, outChannels: 7, size: [6, 5], kernel: 1 },
  '1x1 of many channels': { batch: 1, inChannels: 65, outChannels: 33, size: [7, 9], kernel: 1 },
  '1x1 stride 2': { batch: 2, inChannels: 4, outChannels: 6, size: 7, kernel: 1, stride: 2 },
  '3x3': { batch: 2, inChannels: 3, outChannels: 5, size: [8, 9], kernel: 3 },
  '3x3 padded': { batch: 2, inChannels: 4, outChannels: 8, size: [9, 7], kernel: 3, padding: 1 },
  '3x3 of 16 to 32 channels': { batch: 1, inChannels: 16, outChannels: 32, size: 14, kernel: 3, padding: 1 },
  '3x3 of 17 to 31 channels': { batch: 1, inChannels: 17, outChannels: 31, size: [11, 33], kernel: 3, padding: 1 },
  '3x3 of 200 channels': { batch: 1, inChannels: 200, outChannels: 5, size: [10, 12], kernel: 3, padding: 1 },
  'LeNet-5 conv1': { batch: 3, inChannels: 1, outChannels: 6, size: 28, kernel: 5, padding: 2 },
  'LeNet-5 conv2': { batch: 3, inChannels: 6, outChannels: 16, size: 14, kernel: 5 },
  'AlexNet-like conv1, 11x11 stride 4': {
    inChannels: 3,
    outChannels: 8,
    size: [51, 47],
    kernel: 11,
    stride: 4,
    padding: 2,
  },
  'AlexNet-like conv2, 5x5 of two groups': {
    inChannels: 12,
    outChannels: 16,
    size: 13,
    kernel: 5,
    padding: 2,
    groups: 2,
  },
  'stride above kernel': { batch: 2, inChannels: 2, outChannels: 3, size: [11, 13], kernel: 2, stride: 3 },
  'stride that leaves pixels over': { batch: 1, inChannels: 2, outChannels: 4, size: [10, 12], kernel: 3, stride: 4 },
  'padding at the kernel size': { batch: 1, inChannels: 2, outChannels: 3, size: 5, kernel: 3, padding: 3 },
  'padding above the kernel size': { batch: 1, inChannels: 1, outChannels: 2, size: [3, 4], kernel: 2, padding: 5 },
  'padding above the image': { batch: 1, inChannels: 2, outChannels: 3, size: 2, kernel: 7, padding: 6, stride: 2 },
  'different padding on each side': {
    batch: 2,
    inChannels: 2,
    outChannels: 3,
    size: [7, 8],
    kernel: 4,
    padding: [1, 2, 3, 0],
  },
  'rectangular kernel, stride and dilation': {
    batch: 2,
    inChannels: 3,
    outChannels: 4,
    size: [12, 17],
    kernel: [2, 5],
    stride: [3, 2],
    dilation: [2, 1],
    padding: [0, 3, 1, 3],
  },
  '1x7 kernel': { inChannels: 3, outChannels: 4, size: [5, 19], kernel: [1, 7], padding: [0, 3, 0, 3] },
  '7x1 kernel': { inChannels: 3, outChannels: 4, size: [19, 5], kernel: [7, 1], padding: [3, 0, 3, 0] },
  'dilation 2': { inChannels: 3, outChannels: 5, size: [11, 10], kernel: 3, dilation: 2, padding: 2 },
  'dilation 3, stride 2': { inChannels: 2, outChannels: 3, size: 15, kernel: 3, dilation: 3, stride: 2, padding: 1 },
  'three groups': { batch: 2, inChannels: 6, outChannels: 9, size: 7, kernel: 3, padding: 1, groups: 3 },
  'groups of one output': { batch: 2, inChannels: 6, outChannels: 3, size: 7, kernel: 3, padding: 1, groups: 3 },
  depthwise: { batch: 2, inChannels: 17, outChannels: 17, size: [9, 11], kernel: 3, padding: 1, groups: 17 },
  'depthwise stride 2': {
    batch: 1,
    inChannels: 8,
    outChannels: 8,
    size: 15,
    kernel: 3,
    padding: 1,
    stride: 2,
    groups: 8,
  },
  'depthwise 5x5 dilation 2': {
    inChannels: 5,
    outChannels: 5,
    size: [14, 33],
    kernel: 5,
    padding: 4,
    dilation: 2,
    groups: 5,
  },
  'depthwise of large planes': { inChannels: 2, outChannels: 2, size: [39, 75], kernel: 3, padding: 1, groups: 2 },
  'depthwise 7x7 strides 2 and 3, dilations 3 and 2': {
    inChannels: 2,
    outChannels: 2,
    size: [45, 52],
    kernel: 7,
    stride: [2, 3],
    dilation: [3, 2],
    padding: [9, 6, 5, 4],
    groups: 2,
  },
  'depthwise 5x3 stride 4, above the image': {
    batch: 2,
    inChannels: 3,
    outChannels: 3,
    size: [3, 4],
    kernel: [5, 3],
    stride: [4, 2],
    padding: 4,
    groups: 3,
  },
  'depthwise with two outputs per channel': {
    batch: 2,
    inChannels: 4,
    outChannels: 8,
    size: 8,
    kernel: 3,
    groups: 4,
  },
  'a kernel that covers the image': { batch: 3, inChannels: 16, outChannels: 12, size: 5, kernel: 5 },
  'a single row (conv1d)': {
    batch: 2,
    inChannels: 3,
    outChannels: 4,
    size: [1, 40],
    kernel: [1, 3],
    padding: [0, 1, 0, 1],
  },
  'an image of one column': { inChannels: 2, outChannels: 3, size: [9, 1], kernel: 3, padding: 1 },
  'wide rows': { inChannels: 1, outChannels: 3, size: [3, 130], kernel: 3, padding: 1 },
  '3x3 of 100 to 30 channels': {
    inChannels: 100,
    outChannels: 30,
    size: [9, 31],
    kernel: 3,
    padding: 1,
    algorithm: 'direct',
  },
  '3x3 of 30 to 64 channels, in several tasks': {
    inChannels: 30,
    outChannels: 64,
    size: [23, 29],
    kernel: 3,
    padding: 1,
    algorithm: 'direct',
  },
  '3x3 of 96 to 160 channels, in several tasks': {
    inChannels: 96,
    outChannels: 160,
    size: 7,
    kernel: 3,
    padding: 1,
    algorithm: 'direct',
  },
  '3x3 stride 2 of 31 to 33 channels': {
    batch: 2,
    inChannels: 31,
    outChannels: 33,
    size: [15, 18],
    kernel: 3,
    padding: 1,
    stride: 2,
  },
  '5x5 strides 4 and 3 of 12 to 47 channels': {
    inChannels: 12,
    outChannels: 47,
    size: [21, 38],
    kernel: 5,
    padding: [1, 2, 3, 0],
    stride: [4, 3],
  },
  '1x1 stride 2 of 48 to 33 channels': { inChannels: 48, outChannels: 33, size: [9, 12], kernel: 1, stride: 2 },
  'dilation 3, stride 2 of 16 to 14 channels': {
    inChannels: 16,
    outChannels: 14,
    size: [17, 20],
    kernel: [3, 2],
    dilation: [3, 2],
    stride: [2, 4],
    padding: 3,
  },
  'stride above kernel, of 16 to 16 channels': {
    inChannels: 16,
    outChannels: 16,
    size: [11, 13],
    kernel: 2,
    stride: 3,
  },
  'two groups of 12 to 31 channels': {
    batch: 2,
    inChannels: 24,
    outChannels: 62,
    size: [8, 5],
    kernel: 3,
    padding: 1,
    groups: 2,
  },
  '3x3 of 64 to 70 channels': { inChannels: 64, outChannels: 70, size: 13, kernel: 3, padding: 1 },
  '3x3 of 8 to 33 channels over many positions': {
    batch: 3,
    inChannels: 8,
    outChannels: 33,
    size: [19, 33],
    kernel: 3,
    padding: 1,
  },
  '3x3 of 20 to 17 channels of small images': {
    batch: 13,
    inChannels: 20,
    outChannels: 17,
    size: 7,
    kernel: 3,
    padding: 1,
  },
  '5x5 stride 2 of 10 to 49 channels': {
    batch: 2,
    inChannels: 10,
    outChannels: 49,
    size: [21, 34],
    kernel: 5,
    stride: 2,
    padding: [2, 1, 2, 3],
  },
  '1x1 of 20 to 40 channels of small images': { batch: 9, inChannels: 20, outChannels: 40, size: 7, kernel: 1 },
  '5x5 of 3 to 2 channels, 29 columns': {
    batch: 2,
    inChannels: 3,
    outChannels: 2,
    size: [19, 29],
    kernel: 5,
    padding: 2,
  },
  '3x3 of 2 to 3 channels, 33 columns': {
    batch: 2,
    inChannels: 2,
    outChannels: 3,
    size: [16, 33],
    kernel: 3,
    padding: 1,
    algorithm: 'direct',
  },
  '5x3 window of 4 to 3 channels': {
    inChannels: 4,
    outChannels: 3,
    size: [13, 20],
    kernel: [5, 3],
    padding: [2, 0, 1, 2],
  },
  '7x7 stride 2 of 3 to 20 channels': {
    batch: 2,
    inChannels: 3,
    outChannels: 20,
    size: [37, 70],
    kernel: 7,
    padding: 3,
    stride: 2,
  },
  'an empty batch': { batch: 0, inChannels: 2, outChannels: 3, size: 5, kernel: 3 },
  'no input channels': { batch: 1, inChannels: 0, outChannels: 3, size: 5, kernel: 3 },
  'no output channels': { batch: 1, inChannels: 2, outChannels: 0, size: 5, kernel: 3 },
  'no output': { batch: 1, inChannels: 2, outChannels: 3, size: 2, kernel: 3 },
};

/** Mostly ones, so that NaN and infinity reach only what they should. */
const rare = [...new Array(150).fill(1), Number.NaN, ...new Array(97).fill(0.5), Infinity, ...new Array(80).fill(-2)];
/** As rare, but met by every geometry: also where only some taps reach into the padding. */
const infinite = [...new Array(13).fill(1), Infinity, ...new Array(17).fill(0.5), Number.NaN, -2, -2, -2, -Infinity];

function casesOf(name: string, geometry: Geometry, seed: number): AnyCase[] {
  const shape = convolution(geometry);
  const taps = shape.groupChannels * shape.kernelHeight * shape.kernelWidth;
  const outputs = shape.batch * shape.outHeight * shape.outWidth;
  const reach = (shape.outChannels / shape.groups) * shape.kernelHeight * shape.kernelWidth;
  const forward = { kernel: 'conv2d', tolerance: sumOf(taps + 1), seed } as const;
  const back = { kernel: 'conv2dBackwardInput', shape, tolerance: sumOf(reach), seed } as const;
  const backWeight = { kernel: 'conv2dBackwardWeight', shape, tolerance: sumOf(outputs), seed } as const;
  const computes = `computes ${name}`;
  const multiplies = `multiplies padding by infinity and NaN: ${name}`;
  return [
    { ...forward, name: computes, shape: { ...shape, activation: 0 }, without: ['bias'] },
    { ...forward, name: `computes ${name} with bias and ReLU`, shape: { ...shape, activation: 1 } },
    { ...forward, name: multiplies, shape: { ...shape, activation: 0 }, fills: { weight: infinite } },
    { ...back, name: computes },
    { ...back, name: multiplies, fills: { weight: infinite } },
    { ...back, name: `spreads infinity and NaN: ${name}`, fills: { gradY: infinite } },
    { ...backWeight, name: computes },
    { ...backWeight, name: multiplies, fills: { gradY: infinite } },
  ];
}

/** So much of y that it is written past the caches, in rows that no vector divides. */
const large = { inChannels: 33, outChannels: 33, size: [255, 253], groups: 33 } as const;
const small = convolution({ batch: 2, inChannels: 3, outChannels: 5, size: [9, 10], kernel: 3, padding: 1 });
const deep = convolution({ inChannels: 6, outChannels: 6, size: 9, kernel: 3, padding: 1, groups: 6 });
export const cases: readonly AnyCase[] = [
  ...Object.entries(geometries).flatMap(([name, geometry], i) => casesOf(name, geometry, i)),
  {
    name: 'computes a large depthwise 3x3 with bias and ReLU',
    kernel: 'conv2d',
    shape: { ...convolution({ ...large, kernel: 3, padding: 1 }), activation: 1 },
    tolerance: sumOf(10),
    seed: 5,
  },
  {
    name: 'leaves the gradient of the bias out',
    kernel: 'conv2dBackwardWeight',
    shape: small,
    tolerance: sumOf(180),
    seed: 1,
    without: ['gradBias'],
  },
  ...[small, deep].flatMap((shape): AnyCase[] => {
    const what = shape.groups > 1 ? 'depthwise' : 'plain';
    const common = { tolerance: sumOf(180), seed: 2 };
    return [
      {
        name: `(${what}) adds a bias without activation`,
        kernel: 'conv2d',
        shape: { ...shape, activation: 0 },
        ...common,
      },
      {
        name: `(${what}) applies ReLU without bias`,
        kernel: 'conv2d',
        shape: { ...shape, activation: 1 },
        without: ['bias'],
        ...common,
      },
      {
        name: `(${what}) spreads NaN and infinity under the kernel only`,
        kernel: 'conv2d',
        shape: { ...shape, activation: 1 },
        fills: { x: rare, weight: 'positive' },
        ...common,
      },
      {
        name: `(${what}) takes huge numbers`,
        kernel: 'conv2d',
        shape: { ...shape, activation: 0 },
        fills: { x: 'huge', weight: 'huge', bias: 'huge' },
        ...common,
      },
      {
        name: `(${what}) takes tiny numbers`,
        kernel: 'conv2d',
        shape: { ...shape, activation: 0 },
        fills: { x: 'tiny', weight: 'tiny', bias: 'tiny' },
        ...common,
      },
      {
        name: `(${what}) takes huge gradients`,
        kernel: 'conv2dBackwardInput',
        shape,
        fills: { gradY: 'huge', weight: 'huge' },
        ...common,
      },
      {
        name: `(${what}) spreads NaN over the weights it meets`,
        kernel: 'conv2dBackwardWeight',
        shape,
        fills: { gradY: [1, ...new Array(2000).fill(0.5), Number.NaN] },
        ...common,
      },
      {
        name: `(${what}) spreads NaN over the inputs it came from`,
        kernel: 'conv2dBackwardInput',
        shape,
        fills: { gradY: rare, weight: 'positive' },
        ...common,
      },
    ];
  }),
];
