// Matrix products, batched and broadcast, and the linear layer.
import { run } from '../../kernels/backend.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { failShape } from '../errors.ts';
import { reduce } from '../reduction.ts';
import { broadcastShapes, product, type Shape, sameShape, show } from '../shape.ts';
import { checkSameFloat, checkShape } from './check.ts';
import { expand, reshape } from './movement.ts';

/** y [batch, m, n] = op(a) op(b); a holds aBatch matrices and b bBatch: as many as batch, or 1 that is repeated. */
interface Product {
  readonly batch: number;
  readonly aBatch: number;
  readonly bBatch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: 0 | 1;
  readonly transposeB: 0 | 1;
}

function multiply(a: Tensor, b: Tensor, p: Product, shape: Shape, bias?: Tensor): Tensor {
  const y = empty(shape, a.dtype, 'matmul');
  const buffers = { a: a.floats, b: b.floats, bias: bias?.floats, y: y.floats };
  run('matmul', { ...p, accumulate: 0, activation: 0 }, buffers);
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
  const p: Product = { batch, aBatch, bBatch, m, n, k, transposeA: 0, transposeB: 0 };
  return differentiable(
    multiply(left, right, p, shape),
    'matmul',
    [left, right],
    [left, right],
    (gradY, [a, b], needs) => {
      // gradA = gradY bᵀ, gradB = aᵀ gradY; summed over the batch where one matrix was repeated.
      const ofA: Product = { ...p, aBatch: batch, n: k, k: n, transposeB: 1 };
      const ofB: Product = { ...p, bBatch: batch, m: k, k: m, transposeA: 1 };
      return [
        needs[0] ? sumBatch(multiply(gradY, b, ofA, [batch, m, k]), a) : null,
        needs[1] ? sumBatch(multiply(a, gradY, ofB, [batch, k, n]), b) : null,
      ];
    },
  );
}

function sumBatch(gradient: Tensor, x: Tensor): Tensor {
  return (gradient.size === x.size ? gradient : reduce('sum', gradient, [0], false)).view(x.shape);
}

function single(a: Tensor, b: Tensor, shape: Shape, m: number, n: number, k: number): Tensor {
  const p: Product = { batch: 1, aBatch: 1, bBatch: 1, m, n, k, transposeA: 0, transposeB: 0 };
  return differentiable(multiply(a, b, p, shape), 'matmul', [a, b], [a, b], (gradY, [a, b], needs) => [
    needs[0] ? multiply(gradY, b, { ...p, n: k, k: n, transposeB: 1 }, a.shape) : null,
    needs[1] ? multiply(a, gradY, { ...p, m: k, k: m, transposeA: 1 }, b.shape) : null,
  ]);
}

/** y = x weightᵀ + bias. x: [..., in], weight: [out, in], bias: [out]; y: [..., out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  checkSameFloat('linear', { x, weight, bias });
  const [out, inner] = weight.shape;
  if (out === undefined || inner === undefined || weight.rank !== 2) {
    failShape('linear', { expected: 'weight [out, in]', got: show(weight.shape) });
  }
  if (x.shape.at(-1) !== inner) {
    const because = `weight is ${show(weight.shape)}`;
    failShape('linear', { expected: `x with ${inner} features last`, because, got: `x ${show(x.shape)}` });
  }
  if (bias) checkShape('linear', 'bias', bias, [out], `weight is ${show(weight.shape)}`);
  const lead = x.shape.slice(0, -1);
  const rows = product(lead);
  const p: Product = { batch: 1, aBatch: 1, bBatch: 1, m: rows, n: out, k: inner, transposeA: 0, transposeB: 1 };
  const y = multiply(x, weight, p, [...lead, out], bias ?? undefined);
  return differentiable(y, 'linear', [x, weight, bias ?? undefined], [x, weight], (gradY, [x, weight], needs) => [
    needs[0] ? multiply(gradY, weight, { ...p, n: inner, k: out, transposeB: 0 }, x.shape) : null,
    needs[1]
      ? multiply(gradY, x, { ...p, m: out, n: inner, k: rows, transposeA: 1, transposeB: 0 }, weight.shape)
      : null,
    needs[2] ? reduce('sum', gradY.view([rows, out]), [0], false) : null,
  ]);
}
