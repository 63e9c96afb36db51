// Starts processes of the built package: what a test cannot see from inside.
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const dist = (path: string) => join(root, 'dist', path);

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts node with these arguments. Throws if dist/ is not what lib/ says. */
export function start(arguments_: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Started {
  const problem = inject('distProblem');
  if (problem !== '') throw new Error(problem);
  const child = spawn(process.execPath, arguments_, { cwd, env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, ended };
}

/** Runs the command line program as a process of its own. */
export const fovea = (arguments_: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = root): Promise<Ended> =>
  start([dist('cli/main.js'), ...arguments_], env, cwd).ended;
