// Losses: how far predictions are from targets, as one number or one for each element.
import { run } from '../../kernels/backend.ts';
import { decidesBy } from '../../kernels/recording.ts';
import { differentiable } from '../autograd.ts';
import { constant, empty, Tensor } from '../core.ts';
import { describe, fail, failShape } from '../errors.ts';
import { product, type Shape, sameShape, show } from '../shape.ts';
import { abs, affine, clamp, neg, softplus } from './activation.ts';
import { checkFloat, checkIndices, checkNumber, checkSameFloat, checkShape } from './check.ts';
import { add, div, mul, square, sub } from './elementwise.ts';
import { type Indices, indexSelect, savedIndices } from './gather.ts';
import { concat, permute, reshape } from './movement.ts';
import { mean, sum } from './reduce.ts';

/** How the losses of the elements become the result: their mean, their sum, or as they are. */
export type LossReduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: LossReduction;
}

function combine(operation: string, losses: Tensor, reduction: LossReduction = 'mean'): Tensor {
  if (reduction === 'mean') return mean(losses);
  if (reduction === 'sum') return sum(losses);
  if (reduction === 'none') return losses;
  return fail(operation, { expected: "reduction 'mean', 'sum' or 'none'", got: describe(reduction) });
}

function checkPair(operation: string, x: Tensor, target: Tensor): void {
  checkSameFloat(operation, { x, target });
  checkShape(operation, 'target', target, x.shape, ['x', x]);
}

/** (x - target)². Both of one shape. */
export function mseLoss(x: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  checkPair('mseLoss', x, target);
  return combine('mseLoss', square(sub(x, target)), reduction);
}

/** |x - target|. Both of one shape. */
export function l1Loss(x: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  checkPair('l1Loss', x, target);
  return combine('l1Loss', abs(sub(x, target)), reduction);
}

export interface HuberOptions extends LossOptions {
  /** Where the square ends and the straight line begins (default 1). */
  readonly delta?: number;
}

/** e²/2 where e = |x - target| is at most delta, else delta (e - delta/2). Both of one shape. */
export function huberLoss(x: Tensor, target: Tensor, { delta = 1, reduction }: HuberOptions = {}): Tensor {
  checkPair('huberLoss', x, target);
  checkNumber('huberLoss', 'delta', delta, Number.MIN_VALUE);
  const error = abs(sub(x, target));
  const near = clamp(error, 0, delta);
  // near²/2 + delta (error - near): each part is the other's constant continuation.
  const losses = add(affine(square(near), 0.5, 0), affine(sub(error, near), delta, 0));
  return combine('huberLoss', losses, reduction);
}

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Factor of each loss; broadcasts. */
  readonly weight?: Tensor | null;
  /** Factor of the positive term; broadcasts. */
  readonly posWeight?: Tensor | null;
}

/** -(posWeight target log σ(x) + (1 - target) log(1 - σ(x))) without overflow. Both of one shape, target in 0..1. */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  target: Tensor,
  { weight, posWeight, reduction }: BinaryCrossEntropyOptions = {},
): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  checkPair(op, x, target);
  checkSameFloat(op, { x }, { weight, posWeight });
  // (1 - t) x + (1 + (p - 1) t) softplus(-x), because -log σ(x) = softplus(-x) and -log(1 - σ(x)) = x + softplus(-x)
  const positive = softplus(neg(x));
  const scaled = posWeight ? mul(add(mul(sub(posWeight, 1), target), 1), positive) : positive;
  const losses = add(mul(affine(target, -1, 1), x), scaled);
  return combine(op, weight ? mul(losses, weight) : losses, reduction);
}

export interface ClassLossOptions extends LossOptions {
  /** Factor of each class, [classes]; the mean divides by the factors of the targets. */
  readonly weight?: Tensor | null;
  /** Elements with this target do not count (default -100). */
  readonly ignoreIndex?: number;
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** This much of the target is spread evenly over all classes (default 0). */
  readonly labelSmoothing?: number;
}

/**
 * -log softmax(logits)[target]. logits: [batch, classes] or [batch, classes, ...], target: int32 [batch] or
 * [batch, ...]. The mean is weighted, as in PyTorch, and NaN if every target is ignored. Throws ShapeError, naming the
 * place, for a target that is no class.
 */
export function crossEntropy(logits: Tensor, target: Indices, options: CrossEntropyOptions = {}): Tensor {
  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  const op = 'crossEntropy';
  checkNumber(op, 'labelSmoothing', labelSmoothing, 0, 1);
  if (weight?.requiresGrad) {
    fail(op, {
      expected: 'weight without gradients',
      because: 'the loss has none for it',
      got: 'weight that requires them',
    });
  }
  const { classes, labels, targetShape } = checkClasses(op, logits, target, weight, ignoreIndex);
  const rows = labels.length;
  const x = logits.rank === 2 ? logits : reshape(permute(logits, classesLast(logits.rank)), [rows, classes]);
  const { losses, rowWeights } = rowLosses(x, labels, weight ?? undefined, ignoreIndex, labelSmoothing);
  if (reduction === 'mean') return div(sum(losses), sum(rowWeights));
  return combine(op, reduction === 'none' ? reshape(losses, targetShape) : losses, reduction);
}

