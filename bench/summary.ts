// From measurements to figures: medians over trials, share of the limit, ratio to the best rival, what is under its goal.
import { median } from './compare/trial.ts';
import { groupBy } from './group.ts';
import { level } from './machine.ts';
import { goalOf, scaling } from './shapes/goals.ts';
import { footprint, type Row, title } from './shapes/row.ts';

/** One answer of one side. */
export interface Measurement {
  readonly row: string;
  readonly threads: number;
  readonly trial: number;
  readonly side: string;
  readonly ms?: number;
  readonly bareMs?: number;
  readonly how?: string;
  readonly skip?: string;
  readonly error?: string;
}

/** What the probe said beside a row: GFLOP/s or GB/s. */
export interface Limit {
  readonly row: string;
  readonly threads: number;
  readonly value: number;
}

export interface Cell {
  readonly ms: number;
  readonly bareMs?: number;
  readonly how?: string;
}

/** One line of the table. */
export interface Line {
  readonly row: Row;
  readonly threads: number;
  /** By the side's name; without those that have no figure. */
  readonly cells: ReadonlyMap<string, Cell>;
  /** Why sides have none. */
  readonly missing: ReadonlyMap<string, string>;
  /** GFLOP/s, or GB/s where memory is the limit. */
  readonly rate?: number;
  readonly unit: 'GFLOP/s' | 'GB/s';
  /** The level of memory that the row's data fits in. */
  readonly level: string;
  /** Of fovea's rate to the limit. */
  readonly share?: number;
  readonly best?: string;
  /** Best rival's time over fovea's. */
  readonly ratio?: number;
  readonly underGoal: readonly string[];
}

const own = 'fovea';
const percent = (share: number) => `${Math.round(100 * share)} %`;

/** Work per second of a call, in GFLOP/s or GB/s. */
export const rateOf = (row: Row, ms: number): number =>
  (row.flops || (row.passes ?? 1) * (row.reads + row.writes)) / ms / 1e6;

function cellOf(measured: readonly Measurement[]): Cell | undefined {
  const timed = measured.filter((it) => it.ms !== undefined);
  if (timed.length === 0) return undefined;
  const bare = timed.flatMap((it) => it.bareMs ?? []);
  const how = timed.find((it) => it.how !== undefined)?.how;
  return {
    ms: median(timed.map((it) => it.ms!)),
    ...(bare.length > 0 && { bareMs: median(bare) }),
    ...(how !== undefined && { how }),
  };
}

function misses(line: Omit<Line, 'underGoal'>, single: Cell | undefined): string[] {
  const { row, threads, share, ratio, best, cells } = line;
  const { ofLimit, ofBest } = goalOf(row, threads);
  const found: string[] = [];
  if (ofLimit !== undefined && share !== undefined && share < ofLimit)
    found.push(`${percent(share)} of ${row.flops ? 'peak' : `${line.level} bandwidth`}, not ${percent(ofLimit)}`);
  if (ofBest !== undefined && ratio !== undefined && ratio < ofBest)
    found.push(`${ratio.toFixed(2)} of ${best}, not ${ofBest}`);
  const ms = cells.get(own)?.ms;
  if (threads > 1 && single !== undefined && ms !== undefined) {
    const speedUp = single.ms / ms;
    const goal = single.ms > scaling.ms ? (scaling.twofold * threads) / 2 : scaling.below;
    if (speedUp < goal) found.push(`${speedUp.toFixed(2)}x of 1 thread, not ${goal}x`);
  }
  return found;
}

/** The lines of the table, row by row in their order, then by threads. */
export function summarize(
  rows: readonly Row[],
  measured: readonly Measurement[],
  limits: readonly Limit[],
  caches: readonly number[],
): Line[] {
  const groups = groupBy(measured, (it) => `${it.row} ${it.threads}`);
  const limitsOf = groupBy(limits, (it) => `${it.row} ${it.threads}`);
  const counts = [...new Set(measured.map((it) => it.threads))];
  return rows.flatMap((row) => {
    let single: Cell | undefined;
    return counts.flatMap((threads) => {
      const key = `${title(row)} ${threads}`;
      const group = groups.get(key);
      if (group === undefined) return [];
      const cells = new Map<string, Cell>();
      const missing = new Map<string, string>();
      for (const [side, answers] of groupBy(group, (it) => it.side)) {
        const cell = cellOf(answers);
        if (cell !== undefined) cells.set(side, cell);
        else missing.set(side, answers[0]?.error ?? answers[0]?.skip ?? 'no answer');
      }
      const ms = cells.get(own)?.ms;
      if (threads === 1) single = cells.get(own);
      const limit = median((limitsOf.get(key) ?? []).map((it) => it.value));
      const [best] = [...cells].filter(([side]) => side !== own).sort((a, b) => a[1].ms - b[1].ms);
      const line = {
        row,
        threads,
        cells,
        missing,
        unit: row.flops ? 'GFLOP/s' : 'GB/s',
        level: level(footprint(row) / threads, caches),
        ...(ms !== undefined && { rate: rateOf(row, ms) }),
        ...(ms !== undefined && limit > 0 && { share: rateOf(row, ms) / limit }),
        ...(best !== undefined && { best: best[0] }),
        ...(best !== undefined && ms !== undefined && { ratio: best[1].ms / ms }),
      } as const;
      return [{ ...line, underGoal: misses(line, single) }];
    });
  });
}
