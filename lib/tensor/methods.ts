// The operations as methods of Tensor: their documentation, and their attachment.
import { backward } from './autograd.ts';
import { Tensor } from './core.ts';
import type { Generator } from './generator.ts';
import * as activation from './ops/activation.ts';
import type { Operand } from './ops/elementwise.ts';
import * as elementwise from './ops/elementwise.ts';
import type { Indices } from './ops/gather.ts';
import * as gather from './ops/gather.ts';
import * as inPlace from './ops/inplace.ts';
import { matmul } from './ops/matmul.ts';
import type { Range } from './ops/movement.ts';
import * as movement from './ops/movement.ts';
import * as random from './ops/random.ts';
import type { Axes } from './ops/reduce.ts';
import * as reductions from './ops/reduce.ts';
import { logSoftmax, softmax } from './ops/softmax.ts';
import { dimsOf, type Shape } from './shape.ts';
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
  /** int32 positions of the first largest element along `axis` (default: among all). */
  argmax(axis?: number, keepDims?: boolean): Tensor;
  argmin(axis?: number, keepDims?: boolean): Tensor;

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

const methods: TensorMethods & ThisType<Tensor> = {
  backward(gradient) {
    backward(this, gradient);
  },
  clone() {
    return movement.clone(this);
  },
  to(dtype) {
    return movement.to(this, dtype);
  },
  toFloat() {
    return movement.to(this, 'float32');
  },
  add(other) {
    return elementwise.add(this, other);
  },
  sub(other) {
    return elementwise.sub(this, other);
  },
  mul(other) {
    return elementwise.mul(this, other);
  },
  div(other) {
    return elementwise.div(this, other);
  },
  maximum(other) {
    return elementwise.maximum(this, other);
  },
  minimum(other) {
    return elementwise.minimum(this, other);
  },
  equal(other) {
    return elementwise.equal(this, other);
  },
  less(other) {
    return elementwise.less(this, other);
  },
  pow(exponent) {
    return elementwise.pow(this, exponent);
  },
  square() {
    return elementwise.square(this);
  },
  neg() {
    return activation.neg(this);
  },
  abs() {
    return activation.abs(this);
  },
  exp() {
    return activation.exp(this);
  },
  log() {
    return activation.log(this);
  },
  sqrt() {
    return activation.sqrt(this);
  },
  relu() {
    return activation.relu(this);
  },
  sigmoid() {
    return activation.sigmoid(this);
  },
  tanh() {
    return activation.tanh(this);
  },
  gelu() {
    return activation.gelu(this);
  },
  silu() {
    return activation.silu(this);
  },
  softplus() {
    return activation.softplus(this);
  },
  leakyRelu(slope) {
    return activation.leakyRelu(this, slope);
  },
  elu(alpha) {
    return activation.elu(this, alpha);
  },
  clamp(low, high) {
    return activation.clamp(this, low, high);
  },
  matmul(other) {
    return matmul(this, other);
  },
  softmax(axis) {
    return softmax(this, axis);
  },
  logSoftmax(axis) {
    return logSoftmax(this, axis);
  },
  sum(axes, keepDims) {
    return reductions.sum(this, axes, keepDims);
  },
  mean(axes, keepDims) {
    return reductions.mean(this, axes, keepDims);
  },
  max(axes, keepDims) {
    return reductions.max(this, axes, keepDims);
  },
  min(axes, keepDims) {
    return reductions.min(this, axes, keepDims);
  },
  argmax(axis, keepDims) {
    return reductions.argmax(this, axis, keepDims);
  },
  argmin(axis, keepDims) {
    return reductions.argmin(this, axis, keepDims);
  },
  reshape(...shape) {
    return movement.reshape(this, dimsOf(shape));
  },
  flatten(start, end) {
    return movement.flatten(this, start, end);
  },
  squeeze(axis) {
    return movement.squeeze(this, axis);
  },
  unsqueeze(axis) {
    return movement.unsqueeze(this, axis);
  },
  transpose(a, b) {
    return movement.transpose(this, a, b);
  },
  permute(...axes) {
    return movement.permute(this, dimsOf(axes));
  },
  expand(...shape) {
    return movement.expand(this, dimsOf(shape));
  },
  slice(first: readonly Range[] | number, start?: number, end?: number, step?: number) {
    return typeof first === 'number'
      ? movement.sliceAxis(this, first, start ?? 0, end, step)
      : movement.slice(this, first);
  },
  pad(padding, value) {
    return movement.pad(this, padding, value);
  },
  indexSelect(axis, indices) {
    return gather.indexSelect(this, axis, indices);
  },
  add_(other) {
    return inPlace.addInPlace(this, other);
  },
  sub_(other) {
    return inPlace.subInPlace(this, other);
  },
  mul_(other) {
    return inPlace.mulInPlace(this, other);
  },
  div_(other) {
    return inPlace.divInPlace(this, other);
  },
  fill_(value) {
    return inPlace.fill(this, value);
  },
  zero_() {
    return inPlace.fill(this, 0);
  },
  copy_(from) {
    return inPlace.copyInto(this, from);
  },
  uniform_(low, high, generator) {
    return random.fillUniform(this, low, high, generator);
  },
  normal_(mean, std, generator) {
    return random.fillNormal(this, mean, std, generator);
  },
};

/** Gives Tensor its methods; called once, by tensor.ts. */
export function attachMethods(): void {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
  }
}
