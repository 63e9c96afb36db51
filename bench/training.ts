// Training speed beside PyTorch: a fresh process per trial, the rivals in turn, medians over the rounds.
// `npm run bench:training [-- lenet5 tagger characters] [--batch 64 --threads 1 --rounds 5 --seconds 4 --json]`
import { parseArgs } from 'node:util';
import { machine } from './machine.ts';
import { raceTraining, type TrainingRate, workloads } from './training-race.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});

const named = positionals.length === 0 ? Object.keys(workloads) : positionals;
const unknown = named.filter((name) => !Object.hasOwn(workloads, name));
if (unknown.length > 0) {
  console.error(`bench: expected some of ${Object.keys(workloads).join(', ')}, but got ${unknown.join(', ')}`);
  process.exit(1);
}
const results: TrainingRate[] = named.flatMap((workload) =>
  raceTraining(workload, {
    batch: values.batch === undefined ? undefined : Number(values.batch),
    threads: values.threads.split(',').map(Number),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
  }),
);

if (values.json) console.log(JSON.stringify({ machine: machine(), results }));
else {
  const { processor, processors, date } = machine();
  console.log(`Training steps; ${processor}, ${processors} processors; ${date} UTC\n`);
  console.log('| work | threads | | per second | ratio |\n|---|---|---|---|---|');
  for (const { workload, threads, name, rate, ratio } of results) {
    const speed = `${Math.round(rate).toLocaleString('en')} ${workloads[workload]?.unit}`;
    console.log(`| ${workload} | ${threads} | ${name} | ${speed} | ${ratio.toFixed(2)} |`);
  }
}
