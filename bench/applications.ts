// `npm run bench:applications`: trains and measures the applications with their own commands, and keeps what they reach.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Application, applications, races } from './applications/list.ts';
import { fovea, runOnce, type Surroundings, type Which } from './applications/measure.ts';
import {
  type ApplicationResult,
  linesOf,
  type RaceResult,
  type Run,
  saveResults,
  shown,
} from './applications/results.ts';
import { machine } from './machine.ts';
import { raceTraining } from './training-race.ts';

const help = `npm run bench:applications [-- names] [options]

Names: ${applications.map(({ name }) => name).join(', ')}; race-${races.names.join(', race-')} (beside PyTorch). Default: all.

  --data <folder>     the real data (default: FOVEA_DATA, else ../shared/data)
  --seeds <list>      instead of each application's own
  --folds <list>      the same
  --threads <n>       of fovea (default: FOVEA_THREADS, else all); of races: a list (default: 1,2)
  --rounds <n>        of races (default: 5)
  --seconds <n>       of a trial of a race (default: 4)
  --save              keep the results in bench/applications.json and bench/results.md
  --json              print JSON
  --list              print the commands
`;

const root = fileURLToPath(new URL('..', import.meta.url));

function runApplication(
  application: Application,
  {
    seeds: asked,
    folds: some,
    ...surroundings
  }: Surroundings & Readonly<Record<'seeds' | 'folds', number[] | undefined>>,
): readonly Run[] {
  // Without training nothing depends on the seed.
  const seeds = application.train === undefined ? application.seeds : (asked ?? application.seeds);
  const folds = application.folds && (some ?? application.folds);
  const all = seeds.flatMap((seed) => folds?.map((fold) => ({ seed, fold })) ?? [{ seed }]);
  return all.map((which: Which) => {
    const { seed, fold } = which;
    console.error(`${application.name}, seed ${seed}${fold === undefined ? '' : `, fold ${fold}`} …`);
    const run = runOnce(application, which, surroundings);
    const figures = application.figures.map(
      (figure, i) => `${figure.name} ${shown(run.figures[i] ?? Number.NaN, figure)}`,
    );
    console.error(`  ${figures.join(', ')}; ${run.seconds.toFixed(0)} s`);
    return run;
  });
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string', default: process.env.FOVEA_DATA ?? join(root, '..', 'shared', 'data') },
      seeds: { type: 'string' },
      folds: { type: 'string' },
      threads: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      save: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const all = [...applications.map(({ name }) => name), ...races.names.map((name) => `race-${name}`)];
  const names = positionals.length === 0 ? all : positionals;
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`expected some of ${all.join(', ')}, but got ${unknown.join(', ')}`);
  const chosen = applications.filter(({ name }) => names.includes(name));
  if (values.list) {
    for (const { name, train, measure } of chosen) {
      for (const command of [train, measure]) if (command) console.log(`${name}: fovea ${command.join(' ')}`);
    }
    return;
  }
  if (!existsSync(fovea)) throw new Error(`expected ${fovea}, but it is not there: npm run build:ts makes it`);
  if (chosen.length > 0 && !existsSync(values.data))
    throw new Error(`expected data in ${values.data}, but it is not there`);
  const [single] = (values.threads ?? '').split(',');
  const env = { ...process.env, ...(single && { FOVEA_THREADS: single }) };
  const [seeds, folds] = [values.seeds, values.folds].map((list) => list?.split(',').map(Number));
  const measured = { machine: machineLine(env), date: machine().date };
  const results: Record<string, ApplicationResult> = {};
  const raced: Record<string, RaceResult> = {};
  const keep = () => values.save && saveResults({ applications: results, races: raced });
  for (const application of chosen) {
    results[application.name] = {
      ...measured,
      runs: runApplication(application, { data: values.data, env, seeds, folds }),
    };
    keep(); // each at once: what follows may take long, or fail
  }
  for (const name of races.names.filter((it) => names.includes(`race-${it}`))) {
    const threads = (values.threads ?? '1,2').split(',').map(Number);
    const rates = raceTraining(name, { threads, rounds: Number(values.rounds), seconds: Number(values.seconds) });
    raced[name] = { ...measured, rates };
    keep();
  }
  if (values.json) console.log(JSON.stringify({ applications: results, races: raced }, null, 2));
  else tell(chosen, results, raced);
}

function tell(
  chosen: readonly Application[],
  results: Readonly<Record<string, ApplicationResult>>,
  raced: Readonly<Record<string, RaceResult>>,
): void {
  for (const application of chosen) {
    const result = results[application.name];
    if (result === undefined) continue;
    for (const [, figure, goal, reached, met] of linesOf(application, result)) {
      console.log(
        `${application.name.padEnd(16)} ${figure}: ${reached} (goal ${goal}; met: ${met?.replaceAll('*', '')})`,
      );
    }
  }
  for (const { rates } of Object.values(raced)) {
    for (const { workload, threads, name, rate, ratio } of rates) {
      console.log(`race-${workload}, ${threads} threads: ${name} ${Math.round(rate)}/s, ratio ${ratio.toFixed(2)}`);
    }
  }
}

/** The processor, and what fovea runs on there. */
function machineLine(env: NodeJS.ProcessEnv): string {
  const info: unknown = JSON.parse(
    execFileSync(process.execPath, [fovea, 'info', '--json'], { encoding: 'utf8', env }),
  );
  const { backend, isa, threads }: Partial<Record<string, unknown>> = Object(info);
  const { processor, processors } = machine();
  return `${processor}, ${processors} processors; ${backend} ${isa}, ${threads} threads`;
}

try {
  main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
