// Matrix product: operands are packed into panels of four rows or columns, then multiplied in 4 x 4 register tiles.
import type { Floats } from '../call.ts';
import { type Kernel, scratch } from './kernel.ts';

/** Rows of a panel of `a` and columns of a panel of `b`. */
export const tile = 4;
/** Largest length of packed `a` and `b` at a time, so that they stay in the second-level cache. */
const packedLimit = 1 << 16;

/** Where a matrix lies: row i of a (or column i of b) has data[offset + i step + d depthStep] at place d along k. */
export interface Operand {
  readonly data: Floats;
  readonly offset: number;
  readonly step: number;
  readonly depthStep: number;
}

/** Length of `count` rows or columns of length `depth` when packed. */
export const packedLength = (count: number, depth: number) => Math.ceil(count / tile) * tile * depth;

/** Packs rows (or columns) first .. first + count as [panel][depth][4], with zeros after the last. */
export function pack(from: Operand, first: number, count: number, depth: number, packed: Float64Array): void {
  const { data, step, depthStep } = from;
  let out = 0;
  for (let i = 0; i < count; i += tile) {
    let p0 = from.offset + (first + i) * step;
    if (i + tile <= count) {
      let p1 = p0 + step;
      let p2 = p1 + step;
      let p3 = p2 + step;
      for (let d = 0; d < depth; d++, out += tile) {
        packed[out] = data[p0];
        packed[out + 1] = data[p1];
        packed[out + 2] = data[p2];
        packed[out + 3] = data[p3];
        p0 += depthStep;
        p1 += depthStep;
        p2 += depthStep;
        p3 += depthStep;
      }
    } else {
      for (let d = 0; d < depth; d++, p0 += depthStep) {
        for (let r = 0; r < tile; r++) packed[out++] = i + r < count ? data[p0 + r * step] : 0;
      }
    }
  }
}

const corner = new Float64Array(tile * tile);

/** How many rows (or columns) of length `depth` to keep packed at a time. */
export const rowsAtOnce = (depth: number) => Math.max(tile, Math.floor(packedLimit / Math.max(1, depth) / tile) * tile);

/** y[i, j] = (accumulate ? y : 0) + sum over k of packed a and b; y's rows are `yStep` apart. */
export function multiplyPacked(
  m: number,
  n: number,
  k: number,
  a: Float64Array,
  b: Float64Array,
  accumulate: boolean,
  y: Floats,
  yOffset: number,
  yStep: number,
): void {
  const block = rowsAtOnce(k);
  for (let first = 0; first < m; first += block) {
    const last = Math.min(m, first + block);
    for (let j = 0; j < n; j += tile) {
      for (let i = first; i < last; i += tile) {
        multiplyTile(k, a, i * k, b, j * k);
        storeTile(Math.min(tile, m - i), Math.min(tile, n - j), accumulate, y, yOffset + i * yStep + j, yStep);
      }
    }
  }
}

function storeTile(rows: number, columns: number, accumulate: boolean, y: Floats, start: number, yStep: number): void {
  for (let r = 0; r < rows; r++, start += yStep) {
    for (let c = 0; c < columns; c++) {
      const value = corner[r * tile + c];
      y[start + c] = accumulate ? y[start + c] + value : value;
    }
  }
}

/** corner = the 4 x 4 product of one panel of a and one of b. */
function multiplyTile(k: number, a: Float64Array, p: number, b: Float64Array, q: number): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  let c20 = 0;
  let c21 = 0;
  let c22 = 0;
  let c23 = 0;
  let c30 = 0;
  let c31 = 0;
  let c32 = 0;
  let c33 = 0;
  for (const end = p + k * tile; p < end; p += tile, q += tile) {
    const b0 = b[q];
    const b1 = b[q + 1];
    const b2 = b[q + 2];
    const b3 = b[q + 3];
    const a0 = a[p];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    const a1 = a[p + 1];
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    const a2 = a[p + 2];
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    const a3 = a[p + 3];
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  corner[0] = c00;
  corner[1] = c01;
  corner[2] = c02;
  corner[3] = c03;
  corner[4] = c10;
  corner[5] = c11;
  corner[6] = c12;
  corner[7] = c13;
  corner[8] = c20;
  corner[9] = c21;
  corner[10] = c22;
  corner[11] = c23;
  corner[12] = c30;
  corner[13] = c31;
  corner[14] = c32;
  corner[15] = c33;
}

const packedA = scratch();
const packedB = scratch();

