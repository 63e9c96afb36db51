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
export { ArrayDataset, type ArrayOptions, type Batch, type Dataset, type Indices, split, subset } from './dataset.ts';
export { builtinDigits, type DigitOptions } from './digits.ts';
export { type Idx, type IdxOptions, loadMnist, type MnistOptions, readIdx } from './idx.ts';
export { DataLoader, type LoaderOptions, type LoaderState } from './loader.ts';
