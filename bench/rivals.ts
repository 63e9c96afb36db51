// `npm run bench:rivals`: builds the probe and the C++ rivals, installs those from npm; once for each version of them.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cache, here, modules } from './cache.ts';

const compare = join(here, 'compare');

function step(folder: string, command: string, ...args: string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (error !== undefined || status !== 0)
    throw new Error(`${command} failed (${error?.message ?? `status ${status}`})`);
}

function build(): void {
  mkdirSync(cache, { recursive: true });
  step(cache, 'cmake', '-S', compare, '-B', cache);
  step(cache, 'cmake', '--build', cache);
  console.log(`the probe and the rivals in C++ are in ${cache}`);
}

function install(): void {
  mkdirSync(modules, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(compare, file), join(modules, file));
  if (!existsSync(join(modules, 'node_modules', '.package-lock.json'))) step(modules, 'npm', 'ci', '--ignore-scripts');
  console.log(`the rivals from npm are in ${modules}`);
}

// One without the other is still of use.
for (const part of [build, install]) {
  try {
    part();
  } catch (error) {
    console.error(`bench:rivals: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
