// Initial values of weights, by PyTorch's names and formulas; each fills its tensor in place and returns it.
import { fail } from '../tensor/errors.ts';
import { defaultGenerator, type Generator, noGrad, type Tensor } from '../tensor/index.ts';
import { fillNormal, fillUniform } from '../tensor/ops/random.ts';
import { product } from '../tensor/shape.ts';

/** Where the random numbers come from; the default generator if not given. */
export interface Seeded {
  generator?: Generator | undefined;
}

/** What follows a layer: its gain keeps the variance of activations level (He et al. 2015). */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

export interface KaimingOptions extends Seeded {
  /** Slope of the leaky ReLU that follows, for `nonlinearity: 'leakyRelu'`. */
  a?: number;
  /** `in` keeps the variance of the forward pass level, `out` that of the backward pass. */
  mode?: 'in' | 'out';
  nonlinearity?: Nonlinearity;
}

/** Inputs and outputs of one unit of a weight [out, in, ...window]. */
export function fans(weight: Tensor): { fanIn: number; fanOut: number } {
  const [out, input] = weight.shape;
  if (out === undefined || input === undefined) {
    fail('init', { expected: 'a weight of rank 2 or more', got: `shape [${weight.shape.join(', ')}]` });
  }
  const window = product(weight.shape, 2);
  return { fanIn: input * window, fanOut: out * window };
}

/** The factor by which weights must be larger because of what follows them. */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  if (nonlinearity === 'tanh') return 5 / 3;
  if (nonlinearity === 'relu') return Math.SQRT2;
  if (nonlinearity === 'leakyRelu') return Math.sqrt(2 / (1 + slope * slope));
  if (nonlinearity === 'selu') return 3 / 4;
  return 1;
}

/** Every value from the uniform distribution over low..high. */
export function uniform_(weight: Tensor, low = 0, high = 1, { generator }: Seeded = {}): Tensor {
  return noGrad(() => fillUniform(weight, low, high, generator ?? defaultGenerator()));
}

/** Every value from the normal distribution. */
export function normal_(weight: Tensor, mean = 0, std = 1, { generator }: Seeded = {}): Tensor {
  return noGrad(() => fillNormal(weight, mean, std, generator ?? defaultGenerator()));
}

/** Every value the same. */
export function constant_(weight: Tensor, value: number): Tensor {
  return noGrad(() => weight.fill_(value));
}

/** Uniform over ±gain sqrt(3 / fan): He et al. 2015, "Delving Deep into Rectifiers", eq. 10. */
export function kaimingUniform_(weight: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd(weight, options);
  return uniform_(weight, -bound, bound, options);
}

/** Normal with std gain / sqrt(fan): He et al. 2015. */
export function kaimingNormal_(weight: Tensor, options: KaimingOptions = {}): Tensor {
  return normal_(weight, 0, kaimingStd(weight, options), options);
}

/** Uniform over ±gain sqrt(6 / (fanIn + fanOut)): Glorot & Bengio 2010, "Understanding the difficulty of training", eq. 16. */
export function xavierUniform_(
  weight: Tensor,
  { gain: scale = 1, ...seeded }: { gain?: number } & Seeded = {},
): Tensor {
  const bound = Math.sqrt(3) * xavierStd(weight, scale);
  return uniform_(weight, -bound, bound, seeded);
}

/** Normal with std gain sqrt(2 / (fanIn + fanOut)): Glorot & Bengio 2010. */
export function xavierNormal_(weight: Tensor, { gain: scale = 1, ...seeded }: { gain?: number } & Seeded = {}): Tensor {
  return normal_(weight, 0, xavierStd(weight, scale), seeded);
}

/** Uniform over ±sqrt(3 / fanIn), which has the standard deviation of `lecunNormal_`. */
export function lecunUniform_(weight: Tensor, seeded: Seeded = {}): Tensor {
  const bound = Math.sqrt(3 / fans(weight).fanIn);
  return uniform_(weight, -bound, bound, seeded);
}

/** Normal with std 1 / sqrt(fanIn): LeCun et al. 1998, "Efficient BackProp", eq. 16. */
export function lecunNormal_(weight: Tensor, seeded: Seeded = {}): Tensor {
  return normal_(weight, 0, 1 / Math.sqrt(fans(weight).fanIn), seeded);
}

function kaimingStd(weight: Tensor, { a = 0, mode = 'in', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  const { fanIn, fanOut } = fans(weight);
  return gain(nonlinearity, a) / Math.sqrt(mode === 'in' ? fanIn : fanOut);
}

function xavierStd(weight: Tensor, scale: number): number {
  const { fanIn, fanOut } = fans(weight);
  return scale * Math.sqrt(2 / (fanIn + fanOut));
}
