// A row of the benchmark: one kernel call with a name, and the work it does. Every side of a comparison reads the call.

/**
 * The call as text goes to any process: `op` is the kernel's name in the list, then its shape fields; `with` names the
 * optional buffers that are given. A rival makes of the same fields what its user would.
 */
export type Call = Readonly<Record<string, string | number>> & { readonly op: string };

export interface Row {
  readonly family: string;
  /** Unique in the family. */
  readonly name: string;
  readonly call: Call;
  /** Multiply-adds count as two; 0 where memory is the limit. */
  readonly flops: number;
  /** Bytes read and written, each operand once. */
  readonly reads: number;
  readonly writes: number;
  /** All its bytes, where some are both read and written: changed in place. */
  readonly inPlace?: number;
  /** How often the call goes through them (default 1). */
  readonly passes?: number;
}

/** Whether arithmetic or bandwidth limits the row; not the price of a call, and JavaScript is far from either. */
export const hasLimit = ({ family }: Row): boolean => family !== 'javascript' && family !== 'call';

/** The bytes a call's operands take. */
export const footprint = (row: Row): number => row.inPlace ?? row.reads + row.writes;

export const bytes = (...counts: readonly number[]): number => 4 * counts.reduce((sum, count) => sum + count, 0);

/** `family name`, by which people speak of a row. */
export const title = (row: Row): string => `${row.family} ${row.name}`;

/** The rows that every word selects: a word selects a row if a word of its title begins so; `a,b` is either. */
export function select(rows: readonly Row[], words: readonly string[]): Row[] {
  const starts = (row: Row, word: string) =>
    title(row)
      .toLowerCase()
      .split(' ')
      .some((part) => part.startsWith(word.toLowerCase()));
  return rows.filter((row) =>
    words.every((word) =>
      word
        .split(',')
        .filter((it) => it !== '')
        .some((it) => starts(row, it)),
    ),
  );
}
