// What a model is besides its layers: what it expects of pictures, and how it is best trained.
import type { Preprocessing } from '../io/index.ts';
import type { Module } from '../nn/index.ts';
import type { OptimizerSpec, ScheduleSpec } from '../optim/index.ts';
import type { Generator } from '../tensor/index.ts';

/** Random changes of training pictures; each left out does nothing. */
export interface Augmentation {
  readonly affine?: {
    /** Largest rotation. */
    readonly degrees?: number;
    /** Largest shift, as shares of width and height. */
    readonly translate?: readonly [number, number];
    readonly scale?: readonly [number, number];
    /** Largest slant in degrees. */
    readonly shear?: number;
  };
  readonly elastic?: { readonly alpha: number; readonly sigma: number };
  readonly horizontalFlip?: boolean;
  /** Random crop from the picture with so many pixels of zeros around. */
  readonly cropPadding?: number;
}

/** How to train a model, as data. */
export interface Recipe {
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  readonly batchSize: number;
  readonly epochs: number;
  readonly augmentation: Augmentation;
  readonly labelSmoothing?: number;
  /** Largest length of the gradient. */
  readonly clipNorm?: number;
}

export interface ModelOptions {
  /** Number of outputs. */
  readonly classes?: number;
  /** Source of the initial weights. */
  readonly generator?: Generator | undefined;
}

export interface ModelDefinition {
  /** Name in the registry; with `options` it makes the model again. */
  readonly architecture: string;
  /** Plain JSON. */
  readonly options: { readonly classes: number };
  readonly model: Module;
  /** Of one example: [channels, height, width]. */
  readonly inputShape: readonly number[];
  readonly preprocessing: Preprocessing;
  /** Names of the outputs. */
  readonly classes: readonly string[];
  readonly recipe: Recipe;
}
