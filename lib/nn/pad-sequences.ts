// Sequences of different lengths as one tensor and back: PyTorch's pad_sequence and unpad_sequence.
import { describe, fail, failShape } from '../tensor/errors.ts';
import { type Indices, pad, slice, stack, Tensor } from '../tensor/index.ts';
import { checkLengths } from '../tensor/ops/check.ts';

export interface PadOptions {
  /** Whether what is padded is [batch, steps, ..] instead of [steps, batch, ..] (default false). */
  readonly batchFirst?: boolean;
  /** What stands after the end of a sequence (default 0). */
  readonly value?: number;
}

export interface PaddedSequences {
  /** [longest, batch, ..], or batch first. */
  readonly padded: Tensor;
  /** Steps of each sequence, as `unroll` and `CRF` take them. */
  readonly lengths: Int32Array;
}

/** Sequences [steps, ..], equal in all but their steps, side by side. A sequence may have no steps. Gradients flow. */
export function padSequences(
  sequences: readonly Tensor[],
  { batchFirst = false, value = 0 }: PadOptions = {},
): PaddedSequences {
  const [first] = sequences;
  if (first === undefined) return fail('padSequences', { expected: 'at least one sequence', got: 'none' });
  for (const x of sequences) {
    if (!(x instanceof Tensor)) fail('padSequences', { expected: 'sequences that are tensors', got: describe(x) });
    if (x.rank > 0 && x.dtype === first.dtype && x.shape.slice(1).join() === first.shape.slice(1).join()) continue;
    const because = 'sequences may differ in their steps alone';
    const expected = `${first.dtype} [steps${first.shape
      .slice(1)
      .map((size) => `, ${size}`)
      .join('')}]`;
    failShape('padSequences', { expected, because, got: x.label });
  }
  const lengths = Int32Array.from(sequences, (x) => x.shape[0] ?? 0);
  const steps = Math.max(...lengths);
  const whole = sequences.map((x) =>
    pad(
      x,
      x.shape.map((length, axis) => [0, axis === 0 ? steps - length : 0]),
      value,
    ),
  );
  return { padded: stack(whole, batchFirst ? 0 : 1), lengths };
}

/** The sequences [steps, ..] of a padded batch. Gradients flow; those of padding are 0. */
export function unpadSequences(
  padded: Tensor,
  lengths: Indices,
  { batchFirst = false }: Pick<PadOptions, 'batchFirst'> = {},
): Tensor[] {
  if (padded.rank < 2) {
    failShape('unpadSequences', { expected: 'padded [steps, batch, ..], or batch first', got: padded.label });
  }
  const [steps = 0, batch = 0] = batchFirst ? [padded.shape[1], padded.shape[0]] : padded.shape;
  const values = checkLengths('unpadSequences', lengths, { steps, batch }, 'padded has');
  return Array.from(values, (length, b) => {
    const [times, row] = [[0, length] as const, [b, b + 1] as const];
    return slice(padded, batchFirst ? [row, times] : [times, row]).squeeze(batchFirst ? 0 : 1);
  });
}
