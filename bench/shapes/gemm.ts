// Matrix products: squares, the products inside nets with their transposes, matrix times vector; packed once or each time.
import { bytes, type Row } from './row.ts';

const transposes = ['NN', 'NT', 'TN'] as const;

function matmul(name: string, m: number, n: number, k: number, transpose: string, packed = 0): Row {
  return {
    family: 'gemm',
    name: `${name} ${m}x${n}x${k} ${transpose}${packed ? ' packed' : ''}`,
    call: {
      op: 'matmul',
      batch: 1,
      aBatch: 1,
      bBatch: 1,
      m,
      n,
      k,
      transposeA: Number(transpose[0] === 'T'),
      transposeB: Number(transpose[1] === 'T'),
      accumulate: 0,
      activation: 0,
      packed,
    },
    // A product with a vector does two operations for each number it reads: memory is its limit.
    flops: m === 1 ? 0 : 2 * m * n * k,
    reads: bytes(m * k, k * n),
    writes: bytes(m * n),
  };
}

const squares = [16, 32, 64, 128, 256, 512, 1024, 2048];
const named = [
  ['gates', 32, 2048, 512],
  ['dense', 64, 4096, 1024],
  ['late', 512, 49, 4608],
  ['early', 64, 3136, 576],
  ['vector', 1, 4096, 4096],
] as const;

export const gemm: readonly Row[] = [
  ...squares.map((size) => matmul('square', size, size, size, 'NN')),
  ...squares.map((size) => matmul('square', size, size, size, 'NN', 1)),
  ...named.flatMap(([name, m, n, k]) => transposes.map((transpose) => matmul(name, m, n, k, transpose))),
  matmul('gates', 32, 2048, 512, 'NT', 1),
  matmul('dense', 64, 4096, 1024, 'NT', 1),
  matmul('vector', 1, 4096, 4096, 'NT', 1),
];
