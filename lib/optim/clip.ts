// Clipping: keeps one bad batch from throwing the weights away.
import { run } from '../kernels/backend.ts';
import { fail } from '../tensor/errors.ts';
import { gradientValues, type Tensor } from '../tensor/index.ts';

/**
 * Scales all gradients together so that the length of the vector they make is at most `maxNorm` (Pascanu et al. 2013).
 * @returns the length before.
 * @throws FoveaError, with `errorIfNonfinite`, if that is infinite or NaN.
 */
export function clipGradNorm_(
  params: readonly Tensor[],
  maxNorm: number,
  { errorIfNonfinite = false }: { errorIfNonfinite?: boolean } = {},
): number {
  if (!(maxNorm >= 0)) fail('clipGradNorm_', { expected: 'maxNorm to be at least 0', got: String(maxNorm) });
  const norm = gradNorm(params);
  if (errorIfNonfinite && !Number.isFinite(norm)) {
    fail('clipGradNorm_', { expected: 'gradients of finite length', got: `length ${norm}` });
  }
  scaleGradients(params, norm, maxNorm);
  return norm;
}

/** @internal Scales gradients of length `norm` to at most `maxNorm`. */
export function scaleGradients(params: readonly Tensor[], norm: number, maxNorm: number): void {
  const scale = maxNorm / (norm + 1e-6);
  if (!(scale < 1)) return;
  for (const grad of gradients(params)) {
    run('affine', { count: grad.size, scale, shift: 0 }, { x: grad.operand, y: grad.operand });
    grad.touch();
  }
}

/** The length of the vector that all gradients together make; NaN or infinite where one of their elements is. */
export function gradNorm(params: readonly Tensor[]): number {
  return measureGradients(params)();
}

/** @internal Measures the gradients now, and again in every run of a program that records this; the result reads it. */
export function measureGradients(params: readonly Tensor[]): () => number {
  const squares = gradients(params).map((grad) => {
    const y = grad.dtype === 'float64' ? new Float64Array(1) : new Float32Array(1);
    run('sumSquares', { outer: 1, count: grad.size, inner: 1 }, { x: grad.operand, y });
    return y;
  });
  return () => Math.sqrt(squares.reduce((sum, y) => sum + y[0]!, 0));
}

/** Clamps every element of every gradient to ±value. */
export function clipGradValue_(params: readonly Tensor[], value: number): void {
  if (!(value >= 0)) fail('clipGradValue_', { expected: 'value to be at least 0', got: String(value) });
  for (const grad of gradients(params)) {
    run('clamp', { count: grad.size, low: -value, high: value }, { x: grad.operand, y: grad.operand });
    grad.touch();
  }
}

function gradients(params: readonly Tensor[]): Tensor[] {
  return params.flatMap(({ grad }) => (grad === null ? [] : gradientValues(grad)));
}
