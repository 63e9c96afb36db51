// What is said of the machine beside every figure.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  /** Bytes of the data caches, level 1 first; those known. */
  readonly caches: readonly number[];
  readonly system: string;
  readonly date: string;
  /** Whether memory may lie on large pages. */
  readonly largePages: string;
}

function cacheSizes(): number[] {
  const sizes: number[] = [];
  for (let index = 0; index < 5; ++index) {
    const folder = `/sys/devices/system/cpu/cpu0/cache/index${index}`;
    if (!existsSync(folder)) continue;
    const word = (file: string) => readFileSync(`${folder}/${file}`, 'utf8').trim();
    if (word('type') !== 'Instruction') sizes[Number(word('level')) - 1] = 1024 * Number.parseInt(word('size'), 10);
  }
  return sizes;
}

function largePages(): string {
  const file = '/sys/kernel/mm/transparent_hugepage/enabled';
  const chosen = existsSync(file) ? /\[(\w+)\]/.exec(readFileSync(file, 'utf8')) : null;
  return chosen?.[1] ?? 'unknown';
}

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    caches: cacheSizes(),
    system: `${process.platform} ${release()}, Node.js ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    largePages: largePages(),
  };
}

/** The level of the memory that holds so many bytes of each thread. */
export function level(bytes: number, caches: readonly number[]): string {
  const index = caches.findIndex((size) => bytes <= size);
  return index < 0 ? 'memory' : `L${index + 1}`;
}
