// The bodies of the methods of Tensor, each the function of the same name, and their attachment.
import { backward } from './autograd.ts';
import { Tensor } from './core.ts';
import type { TensorMethods } from './methods.ts';
import * as activation from './ops/activation.ts';
import * as elementwise from './ops/elementwise.ts';
import * as gather from './ops/gather.ts';
import * as inPlace from './ops/inplace.ts';
import { matmul } from './ops/matmul.ts';
import * as movement from './ops/movement.ts';
import * as random from './ops/random.ts';
import * as reductions from './ops/reduce.ts';
import { logSoftmax, softmax } from './ops/softmax.ts';
import { dimsOf } from './shape.ts';

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
  argmax(axes, keepDims) {
    return reductions.argmax(this, axes, keepDims);
  },
  argmin(axes, keepDims) {
    return reductions.argmin(this, axes, keepDims);
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
  slice(first: readonly movement.Range[] | number, start?: number, end?: number, step?: number) {
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
