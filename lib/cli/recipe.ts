// From a model's recipe, which is data, to what a training run needs.
import { elastic, normalize, randomAffine, randomCrop, randomHorizontalFlip, type Transform } from '../data/index.ts';
import type { Preprocessing } from '../io/index.ts';
import type { Augmentation } from '../models/index.ts';

/** The last step of preparing pictures: (x - mean) / std. */
export function normalization(preprocessing: Preprocessing | undefined): Transform[] {
  return preprocessing ? [normalize(preprocessing.mean, preprocessing.std)] : [];
}

/** Random changes of pictures [channels, height, width] with values 0..1, in the order of the recipe. */
export function augmentations(augmentation: Augmentation): Transform[] {
  const transforms: Transform[] = [];
  if (augmentation.affine) transforms.push(randomAffine(augmentation.affine));
  if (augmentation.elastic) transforms.push(elastic(augmentation.elastic));
  if (augmentation.cropPadding) transforms.push(randomCrop(augmentation.cropPadding));
  if (augmentation.horizontalFlip) transforms.push(randomHorizontalFlip());
  return transforms;
}
