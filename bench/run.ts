// `npm run bench`: the rows that the words select, timed beside the rivals, printed and, if wanted, saved.
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { withApplications } from './applications/results.ts';
import { here } from './cache.ts';
import { chart } from './chart.ts';
import { machine } from './machine.ts';
import { help, parseOptions } from './options.ts';
import { about, markdown, overview } from './report.ts';
import { rows as allRows } from './shapes/index.ts';
import { select, title } from './shapes/row.ts';
import { probe, sidesOf } from './sides.ts';
import { type Measurement, summarize } from './summary.ts';
import { terminal } from './table.ts';
import { runTrials } from './trials.ts';

/** What went wrong, once for each side and row. */
function sayFailures(measured: readonly Measurement[]): void {
  const failures = measured.filter((it) => it.error !== undefined && it.trial === 1);
  for (const { side, row, threads, error } of failures)
    console.error(`FAILED: ${side}, ${row}, threads ${threads}: ${error}`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), availableParallelism(), process.env);
  if (options.mode === 'help') return console.log(help);
  const rows = select(allRows, options.words);
  if (rows.length === 0)
    throw new Error(`expected words that select rows, but got '${options.words.join(' ')}'; --list shows all titles`);
  if (options.mode === 'list') return console.log(rows.map(title).join('\n'));

  const all = sidesOf(options).filter((side) => rows.some((row) => side.takes(row)));
  for (const side of [...all, probe]) {
    if (side.absent !== undefined) console.error(`SKIPPED: ${side.name}: ${side.absent}`);
  }
  const sides = all.filter((side) => side.absent === undefined);
  const results = await runTrials(rows, sides, options);

  const computer = machine();
  const lines = summarize(rows, results.measured, results.limits, computer.caches);
  if (options.json) console.log(JSON.stringify({ machine: computer, options, ...results }));
  else
    console.log(
      [about(computer, results, options).join('\n'), terminal(lines), overview(lines, options).join('\n')].join('\n\n'),
    );
  if (results.stopped) console.error('stopped before the end: the figures are those measured until then');
  sayFailures(results.measured);
  if (options.save !== undefined) {
    const page = markdown(lines, computer, results, options, `${options.save}.svg`);
    writeFileSync(join(here, `${options.save}.md`), options.save === 'results' ? withApplications(page) : page);
    writeFileSync(join(here, `${options.save}.svg`), chart(lines));
    console.error(`written: bench/${options.save}.md and .svg`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
