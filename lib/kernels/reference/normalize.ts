// Batch and layer normalization and their gradients; mean and variance in two passes, in double precision.
import { type Kernel, scratch } from './kernel.ts';

/**
 * y = (x - mean) inverseStd weight + bias per channel, with the biased variance. The running estimates move by `momentum`
 * to the mean and the unbiased variance (biased where there is only one element).
 */
export const batchNorm: Kernel<'batchNorm'> = (shape, buffers) => {
  const { batch, channels, inner, momentum, eps } = shape;
  const { x, weight, bias, runningMean, runningVar, y, mean, inverseStd } = buffers;
  const count = Math.max(1, batch * inner);
  for (let channel = 0; channel < channels; channel++) {
    let total = 0;
    for (let image = 0; image < batch; image++) {
      const start = (image * channels + channel) * inner;
      for (let p = start; p < start + inner; p++) total += x[p];
    }
    const center = total / count;
    let squares = 0;
    for (let image = 0; image < batch; image++) {
      const start = (image * channels + channel) * inner;
      for (let p = start; p < start + inner; p++) squares += (x[p] - center) * (x[p] - center);
    }
    const inverse = 1 / Math.sqrt(squares / count + eps);
    const scale = inverse * (weight === undefined ? 1 : weight[channel]);
    const shift = bias === undefined ? 0 : bias[channel];
    for (let image = 0; image < batch; image++) {
      const start = (image * channels + channel) * inner;
      for (let p = start; p < start + inner; p++) y[p] = (x[p] - center) * scale + shift;
    }
    mean[channel] = center;
    inverseStd[channel] = inverse;
    if (runningMean !== undefined) runningMean[channel] += momentum * (center - runningMean[channel]);
    if (runningVar !== undefined) {
      runningVar[channel] += momentum * (squares / Math.max(1, count - 1) - runningVar[channel]);
    }
  }
};

export const batchNormInference: Kernel<'batchNormInference'> = (shape, buffers) => {
  const { batch, channels, inner, eps } = shape;
  const { x, mean, variance, weight, bias, y } = buffers;
  for (let channel = 0; channel < channels; channel++) {
    const center = mean[channel];
    const scale = (weight === undefined ? 1 : weight[channel]) / Math.sqrt(variance[channel] + eps);
    const shift = bias === undefined ? 0 : bias[channel];
    for (let image = 0; image < batch; image++) {
      const start = (image * channels + channel) * inner;
      for (let p = start; p < start + inner; p++) y[p] = (x[p] - center) * scale + shift;
    }
  }
};

/** With n = (x - mean) inverseStd: gradX = inverseStd weight (gradY - mean of gradY - n · mean of gradY n). */
export const batchNormBackward: Kernel<'batchNormBackward'> = (shape, buffers) => {
  const { batch, channels, inner } = shape;
  const { x, gradY, weight, mean, inverseStd, gradX, gradWeight, gradBias } = buffers;
  const count = Math.max(1, batch * inner);
  for (let channel = 0; channel < channels; channel++) {
    const center = mean[channel];
    const inverse = inverseStd[channel];
    let total = 0;
    let product = 0;
    for (let image = 0; image < batch; image++) {
      const start = (image * channels + channel) * inner;
      for (let p = start; p < start + inner; p++) {
        total += gradY[p];
        product += gradY[p] * (x[p] - center);
      }
    }
    product *= inverse;
    const scale = inverse * (weight === undefined ? 1 : weight[channel]);
    const slope = (product / count) * inverse;
    for (let image = 0; image < batch; image++) {
      const start = (image * channels + channel) * inner;
      for (let p = start; p < start + inner; p++) {
        gradX[p] = scale * (gradY[p] - total / count - (x[p] - center) * slope);
      }
    }
    gradWeight[channel] = product;
    gradBias[channel] = total;
  }
};

/** y = (x - mean) inverseStd weight + bias per row, with the biased variance. */
export const layerNorm: Kernel<'layerNorm'> = ({ rows, columns, eps }, { x, weight, bias, y, mean, inverseStd }) => {
  const count = Math.max(1, columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let total = 0;
    for (let c = 0; c < columns; c++) total += x[start + c];
    const center = total / count;
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += (x[start + c] - center) * (x[start + c] - center);
    const inverse = 1 / Math.sqrt(squares / count + eps);
    for (let c = 0; c < columns; c++) {
      const n = (x[start + c] - center) * inverse;
      y[start + c] = (weight === undefined ? n : n * weight[c]) + (bias === undefined ? 0 : bias[c]);
    }
    mean[row] = center;
    inverseStd[row] = inverse;
  }
};

const weightTotals = scratch();
const biasTotals = scratch();

/** With g = gradY weight and n = (x - mean) inverseStd: gradX = inverseStd (g - mean of g - n · mean of g n), per row. */
export const layerNormBackward: Kernel<'layerNormBackward'> = ({ rows, columns }, buffers) => {
  const { x, gradY, weight, mean, inverseStd, gradX, gradWeight, gradBias } = buffers;
  const weightTotal = weightTotals(columns).fill(0, 0, columns);
  const biasTotal = biasTotals(columns).fill(0, 0, columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const center = mean[row];
    const inverse = inverseStd[row];
    let total = 0;
    let product = 0;
    for (let c = 0; c < columns; c++) {
      const n = (x[start + c] - center) * inverse;
      const g = weight === undefined ? gradY[start + c] : gradY[start + c] * weight[c];
      total += g;
      product += g * n;
      weightTotal[c] += gradY[start + c] * n;
      biasTotal[c] += gradY[start + c];
    }
    for (let c = 0; c < columns; c++) {
      const n = (x[start + c] - center) * inverse;
      const g = weight === undefined ? gradY[start + c] : gradY[start + c] * weight[c];
      gradX[start + c] = inverse * (g - total / columns - (n * product) / columns);
    }
  }
  for (let c = 0; c < columns; c++) {
    gradWeight[c] = weightTotal[c];
    gradBias[c] = biasTotal[c];
  }
};
