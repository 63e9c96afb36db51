// A recurrent layer over whole sequences, in one direction or both: one kernel call per direction.
import { run } from '../../kernels/backend.ts';
import type { Floats } from '../../kernels/call.ts';
import { differentiableAll, willRecord } from '../autograd.ts';
import { empty, type Tensor } from '../core.ts';
import { fail, failShape } from '../errors.ts';
import { show } from '../shape.ts';
import { checkLengths, checkSameFloat, checkShape } from './check.ts';
import { type Indices, savedIndices } from './gather.ts';
import { packedForStep } from './recurrent-step.ts';

export type RecurrentCell = 'rnn' | 'gru' | 'lstm';

/** Gates of a cell: rows of its weights are [gates x hiddenSize]. In the order of PyTorch: r z n of a GRU, i f g o of an LSTM. */
export const gatesOf = { rnn: 1, gru: 3, lstm: 4 } as const;
/** Numbers per unit that the forward pass keeps for the gradient. */
const savedOf = { rnn: 0, gru: 4, lstm: 5 } as const;

/** The parameters of one direction. */
export interface RecurrentWeights {
  /** [gates hiddenSize, inputSize] */
  readonly weightIh: Tensor;
  /** [gates hiddenSize, hiddenSize] */
  readonly weightHh: Tensor;
  /** [gates hiddenSize] */
  readonly biasIh?: Tensor | null;
  readonly biasHh?: Tensor | null;
  /** Of an LSTM (Gers and Schmidhuber 2000): [3 hiddenSize], for i, f and o. */
  readonly peepholes?: Tensor | null;
  /**
   * Of an LSTM (Sak, Senior and Beaufays 2014): [projSize, hiddenSize]. The state h, and y, are then projSize numbers of
   * the hiddenSize that c has, and weightHh is [4 hiddenSize, projSize].
   */
  readonly weightHr?: Tensor | null;
}

export interface RecurrentOptions {
  /** [directions, batch, hiddenSize, or projSize]: the state before the first step; zeros if absent. */
  readonly h0?: Tensor | null;
  /** [directions, batch, hiddenSize]: the same of an LSTM's cell. */
  readonly c0?: Tensor | null;
  /**
   * Steps of each sequence of the batch, each from 0 to `steps`. What comes after them counts for nothing, y is 0 there,
   * and the backward direction begins at the last of them.
   */
  readonly lengths?: Indices | null;
  /** Of an Elman cell. */
  readonly nonlinearity?: 'tanh' | 'relu';
  /** Of a GRU: whether the reset gate acts after the product with weightHh, as in PyTorch and cuDNN, or before. */
  readonly resetAfter?: boolean;
}

export interface RecurrentResult {
  /** [steps, batch, directions hiddenSize, or projSize] */
  readonly y: Tensor;
  /** [directions, batch, hiddenSize, or projSize]: the state after each sequence's last step. */
  readonly hN: Tensor;
  /** [directions, batch, hiddenSize]: the same of an LSTM's cell. */
  readonly cN?: Tensor;
}

/**
 * Runs a cell over x [steps, batch, inputSize]: forward with the first weights, backward in time with the second, if
 * there are two. The formulas are PyTorch's (`nn.RNN`, `nn.GRU`, `nn.LSTM`). Throws ShapeError where shapes do not fit.
 */
