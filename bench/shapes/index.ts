// All rows of the benchmark.
import { conv2d } from './conv2d.ts';
import { gemm } from './gemm.ts';
import type { Row } from './row.ts';

export const rows: readonly Row[] = [...gemm, ...conv2d];
