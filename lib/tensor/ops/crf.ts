// A linear-chain conditional random field over the tags of sequences: log-likelihood, marginals and the best paths.
import { run } from '../../kernels/backend.ts';
import { differentiable } from '../autograd.ts';
import { empty, Tensor } from '../core.ts';
import { failShape } from '../errors.ts';
import { show } from '../shape.ts';
import { checkLengths, checkSameFloat, checkShape } from './check.ts';
import { type Indices, savedIndices } from './gather.ts';

/** The scores that do not come from the input, and how long the sequences are. */
export interface CrfOptions {
  /** [tags]: of beginning with a tag; zeros if absent. */
  readonly start?: Tensor | null;
  /** [tags]: of ending with a tag; zeros if absent. */
  readonly end?: Tensor | null;
  /** Steps of each sequence, each from 0 to `steps`; what comes after them counts for nothing. */
  readonly lengths?: Indices | null;
}

/**
 * -log p(target | emissions) of each sequence, [batch], where p is exp of the score of a path over the sum of that over
 * all paths, and the score is the sum of its emissions [steps, batch, tags], transitions [from, to], start and end
 * (Lafferty et al. 2001). A sequence of no steps has 0. Scores may be -Infinity for what is not allowed; a target
 * that is not allowed has Infinity. target: int32 [steps, batch], anything after the end. Throws ShapeError where shapes
 * do not fit or a target is no tag.
 */
export function crf(emissions: Tensor, transitions: Tensor, target: Indices, options: CrfOptions = {}): Tensor {
  const sizes = checkCrf('crf', emissions, transitions, options);
  return logPartition('crf', emissions, transitions, options, sizes, checkTarget(sizes, target));
}

/** The log of the sum of exp(score) over all paths of each sequence, [batch]; 0 for one of no steps. */
export function crfLogPartition(emissions: Tensor, transitions: Tensor, options: CrfOptions = {}): Tensor {
  const sizes = checkCrf('crfLogPartition', emissions, transitions, options);
  return logPartition('crfLogPartition', emissions, transitions, options, sizes, undefined);
}

/** The probability of each tag at each step, [steps, batch, tags]; 0 after the end. It has no gradient. */
export function crfMarginals(emissions: Tensor, transitions: Tensor, options: CrfOptions = {}): Tensor {
  const sizes = checkCrf('crfMarginals', emissions, transitions, options);
  const { shape, lengths } = sizes;
  const { start, end } = options;
  const saved = empty(emissions.shape, emissions.dtype);
  const y = empty([shape.batch], emissions.dtype);
  const scores = { emissions: emissions.operand, transitions: transitions.operand, end: end?.operand, lengths };
  run('crf', shape, { ...scores, start: start?.operand, y: y.operand, saved: saved.operand });
  run('fill', { count: y.size, value: 1 }, { y: y.operand });
  const marginals = empty(emissions.shape, emissions.dtype);
  const gradTransitions = empty(transitions.shape, transitions.dtype);
  run('crfBackward', shape, {
    ...scores,
    saved: saved.operand,
    gradY: y.operand,
    gradEmissions: marginals.operand,
    gradTransitions: gradTransitions.operand,
  });
  return marginals;
}

/** The best path of each sequence, int32 [steps, batch] with -1 after its end, and its score [batch] (Viterbi 1967). */
export function crfDecode(
  emissions: Tensor,
  transitions: Tensor,
  options: CrfOptions = {},
): { paths: Tensor; scores: Tensor } {
  const { shape, lengths } = checkCrf('crfDecode', emissions, transitions, options);
  const paths = empty([shape.steps, shape.batch], 'int32');
  const scores = empty([shape.batch], emissions.dtype);
  run('crfDecode', shape, {
    emissions: emissions.operand,
    transitions: transitions.operand,
    start: options.start?.operand,
    end: options.end?.operand,
    lengths,
    paths: paths.indexOperand,
    scores: scores.operand,
  });
  return { paths, scores };
}

type Sizes = ReturnType<typeof checkCrf>;

function logPartition(
  operation: string,
  emissions: Tensor,
  transitions: Tensor,
  { start, end }: CrfOptions,
  { shape, lengths }: Sizes,
  target: Int32Array | undefined,
): Tensor {
  const { dtype } = emissions;
  const y = empty([shape.batch], dtype);
  const saved = empty(emissions.shape, dtype);
  run('crf', shape, {
    emissions: emissions.operand,
    transitions: transitions.operand,
    start: start?.operand,
    end: end?.operand,
    target,
    lengths,
    y: y.operand,
    saved: saved.operand,
  });
  const inputs = [emissions, transitions, start ?? undefined, end ?? undefined] as const;
  const indices = [target && savedIndices(target), lengths && savedIndices(lengths)] as const;
  const kept = [...inputs, saved, ...indices] as const;
  return differentiable(y, operation, inputs, kept, (gradY, tensors) => {
    const [emissions, transitions, start, end, saved, target, lengths] = tensors;
    const like = (tensor: Tensor | undefined) => tensor && empty(tensor.shape, dtype);
    const gradients = [empty(emissions.shape, dtype), empty(transitions.shape, dtype), like(start), like(end)] as const;
    const [gradEmissions, gradTransitions, gradStart, gradEnd] = gradients;
    run('crfBackward', shape, {
      emissions: emissions.operand,
      transitions: transitions.operand,
      end: end?.operand,
      target: target?.indexOperand,
      lengths: lengths?.indexOperand,
      saved: saved.operand,
      gradY: gradY.operand,
      gradEmissions: gradEmissions.operand,
      gradTransitions: gradTransitions.operand,
      gradStart: gradStart?.operand,
      gradEnd: gradEnd?.operand,
    });
    return gradients;
  });
}

function checkCrf(operation: string, emissions: Tensor, transitions: Tensor, { start, end, lengths }: CrfOptions) {
  checkSameFloat(operation, { emissions, transitions }, { start, end });
  const [steps, batch, tags] = emissions.shape;
  if (emissions.rank !== 3 || steps === undefined || batch === undefined || tags === undefined || tags === 0) {
    const expected = 'emissions [steps, batch, tags] of at least one tag';
    failShape(operation, { expected, got: show(emissions.shape) });
  }
  checkShape(operation, 'transitions', transitions, [tags, tags], ['emissions', emissions]);
  if (start) checkShape(operation, 'start', start, [tags], ['emissions', emissions]);
  if (end) checkShape(operation, 'end', end, [tags], ['emissions', emissions]);
  const values = lengths ? checkLengths(operation, lengths, { steps, batch }, 'emissions have') : undefined;
  return { shape: { steps, batch, tags }, lengths: values };
}

/** The target with tag 0 after each end, where the caller may have anything. */
function checkTarget({ shape: { steps, batch, tags }, lengths }: Sizes, target: Indices): Int32Array {
  const given = target instanceof Tensor ? target.indexOperand : Int32Array.from(target);
  if (given.length !== steps * batch) {
    const got = target instanceof Tensor ? show(target.shape) : `${given.length} of them`;
    failShape('crf', { expected: `target tags [${steps}, ${batch}], as emissions have steps and batch`, got });
  }
  const values = given.slice();
  for (let t = 0; t < steps; t++) {
    for (let b = 0; b < batch; b++) {
      const at = t * batch + b;
      const tag = values[at]!;
      if (lengths !== undefined && t >= lengths[b]!) values[at] = 0;
      else if (tag < 0 || tag >= tags) {
        failShape('crf', {
          expected: `target tags from 0 to ${tags - 1}`,
          got: `${tag} at step ${t} of sequence ${b}`,
        });
      }
    }
  }
  return values;
}
