// Activations as layers: each is one op applied to every element, but for the two softmaxes.
import { logSoftmax, softmax, type Tensor } from '../tensor/index.ts';
import { checkInteger, checkNumber } from './check.ts';
import { Module } from './module.ts';

/** max(x, 0) */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** x where positive, else slope x */
export class LeakyReLU extends Module {
  constructor(readonly slope = 0.01) {
    super();
    checkNumber('LeakyReLU', 'slope', slope, -Infinity);
  }

  override forward(x: Tensor): Tensor {
    return x.leakyRelu(this.slope);
  }

  override extraRepr(): string {
    return `slope=${this.slope}`;
  }
}

/** x where positive, else alpha (exp(x) - 1) */
export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
    checkNumber('ELU', 'alpha', alpha, -Infinity);
  }

  override forward(x: Tensor): Tensor {
    return x.elu(this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/** 1 / (1 + exp(-x)) */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/**
 * amplitude tanh(slope x). By default f(1) = 1 and f(-1) = -1, where its curvature is largest, and its gain is near 1
 * (LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", appendix A).
 */
export class ScaledTanh extends Module {
  constructor(
    readonly amplitude = 1.7159,
    readonly slope = 2 / 3,
  ) {
    super();
    checkNumber('ScaledTanh', 'amplitude', amplitude, -Infinity);
    checkNumber('ScaledTanh', 'slope', slope, -Infinity);
  }

  override forward(x: Tensor): Tensor {
    return x.mul(this.slope).tanh().mul(this.amplitude);
  }

  override extraRepr(): string {
    return `amplitude=${this.amplitude}, slope=${this.slope}`;
  }
}

/** x Phi(x), Phi being the normal distribution function (Hendrycks & Gimpel 2016) */
export class GELU extends Module {
  override forward(x: Tensor): Tensor {
    return x.gelu();
  }
}

/** x sigmoid(x) */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/** log(1 + exp(x)) */
export class Softplus extends Module {
  override forward(x: Tensor): Tensor {
    return x.softplus();
  }
}

/** exp(x) over its sum along one axis */
export class Softmax extends Module {
  constructor(readonly axis: number) {
    super();
    checkInteger('Softmax', 'axis', axis, -8);
  }

  override forward(x: Tensor): Tensor {
    return softmax(x, this.axis);
  }

  override extraRepr(): string {
    return `axis=${this.axis}`;
  }
}

/** The logarithm of `Softmax`, without its loss of precision. */
export class LogSoftmax extends Module {
  constructor(readonly axis: number) {
    super();
    checkInteger('LogSoftmax', 'axis', axis, -8);
  }

  override forward(x: Tensor): Tensor {
    return logSoftmax(x, this.axis);
  }

  override extraRepr(): string {
    return `axis=${this.axis}`;
  }
}
