// What each row is to reach, as data: a share of the machine's limit, a ratio to the best rival.
import type { Row } from './row.ts';

export interface Goal {
  /** Share of the peak or the bandwidth. */
  readonly ofLimit?: number;
  /** Best rival's time over fovea's. */
  readonly ofBest?: number;
}

/** More threads over one, where the call takes longer than this on one; below it, only no slower (within noise). */
export const scaling = { ms: 0.1, twofold: 1.8, below: 0.95 };

function gemm(row: Row, threads: number): Goal {
  const size = Number(row.call.m);
  if (row.name.startsWith('vector')) return { ofLimit: 0.9, ofBest: 1 };
  if (!row.name.startsWith('square')) return { ofBest: 1 };
  if (size >= 256) return { ofLimit: threads === 1 ? 0.93 : 0.9, ofBest: 1 };
  return size >= 32 && threads === 1 ? { ofLimit: 0.85, ofBest: 0.9 } : { ofBest: 0.9 };
}

function conv2d(row: Row): Goal {
  if (row.name.startsWith('lenet')) return { ofLimit: 0.5, ofBest: 1 };
  if (row.name.startsWith('depthwise')) return { ofLimit: 0.8, ofBest: 1 };
  return { ofBest: 1 };
}

/** The goal of a row at a thread count. */
export function goalOf(row: Row, threads: number): Goal {
  if (row.family === 'gemm') return gemm(row, threads);
  if (row.family === 'conv2d') return conv2d(row);
  if (row.family === 'recurrent') return { ofBest: row.name.endsWith('training') ? 1.2 : 1 };
  if (row.family === 'call') return { ofBest: 1 };
  if (row.family === 'javascript') return { ofBest: 3 };
  return { ofLimit: 0.8 };
}