export function recurrent(
  cell: RecurrentCell,
  x: Tensor,
  directions: readonly [RecurrentWeights] | readonly [RecurrentWeights, RecurrentWeights],
  options: RecurrentOptions = {},
): RecurrentResult {
  const sizes = checkSizes(cell, x, directions, options);
  const { steps, batch, hiddenSize, stateSize } = sizes.shape;
  const { lengths } = sizes;
  const { dtype } = x;
  const { h0, c0 } = options;
  const inputs = [x, h0 ?? undefined, c0 ?? undefined, ...directions.flatMap(parametersOf)];
  const recording = willRecord(inputs);
  const count = directions.length;
  const y = empty([steps, batch, count * stateSize], dtype, cell);
  const hN = empty([count, batch, stateSize], dtype, cell);
  const cN = cell === 'lstm' ? empty([count, batch, hiddenSize], dtype, cell) : undefined;
  const saved = directions.map(() =>
    recording && savedOf[cell] > 0 ? empty([steps, batch, savedOf[cell] * hiddenSize], dtype, cell) : undefined,
  );
  for (const [d, weights] of directions.entries()) {
    const buffers = {
      x: x.operand,
      ...memoriesOf(weights),
      h0: stateOf(h0, d),
      c0: stateOf(c0, d),
      lengths,
      y: y.operand,
      hN: stateOf(hN, d)!,
      cN: stateOf(cN, d),
      saved: saved[d]?.operand,
    };
    const shape = { ...sizes.shape, reverse: d, yOffset: d * stateSize };
    const packed = recording ? undefined : packedForStep(cell, shape, weights);
    if (cell === 'rnn') run('rnn', shape, buffers, packed);
    else if (cell === 'gru') run('gru', shape, buffers, packed);
    else run('lstm', shape, buffers, packed);
  }
  const outputs = cN === undefined ? [y, hN] : [y, hN, cN];
  const kept = [x, h0 ?? undefined, c0 ?? undefined, y, lengths && savedIndices(lengths), ...saved];
  const weights = directions.flatMap(parametersOf);
  differentiableAll(outputs, cell, inputs, [...kept, ...weights], (gradients, all, needs) => {
    const [x, h0, c0, y, lengths] = all;
    const savedNow = all.slice(5, 5 + count);
    return gradientsOf(
      cell,
      sizes,
      { x: x!, h0, c0, y: y!, lengths },
      savedNow,
      all.slice(5 + count),
      gradients,
      needs,
    );
  });
  return cN === undefined ? { y, hN } : { y, hN, cN };
}

/** The parameters of one direction in their order. */
const parameterNames = ['weightIh', 'weightHh', 'biasIh', 'biasHh', 'weightHr', 'peepholes'] as const;

const parametersOf = (weights: RecurrentWeights): (Tensor | undefined)[] =>
  parameterNames.map((name) => weights[name] ?? undefined);

const memoriesOf = ({ weightIh, weightHh, biasIh, biasHh, weightHr, peepholes }: RecurrentWeights) => ({
  weightIh: weightIh.operand,
  weightHh: weightHh.operand,
  biasIh: biasIh?.operand,
  biasHh: biasHh?.operand,
  weightHr: weightHr?.operand,
  peepholes: peepholes?.operand,
});

/** The part of a state [directions, batch, size] that belongs to one direction. */
function stateOf(state: Tensor | null | undefined, direction: number): Floats | undefined {
  if (!state) return undefined;
  const [, batch, size] = state.shape;
  const length = batch! * size!;
  return state.operand.subarray(direction * length, (direction + 1) * length);
}

interface Kept {
  readonly x: Tensor;
  readonly h0: Tensor | undefined;
  readonly c0: Tensor | undefined;
  readonly y: Tensor;
  readonly lengths: Tensor | undefined;
}

/** Gradients in the order of the inputs: x, h0, c0, then the parameters of each direction. */
function gradientsOf(
  cell: RecurrentCell,
  sizes: Sizes,
  { x, h0, c0, y, lengths }: Kept,
  saved: readonly (Tensor | undefined)[],
  parameters: readonly (Tensor | undefined)[],
  [gradY, gradHN, gradCN]: readonly (Tensor | undefined)[],
  needs: readonly boolean[],
): (Tensor | null)[] {
  const like = (tensor: Tensor | undefined, wanted = true) => (tensor && wanted ? empty(tensor.shape, x.dtype) : null);
  const gradX = like(x, needs[0]);
  const gradH0 = like(h0, needs[1]);
  const gradC0 = like(c0, needs[2]);
  const gradients: (Tensor | null)[] = [gradX, gradH0, gradC0];
  for (const [d, savedHere] of saved.entries()) {
    const count = parameterNames.length;
    const [weightIh, weightHh, biasIh, biasHh, weightHr, peepholes] = parameters.slice(count * d, count * (d + 1));
    const gradWeightIh = like(weightIh)!;
    const gradWeightHh = like(weightHh)!;
    const gradBiasIh = like(biasIh ?? biasHh);
    // Only a GRU's reset gate stands between the two biases: elsewhere their gradients are one.
    const gradBiasHh = cell === 'gru' ? like(biasHh ?? biasIh) : gradBiasIh;
    const gradWeightHr = like(weightHr);
    const gradPeepholes = like(peepholes);
    const buffers = {
      x: x.operand,
      weightIh: weightIh!.operand,
      weightHh: weightHh!.operand,
      weightHr: weightHr?.operand,
      peepholes: peepholes?.operand,
      h0: stateOf(h0, d),
      c0: stateOf(c0, d),
      lengths: lengths?.indexOperand,
      y: y.operand,
      gradY: gradY?.operand,
      gradHN: stateOf(gradHN, d),
      gradCN: stateOf(gradCN, d),
      gradX: gradX?.operand,
      gradWeightIh: gradWeightIh.operand,
      gradWeightHh: gradWeightHh.operand,
      gradWeightHr: gradWeightHr?.operand,
      gradBias: gradBiasIh?.operand,
      gradBiasIh: gradBiasIh?.operand,
      gradBiasHh: gradBiasHh?.operand,
      gradPeepholes: gradPeepholes?.operand,
      gradH0: stateOf(gradH0, d),
      gradC0: stateOf(gradC0, d),
    };
    const shape = { ...sizes.shape, reverse: d, yOffset: d * sizes.shape.stateSize, accumulate: d };
    if (cell === 'rnn') run('rnnBackward', shape, buffers);
    else if (cell === 'gru') run('gruBackward', shape, { ...buffers, saved: savedHere!.operand });
    else run('lstmBackward', shape, { ...buffers, saved: savedHere!.operand });
    gradients.push(gradWeightIh, gradWeightHh, biasIh ? gradBiasIh : null, biasHh ? gradBiasHh : null);
    gradients.push(gradWeightHr, gradPeepholes);
  }
  return gradients;
}

