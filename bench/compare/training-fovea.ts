// fovea's side of the training benchmark: the same networks, data and steps as training-pytorch.py. Prints one line of JSON.
import { parseArgs } from 'node:util';
import { backendInfo, fromArray, Generator, manualSeed, rand, type Tensor } from '../../lib/index.ts';
import { createModel } from '../../lib/models/index.ts';
import { Embedding, Linear, LSTM, Module } from '../../lib/nn/index.ts';
import { Adam, type Optimizer, SGD } from '../../lib/optim/index.ts';
import { compileStep } from '../../lib/training/index.ts';

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
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** What a step trains on, in the unit of the rate. */
  readonly perStep: number;
  batch(step: number): readonly [inputs: Tensor, targets: Tensor];
}

/** LeNet-5 on 4,096 random pictures; SGD with momentum. Pictures. */
function lenet5(batch = 64): Workload {
  const { model } = createModel('lenet5');
  const images = rand([4096, 1, 28, 28]).floats as Float32Array;
  const labels = integers(4096, 10);
  return {
    model,
    optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 }),
    perStep: batch,
    batch(step) {
      const start = (step * batch) % (4096 - batch + 1);
      const x = fromArray(images.slice(start * 784, (start + batch) * 784), [batch, 1, 28, 28]);
      return [x, fromArray(labels.slice(start, start + batch))];
    },
  };
}

/** Tokens -> embedding -> LSTM -> a score for each class at each step. */
class Scores extends Module {
  readonly embedding: Embedding;
  readonly output: Linear;

  constructor(
    tokens: number,
    width: number,
    readonly lstm: LSTM,
    states: number,
    classes: number,
  ) {
    super();
    this.embedding = new Embedding(tokens, width, { generator });
    this.output = new Linear(states, classes, { generator });
  }

  override forward(tokens: Tensor): Tensor {
    const states = this.lstm.forward(this.embedding.forward(tokens));
    return this.output.forward(states.reshape(tokens.size, states.shape[2]!));
  }
}

/** A model of sequences, trained with Adam on 32 batches of random tokens. */
function sequences(model: Module, steps: number, batch: number, tokens: number, classes: number) {
  const inputs = Array.from({ length: 32 }, () => fromArray(integers(steps * batch, tokens), [steps, batch]));
  const targets = inputs.map(() => fromArray(integers(steps * batch, classes)));
  return {
    model,
    optimizer: new Adam(model.parameters()),
    batch: (step: number) => [inputs[step % 32]!, targets[step % 32]!] as const,
  };
}

/** 10,000 words x 100 -> LSTM 128 both ways -> 17 tags, sentences of 25 words. Sentences. */
function tagger(batch = 32): Workload {
  const model = new Scores(10_000, 100, new LSTM(100, 128, { bidirectional: true, generator }), 256, 17);
  return { ...sequences(model, 25, batch, 10_000, 17), perStep: batch };
}

/** 64 characters x 64 -> 2 x LSTM 256 -> 64 characters, windows of 64. Characters. */
function characters(batch = 32): Workload {
  const model = new Scores(64, 64, new LSTM(64, 256, { numLayers: 2, generator }), 256, 64);
  return { ...sequences(model, 64, batch, 64, 64), perStep: batch * 64 };
}

manualSeed(1);
const workloads: Readonly<Record<string, (batch?: number) => Workload>> = { lenet5, tagger, characters };
const make = workloads[values.workload];
if (make === undefined) throw new RangeError(`--workload: expected one of ${Object.keys(workloads).join(', ')}`);
const { model, optimizer, perStep, batch } = make(values.batch === undefined ? undefined : Number(values.batch));
const train = compileStep({ model, optimizer });
const step = (i: number) => train(...batch(i));

// Warm up for a quarter of the time, then the median of samples of a fiftieth of it, at least a step each.
const seconds = Number(values.seconds);
const clock = () => performance.now() / 1000;
let done = 0;
const warm = clock() + seconds / 4;
while (clock() < warm) await step(done++);
const rates: number[] = [];
const deadline = clock() + seconds;
while (clock() < deadline) {
  const begin = clock();
  let steps = 0;
  for (; steps === 0 || clock() - begin < seconds / 50; steps++) await step(done++);
  rates.push((steps * perStep) / (clock() - begin));
}
rates.sort((a, b) => a - b);
const { backend, isa } = backendInfo();
console.log(JSON.stringify({ name: `fovea ${backend} ${isa}`, rate: rates[rates.length >> 1] }));
