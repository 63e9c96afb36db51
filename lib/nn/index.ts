// Public names of layers, losses and initial values.
export {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  huberLoss,
  l1Loss,
  mseLoss,
  nllLoss,
} from '../tensor/index.ts';
export * from './activation.ts';
export type { Padding } from './check.ts';
export { Conv1d, type Conv1dOptions } from './conv1d.ts';
export { Conv2d, type Conv2dOptions } from './conv2d.ts';
export { CRF, type CRFOptions, type DecodedTags, type ForbiddenTags, forbiddenInBio } from './crf.ts';
export { Dropout } from './dropout.ts';
export { Embedding } from './embedding.ts';
export * as init from './init.ts';
export { Linear, type LinearOptions } from './linear.ts';
export * from './loss.ts';
export { Module, type StateDict } from './module.ts';
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormOptions,
  LayerNorm,
  type LayerNormOptions,
} from './normalize.ts';
export { type PaddedSequences, type PadOptions, padSequences, unpadSequences } from './pad-sequences.ts';
export * from './pool2d.ts';
export * from './recurrent.ts';
export { type CellOptions, type CellState, GRUCell, LSTMCell, RNNCell } from './recurrent-cell.ts';
export { ConstantPad2d, Flatten, Identity, Sequential } from './sequential.ts';
export { type Summary, type SummaryRow, summary } from './summary.ts';
export { TableConv2d } from './table-conv2d.ts';
