// One run of an application: its own commands in fresh processes, and the figures in what they print.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Application } from './list.ts';
import type { Run } from './results.ts';

/** The program that a person calls. */
export const fovea = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The number at the end of a path of keys; in a list, a key is the `file` of an entry, or `+` for the sum over all. */
export function valueAt(json: unknown, path: readonly string[]): number {
  const [key, ...rest] = path;
  if (key === undefined) {
    if (typeof json === 'number') return json;
    throw new Error(`expected a number, but got ${JSON.stringify(json)?.slice(0, 60)}`);
  }
  if (!Array.isArray(json)) return valueAt(Object(json)[key], rest);
  if (key === '+') return json.reduce((sum: number, entry: unknown) => sum + valueAt(entry, rest), 0);
  return valueAt(
    json.find((entry: unknown) => Object(entry).file === key),
    rest,
  );
}

/** A command's arguments with the places filled in. */
export const filled = (command: readonly string[], places: Readonly<Record<string, string>>): string[] =>
  command.map((part) => part.replaceAll(/\{(\w+)\}/g, (whole, name: string) => places[name] ?? whole));

export interface Surroundings {
  /** The folder of real data. */
  readonly data: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Which of an application's runs. */
export type Which = Pick<Run, 'seed' | 'fold'>;

/** Trains and measures in fresh processes. */
export function runOnce({ train, measure, figures }: Application, which: Which, { data, env }: Surroundings): Run {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-bench-'));
  try {
    const places = {
      data,
      seed: String(which.seed),
      fold: String(which.fold),
      model: join(folder, 'model.safetensors'),
    };
    const call = (command: readonly string[]) =>
      execFileSync(process.execPath, [fovea, ...filled(command, places)], {
        encoding: 'utf8',
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
        maxBuffer: 2 ** 28,
      });
    const begin = performance.now();
    if (train !== undefined) call(train);
    const trained = performance.now();
    const json: unknown = JSON.parse(call(measure));
    const end = train === undefined ? performance.now() : trained;
    return { ...which, seconds: (end - begin) / 1000, figures: figures.map(({ at }) => valueAt(json, at)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
