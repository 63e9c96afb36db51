// Matrix products, batched and broadcast, and the linear layer.
import { run } from '../../kernels/backend.ts';
import type { Shape as KernelShape } from '../../kernels/call.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { failShape } from '../errors.ts';
import { reduce } from '../reduction.ts';
import { broadcastShapes, product, type Shape, sameShape, show } from '../shape.ts';
import { checkSameFloat, checkShape } from './check.ts';
import { expand, reshape } from './movement.ts';

type Bit = 0 | 1;

/** op(a) [m, k] times op(b) [k, n]; with a batch, a and b hold as many matrices or 1 that is repeated. */
function productOf(
  m: number,
  n: number,
  k: number,
  transposeA: Bit,
  transposeB: Bit,
  batch = 1,
  aBatch = 1,
  bBatch = 1,
) {
  return { batch, aBatch, bBatch, m, n, k, transposeA, transposeB, accumulate: 0, activation: 0 };
}

function multiply(a: Tensor, b: Tensor, product: KernelShape<'matmul'>, yShape: Shape, bias?: Tensor | null): Tensor {
  const y = empty(yShape, a.dtype, 'matmul');
  run('matmul', product, { a: a.operand, b: b.operand, bias: bias?.operand, y: y.operand });
  return y;
}

/**
 * Matrix product over the last two dimensions; leading ones broadcast. A vector is taken as a row on the left, as a
 * column on the right, and its dimension vanishes from the result.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkSameFloat('matmul', { a, b });
  const k = a.shape.at(-1);
  if (k === undefined || b.rank === 0 || k !== b.shape.at(b.rank === 1 ? -1 : -2)) {
    const inner = k === undefined ? 'a and b of rank 1 or more' : `b with ${k} rows`;
    failShape('matmul', { expected: inner, because: `a is ${show(a.shape)}`, got: `b ${show(b.shape)}` });
  }
  const aMatrix = a.rank === 1 ? reshape(a, [1, k]) : a;
  const bMatrix = b.rank === 1 ? reshape(b, [k, 1]) : b;
  const m = aMatrix.shape.at(-2)!;
  const n = bMatrix.shape.at(-1)!;
  const lead = broadcastShapes('matmul', aMatrix.shape.slice(0, -2), bMatrix.shape.slice(0, -2));
  const y = batched(aMatrix, bMatrix, lead, m, n, k);
  return a.rank > 1 && b.rank > 1
    ? y
    : reshape(y, [...lead, ...(a.rank === 1 ? [] : [m]), ...(b.rank === 1 ? [] : [n])]);
}

function batched(a: Tensor, b: Tensor, lead: Shape, m: number, n: number, k: number): Tensor {
  const aLead = a.shape.slice(0, -2);
  const bLead = b.shape.slice(0, -2);
  const batch = product(lead);
  const shape = [...lead, m, n];
  // One b for a whole batch: the batch is only more rows of a.
  if (product(bLead) === 1 && sameShape(aLead, lead)) return single(a, b, shape, batch * m, n, k);
  const repeated = (x: Tensor, own: Shape) =>
    product(own) === 1 || sameShape(own, lead) ? x : expand(x, [...lead, ...x.shape.slice(-2)]);
  const left = repeated(a, aLead);
  const right = repeated(b, bLead);
  const aBatch = product(left.shape.slice(0, -2));
  const bBatch = product(right.shape.slice(0, -2));
  const y = multiply(left, right, productOf(m, n, k, 0, 0, batch, aBatch, bBatch), shape);
  return differentiable(y, 'matmul', [left, right], [left, right], (gradY, [a, b], needs) => {
    // gradA = gradY bᵀ, gradB = aᵀ gradY; summed over the batch where one matrix was repeated.
    const ofA = productOf(m, k, n, 0, 1, batch, batch, bBatch);
    const ofB = productOf(k, n, m, 1, 0, batch, aBatch, batch);
    return [
      needs[0] ? sumBatch(multiply(gradY, b, ofA, [batch, m, k]), a) : null,
      needs[1] ? sumBatch(multiply(a, gradY, ofB, [batch, k, n]), b) : null,
    ];
  });
}

function sumBatch(gradient: Tensor, x: Tensor): Tensor {
  return (gradient.size === x.size ? gradient : reduce('sum', gradient, [0], false)).view(x.shape);
}

function single(a: Tensor, b: Tensor, shape: Shape, m: number, n: number, k: number): Tensor {
  const y = multiply(a, b, productOf(m, n, k, 0, 0), shape);
  return differentiable(y, 'matmul', [a, b], [a, b], (gradY, [a, b], needs) => [
    needs[0] ? multiply(gradY, b, productOf(m, k, n, 0, 1), a.shape) : null,
    needs[1] ? multiply(a, gradY, productOf(k, n, m, 1, 0), b.shape) : null,
  ]);
}

/** y = x weightᵀ + bias. x: [..., in], weight: [out, in], bias: [out]; y: [..., out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  checkSameFloat('linear', { x, weight }, { bias });
  const [out, inner] = weight.shape;
  if (out === undefined || inner === undefined || weight.rank !== 2) {
    failShape('linear', { expected: 'weight [out, in]', got: show(weight.shape) });
  }
  if (x.shape.at(-1) !== inner) {
    const because = `weight is ${show(weight.shape)}`;
    failShape('linear', { expected: `x with ${inner} features last`, because, got: `x ${show(x.shape)}` });
  }
  if (bias) checkShape('linear', 'bias', bias, [out], ['weight', weight]);
  const lead = x.shape.slice(0, -1);
  const rows = product(lead);
  const y = multiply(x, weight, productOf(rows, out, inner, 0, 1), [...lead, out], bias);
  return differentiable(y, 'linear', [x, weight, bias ?? undefined], [x, weight], (gradY, [x, weight], needs) => [
    needs[0] ? multiply(gradY, weight, productOf(rows, inner, out, 0, 0), x.shape) : null,
    needs[1] ? multiply(gradY, x, productOf(out, inner, rows, 1, 0), weight.shape) : null,
    needs[2] ? reduce('sum', gradY.view([rows, out]), [0], false) : null,
  ]);
}
