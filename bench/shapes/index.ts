// All rows of the benchmark.
import { call } from './call.ts';
import { conv2d } from './conv2d.ts';
import { gemm } from './gemm.ts';
import { javascript } from './javascript.ts';
import { moves } from './movement.ts';
import { pointwise } from './pointwise.ts';
import { pool2d } from './pool2d.ts';
import { recurrent } from './recurrent.ts';
import { reduction } from './reduction.ts';
import type { Row } from './row.ts';

export const rows: readonly Row[] = [
  call,
  gemm,
  conv2d,
  recurrent,
  pool2d,
  pointwise,
  reduction,
  moves,
  javascript,
].flat();
