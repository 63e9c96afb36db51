// What a run leaves behind in numbers: one row per epoch.

/** One epoch's numbers by name: `loss`, the metrics, `validationLoss`, `validationAccuracy`, `learningRate`, … */
export interface EpochRow {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss over the epoch's samples. */
  readonly loss: number;
  readonly learningRate: number;
  /** Wall time. Not kept in checkpoints, so that equal runs leave equal files. */
  readonly seconds?: number;
  /** Training samples per second, validation and checkpoints not counted. Not kept in checkpoints. */
  readonly perSecond?: number;
  /** A metric; undefined is one that was not measured. */
  readonly [metric: string]: number | undefined;
}
