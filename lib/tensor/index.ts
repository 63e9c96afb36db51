// Public names of tensors, operations and autograd.
export { isGradEnabled, noGrad } from './autograd.ts';
export * from './create.ts';
export { type CustomContext, type CustomOp, customOp } from './custom.ts';
export { type Complaint, DataError, DisposedError, FoveaError, RecordingError, ShapeError } from './errors.ts';
export { defaultGenerator, Generator, type GeneratorState, manualSeed } from './generator.ts';
export { type GradcheckOptions, gradcheck } from './gradcheck.ts';
export {
  abs,
  clamp,
  elu,
  exp,
  gelu,
  leakyRelu,
  log,
  neg,
  relu,
  sigmoid,
  silu,
  softplus,
  sqrt,
  tanh,
} from './ops/activation.ts';
export { type ConvOptions, type ConvOptions1d, conv1d, conv2d } from './ops/conv2d.ts';
export { type CrfOptions, crf, crfDecode, crfLogPartition, crfMarginals } from './ops/crf.ts';
export { add, div, equal, less, maximum, minimum, mul, type Operand, pow, square, sub } from './ops/elementwise.ts';
export { type EmbeddingOptions, embedding, type Indices, indexSelect, pick } from './ops/gather.ts';
export * from './ops/loss.ts';
export { linear, matmul } from './ops/matmul.ts';
export {
  clone,
  concat,
  expand,
  flatten,
  pad,
  permute,
  type Range,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  to,
  transpose,
  unsqueeze,
} from './ops/movement.ts';
export { type BatchNormOptions, batchNorm, type LayerNormOptions, layerNorm } from './ops/normalize.ts';
export { type AvgPoolOptions, adaptiveAvgPool2d, avgPool2d, maxPool2d, type PoolOptions } from './ops/pool2d.ts';
export { type DropoutOptions, dropout } from './ops/random.ts';
export {
  gatesOf,
  type RecurrentCell,
  type RecurrentOptions,
  type RecurrentResult,
  type RecurrentWeights,
  recurrent,
} from './ops/recurrent.ts';
export { type Axes, argmax, argmin, max, mean, min, sum, sumSquares } from './ops/reduce.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export type { Nested } from './print.ts';
export type { Pair } from './shape.ts';
export { gradientValues, SparseGradient } from './sparse.ts';
export { type Data, type Dtype, type Shape, Tensor, type TensorMethods } from './tensor.ts';
