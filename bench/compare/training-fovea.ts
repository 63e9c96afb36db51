// fovea's side of the training benchmark: the same network, data and steps as compare/training-pytorch.py. Prints one line of JSON.
import { parseArgs } from 'node:util';
import { backendInfo, crossEntropy, fromArray, manualSeed, rand } from '../../lib/index.ts';
import { createModel } from '../../lib/models/index.ts';
import { SGD } from '../../lib/optim/index.ts';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '64' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '4' },
  },
});

manualSeed(1);
const batch = Number(values.batch);
const { model } = createModel('lenet5');
const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
const images = rand([4096, 1, 28, 28]).floats as Float32Array;
const labels = Int32Array.from({ length: 4096 }, () => Math.floor(Math.random() * 10));

function step(i: number): void {
  const start = (i * batch) % (4096 - batch + 1);
  const x = fromArray(images.slice(start * 784, (start + batch) * 784), [batch, 1, 28, 28]);
  optimizer.zeroGrad();
  const loss = crossEntropy(model.forward(x), labels.slice(start, start + batch));
  loss.backward();
  optimizer.step();
}

for (let i = 0; i < 100; i++) step(i);
const rates: number[] = [];
const deadline = performance.now() + 1000 * Number(values.seconds);
for (let i = 0; performance.now() < deadline; ) {
  const begin = performance.now();
  for (let inner = 0; inner < 10; inner++) step(i++);
  rates.push((10 * batch) / ((performance.now() - begin) / 1000));
}
rates.sort((a, b) => a - b);
const { backend, isa } = backendInfo();
console.log(JSON.stringify({ name: `fovea ${backend} ${isa}`, imagesPerSecond: rates[rates.length >> 1] }));
