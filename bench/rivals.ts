// `npm run bench:rivals`: builds the probe and the C++ rivals, once for each version of their sources.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cache, here } from './cache.ts';

function step(command: string, ...args: string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined || status !== 0)
    throw new Error(`bench:rivals: ${command} failed (${error?.message ?? `status ${status}`})`);
}

try {
  mkdirSync(cache, { recursive: true });
  step('cmake', '-S', join(here, 'compare'), '-B', cache);
  step('cmake', '--build', cache);
  console.log(`the probe and the rivals in C++ are in ${cache}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
