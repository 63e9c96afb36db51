// Convolution layers of well-known nets: forward, gradient of the input, gradient of the weight; batch 1 and 32.
import { bytes, type Row } from './row.ts';

interface Layer {
  readonly channels: readonly [number, number];
  readonly size: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly groups?: number;
}

/** The layers by name. */
export const layers: Readonly<Record<string, Layer>> = {
  'lenet1 1>6 5x5 p2 28': { channels: [1, 6], size: 28, kernel: 5, pad: 2 },
  'lenet2 6>16 5x5 14': { channels: [6, 16], size: 14, kernel: 5 },
  'alex1 3>64 11x11 s4 p2 224': { channels: [3, 64], size: 224, kernel: 11, stride: 4, pad: 2 },
  'alex2 64>192 5x5 p2 27': { channels: [64, 192], size: 27, kernel: 5, pad: 2 },
  'stem 3>64 7x7 s2 p3 224': { channels: [3, 64], size: 224, kernel: 7, stride: 2, pad: 3 },
  'res 64>64 3x3 p1 56': { channels: [64, 64], size: 56, kernel: 3, pad: 1 },
  'res 256>64 1x1 56': { channels: [256, 64], size: 56, kernel: 1 },
  'res 128>128 3x3 s2 p1 56': { channels: [128, 128], size: 56, kernel: 3, stride: 2, pad: 1 },
  'vgg 64>64 3x3 p1 224': { channels: [64, 64], size: 224, kernel: 3, pad: 1 },
  'vgg 256>256 3x3 p1 56': { channels: [256, 256], size: 56, kernel: 3, pad: 1 },
  'vgg 512>512 3x3 p1 14': { channels: [512, 512], size: 14, kernel: 3, pad: 1 },
  'depthwise 32>32 3x3 p1 112': { channels: [32, 32], size: 112, kernel: 3, pad: 1, groups: 32 },
};

const passes = { forward: 'conv2d', 'grad-input': 'conv2dBackwardInput', 'grad-weight': 'conv2dBackwardWeight' };

/** The fields of the list for a layer at a batch size. */
export function convShape({ channels, size, kernel, stride = 1, pad = 0, groups = 1 }: Layer, batch: number) {
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  return {
    batch,
    inChannels: channels[0],
    height: size,
    width: size,
    outChannels: channels[1],
    groupChannels: channels[0] / groups,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    padTop: pad,
    padLeft: pad,
    dilationHeight: 1,
    dilationWidth: 1,
    groups,
    outHeight: out,
    outWidth: out,
  };
}

const layerRows: readonly Row[] = Object.entries(layers).flatMap(([name, layer]) =>
  [1, 32].flatMap((batch) =>
    Object.entries(passes).map(([pass, op]): Row => {
      const shape = convShape(layer, batch);
      const x = batch * shape.inChannels * shape.height * shape.width;
      const y = batch * shape.outChannels * shape.outHeight * shape.outWidth;
      const window = shape.groupChannels * shape.kernelHeight * shape.kernelWidth;
      const weight = shape.outChannels * window;
      return {
        family: 'conv2d',
        name: `${name} b${batch} ${pass}`,
        call: {
          op,
          ...shape,
          algorithm: 0,
          activation: 0,
          // Every side lays the weights out once, as a net that only answers can.
          packed: Number(op !== 'conv2dBackwardWeight'),
          with: { conv2d: 'bias', conv2dBackwardWeight: 'gradBias' }[op] ?? '',
        },
        // A depthwise layer does too little with each number for its arithmetic to be the limit.
        flops: shape.groups > 1 ? 0 : 2 * y * window,
        reads: bytes(...{ forward: [x, weight], 'grad-input': [y, weight], 'grad-weight': [x, y] }[pass]!),
        writes: bytes({ forward: y, 'grad-input': x, 'grad-weight': weight }[pass]!),
      };
    }),
  ),
);

/** Where weights change with every step, they are laid out at every call. */
const unpacked = ['lenet2 6>16 5x5 14 b32', 'res 64>64 3x3 p1 56 b32', 'vgg 512>512 3x3 p1 14 b1'];

export const conv2d: readonly Row[] = [
  ...layerRows,
  ...layerRows
    .filter((row) => row.call.packed === 1 && unpacked.some((name) => row.name.startsWith(`${name} `)))
    .map((row) => ({ ...row, name: `${row.name} unpacked`, call: { ...row.call, packed: 0 } })),
];
