// One row of the case table: a kernel call described as data, and how close two backends must come on it.
import type { Buffers, Shape } from '../../lib/kernels/call.ts';
import type { KernelName } from '../../lib/kernels/list.ts';

/**
 * What fills a buffer: a distribution, or numbers that repeat.
 * - normal: mean 0, standard deviation 1 (the default); positive: |normal| + 0.1
 * - huge: normal 1e18; tiny: normal 1e-12; subnormal: normal 1e-38
 * - special: normal numbers with NaN, infinities, zeros of both signs and the ends of the float range among them
 * - finite: the same without NaN and infinities; ties: whole numbers from -2 to 2
 */
export type Fill =
  | 'normal'
  | 'positive'
  | 'huge'
  | 'tiny'
  | 'subnormal'
  | 'special'
  | 'finite'
  | 'ties'
  | readonly number[];

/**
 * How far `got` may lie from `want`: (ulps |want| + terms magnitude) 2^-23 + absolute, where magnitude is what the
 * kernel gives for the absolute values of its inputs: the sum of |terms|. Nothing given: the two are equal.
 */
export interface Tolerance {
  readonly ulps?: number;
  readonly terms?: number;
  readonly absolute?: number;
}

/** Equal; NaN equals NaN and 0 equals -0. */
export const exact: Tolerance = {};

/** A float32 sum of k terms in any order: rounding errors of either sign add up like √k. */
export const sumOf = (k: number): Tolerance => ({ ulps: 1, terms: 1 + Math.sqrt(k) / 4 });

export interface Case<K extends KernelName = KernelName> {
  /** Continues the sentence `<kernel> …`. */
  readonly name: string;
  readonly kernel: K;
  readonly shape: Shape<K>;
  readonly tolerance: Tolerance;
  readonly seed: number;
  readonly fills?: { readonly [N in keyof Buffers<K>]?: Fill };
  /** Optional buffers that are left out. */
  readonly without?: readonly (keyof Buffers<K>)[];
}

/** Any row of the table. */
export type AnyCase = { readonly [K in KernelName]: Case<K> }[KernelName];

/** Element counts around the vector widths 4, 8, 16, and unrolled multiples of them. */
export const counts = [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 257];