/** [0, 2, 3, …, 1]. */
const classesLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];

/** The loss of each row of x [rows, classes], and what it counts in a mean. */
function rowLosses(x: Tensor, labels: Int32Array, weight: Tensor | undefined, ignoreIndex: number, smoothing: number) {
  const [rows = 0, classes = 0] = x.shape;
  const shape = { rows, classes, ignoreIndex, smoothing };
  const losses = empty([rows], x.dtype);
  const rowWeights = empty([rows], x.dtype);
  const probabilities = empty(x.shape, x.dtype);
  const buffers = {
    x: x.operand,
    target: labels,
    weight: weight?.operand,
    losses: losses.operand,
    rowWeights: rowWeights.operand,
    probabilities: probabilities.operand,
  };
  run('crossEntropy', shape, buffers);
  const saved = [probabilities, savedIndices(labels), weight] as const;
  differentiable(losses, 'crossEntropy', [x], saved, (gradLosses, [probabilities, target, weight]) => {
    const gradX = empty(probabilities.shape, probabilities.dtype);
    const buffers = {
      probabilities: probabilities.operand,
      target: target.indexOperand,
      weight: weight?.operand,
      gradLosses: gradLosses.operand,
      gradX: gradX.operand,
    };
    run('crossEntropyBackward', shape, buffers);
    return [gradX];
  });
  return { losses, rowWeights };
}

/**
 * -logProbabilities[target], as crossEntropy after logSoftmax. logProbabilities: [batch, classes, ...], target: int32
 * [batch, ...]. The mean is weighted, and NaN if every target is ignored.
 */
export function nllLoss(logProbabilities: Tensor, target: Indices, options: ClassLossOptions = {}): Tensor {
  const { weight, ignoreIndex = -100, reduction = 'mean' } = options;
  const op = 'nllLoss';
  const { classes, labels, targetShape } = checkClasses(op, logProbabilities, target, weight, ignoreIndex);
  decidesBy(op, labels);
  const inner = product(logProbabilities.shape, 2);
  const kept = [...labels.keys()].filter((i) => labels[i] !== ignoreIndex);
  // Position of [batch, label, inner] in the memory of logProbabilities.
  const places = kept.map((i) => (Math.floor(i / inner) * classes + labels[i]!) * inner + (i % inner));
  const picked = neg(indexSelect(reshape(logProbabilities, [-1]), 0, places));
  const factors = weight
    ? indexSelect(
        weight,
        0,
        kept.map((i) => labels[i]!),
      )
    : undefined;
  const losses = factors ? mul(picked, factors) : picked;
  if (reduction === 'mean') return div(sum(losses), factors ? sum(factors) : kept.length);
  if (reduction !== 'none') return combine(op, losses, reduction);
  // Ignored elements have loss 0, which is put before the others.
  const position = new Int32Array(labels.length);
  kept.forEach((i, order) => {
    position[i] = order + 1;
  });
  const zero = reshape(constant(0, losses.dtype), [1]);
  return reshape(indexSelect(concat([zero, losses]), 0, position), targetShape);
}

function checkClasses(
  operation: string,
  x: Tensor,
  target: Indices,
  weight: Tensor | null | undefined,
  ignoreIndex: number,
): { classes: number; labels: Int32Array; targetShape: Shape } {
  checkFloat(operation, x);
  const [batch, classes] = x.shape;
  if (batch === undefined || classes === undefined || classes === 0) {
    failShape(operation, { expected: 'x [batch, classes, ...] with at least one class', got: `x ${show(x.shape)}` });
  }
  if (weight) {
    checkSameFloat(operation, { x, weight });
    checkShape(operation, 'weight', weight, [classes], ['x', x]);
  }
  if (!Number.isInteger(ignoreIndex) || Math.abs(ignoreIndex) >= 2 ** 31) {
    fail(operation, { expected: 'ignoreIndex to be an int32', got: describe(ignoreIndex) });
  }
  const targetShape = [batch, ...x.shape.slice(2)];
  const given = target instanceof Tensor ? target.shape : [target.length];
  const fits = target instanceof Tensor ? sameShape(given, targetShape) : target.length === product(targetShape);
  if (!fits) {
    const because = `x is ${show(x.shape)}`;
    failShape(operation, { expected: `target of shape ${show(targetShape)}`, because, got: show(given) });
  }
  const what = `x has ${classes} classes`;
  return { classes, labels: checkIndices(operation, target, classes, what, ignoreIndex), targetShape };
}
