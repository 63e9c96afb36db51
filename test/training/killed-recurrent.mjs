// A training run with a state carried from batch to batch, to be killed: node killed-recurrent.mjs FILE. As killed.mjs.
import { existsSync } from 'node:fs';
import { StreamLoader } from '../../dist/data/index.js';
import { Embedding, Linear, LSTM, Module } from '../../dist/nn/index.js';
import { Adam } from '../../dist/optim/index.js';
import { crossEntropy, Generator } from '../../dist/tensor/index.js';
import { fit, jsonLinesLog } from '../../dist/training/index.js';

const [file] = process.argv.slice(2);
const generator = new Generator(3);

class Letters extends Module {
  embedding = new Embedding(5, 16, { generator });
  lstm = new LSTM(16, 48, { numLayers: 2, dropout: 0.2, generator });
  output = new Linear(48, 5, { generator });

  forward(x) {
    return this.unroll(x).scores;
  }

  unroll(x, state) {
    const { output, state: carry } = this.lstm.unroll(this.embedding.forward(x), { state });
    return { scores: this.output.forward(output.reshape(-1, 48)), carry };
  }
}

const model = new Letters();
const text = Int32Array.from({ length: 4000 }, (_, i) => (i * i + (i % 7)) % 5);
const stream = (seed) => new StreamLoader(text, { rows: 8, steps: 40, seed });

await fit(model, stream(2), {
  epochs: 4,
  optimizer: new Adam(model.parameters(), { lr: 0.01 }),
  objective: ({ inputs, targets }, carried) => {
    const { scores, carry } = model.unroll(inputs, carried);
    return { loss: crossEntropy(scores, targets.reshape(-1)), count: targets.size, carry };
  },
  validation: stream(4),
  clipNorm: 1,
  seed: 9,
  callbacks: [jsonLinesLog(`${file}.log`)],
  checkpoint: { file, every: 1 },
  resume: existsSync(file) ? file : undefined,
  report: { begin() {}, step: () => process.stdout.write('.'), epoch() {}, end() {} },
});
