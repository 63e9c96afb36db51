// What of a batch a program takes as inputs, and what of it must be the same for the program to serve.
import { describe, fail } from '../tensor/errors.ts';
import { RecordingError, Tensor } from '../tensor/index.ts';
import { show } from '../tensor/shape.ts';

export interface BatchForm {
  /** Equal for batches that one program serves. */
  readonly key: string;
  readonly tensors: readonly Tensor[];
}

/** Undefined for a batch that holds something else than tensors, numbers, words, arrays and plain records of these. */
export function formOfBatch(...parts: readonly unknown[]): BatchForm | undefined {
  const tensors: Tensor[] = [];
  const key = describePart(parts, tensors);
  return key === undefined ? undefined : { key, tensors };
}

function describePart(part: unknown, tensors: Tensor[]): string | undefined {
  if (part instanceof Tensor) {
    if (part.dtype === 'float64' || part.requiresGrad) return undefined;
    // A tensor twice in a batch must be so in the next.
    const before = tensors.indexOf(part);
    if (before < 0) tensors.push(part);
    return before < 0 ? `${part.dtype}${show(part.shape)}` : `@${before}`;
  }
  if (part === null || part === undefined) return String(part);
  if (typeof part === 'number' || typeof part === 'boolean' || typeof part === 'string') return JSON.stringify(part);
  if (!isPlain(part)) return undefined;
  const isArray = Array.isArray(part);
  let key = isArray ? '[' : '{';
  for (const [name, value] of Object.entries(part)) {
    const own = describePart(value, tensors);
    if (own === undefined) return undefined;
    key += `${name}:${own},`;
  }
  return `${key}${isArray ? ']' : '}'}`;
}

/** The tensors in a result, but for those of the batch itself. Throws RecordingError for objects that may hide some. */
export function tensorsIn(part: unknown, batch: readonly Tensor[]): Tensor[] {
  if (part instanceof Tensor) return batch.includes(part) ? [] : [part];
  if (isPlain(part)) return Object.values(part).flatMap((value) => tensorsIn(value, batch));
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return [];
  return fail('record', { expected: 'results as tensors, arrays and records', got: describe(part) }, RecordingError);
}

/** The same with other tensors. */
export function withTensors<P>(part: P, now: (tensor: Tensor) => Tensor): P;
export function withTensors(part: unknown, now: (tensor: Tensor) => Tensor): unknown {
  if (part instanceof Tensor) return now(part);
  if (!isPlain(part)) return part;
  if (Array.isArray(part)) return part.map((value: unknown) => withTensors(value, now));
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, withTensors(value, now)]));
}

const isPlain = (part: unknown): part is object =>
  typeof part === 'object' && part !== null && (Array.isArray(part) || part.constructor === Object);
