// Before all tests: brings dist/ up to date, so that tests which start processes never run an old build.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** What the compiler said if dist/ could not be built; '' if it is up to date. */
    distProblem: string;
  }
}

export default function setup(project: TestProject): void {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const arguments_ = [compiler, '-b', 'tsconfig.build.json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, { cwd: root, encoding: 'utf8' });
  project.provide('distProblem', status === 0 ? '' : `dist/ could not be built:\n${stdout}${stderr}`);
}
