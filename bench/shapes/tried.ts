// What was tried on rows that miss their goal, by the begin of their title; the longest that fits counts.
import { type Row, title } from './row.ts';

const notes: Readonly<Record<string, string>> = {
  'gemm square 16x': 'the call itself takes longer than the product',
  'gemm square 32x': 'the call itself takes as long as the product',
  'gemm square 512x': 'b packed beforehand: 98 %; fetching a, b or y ahead, packing a: no gain',
  'gemm square 1024x': 'the way from L3: all in L2 97 %; blocks of other sizes, fetching ahead, packing a: no gain',
  'gemm square 2048x': 'the way from L3, as at 1024; all of b packed first came back from L3',
  'gemm dense 64x4096x1024 NN': 'b packed in blocks first: faster, on a busy machine only; open',
  'gemm early 64x3136x576 NN': 'b packed in blocks first: slower',
  'gemm gates 32x2048x512 NN': 'b packed in blocks first: slower',
  'gemm late 512x49x4608 NT': 'dots: 45 % of peak, bound by L2',
  'gemm vector': '1 to 16 rows at once, with and without prefetch: all at the limit of one thread',
};

/** The note for a row; '' where there is none. */
export function tried(row: Row): string {
  const fitting = Object.keys(notes).filter((begin) => title(row).startsWith(begin));
  return notes[fitting.sort((a, b) => b.length - a.length)[0] ?? ''] ?? '';
}