type Sizes = ReturnType<typeof checkSizes>;

function checkSizes(
  cell: RecurrentCell,
  x: Tensor,
  directions: readonly RecurrentWeights[],
  options: RecurrentOptions,
) {
  const { h0, c0, nonlinearity = 'tanh', resetAfter = true } = options;
  const [steps, batch, inputSize] = x.shape;
  if (x.rank !== 3 || steps === undefined || batch === undefined || inputSize === undefined) {
    failShape(cell, { expected: 'x [steps, batch, inputSize]', got: `x ${show(x.shape)}` });
  }
  const projection = directions[0]!.weightHr;
  const stateSize = directions[0]!.weightHh.shape.at(-1) ?? 0;
  const hiddenSize = projection?.shape.at(-1) ?? stateSize;
  const rows = gatesOf[cell] * hiddenSize;
  for (const { weightIh, weightHh, biasIh, biasHh, peepholes, weightHr } of directions) {
    checkSameFloat(cell, { x, weightIh, weightHh }, { biasIh, biasHh, peepholes, weightHr, h0, c0 });
    checkShape(cell, 'weightHh', weightHh, [rows, stateSize]);
    if (weightHr && cell !== 'lstm') fail(cell, { expected: 'no weightHr', because: 'it is of an LSTM', got: 'some' });
    if (!weightHr !== !projection) {
      fail(cell, { expected: 'weightHr in both directions or in none', got: 'it in one' });
    }
    if (weightHr) checkShape(cell, 'weightHr', weightHr, [stateSize, hiddenSize], ['weightHh', weightHh]);
    checkShape(cell, 'weightIh', weightIh, [rows, inputSize], ['x', x]);
    if (biasIh) checkShape(cell, 'biasIh', biasIh, [rows], ['weightHh', weightHh]);
    if (biasHh) checkShape(cell, 'biasHh', biasHh, [rows], ['weightHh', weightHh]);
    if (peepholes && cell !== 'lstm')
      fail(cell, { expected: 'no peepholes', because: 'they are of an LSTM', got: 'some' });
    if (peepholes) checkShape(cell, 'peepholes', peepholes, [3 * hiddenSize], ['weightHh', weightHh]);
  }
  if (projection && projection.size === 0) {
    fail(cell, { expected: 'weightHr with some elements', got: show(projection.shape) });
  }
  const state = [directions.length, batch, hiddenSize];
  if (h0) checkShape(cell, 'h0', h0, [directions.length, batch, stateSize], ['x', x]);
  if (c0 && cell !== 'lstm') fail(cell, { expected: 'no c0', because: 'only an LSTM has a cell state', got: c0.label });
  if (c0) checkShape(cell, 'c0', c0, state, ['x', x]);
  return {
    lengths: options.lengths ? checkLengths(cell, options.lengths, { steps, batch }, 'x has') : undefined,
    shape: {
      steps,
      batch,
      inputSize,
      hiddenSize,
      projSize: projection ? stateSize : 0,
      stateSize,
      yStride: directions.length * stateSize,
      relu: nonlinearity === 'relu' ? 1 : 0,
      resetAfter: resetAfter ? 1 : 0,
    },
  };
}
