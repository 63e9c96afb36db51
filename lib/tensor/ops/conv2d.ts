// Convolution (cross-correlation, as every deep-learning library defines it) over images and sequences.
import { run } from '../../kernels/backend.ts';
import type { Shape as KernelShape } from '../../kernels/call.ts';
import { convAlgorithms } from '../../kernels/spec.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { describe, fail, failShape } from '../errors.ts';
import { reduce } from '../reduction.ts';
import { type Pair, pairOf, show } from '../shape.ts';
import { checkSameFloat, checkShape } from './check.ts';
import { reshape } from './movement.ts';

export interface ConvOptions {
  /** Step of the kernel (default 1). */
  readonly stride?: Pair;
  /** Zeros on both sides (default 0); 'same' keeps the size at stride 1, an odd zero going to the end; 'valid' is 0. */
  readonly padding?: Pair | 'same' | 'valid';
  /** Distance between the elements a kernel reads (default 1). */
  readonly dilation?: Pair;
  /** Input and output channels in this many separate groups (default 1). */
  readonly groups?: number;
}

/**
 * y[b,o,i,j] = bias[o] + Σ x[b, c, i·stride + u·dilation - pad, …] weight[o,c,u,v].
 * x: [batch, inChannels, height, width], weight: [outChannels, inChannels / groups, kernelHeight, kernelWidth],
 * bias: [outChannels]; y: [batch, outChannels, outHeight, outWidth]. Throws ShapeError where they do not fit.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  const shape = convShape(x, weight, bias, options);
  const y = empty([shape.batch, shape.outChannels, shape.outHeight, shape.outWidth], x.dtype, 'conv2d');
  const buffers = { x: x.operand, weight: weight.operand, bias: bias?.operand, y: y.operand };
  run('conv2d', { ...shape, activation: 0 }, buffers);
  return differentiable(y, 'conv2d', [x, weight, bias ?? undefined], [x, weight], (gradY, [x, weight], needs) => {
    const gradX = needs[0] ? empty(x.shape, x.dtype) : null;
    if (gradX) {
      const buffers = { weight: weight.operand, gradY: gradY.operand, gradX: gradX.operand };
      run('conv2dBackwardInput', shape, buffers);
    }
    if (!needs[1]) return [gradX, null, needs[2] ? reduce('sum', gradY, [0, 2, 3], false) : null];
    const gradWeight = empty(weight.shape, weight.dtype);
    const gradBias = needs[2] ? empty([shape.outChannels], weight.dtype) : null;
    const buffers = { x: x.operand, gradY: gradY.operand, gradWeight: gradWeight.operand, gradBias: gradBias?.operand };
    run<'conv2dBackwardWeight'>('conv2dBackwardWeight', shape, buffers);
    return [gradX, gradWeight, gradBias];
  });
}

/** conv2d over one dimension. x: [batch, inChannels, length], weight: [outChannels, inChannels / groups, kernel]. */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions1d = {},
): Tensor {
  if (x.rank !== 3 || weight.rank !== 3) {
    const got = `x ${show(x.shape)} and weight ${show(weight.shape)}`;
    failShape('conv1d', { expected: 'x [batch, channels, length] and weight [out, in / groups, kernel]', got });
  }
  const flat = (t: Tensor) => reshape(t, [t.shape[0]!, t.shape[1]!, 1, t.shape[2]!]);
  const y = conv2d(flat(x), flat(weight), bias, {
    stride: [1, stride],
    padding: typeof padding === 'number' ? [0, padding] : padding,
    dilation: [1, dilation],
    groups,
  });
  return reshape(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]);
}

export interface ConvOptions1d {
  readonly stride?: number;
  readonly padding?: number | 'same' | 'valid';
  readonly dilation?: number;
  readonly groups?: number;
}

/** Everything the kernels need to know; throws where the arguments do not fit each other. */
function convShape(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions,
): KernelShape<'conv2dBackwardInput'> {
  const op = 'conv2d';
  checkSameFloat(op, { x, weight }, { bias });
  const [batch = 0, inChannels = 0, height = 0, width = 0] = x.shape;
  const [outChannels = 0, groupChannels = 0, kernelHeight = 0, kernelWidth = 0] = weight.shape;
  if (x.rank !== 4) failShape(op, { expected: 'x [batch, channels, height, width]', got: `x ${show(x.shape)}` });
  if (weight.rank !== 4 || kernelHeight === 0 || kernelWidth === 0) {
    const expected =
      'weight [outChannels, inChannels / groups, kernelHeight, kernelWidth] with a kernel of 1x1 or more';
    failShape(op, { expected, got: `weight ${show(weight.shape)}` });
  }
  if (!Number.isSafeInteger(groups) || groups < 1 || outChannels % groups !== 0) {
    const expected = `groups to be a positive integer that divides the ${outChannels} output channels`;
    failShape(op, { expected, got: describe(groups) });
  }
  if (inChannels !== groupChannels * groups) {
    const because = `weight is ${show(weight.shape)}${groups === 1 ? '' : ` with ${groups} groups`}`;
    failShape(op, { expected: `x with ${groupChannels * groups} channels`, because, got: `x ${show(x.shape)}` });
  }
  if (bias) checkShape(op, 'bias', bias, [outChannels], ['weight', weight]);
  const strides = pairOf(op, 'stride', stride, 1);
  const dilations = pairOf(op, 'dilation', dilation, 1);
  const spans = [dilations[0] * (kernelHeight - 1) + 1, dilations[1] * (kernelWidth - 1) + 1] as const;
  const pads = padsOf(padding, spans, strides);
  const outHeight = Math.floor((height + pads.height - spans[0]) / strides[0]) + 1;
  const outWidth = Math.floor((width + pads.width - spans[1]) / strides[1]) + 1;
  if (outHeight < 1 || outWidth < 1) {
    failShape(op, {
      expected: `a padded input of at least ${spans[0]} x ${spans[1]}`,
      because: `that is what weight ${show(weight.shape)} spans`,
      got: `${height + pads.height} x ${width + pads.width} from x ${show(x.shape)}`,
    });
  }
  return {
    batch,
    inChannels,
    height,
    width,
    outChannels,
    groupChannels,
    kernelHeight,
    kernelWidth,
    strideHeight: strides[0],
    strideWidth: strides[1],
    padTop: pads.top,
    padLeft: pads.left,
    dilationHeight: dilations[0],
    dilationWidth: dilations[1],
    groups,
    outHeight,
    outWidth,
    algorithm: convAlgorithms.auto,
  };
}

/** Zeros before the image (top, left) and in total (height, width). */
function padsOf(
  padding: Pair | 'same' | 'valid',
  spans: readonly [number, number],
  strides: readonly [number, number],
) {
  if (padding === 'valid') return { top: 0, left: 0, height: 0, width: 0 };
  if (padding === 'same') {
    if (strides[0] !== 1 || strides[1] !== 1) {
      const because = 'only then has the output the size of the input';
      fail('conv2d', { expected: "stride 1 with padding 'same'", because, got: `stride ${show(strides)}` });
    }
    const [height, width] = [spans[0] - 1, spans[1] - 1];
    return { top: Math.floor(height / 2), left: Math.floor(width / 2), height, width };
  }
  if (typeof padding === 'string') {
    fail('conv2d', { expected: "padding to be a size, 'same' or 'valid'", got: describe(padding) });
  }
  const [top, left] = pairOf('conv2d', 'padding', padding, 0);
  return { top, left, height: 2 * top, width: 2 * left };
}
