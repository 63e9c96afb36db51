// Softmax over the middle dimension of [outer, count, inner], its logarithm, cross-entropy, and their gradients.
import { type Kernel, scratch } from './kernel.ts';

const exponentials = scratch();

/** exp(x - max) / sum; a row of only -Infinity, or with NaN or +Infinity, gives NaN. */
export const softmax: Kernel<'softmax'> = ({ outer, count, inner }, { x, y }) => {
  const e = exponentials(count);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * count * inner + i;
      let max = -Infinity;
      for (let c = 0, p = start; c < count; c++, p += inner) if (x[p] > max) max = x[p];
      let total = 0;
      for (let c = 0, p = start; c < count; c++, p += inner) {
        e[c] = Math.exp(x[p] - max);
        total += e[c];
      }
      for (let c = 0, p = start; c < count; c++, p += inner) y[p] = e[c] / total;
    }
  }
};

/** x - max - log(sum of exp(x - max)). */
export const logSoftmax: Kernel<'logSoftmax'> = ({ outer, count, inner }, { x, y }) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * count * inner + i;
      let max = -Infinity;
      for (let c = 0, p = start; c < count; c++, p += inner) if (x[p] > max) max = x[p];
      let total = 0;
      for (let c = 0, p = start; c < count; c++, p += inner) total += Math.exp(x[p] - max);
      const logTotal = Math.log(total);
      for (let c = 0, p = start; c < count; c++, p += inner) y[p] = x[p] - max - logTotal;
    }
  }
};

/** y (gradY - sum of gradY y). */
export const softmaxBackward: Kernel<'softmaxBackward'> = ({ outer, count, inner }, { y, gradY, gradX }) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * count * inner + i;
      let total = 0;
      for (let c = 0, p = start; c < count; c++, p += inner) total += gradY[p] * y[p];
      for (let c = 0, p = start; c < count; c++, p += inner) gradX[p] = y[p] * (gradY[p] - total);
    }
  }
};

/** gradY - exp(y) sum of gradY. */
export const logSoftmaxBackward: Kernel<'logSoftmaxBackward'> = ({ outer, count, inner }, { y, gradY, gradX }) => {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * count * inner + i;
      let total = 0;
      for (let c = 0, p = start; c < count; c++, p += inner) total += gradY[p];
      for (let c = 0, p = start; c < count; c++, p += inner) gradX[p] = gradY[p] - Math.exp(y[p]) * total;
    }
  }
};

/**
 * losses = -(1 - smoothing) weight[target] log p[target] - smoothing / classes · sum over c of weight[c] log p[c], as
 * in PyTorch; rowWeights = weight[target]. Both are 0 in rows to ignore, whose probabilities are written all the same.
 */
export const crossEntropy: Kernel<'crossEntropy'> = (shape, buffers) => {
  const { rows, classes, ignoreIndex, smoothing } = shape;
  const { x, target, weight, losses, rowWeights, probabilities } = buffers;
  const e = exponentials(classes);
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    let max = -Infinity;
    for (let c = 0; c < classes; c++) if (x[start + c] > max) max = x[start + c];
    let total = 0;
    for (let c = 0; c < classes; c++) {
      e[c] = Math.exp(x[start + c] - max);
      total += e[c];
    }
    const label = target[row];
    const logTotal = Math.log(total);
    let loss = 0;
    let rowWeight = 0;
    if (label !== ignoreIndex) {
      rowWeight = weight === undefined ? 1 : weight[label];
      loss = (1 - smoothing) * rowWeight * (logTotal + max - x[start + label]);
      if (smoothing > 0) {
        let uniform = 0;
        for (let c = 0; c < classes; c++) {
          uniform += (weight === undefined ? 1 : weight[c]) * (logTotal + max - x[start + c]);
        }
        loss += (smoothing / classes) * uniform;
      }
    }
    for (let c = 0; c < classes; c++) probabilities[start + c] = e[c] / total;
    losses[row] = loss;
    rowWeights[row] = rowWeight;
  }
};

/** With q[c] = weight[c] ((1 - smoothing) [c = target] + smoothing / classes): gradLosses (p[c] sum of q - q[c]). */
export const crossEntropyBackward: Kernel<'crossEntropyBackward'> = (shape, buffers) => {
  const { rows, classes, ignoreIndex, smoothing } = shape;
  const { probabilities, target, weight, gradLosses, gradX } = buffers;
  const uniform = smoothing / classes;
  let allWeights = 0;
  for (let c = 0; c < classes; c++) allWeights += weight === undefined ? 1 : weight[c];
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    const label = target[row];
    const gradient = gradLosses[row];
    if (label === ignoreIndex) {
      for (let c = 0; c < classes; c++) gradX[start + c] = 0;
      continue;
    }
    const sure = (1 - smoothing) * (weight === undefined ? 1 : weight[label]);
    const total = sure + uniform * allWeights;
    for (let c = 0; c < classes; c++) {
      const q = uniform * (weight === undefined ? 1 : weight[c]) + (c === label ? sure : 0);
      gradX[start + c] = gradient * (probabilities[start + c] * total - q);
    }
  }
};
