// Packed weights for calls of one step, such as those that write a text: there, packing takes longer than the step itself.
import { pack } from '../../kernels/backend.ts';
import type { Shape } from '../../kernels/call.ts';
import type { Packed } from '../../kernels/native.ts';
import type { Tensor } from '../core.ts';
import type { RecurrentCell, RecurrentWeights } from './recurrent.ts';

/** The latest call with some weights. */
interface Kept {
  readonly weightIh: Tensor;
  readonly weightHr: Tensor | null | undefined;
  /** Of the weights: a change in place raises them. */
  readonly versions: string;
  readonly shape: string;
  /** From the second such call on. */
  readonly packed?: Packed | undefined;
}

/** By weightHh: it goes when the weights go. */
const latest = new WeakMap<Tensor, Kept>();

/**
 * The weights as the kernel reads them, where a call repeats the one before it; undefined for another, which packs them
 * itself. With many steps it had better do so anyway: then packing is little of the work.
 */
export function packedForStep(
  cell: RecurrentCell,
  shape: Shape<'rnn'> & Shape<'gru'> & Shape<'lstm'>,
  { weightIh, weightHh, weightHr }: RecurrentWeights,
): Packed | undefined {
  if (shape.steps !== 1 || weightHh.dtype !== 'float32') return undefined;
  const versions = [weightIh, weightHh, weightHr].map((weight) => weight?.version).join();
  const now = { weightIh, weightHr, versions, shape: Object.values(shape).join() };
  const before = latest.get(weightHh);
  const sameWeights = before?.weightIh === weightIh && before.weightHr === weightHr && before.versions === versions;
  const same = sameWeights && before.shape === now.shape;
  if (same && before.packed) return before.packed;
  const operands = { weightIh: weightIh.operand, weightHh: weightHh.operand, weightHr: weightHr?.operand };
  const packed = same ? pack(cell, shape, operands) : undefined;
  latest.set(weightHh, { ...now, packed });
  return packed;
}
