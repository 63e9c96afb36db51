// One step on the rows of a parameter that a sparse gradient has: they and their state are taken out, changed, put back.
import { indexSelect, noGrad, type SparseGradient, type Tensor, zeros } from '../tensor/index.ts';
import type { ParamState } from './optimizer.ts';

/** Calls `update` with the rows of the parameter, of its gradient and of its state as tensors of their own. */
export function updateRows(
  param: Tensor,
  gradient: SparseGradient,
  state: ParamState,
  update: (rows: Tensor, gradient: Tensor, state: ParamState) => void,
): void {
  const { indices, rows: gradientRows } = gradient;
  const take = (whole: Tensor) => noGrad(() => indexSelect(whole.detach(), 0, indices));
  const rows = take(param);
  const slots = new Map([...state.slots].map(([name, whole]) => [name, take(whole)]));
  update(rows, gradientRows, { step: state.step, slots });
  put(rows, indices, param);
  for (const [name, part] of slots) {
    const whole = state.slots.get(name) ?? zeros(param.shape, { dtype: param.dtype });
    state.slots.set(name, whole);
    put(part, indices, whole);
  }
}

/** whole[indices[j]] = rows[j]. */
function put(rows: Tensor, indices: Int32Array, whole: Tensor): void {
  const width = whole.shape[1]!;
  const [from, to] = [rows.operand, whole.operand];
  for (const [j, index] of indices.entries()) to.set(from.subarray(j * width, (j + 1) * width), index * width);
}
