// What every tensor can do: the operations as methods, with their documentation. attach.ts gives them their bodies.
import type { Tensor } from './core.ts';
import type { Generator } from './generator.ts';
import type { Operand } from './ops/elementwise.ts';
import type { Indices } from './ops/gather.ts';
import type { Range } from './ops/movement.ts';
import type { Axes } from './ops/reduce.ts';
import type { Shape } from './shape.ts';
import type { Dtype } from './storage.ts';

type Dims = number[] | [Shape];

/** What every tensor can do. Operands broadcast: shapes are aligned at the end, and a length of 1 repeats. */
export interface TensorMethods {
  /**
   * Adds the gradient of this tensor to `grad` of every leaf it was computed from. Without `gradient` (what this
   * tensor's own elements weigh) it must be a single number. The graph is freed: a second call throws.
   */
  backward(gradient?: Tensor): void;
  /** A copy with memory of its own; gradients flow through. */
  clone(): Tensor;
  /** The same numbers as another dtype; to int32 they are cut towards zero. */
  to(dtype: Dtype): Tensor;
  /** As float32. */
  toFloat(): Tensor;

  add(other: Operand): Tensor;
  sub(other: Operand): Tensor;
  mul(other: Operand): Tensor;
  div(other: Operand): Tensor;
  pow(exponent: Operand): Tensor;
  /** The larger of both; equal ones share the gradient. */
  maximum(other: Operand): Tensor;
  /** The smaller of both; equal ones share the gradient. */
  minimum(other: Operand): Tensor;
  /** 1 where equal, else 0. */
  equal(other: Operand): Tensor;
  /** 1 where this is less than other, else 0. */
  less(other: Operand): Tensor;

  neg(): Tensor;
  abs(): Tensor;
  exp(): Tensor;
  log(): Tensor;
  sqrt(): Tensor;
  square(): Tensor;
  relu(): Tensor;
  leakyRelu(slope?: number): Tensor;
  elu(alpha?: number): Tensor;
  sigmoid(): Tensor;
  tanh(): Tensor;
  gelu(): Tensor;
  silu(): Tensor;
  softplus(): Tensor;
  clamp(low?: number, high?: number): Tensor;

  /** Matrix product over the last two dimensions; leading ones broadcast. */
  matmul(other: Tensor): Tensor;
  /** Along `axis` (default the last). */
  softmax(axis?: number): Tensor;
  /** Along `axis` (default the last). */
  logSoftmax(axis?: number): Tensor;

  /** Over `axes` (default all); `keepDims` leaves them as length 1. */
  sum(axes?: Axes, keepDims?: boolean): Tensor;
  mean(axes?: Axes, keepDims?: boolean): Tensor;
  max(axes?: Axes, keepDims?: boolean): Tensor;
  min(axes?: Axes, keepDims?: boolean): Tensor;
  /** int32 positions of the first largest element over `axes` (default all), counted row by row among these axes. */
  argmax(axes?: Axes, keepDims?: boolean): Tensor;
  argmin(axes?: Axes, keepDims?: boolean): Tensor;

  /** Another shape for the same memory; one length may be -1. */
  reshape(...shape: Dims): Tensor;
  /** Dimensions `start` to `end` (inclusive) as one. */
  flatten(start?: number, end?: number): Tensor;
  squeeze(axis?: number): Tensor;
  unsqueeze(axis: number): Tensor;
  /** Two dimensions swapped. */
  transpose(a: number, b: number): Tensor;
  /** Dimension i of the result is dimension `axes[i]` of this. */
  permute(...axes: Dims): Tensor;
  /** Repeated along dimensions of length 1; -1 keeps a length. */
  expand(...shape: Dims): Tensor;
  /** One range for each leading dimension, or `axis, start, end, step` for a single one. */
  slice(ranges: readonly Range[]): Tensor;
  slice(axis: number, start: number, end?: number, step?: number): Tensor;
  /** [before, after] for each of the last dimensions. */
  pad(padding: readonly (readonly [before: number, after: number])[], value?: number): Tensor;
  /** The slices at `indices` along `axis`. */
  indexSelect(axis: number, indices: Indices): Tensor;

  /** In place: only where no gradient is recorded, as all that end in _. */
  add_(other: Operand): Tensor;
  sub_(other: Operand): Tensor;
  mul_(other: Operand): Tensor;
  div_(other: Operand): Tensor;
  fill_(value: number): Tensor;
  zero_(): Tensor;
  copy_(from: Tensor): Tensor;
  uniform_(low?: number, high?: number, generator?: Generator): Tensor;
  normal_(mean?: number, std?: number, generator?: Generator): Tensor;
}

declare module './core.ts' {
  interface Tensor extends TensorMethods {}
}
