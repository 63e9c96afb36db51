// Every error the library throws on purpose, and the one helper that words them.

/** Base of all errors thrown by this library. */
export class FoveaError extends Error {
  override readonly name: string = 'FoveaError';
}

/** A shape, rank, axis, size or index that does not fit. */
export class ShapeError extends FoveaError {
  override readonly name: string = 'ShapeError';
}

/** A file or byte sequence that is not what its format says. */
export class DataError extends FoveaError {
  override readonly name: string = 'DataError';
}

/** Memory that is no longer there: the tensor was disposed or its buffer transferred elsewhere. */
export class DisposedError extends FoveaError {
  override readonly name: string = 'DisposedError';
}

/** A function that cannot be recorded as a program. */
export class RecordingError extends FoveaError {
  override readonly name: string = 'RecordingError';
}

/** The parts of an error message. */
export interface Complaint {
  readonly expected: string;
  readonly because?: string | undefined;
  readonly got: string;
}

/** Throws `operation: expected …, because …, but got …`. */
export function fail(
  operation: string,
  { expected, because, got }: Complaint,
  Kind: new (message: string) => FoveaError = FoveaError,
): never {
  const reason = because === undefined ? '' : `, because ${because}`;
  throw new Kind(`${operation}: expected ${expected}${reason}, but got ${got}`);
}

/** Throws a ShapeError of the same form. */
export function failShape(operation: string, complaint: Complaint): never {
  return fail(operation, complaint, ShapeError);
}

/** Any value in a few words, for the "but got" of a message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (Array.isArray(value)) return value.length <= 8 ? `[${value.map(describe).join(', ')}]` : `${value.length} values`;
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'an object';
  return String(value);
}
