// What the applications reached: kept as JSON, and told in the Applications section of the page of results.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { here } from '../cache.ts';
import { table } from '../report.ts';
import { type TrainingRate, workloads } from '../training-race.ts';
import { type Application, applications, type Figure, type Goal, races } from './list.ts';

export interface Run {
  readonly seed: number;
  /** Where parts are held out in turn: which. */
  readonly fold?: number;
  /** Of training, or of the measurement where nothing is trained. */
  readonly seconds: number;
  /** In the order of the application's figures. */
  readonly figures: readonly number[];
}

/** What was measured, on what and when. */
interface Measured {
  readonly machine: string;
  readonly date: string;
}

export interface ApplicationResult extends Measured {
  readonly runs: readonly Run[];
}

export interface RaceResult extends Measured {
  readonly rates: readonly TrainingRate[];
}

export interface Results {
  readonly applications: Readonly<Record<string, ApplicationResult>>;
  readonly races: Readonly<Record<string, RaceResult>>;
}

const kept = join(here, 'applications.json');
const page = join(here, 'results.md');

export const readResults = (): Results =>
  existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as Results) : { applications: {}, races: {} };

/** Adds results to those kept, and renews the section of the page. */
export function saveResults(fresh: Results): void {
  const before = readResults();
  const renewed = Object.entries(fresh.applications).map(([name, result]) => [
    name,
    withFolds(result, before.applications[name]),
  ]);
  const all: Results = {
    applications: { ...before.applications, ...Object.fromEntries(renewed) },
    races: { ...before.races, ...fresh.races },
  };
  writeFileSync(kept, `${JSON.stringify(all, null, 2)}\n`);
  if (existsSync(page)) writeFileSync(page, withApplications(readFileSync(page, 'utf8'), all));
}

/** The runs, and those of other folds that the same machine made before: ten of them may take longer than one sitting. */
export function withFolds(fresh: ApplicationResult, before: ApplicationResult | undefined): ApplicationResult {
  if (before === undefined || before.machine !== fresh.machine) return fresh;
  const other = ({ seed, fold }: Run) =>
    fold !== undefined && fresh.runs.every((run) => run.seed !== seed || run.fold !== fold);
  const runs = [...before.runs.filter(other), ...fresh.runs];
  return { ...fresh, runs: runs.sort((a, b) => a.seed - b.seed || (a.fold ?? 0) - (b.fold ?? 0)) };
}

const HEADING = '\n## Applications\n';

/** The page of results with its last section, the applications, as they are now. */
export function withApplications(text: string, results: Results = readResults()): string {
  const at = text.indexOf(HEADING);
  const rest = at === -1 ? text : text.slice(0, at);
  const lines = section(results);
  return lines.length === 0 ? rest : `${rest.trimEnd()}\n${HEADING}\n${lines.join('\n')}\n`;
}

/** Mean over the runs. */
export const meanOf = (runs: readonly Run[], index: number): number =>
  runs.reduce((sum, { figures }) => sum + (figures[index] ?? Number.NaN), 0) / runs.length;

/** Standard deviation of the runs. */
export function spreadOf(runs: readonly Run[], index: number): number {
  const mean = meanOf(runs, index);
  const squares = runs.reduce((sum, { figures }) => sum + ((figures[index] ?? Number.NaN) - mean) ** 2, 0);
  return Math.sqrt(squares / (runs.length - 1));
}

export function meets(value: number, goal: Goal): boolean {
  if ('atLeast' in goal) return value >= goal.atLeast;
  if ('atMost' in goal) return value <= goal.atMost;
  return value.toFixed(goal.digits) === goal.equal.toFixed(goal.digits);
}

export const shown = (value: number, { unit, goal }: Pick<Figure, 'unit' | 'goal'>): string => {
  if (unit === 'share') return `${(100 * value).toFixed(2)} %`;
  return 'equal' in goal ? value.toFixed(goal.digits) : value.toPrecision(4);
};

