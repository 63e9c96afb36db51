// An LSTM whose state is a projection of its units (Sak, Senior and Beaufays 2014), step by step of other operations:
// h' = Whr (o tanh(c')), so that few numbers enter the gates of many units.
import type { Tensor } from '../core.ts';
import { constant } from '../core.ts';
import { spread } from '../strided.ts';
import { sigmoid, tanh } from './activation.ts';
import { add, mul } from './elementwise.ts';
import { indexSelect } from './gather.ts';
import { linear } from './matmul.ts';
import { concat, reshape, split, stack } from './movement.ts';
import type { RecurrentResult, RecurrentWeights } from './recurrent.ts';

/** What `recurrent` has checked. Unlike there, h and y have projSize numbers; hiddenSize is that of c. */
export interface ProjectedSizes {
  readonly steps: number;
  readonly batch: number;
  readonly hiddenSize: number;
  readonly projSize: number;
  readonly lengths: Int32Array | undefined;
}

/** States [directions, batch, size], or absent for zeros. */
export function projectedLstm(
  x: Tensor,
  directions: readonly RecurrentWeights[],
  sizes: ProjectedSizes,
  h0: Tensor | null | undefined,
  c0: Tensor | null | undefined,
): RecurrentResult {
  const { steps, batch, hiddenSize, projSize } = sizes;
  const zeros = (size: number) => spread(constant(0, x.dtype), [batch, size]);
  const stateOf = (state: Tensor | null | undefined, direction: number, size: number) =>
    state ? reshape(indexSelect(state, 0, [direction]), [batch, size]) : zeros(size);
  const results = directions.map((weights, d) =>
    oneDirection(x, weights, sizes, rowsOf(sizes, d === 1), stateOf(h0, d, projSize), stateOf(c0, d, hiddenSize)),
  );
  const y = concat(
    results.map(({ y }) => reshape(y, [steps, batch, projSize])),
    2,
  );
  return { y, hN: stack(results.map(({ h }) => h)), cN: stack(results.map(({ c }) => c)) };
}

/** The rows [steps x batch] that take part, in the order of the steps; within one, the longest sequence first. */
interface Rows {
  /** Where each is in x. */
  readonly places: readonly number[];
  /** How many each step has; sequences that have ended are left out. */
  readonly alive: readonly number[];
  /** The sequences, longest first. */
  readonly order: readonly number[];
}

function rowsOf({ steps, batch, lengths }: ProjectedSizes, reverse: boolean): Rows {
  const lengthOf = (sequence: number) => lengths?.[sequence] ?? steps;
  const order = Array.from({ length: batch }, (_, i) => i).sort((a, b) => lengthOf(b) - lengthOf(a));
  const places: number[] = [];
  const alive: number[] = [];
  for (let step = 0; step < steps; step++) {
    const now = order.filter((sequence) => lengthOf(sequence) > step);
    alive.push(now.length);
    for (const sequence of now) places.push((reverse ? lengthOf(sequence) - 1 - step : step) * batch + sequence);
  }
  return { places, alive, order };
}

/** y [steps batch, projSize], and the states after the last step of each sequence. */
function oneDirection(
  x: Tensor,
  weights: RecurrentWeights,
  { steps, batch, hiddenSize, projSize }: ProjectedSizes,
  { places, alive, order }: Rows,
  h0: Tensor,
  c0: Tensor,
): { y: Tensor; h: Tensor; c: Tensor } {
  const { weightIh, weightHh, weightHr, biasIh, biasHh, peepholes } = weights;
  const bias = biasIh && biasHh ? add(biasIh, biasHh) : (biasIh ?? biasHh ?? null);
  const rows = indexSelect(reshape(x, [steps * batch, x.shape[2]!]), 0, places);
  const sums = split(linear(rows, weightIh, bias), alive);
  const [seeI, seeF, seeO] = peepholes ? split(peepholes, [hiddenSize, hiddenSize, hiddenSize]) : [];
  const seen = (sum: Tensor, peephole: Tensor | undefined, c: Tensor) =>
    peephole === undefined ? sum : add(sum, mul(c, peephole));
  let [h, c] = [indexSelect(h0, 0, order), indexSelect(c0, 0, order)];
  const outputs: Tensor[] = [];
  const ended: { h: Tensor; c: Tensor }[] = []; // shortest first
  const keep = (count: number) => {
    const length = h.shape[0]!;
    if (count === length) return;
    const [liveH, doneH] = split(h, [count, length - count]);
    const [liveC, doneC] = split(c, [count, length - count]);
    ended.push({ h: doneH!, c: doneC! });
    [h, c] = [liveH!, liveC!];
  };
  for (const [step, sum] of sums.entries()) {
    keep(alive[step]!);
    if (alive[step] === 0) break;
    const gates = add(sum, linear(h, weightHh));
    const [i, f, g, o] = split(gates, [hiddenSize, hiddenSize, hiddenSize, hiddenSize], 1);
    const kept = mul(sigmoid(seen(f!, seeF, c)), c);
    c = add(kept, mul(sigmoid(seen(i!, seeI, c)), tanh(g!)));
    h = linear(mul(sigmoid(seen(o!, seeO, c)), tanh(c)), weightHr!);
    outputs.push(h);
  }
  keep(0);
  const inOrder = order.map((_, sequence) => order.indexOf(sequence));
  const final = (state: 'h' | 'c') => indexSelect(concat([...ended].reverse().map((part) => part[state])), 0, inOrder);
  // Rows that took no part are the last one, of zeros.
  const from = new Int32Array(steps * batch).fill(places.length);
  for (const [row, place] of places.entries()) from[place] = row;
  const y = indexSelect(concat([...outputs, spread(constant(0, x.dtype), [1, projSize])]), 0, from);
  return { y, h: final('h'), c: final('c') };
}
