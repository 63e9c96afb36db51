// `npm run bench`: every side in a fresh process per trial, taking turns row by row.
import { availableParallelism, loadavg } from 'node:os';
import type { Answer } from './compare/trial.ts';
import { Conversation } from './conversation.ts';
import { machine } from './machine.ts';
import { help, type Options, parseOptions } from './options.ts';
import { rows as allRows } from './shapes/index.ts';
import { footprint, type Row, select, title } from './shapes/row.ts';
import { environmentFor, probe, type Side, sidesOf } from './sides.ts';
import { type Limit, type Measurement, summarize } from './summary.ts';
import { terminal } from './table.ts';

/** How the probe is to use memory to be like a row. */
function streamOf({ reads, writes, inPlace }: Row): string {
  if (inPlace !== undefined) return 'update';
  if (writes < reads / 10) return 'read';
  if (reads < writes / 2) return 'fill';
  return reads > 1.5 * writes ? 'add' : 'copy';
}

const request = (fields: Readonly<Record<string, string | number>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.slice(0, (process.stderr.columns ?? 100) - 1)}\x1b[K`);
}

interface Results {
  readonly measured: Measurement[];
  readonly limits: Limit[];
  /** Clock in GHz, at each trial's begin. */
  readonly clocks: number[];
  readonly loads: number[];
  /** Of each side that ran. */
  readonly versions: Map<string, string>;
  isa: string;
}

/** One trial at one thread count: fresh processes, one row after the other, each side in its turn. */
async function trial(
  number: number,
  threads: number,
  rows: readonly Row[],
  sides: readonly Side[],
  options: Options,
  into: Results,
) {
  const env = environmentFor(threads);
  const conversations = sides.map((side) => new Conversation(side, env));
  const limiter = new Conversation(probe, env);
  const limit = async (fields: Readonly<Record<string, string | number>>): Promise<number | undefined> => {
    if (probe.absent !== undefined) return undefined;
    const answer = await limiter.ask<{ value?: number }>(request({ isa: into.isa || 'sse', threads, ...fields }));
    return 'value' in answer ? answer.value : undefined;
  };
  const clock = await limit({ op: 'clock' });
  if (clock !== undefined) into.clocks.push(clock);
  into.loads.push(loadavg()[0]!);
  for (const [index, row] of rows.entries()) {
    progress(`trial ${number}/${options.trials}, threads ${threads}, row ${index + 1}/${rows.length}: ${title(row)}`);
    // Another side begins in every trial.
    const turn = (index + number) % conversations.length;
    for (const conversation of [...conversations.slice(turn), ...conversations.slice(0, turn)]) {
      const answer = await conversation.ask<Answer>(request({ ...row.call, threads, seconds: options.seconds }));
      into.measured.push({ row: title(row), threads, trial: number, side: conversation.side.name, ...answer });
      const { greeting } = conversation;
      if (greeting !== undefined) into.versions.set(conversation.side.name, greeting.version);
      if (conversation.side.name === 'fovea') into.isa = greeting?.isa ?? '';
    }
    const value = await limit(
      row.flops ? { op: 'peak' } : { op: 'bandwidth', stream: streamOf(row), bytes: footprint(row) },
    );
    if (value !== undefined) into.limits.push({ row: title(row), threads, value });
  }
  for (const conversation of [...conversations, limiter]) conversation.stop();
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), availableParallelism());
  if (options.mode === 'help') return console.log(help);
  const rows = select(allRows, options.words);
  if (rows.length === 0)
    throw new Error(`expected words that select rows, but got '${options.words.join(' ')}'; --list shows all titles`);
  if (options.mode === 'list') return console.log(rows.map(title).join('\n'));

  const all = sidesOf(options);
  for (const side of [...all, probe]) {
    if (side.absent !== undefined) console.error(`SKIPPED: ${side.name}: ${side.absent}`);
  }
  const sides = all.filter((side) => side.absent === undefined);
  const results: Results = { measured: [], limits: [], clocks: [], loads: [], versions: new Map(), isa: options.isa };
  for (let number = 1; number <= options.trials; ++number) {
    for (const threads of options.threads) await trial(number, threads, rows, sides, options, results);
  }
  progress('');

  const about = {
    ...machine(),
    isa: results.isa,
    clocks: results.clocks,
    versions: Object.fromEntries(results.versions),
  };
  if (options.json)
    return console.log(JSON.stringify({ about, options, measured: results.measured, limits: results.limits }));
  const lines = summarize(rows, results.measured, results.limits, about.caches);
  console.log(terminal(lines));
  for (const { row, threads, missing } of lines)
    for (const [side, why] of missing) {
      const failed = results.measured.some((it) => it.row === title(row) && it.side === side && it.error !== undefined);
      if (failed) console.error(`FAILED: ${side}, ${title(row)}, ${threads} threads: ${why}`);
    }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