/** To two digits; of shares as they are shown. */
const spread = (value: number, figure: Figure): string =>
  figure.unit === 'share' ? shown(value, figure) : value.toPrecision(2);

/** `97.80 % ± 0.44 %`, and of how many folds where not all were measured. */
function reached({ folds = [] }: Application, runs: readonly Run[], index: number, figure: Figure): string {
  const mean = shown(meanOf(runs, index), figure);
  const around = runs.length > 1 ? ` ± ${spread(spreadOf(runs, index), figure)}` : '';
  return `${mean}${around}${runs.length < folds.length ? ` (${runs.length} of ${folds.length} folds)` : ''}`;
}

const goalShown = (figure: Figure): string => {
  const { goal } = figure;
  if ('atLeast' in goal) return `at least ${shown(goal.atLeast, figure)}`;
  if ('atMost' in goal) return `at most ${shown(goal.atMost, figure)}`;
  return shown(goal.equal, figure);
};

const minutes = (seconds: number) => (seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`);

/** The lines of one application's figures. */
export function linesOf(application: Application, { runs, machine, date }: ApplicationResult): string[][] {
  const { name, title, figures, train, minutes: limit = Infinity } = application;
  const times = runs.map(({ seconds }) => seconds);
  const slow = times.some((seconds) => seconds > 60 * limit);
  return figures.map((figure, index) => {
    const mean = meanOf(runs, index);
    return [
      `${name}: ${title}`,
      figure.name,
      goalShown(figure),
      reached(application, runs, index, figure),
      meets(mean, figure.goal) && !slow ? 'yes' : '**no**',
      train === undefined ? '' : byRun(runs, index, figure),
      train === undefined ? '' : times.map(minutes).join(', ') + (limit < Infinity ? ` (at most ${limit} min)` : ''),
      `${machine}; ${date}`,
    ];
  });
}

/** `1`, or `1, 2, 3: 95.50 %, 95.55 %, 95.41 %`; with folds, `fold 0, 1, 2: …`. */
function byRun(runs: readonly Run[], index: number, figure: Figure): string {
  const [first, ...more] = runs;
  const numbers = runs.map(({ seed, fold }) => fold ?? seed).join(', ');
  const which = first?.fold === undefined ? numbers : `fold ${numbers}`;
  if (more.length === 0) return which;
  return `${which}: ${runs.map((run) => shown(run.figures[index] ?? Number.NaN, figure)).join(', ')}`;
}

function section(results: Results): string[] {
  const lines = applications.flatMap((application) => {
    const result = results.applications[application.name];
    return result === undefined ? [] : linesOf(application, result);
  });
  const rates = races.names.flatMap((name) => {
    const race = results.races[name];
    return (race?.rates ?? []).map(({ threads, name: side, rate, ratio }) => [
      workloads[name]?.title ?? name,
      String(threads),
      side,
      `${Math.round(rate).toLocaleString('en')} ${workloads[name]?.unit}/s`,
      side.startsWith('fovea') ? '' : ratio.toFixed(2),
      side.startsWith('fovea') ? '' : ratio >= races.goal ? 'yes' : '**no**',
      `${race?.machine}; ${race?.date}`,
    ]);
  });
  if (lines.length === 0 && rates.length === 0) return [];
  const heading = ['application', 'figure', 'goal', 'reached', 'met', 'by seed or fold', 'training', 'measured'];
  return [
    'Each figure comes from the commands of a person, in fresh processes: `npm run bench:applications -- --list` prints them,',
    '`npm run bench:applications -- <name> --save` measures again. With several seeds or folds, what is reached is their mean ±',
    'their standard deviation.',
    ...(lines.length === 0 ? [] : ['', table(heading, lines)]),
    ...(rates.length === 0
      ? []
      : [
          '',
          `Training beside PyTorch, in turn in one run; the goal is a ratio of ${races.goal}.`,
          '',
          table(['training steps of', 'threads', '', 'rate', 'fovea / PyTorch', 'met', 'measured'], rates),
        ]),
  ];
}
