// Batch and layer normalization.
import { run } from '../../kernels/backend.ts';
import type { Buffers } from '../../kernels/call.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { fail, failShape } from '../errors.ts';
import { reduce } from '../reduction.ts';
import { product, type Shape, sameShape, show } from '../shape.ts';
import { sqrt } from './activation.ts';
import { checkNumber, checkSameFloat, checkShape } from './check.ts';
import { add, div, mul, sub } from './elementwise.ts';

export interface BatchNormOptions {
  /** [channels]; in training updated in place, otherwise what is normalized with. */
  readonly runningMean?: Tensor | null;
  readonly runningVar?: Tensor | null;
  /** [channels]: y = weight x̂ + bias. */
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  /** Whether to normalize with the statistics of this batch (default false). */
  readonly training?: boolean;
  /** Weight of this batch in the running statistics (default 0.1). */
  readonly momentum?: number;
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
}

/**
 * (x - mean) / sqrt(variance + eps) for each channel of x [batch, channels, ...], times weight plus bias. The variance
 * is the biased one here, the unbiased one in the running estimate, as in PyTorch.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): Tensor {
  const { runningMean, runningVar, weight, bias, training = false, momentum = 0.1, eps = 1e-5 } = options;
  const op = 'batchNorm';
  checkSameFloat(op, { x }, { runningMean, runningVar, weight, bias });
  checkNumber(op, 'momentum', momentum, 0, 1);
  checkNumber(op, 'eps', eps, 0);
  const [batch, channels] = x.shape;
  if (batch === undefined || channels === undefined) {
    failShape(op, { expected: 'x [batch, channels, ...]', got: `x ${show(x.shape)}` });
  }
  for (const [name, tensor] of Object.entries({ runningMean, runningVar, weight, bias })) {
    if (tensor) checkShape(op, name, tensor, [channels], ['x', x]);
  }
  const inner = product(x.shape, 2);
  if (!training) {
    if (!runningMean || !runningVar) {
      fail(op, { expected: 'runningMean and runningVar', because: 'training is false', got: 'none' });
    }
    return normalizeWith(x, runningMean, runningVar, weight, bias, { batch, channels, inner, eps });
  }
  if (batch * inner <= 1 && channels > 0) {
    const because = 'one value has no variance';
    failShape(op, { expected: 'more than one value per channel in training', because, got: `x ${show(x.shape)}` });
  }
  return normalizeBatch(x, options, { batch, channels, inner, momentum, eps });
}

interface Extent {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
  readonly eps: number;
}

function normalizeBatch(
  x: Tensor,
  { runningMean, runningVar, weight, bias }: BatchNormOptions,
  { eps, momentum, ...shape }: Extent & { readonly momentum: number },
): Tensor {
  const y = empty(x.shape, x.dtype);
  const mean = empty([shape.channels], x.dtype);
  const inverseStd = empty([shape.channels], x.dtype);
  const buffers = {
    x: x.operand,
    weight: weight?.operand,
    bias: bias?.operand,
    runningMean: runningMean?.operand,
    runningVar: runningVar?.operand,
    y: y.operand,
    mean: mean.operand,
    inverseStd: inverseStd.operand,
  };
  run('batchNorm', { ...shape, momentum, eps }, buffers);
  runningMean?.touch();
  runningVar?.touch();
  const inputs = [x, weight ?? undefined, bias ?? undefined];
  const saved = [x, weight ?? undefined, mean, inverseStd] as const;
  return differentiable(y, 'batchNorm', inputs, saved, (gradY, saved) =>
    gradients(gradY, saved, mean.shape, (buffers) => run('batchNormBackward', shape, buffers)),
  );
}

type Saved = readonly [x: Tensor, weight: Tensor | undefined, mean: Tensor, inverseStd: Tensor];

/** The gradients of x, weight and bias, the latter two of one shape, as a backward kernel fills them. */
function gradients(
  gradY: Tensor,
  [x, weight, mean, inverseStd]: Saved,
  parameterShape: Shape,
  fill: (buffers: Buffers<'batchNormBackward'>) => void,
): Tensor[] {
  const gradX = empty(x.shape, x.dtype);
  const gradWeight = empty(parameterShape, x.dtype);
  const gradBias = empty(parameterShape, x.dtype);
  fill({
    x: x.operand,
    gradY: gradY.operand,
    weight: weight?.operand,
    mean: mean.operand,
    inverseStd: inverseStd.operand,
    gradX: gradX.operand,
    gradWeight: gradWeight.operand,
    gradBias: gradBias.operand,
  });
  return [gradX, gradWeight, gradBias];
}

