// The rows on which fovea's TypeScript kernels meet other plain JavaScript, and its native ones meet WebAssembly.
import { conv2d } from './conv2d.ts';
import { gemm } from './gemm.ts';
import { recurrent } from './recurrent.ts';
import type { Row } from './row.ts';

const names = ['square 512x512x512 NN', 'res 64>64 3x3 p1 56 b1 forward', 'LSTM T50 B32 I256 H256 forward'];

/** Rows that take a JavaScript library seconds, not minutes. */
export const isSample = (row: Row): boolean => names.includes(row.name);

/** The samples again, for the reference backend. */
export const javascript: readonly Row[] = [...gemm, ...conv2d, ...recurrent]
  .filter(isSample)
  .map((row) => ({ ...row, family: 'javascript', call: { ...row.call, packed: 0 } }));
