// A training run to be killed: node killed.mjs FILE. Goes on from FILE if it is there; ends with code 0 when all is done.
import { existsSync } from 'node:fs';
import { ArrayDataset, DataLoader, randomAffine } from '../../dist/data/index.js';
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../../dist/nn/index.js';
import { Adam, OneCycleLR } from '../../dist/optim/index.js';
import { Generator, randn } from '../../dist/tensor/index.js';
import { earlyStopping, fit, jsonLinesLog } from '../../dist/training/index.js';

const [file] = process.argv.slice(2);
const generator = new Generator(3);
const samples = 150;
const inputs = randn([samples, 1, 12, 12], { generator });
const targets = Int32Array.from({ length: samples }, (_, i) => (inputs.data[i * 144 + 66] > 0 ? 1 : 0) + 2 * (i % 2));
const dataset = new ArrayDataset({ inputs, targets, classes: ['a', 'b', 'c', 'd'] });

// One of each thing that has a state: batch norm's buffers, two dropout generators, Adam, one-cycle, transforms, callbacks.
const model = new Sequential(
  new Conv2d(1, 4, 3, { generator }),
  new BatchNorm2d(4),
  new ReLU(),
  new Dropout(0.2),
  new MaxPool2d(2),
  new Flatten(),
  new Linear(100, 16, { generator }),
  new Dropout(0.3, { generator: new Generator(11) }),
  new Linear(16, 4, { generator }),
);
const transforms = [randomAffine({ degrees: 10, translate: [0.1, 0.1] })];
const loader = new DataLoader(dataset, { batchSize: 16, shuffle: true, seed: 5, transforms });
const epochs = 4;
const optimizer = new Adam(model.parameters(), { lr: 0.01, weightDecay: 1e-4 });
const schedule = new OneCycleLR(optimizer, { maxLr: 0.02, totalSteps: epochs * loader.length });

await fit(model, loader, {
  epochs,
  optimizer,
  schedule,
  validation: dataset,
  clipNorm: 1,
  seed: 9,
  callbacks: [earlyStopping({ patience: 50 }), jsonLinesLog(`${file}.log`)],
  checkpoint: { file, every: 1 },
  resume: existsSync(file) ? file : undefined,
  report: { begin() {}, step: () => process.stdout.write('.'), epoch() {}, end() {} },
});
