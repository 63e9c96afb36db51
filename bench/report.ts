// The results as a page: what was measured on what, a summary, what is under its goal, a table for each family.
import { groupBy } from './group.ts';
import type { Machine } from './machine.ts';
import { commandOf, type Options } from './options.ts';
import { title } from './shapes/row.ts';
import { tried } from './shapes/tried.ts';
import { environmentOf } from './sides.ts';
import type { Line } from './summary.ts';
import { cellsOf, digits, heads, rivalsIn } from './table.ts';
import type { Results } from './trials.ts';

const range = (values: readonly number[], places: number): string => {
  const [low, high] = [Math.min(...values).toFixed(places), Math.max(...values).toFixed(places)];
  return low === high ? low : `${low} to ${high}`;
};

/** What stands above every table: the machine, what ran, and how. */
export function about(machine: Machine, results: Results, options: Options): string[] {
  const { clocks, loads, versions, isa } = results;
  const variables = Object.entries(environmentOf(options.isa)).map(([name, value]) => `${name}=${value}`);
  return [
    `${machine.processor}, ${machine.processors} processors, ${machine.memoryGb} GB, ${machine.system}; ${machine.date} UTC`,
    `clock ${clocks.length > 0 ? `${range(clocks, 2)} GHz` : 'unknown'}, load average ${range(loads, 2)}, ` +
      `large pages ${machine.largePages}`,
    `fovea on ${isa || 'no native kernels'}; ${options.trials} trials of ${options.seconds} s a row`,
    Object.entries(versions)
      .map(([side, version]) => `${side} ${version}`)
      .join('; '),
    ...(variables.length > 0 ? [`the rivals are told ${variables.join(' ')}`] : []),
  ];
}

const named = (lines: readonly Line[]): string =>
  lines.map((line) => `${title(line.row)}, threads ${line.threads}: ${digits(line.ratio)} of ${line.best}`).join('; ');

/** Between two builds: a difference under this is noise. */
const noise = 0.05;

/** How many lines are at or above the best rival, and the worst; against another build, which lines changed. */
export function overview(lines: readonly Line[], { against }: Pick<Options, 'against'>): string[] {
  const all = lines.filter((line) => line.ratio !== undefined).sort((a, b) => a.ratio! - b.ratio!);
  if (all.length === 0) return [];
  if (against !== undefined) {
    const slower = all.filter((line) => line.ratio! < 1 - noise);
    const faster = all.filter((line) => line.ratio! > 1 + noise).reverse();
    const percent = `${100 * noise} %`;
    return [
      `${slower.length} of ${all.length} lines slower than the other build by more than ${percent}: ${named(slower) || 'none'}.`,
      `${faster.length} faster by more than ${percent}: ${named(faster.slice(0, 5)) || 'none'}${faster.length > 5 ? '; …' : '.'}`,
    ];
  }
  const level = all.filter((line) => line.ratio! >= 1);
  const missed = lines.filter((line) => line.underGoal.length > 0);
  return [
    `${level.length} of ${all.length} lines at or above 1.0 of the best rival; under goal: ${missed.length} of ${lines.length}.`,
    `The worst: ${named(all.slice(0, 5))}.`,
  ];
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
export const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...body.map(row)].join('\n');

function underGoal(lines: readonly Line[]): string {
  const missed = lines.filter((line) => line.underGoal.length > 0);
  if (missed.length === 0) return 'None.';
  return table(
    ['row', 'threads', 'goal missed', 'tried'],
    missed.map((line) => [title(line.row), String(line.threads), line.underGoal.join('; '), tried(line.row)]),
  );
}

function family(lines: readonly Line[]): string {
  const rivals = rivalsIn(lines);
  // Those under their goal first.
  const sorted = [...lines].sort((a, b) => Number(b.underGoal.length > 0) - Number(a.underGoal.length > 0));
  return table(
    heads(rivals),
    sorted.map((line) => cellsOf(line, rivals)),
  );
}

/** The page as Markdown. */
export function markdown(
  lines: readonly Line[],
  machine: Machine,
  results: Results,
  options: Options,
  chart: string,
): string {
  return `# Kernels beside their rivals

${about(machine, results, options)
  .map((line) => `- ${line}`)
  .join('\n')}

Again: \`${commandOf(options)}\`

${overview(lines, options).join('\n\n')}

![Ratio to the best rival and share of the machine's limit, by family](${chart})

A line is a kernel call at a thread count, in milliseconds, medians over trials. The limit is what the probe reached beside
the row: multiply-adds in registers, or a stream through as many bytes as the call's (L1 … memory says which level holds them).
A rival's time is on plain row-major (NCHW) tensors, as fovea's, its reorders included; in brackets: tensors already in its own
layout, which does not count. Weights are laid out beforehand by all, but for the rows called unpacked; for products only in
the rows called packed. A call of fovea's comes from JavaScript, and pays for that (family call). The last column is the best rival's time over fovea's: above 1, fovea is faster.

## Under goal

${underGoal(lines)}

${[...groupBy(lines, (line) => line.row.family)].map(([name, group]) => `## ${name}\n\n${family(group)}`).join('\n\n')}
`;
}
