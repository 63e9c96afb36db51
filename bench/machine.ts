// What is said of the machine beside every figure.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  /** Bytes of the data caches, level 1 first; those known. */
  readonly caches: readonly number[];
  readonly system: string;
  readonly date: string;
  readonly load: readonly number[];
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

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    caches: cacheSizes(),
    system: `${process.platform} ${release()}, Node.js ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    load: loadavg(),
  };
}

/** The level of the memory that holds so many bytes of each thread. */
export function level(bytes: number, caches: readonly number[]): string {
  const index = caches.findIndex((size) => bytes <= size);
  return index < 0 ? 'memory' : `L${index + 1}`;
}
