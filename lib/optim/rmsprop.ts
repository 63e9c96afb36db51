// RMSprop and Adagrad: gradients divided by how large they have been, lately or altogether.
import { run } from '../kernels/backend.ts';
import type { Tensor } from '../tensor/index.ts';
import {
  type CommonOptions,
  type GroupOptions,
  Optimizer,
  type ParamGroup,
  type ParamState,
  settingsFor,
  slot,
} from './optimizer.ts';

export interface RMSpropOptions extends CommonOptions {
  /** Decay of the average of the squared gradient. */
  alpha: number;
  eps: number;
  momentum: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square. */
  centered: boolean;
}

/** param -= lr grad / (sqrt(squareAverage) + eps) (Tieleman & Hinton 2012; centered: Graves 2013). As in PyTorch. */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<RMSpropOptions>[],
    {
      lr = 0.01,
      alpha = 0.99,
      eps = 1e-8,
      weightDecay = 0,
      l1 = 0,
      momentum = 0,
      centered = false,
    }: Partial<RMSpropOptions> = {},
  ) {
    super(params, { lr, alpha, eps, weightDecay, l1, momentum, centered });
  }

  get kind(): string {
    return 'RMSprop';
  }

  protected check({ lr, alpha, eps, weightDecay, l1, momentum }: ParamGroup<RMSpropOptions>): void {
    this.checkNumber('lr', lr, 0);
    this.checkNumber('alpha', alpha, 0, 1);
    this.checkNumber('eps', eps, 0);
    this.checkNumber('weightDecay', weightDecay, 0);
    this.checkNumber('l1', l1, 0);
    this.checkNumber('momentum', momentum, 0);
  }

  protected update(param: Tensor, grad: Tensor, state: ParamState, group: ParamGroup<RMSpropOptions>): void {
    const { alpha, eps, weightDecay, l1, momentum, centered } = group;
    const settings = settingsFor(param, () => [group.lr, alpha, eps, weightDecay, l1, momentum, Number(centered)]);
    run(
      'rmsprop',
      { count: param.size, settingsLength: settings.length },
      {
        settings,
        grad: grad.operand,
        param: param.operand,
        squareAverage: slot(state, 'squareAverage', param),
        velocity: momentum === 0 ? undefined : slot(state, 'velocity', param),
        average: centered ? slot(state, 'average', param) : undefined,
      },
    );
  }
}

export interface AdagradOptions extends CommonOptions {
  /** The rate of step t is lr / (1 + (t - 1) lrDecay). */
  lrDecay: number;
  eps: number;
}

/** squareSum += grad²; param -= lr grad / (sqrt(squareSum) + eps) (Duchi et al. 2011). As in PyTorch. */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<AdagradOptions>[],
    { lr = 0.01, lrDecay = 0, eps = 1e-10, weightDecay = 0, l1 = 0 }: Partial<AdagradOptions> = {},
  ) {
    super(params, { lr, lrDecay, eps, weightDecay, l1 });
  }

  get kind(): string {
    return 'Adagrad';
  }

  protected check({ lr, lrDecay, eps, weightDecay, l1 }: ParamGroup<AdagradOptions>): void {
    this.checkNumber('lr', lr, 0);
    this.checkNumber('lrDecay', lrDecay, 0);
    this.checkNumber('eps', eps, 0);
    this.checkNumber('weightDecay', weightDecay, 0);
    this.checkNumber('l1', l1, 0);
  }

  protected override refusesSparse(): string {
    return '';
  }

  protected update(param: Tensor, grad: Tensor, state: ParamState, group: ParamGroup<AdagradOptions>): void {
    const { lrDecay, eps, weightDecay, l1 } = group;
    const settings = settingsFor(param, () => [group.lr / (1 + (state.step - 1) * lrDecay), eps, weightDecay, l1]);
    run(
      'adagrad',
      { count: param.size, settingsLength: settings.length },
      {
        settings,
        grad: grad.operand,
        param: param.operand,
        squareSum: slot(state, 'squareSum', param),
      },
    );
  }
}
