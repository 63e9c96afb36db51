// SGD: steepest descent, with momentum if asked for.
import { run } from '../kernels/backend.ts';
import { fail } from '../tensor/errors.ts';
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

export interface SGDOptions extends CommonOptions {
  momentum: number;
  /** Share of the gradient kept out of the velocity. */
  dampening: number;
  /** Looks ahead along the velocity (Nesterov 1983, as in Sutskever et al. 2013). */
  nesterov: boolean;
}

/** velocity = momentum velocity + (1 - dampening) grad, which starts as grad; param -= lr velocity. As in PyTorch. */
export class SGD extends Optimizer<SGDOptions> {
  constructor(
    params: readonly Tensor[] | readonly GroupOptions<SGDOptions>[],
    {
      lr,
      momentum = 0,
      dampening = 0,
      weightDecay = 0,
      l1 = 0,
      nesterov = false,
    }: Partial<SGDOptions> & Pick<SGDOptions, 'lr'>,
  ) {
    super(params, { lr, momentum, dampening, weightDecay, l1, nesterov });
  }

  get kind(): string {
    return 'SGD';
  }

  protected check({ lr, momentum, dampening, weightDecay, l1, nesterov }: ParamGroup<SGDOptions>): void {
    this.checkNumber('lr', lr, 0);
    this.checkNumber('momentum', momentum, 0);
    this.checkNumber('dampening', dampening, -Infinity);
    this.checkNumber('weightDecay', weightDecay, 0);
    this.checkNumber('l1', l1, 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      const got = `momentum ${momentum} and dampening ${dampening}`;
      fail(this.kind, { expected: 'momentum and no dampening', because: 'nesterov is on', got });
    }
  }

  protected override refusesSparse({ momentum }: ParamGroup<SGDOptions>): string {
    return momentum === 0 ? '' : 'momentum moves rows without a gradient too';
  }

  protected update(param: Tensor, grad: Tensor, state: ParamState, group: ParamGroup<SGDOptions>): void {
    const { momentum, dampening, weightDecay, l1, nesterov } = group;
    let first = !state.slots.has('velocity');
    const velocity = momentum === 0 ? undefined : slot(state, 'velocity', param);
    const settings = settingsFor(param, () => [
      group.lr,
      momentum,
      dampening,
      weightDecay,
      l1,
      Number(nesterov),
      Number(first),
    ]);
    run(
      'sgd',
      { count: param.size, settingsLength: settings.length },
      { settings, grad: grad.operand, param: param.operand, velocity },
    );
    first = false;
  }
}
