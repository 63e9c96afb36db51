// One optimizer step on one parameter, in PyTorch's order of operations; `settings` carries what changes between steps.
import type { Kernel } from './kernel.ts';

const sign = (x: number) => (x > 0 ? 1 : x < 0 ? -1 : 0);

/** settings: [lr, momentum, dampening, weightDecay, l1, nesterov, first]. Without `velocity` there is no momentum. */
export const sgd: Kernel<'sgd'> = ({ count }, { settings, grad, param, velocity }) => {
  const [lr, momentum, dampening, weightDecay, l1, nesterov, first] = settings;
  for (let i = 0; i < count; i++) {
    let g = grad[i] + weightDecay * param[i] + l1 * sign(param[i]);
    if (velocity !== undefined) {
      const v = first ? g : momentum * velocity[i] + (1 - dampening) * g;
      velocity[i] = v;
      g = nesterov ? g + momentum * v : v;
    }
    param[i] -= lr * g;
  }
};

/**
 * settings: [lr, beta1, beta2, eps, weightDecay, l1, decoupled, biasCorrection1, biasCorrection2].
 * param -= lr / biasCorrection1 · average / (√squareAverage / √biasCorrection2 + eps).
 */
export const adam: Kernel<'adam'> = ({ count }, { settings, grad, param, average, squareAverage }) => {
  const [lr, beta1, beta2, eps, weightDecay, l1, decoupled, biasCorrection1, biasCorrection2] = settings;
  const step = lr / biasCorrection1;
  const root = Math.sqrt(biasCorrection2);
  const decay = decoupled ? 1 - lr * weightDecay : 1;
  const penalty = decoupled ? 0 : weightDecay;
  for (let i = 0; i < count; i++) {
    const p = param[i];
    const g = grad[i] + penalty * p + l1 * sign(p);
    const a = beta1 * average[i] + (1 - beta1) * g;
    const s = beta2 * squareAverage[i] + (1 - beta2) * g * g;
    average[i] = a;
    squareAverage[i] = s;
    param[i] = p * decay - (step * a) / (Math.sqrt(s) / root + eps);
  }
};

/**
 * settings: [lr, alpha, eps, weightDecay, l1, momentum, centered]. Without `velocity` there is no momentum; the variance
 * is centered when asked for and `average` is there.
 */
export const rmsprop: Kernel<'rmsprop'> = ({ count }, { settings, grad, param, squareAverage, velocity, average }) => {
  const [lr, alpha, eps, weightDecay, l1, momentum, centered] = settings;
  for (let i = 0; i < count; i++) {
    const p = param[i];
    const g = grad[i] + weightDecay * p + l1 * sign(p);
    let s = alpha * squareAverage[i] + (1 - alpha) * g * g;
    squareAverage[i] = s;
    if (centered && average !== undefined) {
      const a = alpha * average[i] + (1 - alpha) * g;
      average[i] = a;
      s -= a * a;
    }
    let change = g / (Math.sqrt(s) + eps);
    if (velocity !== undefined) {
      change += momentum * velocity[i];
      velocity[i] = change;
    }
    param[i] = p - lr * change;
  }
};

/** settings: [lr / (1 + (step - 1) lrDecay), eps, weightDecay, l1]. */
export const adagrad: Kernel<'adagrad'> = ({ count }, { settings, grad, param, squareSum }) => {
  const [lr, eps, weightDecay, l1] = settings;
  for (let i = 0; i < count; i++) {
    const p = param[i];
    const g = grad[i] + weightDecay * p + l1 * sign(p);
    const s = squareSum[i] + g * g;
    squareSum[i] = s;
    param[i] = p - (lr * g) / (Math.sqrt(s) + eps);
  }
};
