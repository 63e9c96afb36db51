// Where the rivals lie that are built or installed: outside the sources, one folder for each version of bench/compare.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder bench/. */
export const here = fileURLToPath(new URL('.', import.meta.url));

const compare = join(here, 'compare');

function digest(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(compare, file)));
  return hash.digest('hex').slice(0, 12);
}

const sources = readdirSync(compare, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(h|cpp|txt)$/.test(file) && !file.includes('node_modules'))
  .sort();

const root = process.env.FOVEA_BENCH_CACHE ?? join(here, '..', 'node_modules', '.cache', 'fovea-bench');

/** Where bench/compare's package.json is installed, as its lock says. */
export const modules = join(root, `npm-${digest(['package-lock.json'])}`);

/** The programs built from the C++ in bench/compare as it is now. */
export const cache = join(root, `native-${digest(sources)}`);
