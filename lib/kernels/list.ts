// THE LIST: every kernel's shape record and buffers. `native/kernels/list.h` is the same list in C++; a test compares them.
//
// A kernel call is a name, a shape (integers, then float constants) and dense row-major buffers. A buffer's length is the
// product of the shape fields and numbers it names. Everything a backend, a recorder or a planner must know of a kernel is
// here, in list-recurrent.ts or list-crf.ts, and in spec.ts: the words for buffers, and shapes that several kernels share.

import { crfKernels } from './list-crf.ts';
import { recurrentKernels } from './list-recurrent.ts';
// biome-ignore format: many names a line
import {
  binary, conv2dShape, convWeight, convX, convY, indices, type KernelSpec, maybe, over, packs, pool2dShape, poolX, poolY,
  read, reduce, reduceToIndex, seed, softmaxLike, softmaxLikeBackward, unary, unaryBackward, update, withConstants, write,
  writeIndices,
} from './spec.ts';

export const kernels = {
  // elementwise.h
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  pow: binary,
  maximum: binary,
  minimum: binary,
  equal: binary, // 1 or 0
  less: binary, // 1 where a < b

  // activation.h: y from x; the gradient from what `savedBy` says
  neg: unary,
  abs: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  relu: unary,
  leakyRelu: withConstants(unary, ['slope']),
  elu: withConstants(unary, ['alpha']),
  sigmoid: unary,
  tanh: unary,
  gelu: unary, // x Phi(x), by erf
  silu: unary,
  softplus: unary,
  clamp: withConstants(unary, ['low', 'high']),
  affine: withConstants(unary, ['scale', 'shift']), // scale x + shift
  absBackward: unaryBackward,
  logBackward: unaryBackward,
  geluBackward: unaryBackward,
  siluBackward: unaryBackward,
  softplusBackward: unaryBackward,
  clampBackward: withConstants(unaryBackward, ['low', 'high']),
  expBackward: unaryBackward,
  sqrtBackward: unaryBackward,
  reluBackward: unaryBackward,
  leakyReluBackward: withConstants(unaryBackward, ['slope']),
  eluBackward: withConstants(unaryBackward, ['alpha']),
  sigmoidBackward: unaryBackward,
  tanhBackward: unaryBackward,

  // reduce.h
  sum: reduce,
  mean: reduce,
  max: reduce,
  min: reduce,
  sumSquares: reduce,
  argmax: reduceToIndex, // the first of equals; NaN counts as the largest
  argmin: reduceToIndex,

  // gemm.h: y[m,n] = (accumulate ? y : 0) + op(a) op(b) + bias[n], then the activation (0 none, 1 ReLU)
  // aBatch and bBatch are 1 (repeated) or batch. transposeA: a is [k, m]; transposeB: b is [n, k].
  matmul: {
    shape: ['batch', 'aBatch', 'bBatch', 'm', 'n', 'k', 'transposeA', 'transposeB', 'accumulate', 'activation'],
    constants: [],
    buffers: { a: read('aBatch m k'), b: packs(read('bBatch k n')), bias: maybe(read('n')), y: update('batch m n') },
  },

  // conv2d.h: cross-correlation, as every deep-learning library defines it; activation as in matmul. Padding is zeros
  // that are multiplied like any x: by an infinite weight they give NaN.
  conv2d: {
    shape: [...conv2dShape, 'activation'],
    constants: [],
    buffers: { x: read(convX), weight: packs(read(convWeight)), bias: maybe(read('outChannels')), y: write(convY) },
  },
  // conv2d-backward.h: gradX is a correlation of gradY, padded with zeros likewise, with the turned weights;
  // gradBias is the plain sum of gradY over images and positions
  conv2dBackwardInput: {
    shape: conv2dShape,
    constants: [],
    buffers: { weight: packs(read(convWeight)), gradY: read(convY), gradX: write(convX) },
  },
  conv2dBackwardWeight: {
    shape: conv2dShape,
    constants: [],
    buffers: {
      x: read(convX),
      gradY: read(convY),
      gradWeight: write(convWeight),
      gradBias: maybe(write('outChannels')),
    },
  },

  // pool2d.h
  maxPool2d: {
    shape: pool2dShape,
    constants: [],
    // indices are positions within the plane of x, the first of equals; NaN counts as the largest
    buffers: { x: read(poolX), y: write(poolY), indices: maybe(writeIndices(poolY)) },
  },
  maxPool2dBackward: {
    shape: pool2dShape,
    constants: [],
    buffers: { gradY: read(poolY), indices: indices(poolY, 'height width'), gradX: write(poolX) },
  },
  // divisor: window area with padding (countPadding 1) or only the elements of x in it (0)
  avgPool2d: {
    shape: [...pool2dShape, 'countPadding', 'padBottom', 'padRight'],
    constants: [],
    buffers: { x: read(poolX), y: write(poolY) },
  },
  avgPool2dBackward: {
    shape: [...pool2dShape, 'countPadding', 'padBottom', 'padRight'],
    constants: [],
    buffers: { gradY: read(poolY), gradX: write(poolX) },
  },
  // window of output i: floor(i h / oh) up to ceil((i + 1) h / oh), as in PyTorch
  adaptiveAvgPool2d: {
    shape: ['planes', 'height', 'width', 'outHeight', 'outWidth'],
    constants: [],
    buffers: { x: read(poolX), y: write(poolY) },
  },
  adaptiveAvgPool2dBackward: {
    shape: ['planes', 'height', 'width', 'outHeight', 'outWidth'],
    constants: [],
    buffers: { gradY: read(poolY), gradX: write(poolX) },
  },

  // softmax.h: over the middle dimension
  softmax: softmaxLike,
  logSoftmax: softmaxLike,
  softmaxBackward: softmaxLikeBackward,
  logSoftmaxBackward: softmaxLikeBackward,
  // losses[i] = -sum_c q[c] log p[i,c] weight[c], q = (1 - smoothing) onehot + smoothing / classes, as in PyTorch;
  // rowWeights[i] = weight[target[i]]; both 0 where target is ignoreIndex
  crossEntropy: {
    shape: ['rows', 'classes', 'ignoreIndex'],
    constants: ['smoothing'],
    buffers: {
      x: read('rows classes'),
      target: { ...indices('rows', 'classes'), except: 'ignoreIndex' },
      weight: maybe(read('classes')),
      losses: write('rows'),
      rowWeights: write('rows'),
      probabilities: write('rows classes'),
    },
  },
  crossEntropyBackward: {
    shape: ['rows', 'classes', 'ignoreIndex'],
    constants: ['smoothing'],
    buffers: {
      probabilities: read('rows classes'),
      target: { ...indices('rows', 'classes'), except: 'ignoreIndex' },
      weight: maybe(read('classes')),
      gradLosses: read('rows'),
      gradX: over('rows classes', 'probabilities'),
    },
  },

  // normalize.h: variance is biased for y and unbiased for the running estimate, as in PyTorch
  batchNorm: {
    shape: ['batch', 'channels', 'inner'],
    constants: ['momentum', 'eps'],
    buffers: {
      x: read('batch channels inner'),
      weight: maybe(read('channels')),
      bias: maybe(read('channels')),
      runningMean: maybe(update('channels')),
      runningVar: maybe(update('channels')),
      y: write('batch channels inner'),
      mean: write('channels'),
      inverseStd: write('channels'),
    },
  },
  batchNormInference: {
    shape: ['batch', 'channels', 'inner'],
    constants: ['eps'],
    buffers: {
      x: read('batch channels inner'),
      mean: read('channels'),
      variance: read('channels'),
      weight: maybe(read('channels')),
      bias: maybe(read('channels')),
      y: over('batch channels inner', 'x'),
    },
  },
  batchNormBackward: {
    shape: ['batch', 'channels', 'inner'],
    constants: [],
    buffers: {
      x: read('batch channels inner'),
      gradY: read('batch channels inner'),
      weight: maybe(read('channels')),
      mean: read('channels'),
      inverseStd: read('channels'),
      gradX: write('batch channels inner'),
      gradWeight: write('channels'),
      gradBias: write('channels'),
    },
  },
  layerNorm: {
    shape: ['rows', 'columns'],
    constants: ['eps'],
    buffers: {
      x: read('rows columns'),
      weight: maybe(read('columns')),
      bias: maybe(read('columns')),
      y: write('rows columns'),
      mean: write('rows'),
      inverseStd: write('rows'),
    },
  },
  layerNormBackward: {
    shape: ['rows', 'columns'],
    constants: [],
    buffers: {
      x: read('rows columns'),
      gradY: read('rows columns'),
      weight: maybe(read('columns')),
      mean: read('rows'),
      inverseStd: read('rows'),
      gradX: write('rows columns'),
      gradWeight: write('columns'),
      gradBias: write('columns'),
    },
  },

  ...recurrentKernels, // recurrent.h
  ...crfKernels, // crf.h

  // random.h: Philox 4x32-10; element i takes word i % 4 of block counter + floor(i / 4)
  uniform: {
    shape: ['count', 'seedWords'],
    constants: ['low', 'high'],
    buffers: { seed, y: write('count') },
  },
  normal: {
    shape: ['count', 'seedWords'],
    constants: ['mean', 'std'],
    buffers: { seed, y: write('count') },
  },
  // y = x / (1 - probability) where the uniform of that element is at or above probability, else 0;
  // the gradient is the same kernel on gradY with the same seed
  dropout: {
    shape: ['count', 'seedWords'],
    constants: ['probability'],
    buffers: { x: read('count'), seed, y: over('count', 'x') },
  },

  // movement.h: the only kernels that know strides. y[yOffset + i·yStride] = x[xOffset + i·xStride]
  copy: {
    // biome-ignore format: eight dimensions a line
    shape: [
      'd0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7',
      'x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7',
      'y0', 'y1', 'y2', 'y3', 'y4', 'y5', 'y6', 'y7',
      'xOffset', 'yOffset', 'xLength', 'yLength',
    ],
    constants: [],
    buffers: { x: read('xLength'), y: update('yLength') },
  },
  fill: { shape: ['count'], constants: ['value'], buffers: { y: write('count') } },

  // gather.h: y[o,j,i] = x[o, indices[j], i]
  gather: {
    shape: ['outer', 'axisLength', 'inner', 'count'],
    constants: [],
    buffers: {
      x: read('outer axisLength inner'),
      indices: indices('count', 'axisLength'),
      y: write('outer count inner'),
    },
  },
  gatherBackward: {
    shape: ['outer', 'axisLength', 'inner', 'count'],
    constants: [],
    // adds into gradX
    buffers: {
      gradY: read('outer count inner'),
      indices: indices('count', 'axisLength'),
      gradX: update('outer axisLength inner'),
    },
  },
  // y[i] = x[i, indices[i]]
  pick: {
    shape: ['rows', 'columns'],
    constants: [],
    buffers: { x: read('rows columns'), indices: indices('rows', 'columns'), y: write('rows') },
  },
  pickBackward: {
    shape: ['rows', 'columns'],
    constants: [],
    buffers: { gradY: read('rows'), indices: indices('rows', 'columns'), gradX: write('rows columns') },
  },

  // update.h: one optimizer step on one parameter. `settings` changes between steps, so it is a buffer.
  // All first do: g = grad + weightDecay param + l1 sign(param), but for AdamW (decoupled 1): param -= lr weightDecay param.
  // settings: [lr, momentum, dampening, weightDecay, l1, nesterov, first]; first 1: velocity = g
  sgd: {
    shape: ['count', 'settingsLength'],
    constants: [],
    buffers: {
      settings: read('settingsLength'),
      grad: read('count'),
      param: update('count'),
      velocity: maybe(update('count')),
    },
  },
  // settings: [lr, beta1, beta2, eps, weightDecay, l1, decoupled, biasCorrection1, biasCorrection2]
  adam: {
    shape: ['count', 'settingsLength'],
    constants: [],
    buffers: {
      settings: read('settingsLength'),
      grad: read('count'),
      param: update('count'),
      average: update('count'),
      squareAverage: update('count'),
    },
  },
  // settings: [lr, alpha, eps, weightDecay, l1, momentum, centered]
  rmsprop: {
    shape: ['count', 'settingsLength'],
    constants: [],
    buffers: {
      settings: read('settingsLength'),
      grad: read('count'),
      param: update('count'),
      squareAverage: update('count'),
      velocity: maybe(update('count')),
      average: maybe(update('count')),
    },
  },
  // settings: [clr = lr / (1 + (step - 1) lrDecay), eps, weightDecay, l1]
  adagrad: {
    shape: ['count', 'settingsLength'],
    constants: [],
    buffers: {
      settings: read('settingsLength'),
      grad: read('count'),
      param: update('count'),
      squareSum: update('count'),
    },
  },
} as const satisfies Readonly<Record<string, KernelSpec>>;

export type KernelName = keyof typeof kernels;

/** What a unary kernel's gradient needs from the forward pass. */
export const savedBy = {
  abs: 'x',
  log: 'x',
  gelu: 'x',
  silu: 'x',
  softplus: 'x',
  clamp: 'x',
  exp: 'y',
  sqrt: 'y',
  relu: 'y',
  leakyRelu: 'x',
  elu: 'x',
  sigmoid: 'y',
  tanh: 'y',
} as const;
