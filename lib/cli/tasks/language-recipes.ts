// How language models are made and trained unless the command line says otherwise; chosen on a part of the training text.
import type { TextLevel } from '../../data/index.ts';
import type { LanguageModelOptions } from '../../models/index.ts';
import type { TaskRecipe } from './task.ts';

/** Sizes of the model, how it is trained, and how the text is cut. */
export interface LanguageRecipe extends TaskRecipe {
  readonly model: Required<Omit<LanguageModelOptions, 'generator'>>;
  /** Rarer tokens are unknown ones. */
  readonly minCount: number;
  /** Parts of the text, or lines, side by side. */
  readonly rows: number;
  /** Tokens of a window; lines are never cut. */
  readonly steps: number;
}

/** Up for a tenth of the steps, then down to nothing (Smith and Topin 2019). */
const rising = (maxLr: number) => ({ name: 'oneCycle', maxLr, pctStart: 0.1, cycleMomentum: false }) as const;
const adam = { name: 'adam', betas: [0.9, 0.99] } as const;

export const languageRecipes: Readonly<Record<TextLevel, LanguageRecipe>> = {
  char: {
    model: {
      embeddingSize: 64,
      hiddenSize: 512,
      numLayers: 1,
      cell: 'lstm',
      dropout: 0.5,
      inputDropout: 0.1,
      tied: false,
    },
    optimizer: adam,
    schedule: rising(3e-3),
    epochs: 10,
    clipNorm: 1,
    minCount: 1,
    rows: 32,
    steps: 64,
  },
  word: {
    model: {
      embeddingSize: 256,
      hiddenSize: 256,
      numLayers: 1,
      cell: 'lstm',
      dropout: 0.5,
      inputDropout: 0.4,
      tied: true,
    },
    optimizer: adam,
    schedule: rising(3e-3),
    epochs: 15,
    clipNorm: 0.5,
    minCount: 2,
    rows: 20,
    steps: 35,
  },
  line: {
    model: {
      embeddingSize: 32,
      hiddenSize: 192,
      numLayers: 1,
      cell: 'lstm',
      dropout: 0.3,
      inputDropout: 0,
      tied: false,
    },
    optimizer: adam,
    schedule: rising(5e-3),
    epochs: 10,
    clipNorm: 1,
    minCount: 1,
    rows: 64,
    steps: 1,
  },
};
