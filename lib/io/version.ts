// The version of this library, as written into the files it makes.
import { readFileSync } from 'node:fs';

let known: string | undefined;

/** From package.json, which lies two folders above both lib/io and dist/io. */
export function version(): string {
  known ??= String(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version);
  return known;
}
