// Adam and AdamW: each weight's own step, from running averages of its gradient and of the square of it.
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

export interface AdamOptions extends CommonOptions {
  /** Decay of the average of the gradient and of that of its square. */
  betas: readonly [number, number];
  eps: number;
}

/**
 * param -= lr average' / (sqrt(squareAverage') + eps), ' being corrected for starting at 0 (Kingma & Ba 2015). With a
 * sparse gradient only its rows move, and only their averages, as in PyTorch's SparseAdam.
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<AdamOptions>[],
    { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, l1 = 0 }: Partial<AdamOptions> = {},
  ) {
    super(params, { lr, betas, eps, weightDecay, l1 });
  }

  get kind(): string {
    return 'Adam';
  }

  /** Whether weight decay goes beside the gradient instead of into it. */
  protected get decoupled(): boolean {
    return false;
  }

  protected check({ lr, betas, eps, weightDecay, l1 }: ParamGroup<AdamOptions>): void {
    this.checkNumber('lr', lr, 0);
    this.checkNumber('betas[0]', betas[0], 0, 1 - Number.EPSILON);
    this.checkNumber('betas[1]', betas[1], 0, 1 - Number.EPSILON);
    this.checkNumber('eps', eps, 0);
    this.checkNumber('weightDecay', weightDecay, 0);
    this.checkNumber('l1', l1, 0);
  }

  protected override refusesSparse(): string {
    return '';
  }

  protected update(param: Tensor, grad: Tensor, state: ParamState, group: ParamGroup<AdamOptions>): void {
    const { betas, eps, weightDecay, l1 } = group;
    // The betas as the kernel gets them: 1 - 0.999 as float32 is off by 5e-5, which the corrections must share.
    const used = param.dtype === 'float64' ? betas : betas.map(Math.fround);
    const settings = settingsFor(param, () => [
      ...[group.lr, ...betas, eps, weightDecay, l1, Number(this.decoupled)],
      ...used.map((beta) => 1 - beta ** state.step),
    ]);
    run(
      'adam',
      { count: param.size, settingsLength: settings.length },
      {
        settings,
        grad: grad.operand,
        param: param.operand,
        average: slot(state, 'average', param),
        squareAverage: slot(state, 'squareAverage', param),
      },
    );
  }
}

/** Adam whose weight decay does not pass through the averages: param -= lr weightDecay param (Loshchilov & Hutter 2019). */
export class AdamW extends Adam {
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<AdamOptions>[],
    { weightDecay = 0.01, ...options }: Partial<AdamOptions> = {},
  ) {
    super(params, { weightDecay, ...options });
  }

  override get kind(): string {
    return 'AdamW';
  }

  protected override get decoupled(): boolean {
    return true;
  }
}
