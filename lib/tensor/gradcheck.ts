// Compares gradients with finite differences, in double precision.
import { noGrad } from './autograd.ts';
import { fromArray, randn } from './create.ts';
import { FoveaError, fail } from './errors.ts';
import type { Tensor } from './tensor.ts';

export interface GradcheckOptions {
  /** Step of the difference, relative to the size of the element (default 1e-5). */
  readonly step?: number;
  /** Allowed |difference|, relative to the larger of 1 and the gradient (default 1e-7). */
  readonly tolerance?: number;
}

/**
 * Checks d(Σ w fn(inputs))/d(input), for random fixed weights w, against central differences, for every element of every
 * input. Inputs must be float64; `fn` must be smooth around them and give the same result each time.
 * Returns the largest relative error; throws, naming input and element, where it exceeds the tolerance.
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-5, tolerance = 1e-7 }: GradcheckOptions = {},
): number {
  const leaves = inputs.map((input, i) => {
    if (input.dtype !== 'float64') fail('gradcheck', { expected: `input ${i} of float64`, got: input.label });
    const leaf = fromArray(Float64Array.from(input.floats), input.shape);
    leaf.requiresGrad = true;
    return leaf;
  });
  const y = fn(...leaves);
  const weights = randn(y.shape, { seed: 20, dtype: 'float64' });
  y.backward(weights);
  const value = () =>
    noGrad(() =>
      fn(...leaves)
        .mul(weights)
        .sum()
        .item(),
    );
  let worst = 0;
  leaves.forEach((leaf, i) => {
    const { floats } = leaf;
    for (let j = 0; j < leaf.size; j++) {
      const numeric = derivative(floats, j, step, value);
      const analytic = leaf.grad?.floats[j] ?? 0;
      const error = Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric));
      if (!(error <= tolerance)) {
        throw new FoveaError(`gradcheck: input ${i}, element ${j}: gradient ${analytic}, finite difference ${numeric}`);
      }
      worst = Math.max(worst, error);
    }
  });
  return worst;
}

/** Central difference of fourth order: its error falls with the fourth power of the step. */
function derivative(data: Float32Array | Float64Array, j: number, step: number, value: () => number): number {
  const x = data[j]!;
  const h = step * Math.max(1, Math.abs(x));
  const at = (offset: number) => {
    data[j] = x + offset;
    return value();
  };
  const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
  data[j] = x;
  return slope;
}
