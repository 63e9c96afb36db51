// From a model's recipe, which is data, to what a training run needs.
import {
  elastic,
  normalize,
  randomAffine,
  randomCrop,
  randomHorizontalFlip,
  type Transform,
} from '../../data/index.ts';
import type { Preprocessing } from '../../io/index.ts';
import type { Augmentation } from '../../models/index.ts';

/** The last step of preparing pictures: (x - mean) / std. */
export function normalization(preprocessing: Preprocessing | undefined): Transform[] {
  return preprocessing ? [normalize(preprocessing.mean, preprocessing.std)] : [];
}

/** Random changes of pictures of this size with values 0..1, in the order of the recipe. */
export function augmentations(
  { affine, elastic: distortion, cropPadding, horizontalFlip }: Augmentation,
  size: Preprocessing['size'],
): Transform[] {
  const transforms: Transform[] = [];
  if (affine) transforms.push(randomAffine(affine));
  if (distortion) transforms.push(elastic(distortion));
  if (cropPadding) transforms.push(randomCrop(size, { padding: cropPadding }));
  if (horizontalFlip) transforms.push(randomHorizontalFlip());
  return transforms;
}
