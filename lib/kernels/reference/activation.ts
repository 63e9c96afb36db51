// Functions of one variable, element by element, and their gradients; y may be x, gradX may be saved or gradY.
import { erfc } from './erf.ts';
import type { Kernel } from './kernel.ts';

export const neg: Kernel<'neg'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = -x[i];
};

export const abs: Kernel<'abs'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.abs(x[i]);
};

/** 0 where x is 0. */
export const absBackward: Kernel<'absBackward'> = ({ count }, { saved: x, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = x[i] > 0 ? gradY[i] : x[i] < 0 ? -gradY[i] : 0;
};

export const exp: Kernel<'exp'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.exp(x[i]);
};

export const expBackward: Kernel<'expBackward'> = ({ count }, { saved: y, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = gradY[i] * y[i];
};

export const log: Kernel<'log'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.log(x[i]);
};

export const logBackward: Kernel<'logBackward'> = ({ count }, { saved: x, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = gradY[i] / x[i];
};

export const sqrt: Kernel<'sqrt'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.sqrt(x[i]);
};

export const sqrtBackward: Kernel<'sqrtBackward'> = ({ count }, { saved: y, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = gradY[i] / (2 * y[i]);
};

/** NaN stays NaN. */
export const relu: Kernel<'relu'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.max(x[i], 0);
};

export const reluBackward: Kernel<'reluBackward'> = ({ count }, { saved: y, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = y[i] > 0 ? gradY[i] : 0;
};

export const leakyRelu: Kernel<'leakyRelu'> = ({ count, slope }, { x, y }) => {
  for (let i = 0; i < count; i++) {
    const v = x[i];
    y[i] = v > 0 ? v : slope * v;
  }
};

export const leakyReluBackward: Kernel<'leakyReluBackward'> = ({ count, slope }, { saved: x, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = x[i] > 0 ? gradY[i] : slope * gradY[i];
};

/** alpha (exp(x) - 1) at and below 0. */
export const elu: Kernel<'elu'> = ({ count, alpha }, { x, y }) => {
  for (let i = 0; i < count; i++) {
    const v = x[i];
    y[i] = v > 0 ? v : alpha * Math.expm1(v);
  }
};

export const eluBackward: Kernel<'eluBackward'> = ({ count, alpha }, { saved: x, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = x[i] > 0 ? gradY[i] : gradY[i] * alpha * Math.exp(x[i]);
};

export const sigmoid: Kernel<'sigmoid'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
};

export const sigmoidBackward: Kernel<'sigmoidBackward'> = ({ count }, { saved: y, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = gradY[i] * y[i] * (1 - y[i]);
};

export const tanh: Kernel<'tanh'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.tanh(x[i]);
};

export const tanhBackward: Kernel<'tanhBackward'> = ({ count }, { saved: y, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = gradY[i] * (1 - y[i] * y[i]);
};

/** x Phi(x), where Phi is the distribution function of the standard normal. */
export const gelu: Kernel<'gelu'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = x[i] * 0.5 * erfc(-x[i] * Math.SQRT1_2);
};

/** Phi(x) + x phi(x). */
export const geluBackward: Kernel<'geluBackward'> = ({ count }, { saved: x, gradY, gradX }) => {
  const scale = 1 / Math.sqrt(2 * Math.PI);
  for (let i = 0; i < count; i++) {
    const v = x[i];
    gradX[i] = gradY[i] * (0.5 * erfc(-v * Math.SQRT1_2) + v * scale * Math.exp(-0.5 * v * v));
  }
};

/** x sigmoid(x). */
export const silu: Kernel<'silu'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = x[i] / (1 + Math.exp(-x[i]));
};

export const siluBackward: Kernel<'siluBackward'> = ({ count }, { saved: x, gradY, gradX }) => {
  for (let i = 0; i < count; i++) {
    const s = 1 / (1 + Math.exp(-x[i]));
    gradX[i] = gradY[i] * s * (1 + x[i] * (1 - s));
  }
};

/** log(1 + exp(x)). */
export const softplus: Kernel<'softplus'> = ({ count }, { x, y }) => {
  for (let i = 0; i < count; i++) {
    const v = x[i];
    y[i] = Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  }
};

export const softplusBackward: Kernel<'softplusBackward'> = ({ count }, { saved: x, gradY, gradX }) => {
  for (let i = 0; i < count; i++) gradX[i] = gradY[i] / (1 + Math.exp(-x[i]));
};

/** NaN stays NaN. */
export const clamp: Kernel<'clamp'> = ({ count, low, high }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = Math.min(Math.max(x[i], low), high);
};

/** Passes where low <= x <= high, as 32-bit floats: what clamp writes to a Float32Array lies within its bounds. */
export const clampBackward: Kernel<'clampBackward'> = (shape, { saved: x, gradY, gradX }) => {
  const low = Math.fround(shape.low);
  const high = Math.fround(shape.high);
  for (let i = 0; i < shape.count; i++) gradX[i] = x[i] >= low && x[i] <= high ? gradY[i] : 0;
};

/** scale x + shift. */
export const affine: Kernel<'affine'> = ({ count, scale, shift }, { x, y }) => {
  for (let i = 0; i < count; i++) y[i] = scale * x[i] + shift;
};
