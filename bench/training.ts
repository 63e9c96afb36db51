// LeNet-5 training speed beside PyTorch: a fresh process per trial, the rivals in turn, medians over the rounds.
// `npm run bench:training [-- --batch 64 --threads 1 --rounds 5]`
import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '64' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});

interface Trial {
  readonly name: string;
  readonly imagesPerSecond: number;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
// Debian's BLAS libraries take newer processors for old ones unless told; a fair race tells them.
const tuned = { OPENBLAS_CORETYPE: 'SkylakeX', BLIS_ARCH_TYPE: 'skx' };
const hasAvx512 = spawnSync('grep', ['-q', 'avx512f', '/proc/cpuinfo']).status === 0;

const rivals = [
  {
    command: process.execPath,
    args: (threads: string) => ['--import', 'tsx', here('compare/training-fovea.ts'), '--threads', threads],
    env: {},
  },
  {
    command: process.env.PYTHON ?? '/usr/bin/python3',
    args: (threads: string) => [here('compare/training-pytorch.py'), '--threads', threads],
    env: hasAvx512 ? tuned : {},
  },
];

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;

const results: { threads: string; name: string; imagesPerSecond: number }[] = [];
for (const threads of values.threads.split(',')) {
  const rates = rivals.map((): Trial[] => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [index, rival] of rivals.entries()) {
      const args = [...rival.args(threads), '--batch', values.batch, '--seconds', values.seconds];
      try {
        const output = execFileSync(rival.command, args, {
          encoding: 'utf8',
          env: { ...process.env, ...rival.env, FOVEA_THREADS: threads },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        rates[index]?.push(JSON.parse(output) as Trial);
      } catch (error) {
        const reason = error instanceof Error ? error.message.split('\n').slice(-2).join(' ') : String(error);
        if (round === 0) console.error(`skipped: ${rival.command}: ${reason}`);
      }
    }
  }
  for (const trials of rates) {
    const [first] = trials;
    if (first === undefined) continue;
    results.push({ threads, name: first.name, imagesPerSecond: median(trials.map((trial) => trial.imagesPerSecond)) });
  }
}

const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(2)}`;
if (values.json) console.log(JSON.stringify({ machine, batch: Number(values.batch), results }));
else {
  console.log(`LeNet-5 training step, SGD with momentum, batch ${values.batch}; ${machine}\n`);
  console.log('| threads | | images/s | ratio |\n|---|---|---|---|');
  for (const { threads, name, imagesPerSecond } of results) {
    const own = results.find((result) => result.threads === threads)?.imagesPerSecond ?? Number.NaN;
    console.log(
      `| ${threads} | ${name} | ${Math.round(imagesPerSecond).toLocaleString('en')} | ${(own / imagesPerSecond).toFixed(2)} |`,
    );
  }
}
