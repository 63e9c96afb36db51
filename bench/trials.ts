// The trials: fresh processes of every side, row by row in turns, with the probe beside each row.
import { loadavg } from 'node:os';
import type { Answer } from './compare/trial.ts';
import { Conversation } from './conversation.ts';
import type { Options } from './options.ts';
import { footprint, hasLimit, type Row, title } from './shapes/row.ts';
import { environmentFor, probe, type Side } from './sides.ts';
import type { Limit, Measurement } from './summary.ts';

type Fields = Readonly<Record<string, string | number>>;

/** All that was measured. */
export interface Results {
  readonly measured: Measurement[];
  readonly limits: Limit[];
  /** Clock in GHz and load average at each trial's begin. */
  readonly clocks: number[];
  readonly loads: number[];
  /** What each side says of itself. */
  readonly versions: Record<string, string>;
  /** The instruction set of fovea's native kernels. */
  isa: string;
  /** Ended by a signal: what is here is what was measured until then. */
  stopped: boolean;
}

/** How the probe is to use memory to be like a row. */
export function streamOf({ reads, writes, inPlace }: Row): string {
  if (inPlace !== undefined) return 'update';
  if (writes < reads / 10) return 'read';
  if (reads < writes / 2) return 'fill';
  return reads > 1.5 * writes ? 'add' : 'copy';
}

const request = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

const limitRequest = (row: Row): Fields =>
  row.flops > 0 ? { op: 'peak' } : { op: 'bandwidth', stream: streamOf(row), bytes: footprint(row) };

/** One line on a terminal that the next replaces; elsewhere a line for every tenth row. */
function progress(text: string, index: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text.slice(0, (process.stderr.columns ?? 100) - 1)}\x1b[K`);
  else if (index % 10 === 0) process.stderr.write(`${text}\n`);
}

/** Processes of one trial at one thread count. */
class Trial {
  readonly #threads: number;
  readonly #results: Results;
  readonly #sides: readonly Conversation[];
  readonly #probe: Conversation | undefined;

  constructor(threads: number, sides: readonly Side[], results: Results) {
    const env = environmentFor(threads);
    this.#threads = threads;
    this.#results = results;
    this.#sides = sides.map((side) => new Conversation(side, env));
    this.#probe = probe.absent === undefined ? new Conversation(probe, env) : undefined;
  }

  async #limit(fields: Fields): Promise<number | undefined> {
    const isa = this.#results.isa || 'sse';
    const answer = await this.#probe?.ask<{ value?: number }>(request({ ...fields, isa, threads: this.#threads }));
    return answer !== undefined && 'value' in answer ? answer.value : undefined;
  }

  async begin(): Promise<void> {
    this.#results.loads.push(loadavg()[0]!);
    const clock = await this.#limit({ op: 'clock' });
    if (clock !== undefined) this.#results.clocks.push(clock);
  }

  /** Asks every side that takes the row, beginning with another in every trial; the probe before and after. */
  async row(row: Row, number: number, seconds: number): Promise<void> {
    const { measured, limits, versions } = this.#results;
    const about = { row: title(row), threads: this.#threads, trial: number };
    const taking = this.#sides.filter(({ side }) => side.takes(row));
    const first = number % Math.max(1, taking.length);
    const limit = async () => {
      const value = hasLimit(row) ? await this.#limit(limitRequest(row)) : undefined;
      if (value !== undefined) limits.push({ ...about, value });
    };
    // The probe must know fovea's instruction set, which the first row tells.
    if (this.#results.isa !== '') await limit();
    for (const conversation of [...taking.slice(first), ...taking.slice(0, first)]) {
      if (this.#results.stopped) return;
      const { name } = conversation.side;
      const answer = await conversation.ask<Answer>(request({ ...row.call, threads: this.#threads, seconds }));
      if (this.#results.stopped) return;
      measured.push({ ...about, side: name, ...answer });
      const { version, isa } = conversation.greeting ?? {};
      if (version === undefined) continue;
      versions[row.family === 'javascript' ? `${name} (javascript)` : name] = version;
      if (name === 'fovea' && row.family !== 'javascript') this.#results.isa = isa ?? '';
    }
    await limit();
  }

  end(): void {
    for (const conversation of [...this.#sides, ...(this.#probe === undefined ? [] : [this.#probe])])
      conversation.stop();
  }
}

/** Calls of a good part of a second, to which another trial adds minutes and no knowledge. */
const isLong = ({ flops, family }: Row): boolean => flops > 2e10 || family === 'javascript';

/** Runs all trials of the rows; long ones have one. Plain JavaScript has one thread. */
export async function runTrials(rows: readonly Row[], sides: readonly Side[], options: Options): Promise<Results> {
  const results: Results = {
    measured: [],
    limits: [],
    clocks: [],
    loads: [],
    versions: {},
    isa: options.isa,
    stopped: false,
  };
  const { trials, threads: counts, seconds } = options;
  let trial: Trial | undefined;
  const stop = () => {
    results.stopped = true;
    trial?.end();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  for (let number = 1; number <= trials; ++number) {
    for (const threads of counts) {
      if (results.stopped) break;
      trial = new Trial(threads, sides, results);
      await trial.begin();
      const asked = rows.filter(
        (row) => (number === 1 || !isLong(row)) && (threads === counts[0] || row.family !== 'javascript'),
      );
      for (const [index, row] of asked.entries()) {
        if (results.stopped) break;
        progress(
          `trial ${number}/${trials}, threads ${threads}, row ${index + 1}/${asked.length}: ${title(row)}`,
          index,
        );
        await trial.row(row, number, seconds);
      }
      trial.end();
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return results;
}
