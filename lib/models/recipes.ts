// How each model is trained unless the caller says otherwise.
import type { Recipe } from './definition.ts';

/** Small rotations, shifts, sizes and slants, as between two people's digits. */
const handwriting = { affine: { degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1], shear: 5 } } as const;

export const recipes = {
  lenet5: {
    optimizer: { name: 'adam', lr: 2e-3 },
    schedule: { name: 'oneCycle', maxLr: 4e-3, pctStart: 0.2 },
    batchSize: 64,
    epochs: 12,
    augmentation: handwriting,
  },
  'lenet5-1998': {
    optimizer: { name: 'adam', lr: 2e-3 },
    schedule: { name: 'oneCycle', maxLr: 4e-3, pctStart: 0.2 },
    batchSize: 64,
    epochs: 12,
    augmentation: handwriting,
  },
} as const satisfies Record<string, Recipe>;
