// Dropout, and filling tensors with random numbers.
import { run } from '../../kernels/backend.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { defaultGenerator, type Generator } from '../generator.ts';
import { checkFloat, checkNumber } from './check.ts';
import { checkInPlace } from './inplace.ts';

export interface DropoutOptions {
  /** Only in training are elements dropped (default true). */
  readonly training?: boolean;
  readonly generator?: Generator;
}

/** Each element is 0 with probability `p`, else x / (1 - p). Outside training x itself. */
export function dropout(x: Tensor, p = 0.5, { training = true, generator }: DropoutOptions = {}): Tensor {
  checkFloat('dropout', x);
  checkNumber('dropout', 'p', p, 0, 1);
  if (!training || p === 0) return x;
  const seed = (generator ?? defaultGenerator()).nextSeed();
  return differentiable(dropped(x, p, seed), 'dropout', [x], [], (gradY) => [dropped(gradY, p, seed)]);
}

function dropped(x: Tensor, probability: number, seed: Int32Array): Tensor {
  const y = empty(x.shape, x.dtype);
  run('dropout', { count: x.size, seedWords: 4, probability }, { x: x.operand, seed, y: y.operand });
  return y;
}

/** Fills x with numbers from [low, high). */
export function fillUniform(x: Tensor, low = 0, high = 1, generator: Generator = defaultGenerator()): Tensor {
  checkFloat('uniform_', x);
  checkInPlace('uniform_', x);
  checkNumber('uniform_', 'low', low, -Number.MAX_VALUE, high);
  checkNumber('uniform_', 'high', high, low, Number.MAX_VALUE);
  run('uniform', { count: x.size, seedWords: 4, low, high }, { seed: generator.nextSeed(), y: x.operand });
  x.touch();
  return x;
}

/** Fills x with normally distributed numbers. */
export function fillNormal(x: Tensor, mean = 0, std = 1, generator: Generator = defaultGenerator()): Tensor {
  checkFloat('normal_', x);
  checkInPlace('normal_', x);
  checkNumber('normal_', 'mean', mean);
  checkNumber('normal_', 'std', std, 0);
  run('normal', { count: x.size, seedWords: 4, mean, std }, { seed: generator.nextSeed(), y: x.operand });
  x.touch();
  return x;
}
