// rnn and its gradient through time: h' = tanh or ReLU of Wih x + Whh h + bias.
import { type Kernel, scratch } from './kernel.ts';
import {
  clearPadding,
  inputSums,
  productMemory,
  productWith,
  readStates,
  rowsOf,
  sumGradients,
  writeStates,
} from './recurrent-sequence.ts';

const forwardMemory = productMemory();
const sumsOf = scratch();
const states = scratch();

export const rnn: Kernel<'rnn'> = (shape, { x, weightIh, weightHh, biasIh, biasHh, h0, lengths, y, hN }) => {
  const { steps, batch, hiddenSize: hidden, yStride, yOffset } = shape;
  const rows = rowsOf(shape, lengths);
  const sums = sumsOf(rows.total * hidden);
  inputSums(shape, rows, hidden, x, weightIh, biasIh, biasHh, hidden, sums);
  const recurrent = { data: weightHh, offset: 0, step: hidden, depthStep: 1 };
  const multiplyHidden = productWith(recurrent, hidden, hidden, ...forwardMemory(hidden, hidden, batch));
  const h = states(batch * hidden);
  readStates(rows, hidden, h0, h);
  for (let step = 0; step < steps; step++) {
    const first = rows.first[step];
    multiplyHidden(rows.alive[step], h, 0, hidden, sums, first * hidden, hidden);
    for (let j = 0; j < rows.alive[step]; j++) {
      const sum = (first + j) * hidden;
      const to = rows.place[first + j] * yStride + yOffset;
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const value = sums[sum + u];
        h[at] = shape.relu === 0 ? Math.tanh(value) : value < 0 ? 0 : value;
        y[to + u] = h[at];
      }
    }
  }
  clearPadding(rows, steps, y, yOffset, yStride, hidden);
  writeStates(rows, hidden, h, hN);
};

const backwardMemory = productMemory();
const gradients = scratch();
const gradStates = scratch();

export const rnnBackward: Kernel<'rnnBackward'> = (shape, buffers) => {
  const { weightHh, lengths, y, gradY, gradHN } = buffers;
  const { steps, batch, hiddenSize: hidden, yStride, yOffset } = shape;
  const rows = rowsOf(shape, lengths);
  const sums = gradients(rows.total * hidden);
  const recurrent = { data: weightHh, offset: 0, step: 1, depthStep: hidden };
  const multiplySums = productWith(recurrent, hidden, hidden, ...backwardMemory(hidden, hidden, batch));
  const dhs = gradStates(batch * hidden);
  readStates(rows, hidden, gradHN, dhs);
  for (let step = steps - 1; step >= 0; step--) {
    const first = rows.first[step];
    for (let j = 0; j < rows.alive[step]; j++) {
      const from = rows.place[first + j] * yStride + yOffset;
      for (let u = 0, at = j * hidden; u < hidden; u++, at++) {
        const h = y[from + u];
        const dh = dhs[at] + (gradY === undefined ? 0 : gradY[from + u]);
        sums[(first + j) * hidden + u] = shape.relu === 0 ? dh * (1 - h * h) : h <= 0 ? 0 : dh;
        dhs[at] = 0;
      }
    }
    multiplySums(rows.alive[step], sums, first * hidden, hidden, dhs, 0, hidden);
  }
  writeStates(rows, hidden, dhs, buffers.gradH0);
  sumGradients(shape, rows, sums, hidden, hidden, buffers);
};
