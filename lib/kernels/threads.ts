// How many threads a kernel may use: what this process may run on, unless FOVEA_THREADS says otherwise.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The most threads the native pool takes (native/threads.h). */
const mostThreads = 256;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Processors granted by a control group's quota per period, rounded up; Infinity without a quota. */
function quota(allowed: string | undefined, period: string | undefined): number {
  const share = Number(allowed) / Number(period);
  return share > 0 ? Math.ceil(share) : Infinity;
}

/** The tightest quota of the control groups this process is in, version 2 or 1; Infinity without any. */
export function cgroupProcessors(readFile: (file: string) => string = read): number {
  let least = Infinity;
  for (const line of readFile('/proc/self/cgroup').split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== '' && !controllers.split(',').includes('cpu')) continue;
    // Every group above counts too. Inside a container the path may be the host's: then only the root is there.
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; --depth) {
      const group = parts
        .slice(0, depth)
        .map((part) => `/${part}`)
        .join('');
      if (controllers === '') {
        const [allowed, period] = readFile(`/sys/fs/cgroup${group}/cpu.max`).split(' ');
        least = Math.min(least, quota(allowed, period));
      } else {
        const base = `/sys/fs/cgroup/cpu${group}/cpu.cfs_`;
        least = Math.min(least, quota(readFile(`${base}quota_us`), readFile(`${base}period_us`)));
      }
    }
  }
  return least;
}

/** The number of threads to use. Throws where FOVEA_THREADS is not an integer from 1 to 256. */
export function chooseThreads(environment: NodeJS.ProcessEnv = process.env): number {
  const wanted = environment.FOVEA_THREADS ?? '';
  if (wanted === '') return Math.max(1, Math.min(availableParallelism(), cgroupProcessors(), mostThreads));
  const threads = /^\d+$/.test(wanted) ? Number(wanted) : 0;
  if (threads >= 1 && threads <= mostThreads) return threads;
  throw new RangeError(`FOVEA_THREADS: expected an integer from 1 to ${mostThreads}, but got '${wanted}'`);
}