/** With given statistics: then y is linear in x. */
function normalizeWith(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor | null | undefined,
  bias: Tensor | null | undefined,
  shape: Extent,
): Tensor {
  const y = empty(x.shape, x.dtype);
  const buffers = {
    x: x.operand,
    mean: mean.operand,
    variance: variance.operand,
    weight: weight?.operand,
    bias: bias?.operand,
    y: y.operand,
  };
  run('batchNormInference', shape, buffers);
  const { batch, channels, inner, eps } = shape;
  const inputs = [x, weight ?? undefined, bias ?? undefined];
  const saved = [x, weight ?? undefined, mean, variance] as const;
  return differentiable(y, 'batchNorm', inputs, saved, (gradY, [x, weight, mean, variance], needs) => {
    const flat = gradY.view([batch, channels, inner]);
    const std = sqrt(add(variance, eps));
    const perChannel = (t: Tensor) => t.view([channels, 1]);
    const scale = weight ? div(weight, std) : div(std, mul(std, std));
    const centered = () => sub(x.view(flat.shape), perChannel(mean));
    return [
      needs[0] ? mul(flat, perChannel(scale)).view(x.shape) : null,
      needs[1] ? div(reduce('sum', mul(flat, centered()), [0, 2], false), std) : null,
      needs[2] ? reduce('sum', flat, [0, 2], false) : null,
    ];
  });
}

export interface LayerNormOptions {
  /** In the shape that is normalized: y = weight x̂ + bias. */
  readonly weight?: Tensor | null;
  readonly bias?: Tensor | null;
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
}

/** (x - mean) / sqrt(variance + eps) over the last dimensions, which are `normalizedShape`, times weight plus bias. */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, options: LayerNormOptions = {}): Tensor {
  const { weight, bias, eps = 1e-5 } = options;
  const op = 'layerNorm';
  checkSameFloat(op, { x }, { weight, bias });
  checkNumber(op, 'eps', eps, 0);
  const last = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  if (last.length === 0 || last.length > x.rank || !sameShape(x.shape.slice(-last.length), last)) {
    failShape(op, { expected: `x [..., ${last.join(', ')}]`, got: `x ${show(x.shape)}` });
  }
  if (weight) checkShape(op, 'weight', weight, last);
  if (bias) checkShape(op, 'bias', bias, last);
  const columns = product(last);
  const rows = product(x.shape, 0, x.rank - last.length);
  const y = empty(x.shape, x.dtype);
  const mean = empty([rows], x.dtype);
  const inverseStd = empty([rows], x.dtype);
  const buffers = {
    x: x.operand,
    weight: weight?.operand,
    bias: bias?.operand,
    y: y.operand,
    mean: mean.operand,
    inverseStd: inverseStd.operand,
  };
  run('layerNorm', { rows, columns, eps }, buffers);
  const inputs = [x, weight ?? undefined, bias ?? undefined];
  const saved = [x, weight ?? undefined, mean, inverseStd] as const;
  return differentiable(y, op, inputs, saved, (gradY, saved) =>
    gradients(gradY, saved, last, (buffers) =>
      run<'layerNormBackward'>('layerNormBackward', { rows, columns }, buffers),
    ),
  );
}
