// fovea's side of the training benchmark: the same networks, data and steps as training-pytorch.py. Prints one line of JSON.
import { parseArgs } from 'node:util';
import { backendInfo, crossEntropy, fromArray, Generator, manualSeed, rand, type Tensor } from '../../lib/index.ts';
import { createModel } from '../../lib/models/index.ts';
import { Embedding, Linear, LSTM, type Module } from '../../lib/nn/index.ts';
import { Adam, type Optimizer, SGD } from '../../lib/optim/index.ts';

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'lenet5' },
    batch: { type: 'string' },
    seconds: { type: 'string', default: '4' },
    threads: { type: 'string', default: '1' }, // said to the process by FOVEA_THREADS
  },
});

const generator = new Generator(1);
const integers = (count: number, below: number) =>
  Int32Array.from({ length: count }, () => Math.floor(Math.random() * below));

interface Workload {
  readonly optimizer: Optimizer;
  /** What a step trains on, in the unit of the rate. */
  readonly perStep: number;
  loss(step: number): Tensor;
}

/** LeNet-5 on 4,096 random pictures; SGD with momentum. Pictures. */
function lenet5(batch = 64): Workload {
  const { model } = createModel('lenet5');
  const images = rand([4096, 1, 28, 28]).floats as Float32Array;
  const labels = integers(4096, 10);
  return {
    optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 }),
    perStep: batch,
    loss(step) {
      const start = (step * batch) % (4096 - batch + 1);
      const x = fromArray(images.slice(start * 784, (start + batch) * 784), [batch, 1, 28, 28]);
      return crossEntropy(model.forward(x), labels.slice(start, start + batch));
    },
  };
}

const parametersOf = (...modules: Module[]) => modules.flatMap((module) => module.parameters());

/** 10,000 words x 100 -> LSTM 128 both ways -> 17 tags, sentences of 25 words. Sentences. */
function tagger(batch = 32): Workload {
  const steps = 25;
  const embedding = new Embedding(10_000, 100, { generator });
  const lstm = new LSTM(100, 128, { bidirectional: true, generator });
  const output = new Linear(256, 17, { generator });
  const words = Array.from({ length: 32 }, () => fromArray(integers(steps * batch, 10_000), [steps, batch]));
  const tags = words.map(() => fromArray(integers(steps * batch, 17)));
  return {
    optimizer: new Adam(parametersOf(embedding, lstm, output)),
    perStep: batch,
    loss(step) {
      const i = step % words.length;
      const states = lstm.forward(embedding.forward(words[i]!));
      return crossEntropy(output.forward(states.reshape(steps * batch, 256)), tags[i]!);
    },
  };
}

/** 64 characters x 64 -> 2 x LSTM 256 -> 64 characters, windows of 64. Characters. */
function characters(batch = 32): Workload {
  const steps = 64;
  const embedding = new Embedding(64, 64, { generator });
  const lstm = new LSTM(64, 256, { numLayers: 2, generator });
  const output = new Linear(256, 64, { generator });
  const inputs = Array.from({ length: 32 }, () => fromArray(integers(steps * batch, 64), [steps, batch]));
  const targets = inputs.map(() => fromArray(integers(steps * batch, 64)));
  return {
    optimizer: new Adam(parametersOf(embedding, lstm, output)),
    perStep: batch * steps,
    loss(step) {
      const i = step % inputs.length;
      const states = lstm.forward(embedding.forward(inputs[i]!));
      return crossEntropy(output.forward(states.reshape(steps * batch, 256)), targets[i]!);
    },
  };
}

manualSeed(1);
const workloads: Readonly<Record<string, (batch?: number) => Workload>> = { lenet5, tagger, characters };
const make = workloads[values.workload];
if (make === undefined) throw new RangeError(`--workload: expected one of ${Object.keys(workloads).join(', ')}`);
const { optimizer, perStep, loss } = make(values.batch === undefined ? undefined : Number(values.batch));

function step(i: number): void {
  optimizer.zeroGrad();
  loss(i).backward();
  optimizer.step();
}

// Warm up for a quarter of the time, then the median of samples of a fiftieth of it, at least a step each.
const seconds = Number(values.seconds);
const clock = () => performance.now() / 1000;
let done = 0;
const warm = clock() + seconds / 4;
while (clock() < warm) step(done++);
const rates: number[] = [];
const deadline = clock() + seconds;
while (clock() < deadline) {
  const begin = clock();
  let steps = 0;
  for (; steps === 0 || clock() - begin < seconds / 50; steps++) step(done++);
  rates.push((steps * perStep) / (clock() - begin));
}
rates.sort((a, b) => a - b);
const { backend, isa } = backendInfo();
console.log(JSON.stringify({ name: `fovea ${backend} ${isa}`, rate: rates[rates.length >> 1] }));
