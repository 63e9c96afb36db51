// The race of training: fovea and PyTorch take the same steps in turn, each trial in a fresh process.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './compare/trial.ts';
import { environmentFor, environmentOf } from './sides.ts';

/** What is trained; the networks are in compare/training-fovea.ts and compare/training-pytorch.py. */
export const workloads: Readonly<Record<string, { readonly title: string; readonly unit: string }>> = {
  lenet5: { title: 'LeNet-5, SGD with momentum, batch 64', unit: 'images' },
  tagger: {
    title: 'tagger: embedding 10,000 x 100, LSTM 2 x 128 both ways, 17 tags, 25 words, batch 32, Adam',
    unit: 'sentences',
  },
  characters: {
    title: 'character model: embedding 64 x 64, 2 LSTM of 256, 64 steps, batch 32, Adam',
    unit: 'characters',
  },
};

export interface RaceOptions {
  readonly batch?: number | undefined;
  readonly threads: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
}

export interface TrainingRate {
  readonly workload: string;
  readonly threads: number;
  readonly name: string;
  /** Units per second, the median over the rounds. */
  readonly rate: number;
  /** fovea's rate over this one: the median over the rounds of the ratio within a round. */
  readonly ratio: number;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const rivals = [
  { command: process.execPath, args: ['--import', 'tsx', here('compare/training-fovea.ts')] },
  { command: process.env.PYTHON ?? '/usr/bin/python3', args: [here('compare/training-pytorch.py')] },
];

interface Trial {
  readonly name: string;
  readonly rate: number;
}

/** Races a workload at each number of threads. A rival that cannot run is said once and left out. */
export function raceTraining(workload: string, { batch, threads, rounds, seconds }: RaceOptions): TrainingRate[] {
  return threads.flatMap((count) => {
    const trials = rivals.map((): (Trial | undefined)[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [index, { command, args }] of rivals.entries()) {
        const size = batch === undefined ? [] : ['--batch', String(batch)];
        const options = ['--workload', workload, '--threads', String(count), '--seconds', String(seconds), ...size];
        const env = { ...environmentOf(''), ...environmentFor(count) };
        trials[index]?.push(runTrial(command, [...args, ...options], env, round === 0));
      }
    }
    return trials.flatMap((own) => {
      const done = own.flatMap((trial) => trial ?? []);
      const ratios = own.flatMap((trial, round) => {
        const fovea = trials[0]?.[round];
        return trial && fovea ? [fovea.rate / trial.rate] : [];
      });
      const name = done[0]?.name;
      if (name === undefined) return [];
      return [{ workload, threads: count, name, rate: median(done.map(({ rate }) => rate)), ratio: median(ratios) }];
    });
  });
}

function runTrial(command: string, args: string[], env: NodeJS.ProcessEnv, first: boolean): Trial | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const output = execFileSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: [...stdio],
    });
    return JSON.parse(output) as Trial;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').slice(-2).join(' ') : String(error);
    if (first) console.error(`skipped: ${command}: ${reason}`);
    return undefined;
  }
}
