// LeNet-5, as it is built today and as it was in 1998.
import {
  AvgPool2d,
  ConstantPad2d,
  Conv2d,
  Flatten,
  init,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  ScaledTanh,
  Sequential,
  TableConv2d,
} from '../nn/index.ts';
import { type Generator, ones, type Tensor, zeros } from '../tensor/index.ts';
import { product } from '../tensor/shape.ts';

export interface LeNetOptions {
  /** Outputs; 10 for digits. */
  classes?: number;
  generator?: Generator | undefined;
}

/** The modern reading, with ReLU and max pooling: [batch, 1, 28, 28] -> logits [batch, classes]; 61,706 parameters. */
export class LeNet5 extends Sequential {
  constructor({ classes = 10, generator }: LeNetOptions = {}) {
    super({
      conv1: new Conv2d(1, 6, 5, { padding: 2, generator }), // [6, 28, 28]
      relu1: new ReLU(),
      pool1: new MaxPool2d(2), // [6, 14, 14]
      conv2: new Conv2d(6, 16, 5, { generator }), // [16, 10, 10]
      relu2: new ReLU(),
      pool2: new MaxPool2d(2), // [16, 5, 5]
      flatten: new Flatten(),
      fc1: new Linear(400, 120, { generator }),
      relu3: new ReLU(),
      fc2: new Linear(120, 84, { generator }),
      relu4: new ReLU(),
      fc3: new Linear(84, classes, { generator }),
    });
  }
}

/** LeCun et al. 1998, table I: the maps of S2 that each map of C3 sees. */
export const c3Table: readonly (readonly number[])[] = [
  [0, 1, 2], // 0 to 5: three contiguous, 5 being beside 0
  [1, 2, 3],
  [2, 3, 4],
  [3, 4, 5],
  [0, 4, 5],
  [0, 1, 5],
  [0, 1, 2, 3], // 6 to 11: four contiguous
  [1, 2, 3, 4],
  [2, 3, 4, 5],
  [0, 3, 4, 5],
  [0, 1, 4, 5],
  [0, 1, 2, 5],
  [0, 1, 3, 4], // 12 to 14: four discontinuous
  [1, 2, 4, 5],
  [0, 2, 3, 5],
  [0, 1, 2, 3, 4, 5], // all
];

/**
 * As in LeCun, Bottou, Bengio & Haffner 1998, "Gradient-Based Learning Applied to Document Recognition", section II-B:
 * [batch, 1, 28, 28] -> logits [batch, classes]. Its inputs have -0.1 for the background and 1.175 for the ink.
 *
 * Up to F6 it has the paper's 60,000 parameters. The output layer is not the paper's fixed radial basis functions with a
 * maximum a posteriori loss but linear (850 more parameters), for cross-entropy. Weights start uniform with standard
 * deviation 1 / sqrt(fanIn) (LeCun et al. 1998, "Efficient BackProp").
 */
export class LeNet5Classic extends Sequential {
  constructor({ classes = 10, generator }: LeNetOptions = {}) {
    super({
      input: new ConstantPad2d(2, -0.1), // [1, 32, 32]
      c1: new Conv2d(1, 6, 5, { generator }), // [6, 28, 28]
      squash1: new ScaledTanh(),
      s2: new Subsample2d(6), // [6, 14, 14]
      squash2: new ScaledTanh(),
      c3: new TableConv2d(6, c3Table, 5, { generator }), // [16, 10, 10]
      squash3: new ScaledTanh(),
      s4: new Subsample2d(16), // [16, 5, 5]
      squash4: new ScaledTanh(),
      c5: new Conv2d(16, 120, 5, { generator }), // [120, 1, 1]
      squash5: new ScaledTanh(),
      flatten: new Flatten(),
      f6: new Linear(120, 84, { generator }),
      squash6: new ScaledTanh(),
      output: new Linear(84, classes, { generator }),
    });
    this.apply((module) => {
      if (!(module instanceof Conv2d || module instanceof Linear)) return;
      init.lecunUniform_(module.weight, { generator });
      if (module.bias) init.constant_(module.bias, 0);
    });
  }
}

/**
 * The paper's subsampling: the mean of each 2x2 window, times a trainable coefficient, plus a trainable bias, both one
 * for each map. (The paper says the sum; its coefficient is a quarter of this one.)
 */
export class Subsample2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly #pool = new AvgPool2d(2);

  constructor(readonly channels: number) {
    super();
    this.weight = ones([channels, 1, 1], { requiresGrad: true });
    this.bias = zeros([channels, 1, 1], { requiresGrad: true });
  }

  override forward(x: Tensor): Tensor {
    return this.#pool.forward(x).mul(this.weight).add(this.bias);
  }

  override multiplyAdds(_inputs: readonly (readonly number[])[], output: readonly number[]): number {
    return product(output);
  }

  override extraRepr(): string {
    return String(this.channels);
  }
}
