// Memory and the event loop while training: resident memory every so many steps, and how late a 10 ms timer fires.
// `npm run bench:memory [-- --steps 10000 --every 1000 --batch 64]`
import { parseArgs } from 'node:util';
import { builtinDigits, DataLoader } from '../lib/data/index.ts';
import { backendInfo, manualSeed, rand } from '../lib/index.ts';
import { createModel } from '../lib/models/index.ts';
import { SGD } from '../lib/optim/index.ts';
import { evaluate, fit, predict, silentReport } from '../lib/training/index.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '10000' },
    every: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '64' },
  },
});
const [steps, every, batchSize] = [Number(values.steps), Number(values.every), Number(values.batch)];

/** Runs `work` beside a timer of 10 ms and returns how late it fired at worst, in ms. */
async function longestDelay(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const late = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 10);
    last = now;
  };
  const timer = setInterval(late, 10);
  await work();
  clearInterval(timer);
  late();
  return longest;
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1).padStart(7)} MB`;

manualSeed(1);
const { model } = createModel('lenet5');
const digits = builtinDigits({ count: 100 * batchSize, seed: 1 });
const loader = new DataLoader(digits, { batchSize, shuffle: true, seed: 1 });
const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });

const { backend, isa, threads } = backendInfo();
console.log(`LeNet-5, batch ${batchSize}, ${backend} ${isa}, ${threads} threads\n`);
console.log('  steps        RSS       heap    buffers');
let done = 0;
const resident: number[] = [];
const report = {
  ...silentReport,
  step() {
    if (++done % every !== 0) return;
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    resident.push(rss);
    console.log(`${String(done).padStart(7)} ${megabytes(rss)} ${megabytes(heapUsed)} ${megabytes(arrayBuffers)}`);
  },
};
const fitting = await longestDelay(() => fit(model, loader, { epochs: Math.ceil(steps / 100), optimizer, report }));
const evaluating = await longestDelay(() => evaluate(model, digits));
const inputs = rand([2000, 1, 28, 28], { seed: 1 });
const predicting = await longestDelay(() => predict(model, inputs));

// The first half is the heap finding its size.
const [middle = 0, last = 0] = [resident[resident.length >> 1], resident.at(-1)];
console.log(`\ngrowth of RSS over the second half: ${megabytes(last - middle).trim()}`);
console.log('longest delay of a 10 ms timer:');
for (const [name, delay] of Object.entries({ fit: fitting, evaluate: evaluating, predict: predicting }))
  console.log(`  ${name.padEnd(8)} ${delay.toFixed(1)} ms`);
