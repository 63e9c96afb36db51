// Public names of data sets, loaders, transforms and images. Nothing here loads sharp before an image is read.
export {
  type AffineOptions,
  elastic,
  type ImageFunction,
  mapImages,
  normalize,
  randomAffine,
  randomCrop,
  randomHorizontalFlip,
  type Transform,
} from './augment.ts';
export type { Batches, LoaderState } from './batches.ts';
export { type CountingLosses, countingLosses } from './bigrams.ts';
export {
  ArrayDataset,
  type ArrayOptions,
  type Batch,
  type Dataset,
  type Indices,
  type Samples,
  split,
  subset,
} from './dataset.ts';
export { builtinDigits, type DigitOptions } from './digits.ts';
export { type Idx, type IdxOptions, loadMnist, type MnistOptions, readIdx } from './idx.ts';
export { type ImageOptions, loadImage, loadModelInput, saveImage } from './image.ts';
export { type FolderOptions, ImageFolder, imageFolder } from './image-folder.ts';
export { DataLoader, type LoaderOptions } from './loader.ts';
export { type InputOptions, toModelInput } from './model-input.ts';
export { type StreamBatch, StreamLoader, type StreamOptions } from './stream.ts';
export { readLines, readText } from './text-file.ts';
export { lineEnd, spaceBetween, type TextLevel, textLevels, tokenize } from './tokens.ts';
export * from './word-vectors/index.ts';
