// Cases of 3 x 3 convolutions forced to Winograd's algorithm, forward and backward.
import type { AnyCase, Tolerance } from '../case.ts';
import { convolution, type Geometry } from '../geometry.ts';

/** Around the sizes of tiles (4 outputs), of register tiles and of blocks of tiles and channels. */
const geometries: Readonly<Record<string, Omit<Geometry, 'kernel' | 'algorithm'>>> = {
  'one output': { inChannels: 1, outChannels: 1, size: 3 },
  'one pixel in its padding': { inChannels: 2, outChannels: 3, size: 1, padding: 1 },
  'a tile': { inChannels: 4, outChannels: 4, size: 6 },
  'a tile and a row and column more': { inChannels: 5, outChannels: 7, size: 5, padding: 1 },
  'three by two outputs': { inChannels: 3, outChannels: 2, size: [5, 4] },
  '15 > 17 channels': { batch: 2, inChannels: 15, outChannels: 17, size: [9, 14], padding: 1 },
  '16 > 32 channels': { inChannels: 16, outChannels: 32, size: [14, 8], padding: 1 },
  '33 > 31 channels, no padding': { inChannels: 33, outChannels: 31, size: [7, 11] },
  '65 > 49 channels': { batch: 2, inChannels: 65, outChannels: 49, size: 5, padding: 1 },
  '3 > 130 channels': { inChannels: 3, outChannels: 130, size: 10, padding: 1 },
  '130 > 3 channels': { inChannels: 130, outChannels: 3, size: 10, padding: 1 },
  'padding 2': { batch: 2, inChannels: 8, outChannels: 9, size: [6, 7], padding: 2 },
  'padding of each side its own': { inChannels: 4, outChannels: 6, size: [9, 8], padding: [2, 0, 1, 3] },
  'padding above the window': { inChannels: 2, outChannels: 3, size: [4, 5], padding: [5, 7, 4, 6] },
  'a row': { inChannels: 6, outChannels: 5, size: [1, 130], padding: 1 },
  'a column': { inChannels: 6, outChannels: 5, size: [130, 1], padding: 1 },
  'rows of 61 and more columns': { inChannels: 2, outChannels: 3, size: [6, 125], padding: 1 },
  'many images of one tile': { batch: 40, inChannels: 9, outChannels: 10, size: 4, padding: 1 },
  'blocks of tiles': { inChannels: 12, outChannels: 5, size: [45, 50], padding: 1 },
  'an empty batch': { batch: 0, inChannels: 2, outChannels: 3, size: 5 },
  'no input channels': { inChannels: 0, outChannels: 3, size: 5 },
  'no output channels': { inChannels: 2, outChannels: 0, size: 5 },
};

/**
 * Sums of k terms by Winograd's algorithm: its errors come from all that a tile holds, also where an output has few or
 * small terms; hence the part that is absolute, for normal inputs.
 */
const near = (k: number): Tolerance => ({ ulps: 1, terms: 16, absolute: 6e-6 * Math.sqrt(k) });

function casesOf([name, geometry]: [string, (typeof geometries)[string]], index: number): AnyCase[] {
  const shape = convolution({ ...geometry, kernel: 3, algorithm: 'winograd' });
  const seed = 100 + index;
  const sentence = `computes by Winograd: ${name}`;
  const forward = { kernel: 'conv2d', tolerance: near(shape.inChannels * 9), seed } as const;
  const outputs = shape.batch * shape.outHeight * shape.outWidth;
  return [
    { ...forward, name: sentence, shape: { ...shape, activation: 0 }, without: ['bias'] },
    { ...forward, name: `${sentence}, with bias and ReLU`, shape: { ...shape, activation: 1 } },
    {
      kernel: 'conv2dBackwardInput',
      name: sentence,
      shape,
      tolerance: near(shape.outChannels * 9),
      seed,
    },
    { kernel: 'conv2dBackwardWeight', name: sentence, shape, tolerance: near(outputs), seed },
  ];
}

export const cases: readonly AnyCase[] = Object.entries(geometries).flatMap(casesOf);
