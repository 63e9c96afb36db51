// Softmax and its logarithm along one axis.
import { run } from '../../kernels/backend.ts';
import { differentiable } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { normalizeAxis, splitAt } from '../shape.ts';
import { checkFloat } from './check.ts';

/** exp(x) / Σ exp(x) along `axis`, computed without overflow. */
export const softmax = (x: Tensor, axis = -1): Tensor => alongAxis('softmax', x, axis);

/** x - log Σ exp(x) along `axis`, computed without overflow. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => alongAxis('logSoftmax', x, axis);

function alongAxis(kernel: 'softmax' | 'logSoftmax', x: Tensor, axis: number): Tensor {
  checkFloat(kernel, x);
  const shape = splitAt(x.shape, normalizeAxis(kernel, axis, x.rank));
  const y = empty(x.shape, x.dtype);
  run(kernel, shape, { x: x.operand, y: y.operand });
  return differentiable(y, kernel, [x], [y], (gradY, [y]) => {
    const gradX = empty(y.shape, y.dtype);
    run(`${kernel}Backward`, shape, { y: y.operand, gradY: gradY.operand, gradX: gradX.operand });
    return [gradX];
  });
}
