// Making tensors: from numbers, filled, and random.
import { run } from '../kernels/backend.ts';
import { describe, fail, failShape } from './errors.ts';
import { Generator } from './generator.ts';
import { fillNormal, fillUniform } from './ops/random.ts';
import type { Nested } from './print.ts';
import { product, type Shape, show, sizeOf } from './shape.ts';
import { checkMemory, type Data, type Dtype, dtypeOf, plain, Storage } from './storage.ts';
import { empty, Tensor } from './tensor.ts';

export interface CreateOptions {
  /** Default 'float32'. */
  readonly dtype?: Dtype;
  readonly requiresGrad?: boolean;
}

export interface TensorOptions extends CreateOptions {
  /** Default: as nested; for a typed array its length. */
  readonly shape?: Shape;
}

/**
 * A tensor from a number, nested arrays, or a typed array. A typed array is used without a copy: its dtype is that of
 * the tensor, and later changes to it are changes of the tensor.
 */
export function tensor(values: Nested | Data, { shape, dtype, requiresGrad }: TensorOptions = {}): Tensor {
  if (ArrayBuffer.isView(values)) return finish(wrap('tensor', values, shape, dtype), requiresGrad);
  const found = nestedShape(values);
  const target = shape ?? found;
  if (sizeOf(target) !== product(found)) {
    failShape('tensor', {
      expected: `${sizeOf(target)} numbers for shape ${show(target)}`,
      got: `shape ${show(found)}`,
    });
  }
  const data = plain(checkDtype('tensor', dtype ?? 'float32'), sizeOf(target, 'tensor'));
  flattenInto(data, values, found);
  return finish(wrap('tensor', data, target, undefined), requiresGrad);
}

/** A tensor over the memory of `data`, without a copy. */
export function fromArray(data: Data, shape: Shape = [data.length]): Tensor {
  return wrap('fromArray', data, shape, undefined);
}

function wrap(operation: string, data: Data, shape: Shape | undefined, dtype: Dtype | undefined): Tensor {
  const own = dtypeOf(operation, data);
  checkMemory(operation, data);
  if (dtype !== undefined && dtype !== own) {
    const because = 'a typed array is used without a copy';
    fail(operation, { expected: `dtype ${own}, or none`, because, got: describe(dtype) });
  }
  const target = shape ?? [data.length];
  const size = sizeOf(target, operation);
  if (size !== data.length) {
    failShape(operation, { expected: `${size} numbers for shape ${show(target)}`, got: `${data.length}` });
  }
  return new Tensor(new Storage(data), [...target], own, size);
}

/** The shape of nested arrays, taken from the first entries; `flattenInto` checks the others. */
function nestedShape(values: Nested): number[] {
  const shape: number[] = [];
  let current: Nested | undefined = values;
  while (Array.isArray(current)) {
    shape.push(current.length);
    current = current[0];
  }
  return shape;
}

function flattenInto(data: Data, values: Nested, shape: Shape): void {
  let next = 0;
  const visit = (value: Nested, axis: number): void => {
    if (axis === shape.length) {
      if (typeof value !== 'number') {
        fail('tensor', { expected: 'numbers, nested evenly', got: describe(value) });
      }
      data[next++] = value;
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const got = Array.isArray(value) ? `one of ${value.length}` : describe(value);
      failShape('tensor', {
        expected: `arrays of ${shape[axis]} at depth ${axis}`,
        because: 'the first has as many',
        got,
      });
    }
    for (const part of value) visit(part, axis + 1);
  };
  visit(values, 0);
}

function checkDtype(operation: string, dtype: Dtype): Dtype {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'float64') return dtype;
  return fail(operation, { expected: "dtype 'float32', 'int32' or 'float64'", got: describe(dtype) });
}

function finish(x: Tensor, requiresGrad: boolean | undefined): Tensor {
  if (requiresGrad) x.requiresGrad = true;
  return x;
}

/** A tensor of one number and no dimensions. */
export const scalar = (value: number, options: CreateOptions = {}): Tensor => filled('scalar', [], value, options);

/** Every element is `value`. Throws ShapeError for a shape that is none. */
export const full = (shape: Shape, value: number, options: CreateOptions = {}): Tensor =>
  filled('full', shape, value, options);

export const zeros = (shape: Shape, options: CreateOptions = {}): Tensor => filled('zeros', shape, 0, options);
export const ones = (shape: Shape, options: CreateOptions = {}): Tensor => filled('ones', shape, 1, options);

function filled(operation: string, shape: Shape, value: number, options: CreateOptions): Tensor {
  const { dtype = 'float32', requiresGrad } = options;
  if (typeof value !== 'number') fail(operation, { expected: 'a number', got: describe(value) });
  if (dtype === 'int32') return fromArray(new Int32Array(sizeOf(shape, operation)).fill(value), shape);
  const x = empty([...shape], checkDtype(operation, dtype), operation);
  run('fill', { count: x.size, value }, { y: x.operand });
  return finish(x, requiresGrad);
}

/** start, start + step, … up to but without end; `arange(end)` starts at 0. */
export function arange(start: number, end?: number, step = 1, { dtype = 'float32', requiresGrad }: CreateOptions = {}) {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    fail('arange', { expected: 'finite numbers and a step that is not 0', got: describe([from, to, step]) });
  }
  const size = sizeOf([Math.max(0, Math.ceil((to - from) / step))], 'arange');
  const data = plain(checkDtype('arange', dtype), size);
  for (let i = 0; i < size; i++) data[i] = from + i * step;
  return finish(fromArray(data), requiresGrad);
}

/** The identity matrix [n, n]. */
export function eye(n: number, options: CreateOptions = {}): Tensor {
  const { dtype = 'float32', requiresGrad } = options;
  const data = plain(checkDtype('eye', dtype), sizeOf([n, n], 'eye'));
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return finish(fromArray(data, [n, n]), requiresGrad);
}

export interface RandomOptions extends CreateOptions {
  /** A stream of its own for this call; otherwise `generator` (default: the default generator). */
  readonly seed?: number;
  readonly generator?: Generator;
}

/** Normally distributed numbers. */
export function randn(shape: Shape, options: RandomOptions & { readonly mean?: number; readonly std?: number } = {}) {
  const { dtype = 'float32', requiresGrad, mean = 0, std = 1 } = options;
  const x = empty([...shape], checkDtype('randn', dtype), 'randn');
  return finish(fillNormal(x, mean, std, generatorOf(options)), requiresGrad);
}

/** Evenly distributed numbers from [low, high). */
export function rand(shape: Shape, options: RandomOptions & { readonly low?: number; readonly high?: number } = {}) {
  const { dtype = 'float32', requiresGrad, low = 0, high = 1 } = options;
  const x = empty([...shape], checkDtype('rand', dtype), 'rand');
  return finish(fillUniform(x, low, high, generatorOf(options)), requiresGrad);
}

const generatorOf = ({ seed, generator }: RandomOptions): Generator | undefined =>
  seed === undefined ? generator : new Generator(seed);
