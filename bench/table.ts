// The lines of a table as text for a terminal.
import { groupBy } from './group.ts';
import type { Cell, Line } from './summary.ts';

/** Four significant digits at most, without an exponent. */
export const digits = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value)
    ? '-'
    : value >= 1000
      ? value.toFixed(0)
      : value.toPrecision(value >= 100 ? 4 : 3);

const share = (value: number | undefined, level: string): string =>
  value === undefined ? '-' : `${Math.round(100 * value)} %${level}`;

/** The columns of rivals that have a figure in some line. */
export const rivalsIn = (lines: readonly Line[]): string[] =>
  [...new Set(lines.flatMap((line) => [...line.cells.keys()]))].filter((side) => side !== 'fovea');

const rivalCell = (cell: Cell | undefined): string =>
  cell?.bareMs === undefined ? digits(cell?.ms) : `${digits(cell.ms)} (${digits(cell.bareMs)})`;

/** Cells of one line, in the order of `heads`. */
export function cellsOf(line: Line, rivals: readonly string[]): string[] {
  return [
    line.row.name,
    String(line.threads),
    line.cells.has('fovea') ? digits(line.cells.get('fovea')?.ms) : (line.missing.get('fovea') ?? '-'),
    line.rate === undefined || line.row.family === 'call' ? '-' : `${digits(line.rate)} ${line.unit}`,
    share(line.share, line.row.flops ? '' : ` ${line.level}`),
    ...rivals.map((rival) => rivalCell(line.cells.get(rival))),
    digits(line.ratio),
  ];
}

export const heads = (rivals: readonly string[]): string[] => [
  'row',
  'threads',
  'fovea ms',
  'rate',
  'of limit',
  ...rivals.map((rival) => `${rival} ms`),
  'best / fovea',
];

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
export function aligned(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  return table
    .map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}

/** One table for each family. */
export function terminal(lines: readonly Line[]): string {
  return [...groupBy(lines, (line) => line.row.family)]
    .map(([family, group]) => {
      const rivals = rivalsIn(group);
      return `${family}\n${aligned([heads(rivals), ...group.map((line) => cellsOf(line, rivals))])}`;
    })
    .join('\n\n');
}