/** y[i, j] = (accumulate ? y : 0) + sum over d of a(i, d) b(j, d), for a dense y [m, n] at yOffset. */
export function multiply(
  m: number,
  n: number,
  k: number,
  a: Operand,
  b: Operand,
  accumulate: boolean,
  y: Floats,
  yOffset: number,
): void {
  if (Math.min(m, n) < tile / 2) {
    for (let i = 0; i < m; i++) {
      if (n === 1) y[yOffset + i] = (accumulate ? y[yOffset + i] : 0) + dot(k, a, i, b, 0);
      else multiplyRow(n, k, a, i, b, accumulate, y, yOffset + i * n);
    }
    return;
  }
  const rows = Math.min(m, rowsAtOnce(k));
  const columns = Math.min(n, rowsAtOnce(k));
  const left = packedA(packedLength(rows, k));
  const right = packedB(packedLength(columns, k));
  for (let i = 0; i < m; i += rows) {
    const mHere = Math.min(rows, m - i);
    pack(a, i, mHere, k, left);
    for (let j = 0; j < n; j += columns) {
      const nHere = Math.min(columns, n - j);
      if (i === 0 || columns < n) pack(b, j, nHere, k, right);
      multiplyPacked(mHere, nHere, k, left, right, accumulate, y, yOffset + i * n + j, n);
    }
  }
}

/** Row i of a with column j of b. */
function dot(k: number, a: Operand, i: number, b: Operand, j: number): number {
  let p = a.offset + i * a.step;
  let q = b.offset + j * b.step;
  let total = 0;
  for (let d = 0; d < k; d++, p += a.depthStep, q += b.depthStep) total += a.data[p] * b.data[q];
  return total;
}

const rowTotals = scratch();

/** One row of y, reading b once in the order it lies in memory. */
function multiplyRow(
  n: number,
  k: number,
  a: Operand,
  i: number,
  b: Operand,
  accumulate: boolean,
  y: Floats,
  yOffset: number,
): void {
  const { data, offset, step, depthStep } = b;
  const total = rowTotals(n);
  if (depthStep === 1) {
    let j = 0;
    for (; j + tile <= n; j += tile) {
      let p = a.offset + i * a.step;
      let q0 = offset + j * step;
      let q1 = q0 + step;
      let q2 = q1 + step;
      let q3 = q2 + step;
      let t0 = 0;
      let t1 = 0;
      let t2 = 0;
      let t3 = 0;
      for (let d = 0; d < k; d++, p += a.depthStep) {
        const value = a.data[p];
        t0 += value * data[q0++];
        t1 += value * data[q1++];
        t2 += value * data[q2++];
        t3 += value * data[q3++];
      }
      total[j] = t0;
      total[j + 1] = t1;
      total[j + 2] = t2;
      total[j + 3] = t3;
    }
    for (; j < n; j++) total[j] = dot(k, a, i, b, j);
  } else {
    total.fill(0, 0, n);
    let p = a.offset + i * a.step;
    for (let d = 0; d < k; d++, p += a.depthStep) {
      const value = a.data[p];
      for (let j = 0, q = offset + d * depthStep; j < n; j++, q += step) total[j] += value * data[q];
    }
  }
  for (let j = 0; j < n; j++) y[yOffset + j] = accumulate ? y[yOffset + j] + total[j] : total[j];
}

/** y = activation(y + bias[row or column]) over a dense [rows, columns]; activation 1 is ReLU. */
export function finish(
  rows: number,
  columns: number,
  bias: Floats | undefined,
  biasPer: 'row' | 'column',
  activation: number,
  y: Floats,
  yOffset: number,
): void {
  if (bias !== undefined) {
    for (let i = 0, at = yOffset; i < rows; i++) {
      if (biasPer === 'row') for (let j = 0; j < columns; j++) y[at++] += bias[i];
      else for (let j = 0; j < columns; j++) y[at++] += bias[j];
    }
  }
  if (activation === 1) {
    for (let at = yOffset, end = yOffset + rows * columns; at < end; at++) if (y[at] < 0) y[at] = 0;
  }
}

export const matmul: Kernel<'matmul'> = (shape, { a, b, bias, y }) => {
  const { batch, m, n, k } = shape;
  for (let i = 0; i < batch; i++) {
    const aOffset = shape.aBatch === 1 ? 0 : i * m * k;
    const bOffset = shape.bBatch === 1 ? 0 : i * k * n;
    const left = shape.transposeA
      ? { data: a, offset: aOffset, step: 1, depthStep: m }
      : { data: a, offset: aOffset, step: k, depthStep: 1 };
    const right = shape.transposeB
      ? { data: b, offset: bOffset, step: k, depthStep: 1 }
      : { data: b, offset: bOffset, step: 1, depthStep: n };
    multiply(m, n, k, left, right, shape.accumulate === 1, y, i * m * n);
    finish(m, n, bias, 'column', shape.activation, y, i * m * n);
  }
};
