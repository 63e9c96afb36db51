// Batch norm after a convolution or a product, in inference: an affine map of each channel, so a change of the weights before it
// (as in Jacob et al. 2018, section 3.2). The changed weights come from constant calls, which `constants.ts` takes out of the run.
import type { Fields } from '../kernels/caller.ts';
import { constantsOf } from './constants.ts';
import { type Call, type Graph, isWhole, type Memory, type Operand, usesOf } from './graph.ts';

/** A graph in which each batch norm of constant statistics is part of the product before it, where nobody else reads that. */
export function foldNorms(graph: Graph): Graph {
  const constants = constantsOf(graph);
  const users = new Map<Memory, Call[]>();
  for (const call of graph.calls) {
    for (const { operand } of usesOf(call)) users.set(operand.memory, [...(users.get(operand.memory) ?? []), call]);
  }
  const replaced = new Map<Call, readonly Call[]>();
  for (const norm of graph.calls) {
    if (norm.kernel !== 'batchNormInference') continue;
    const { x, y, ...statistics } = norm.operands;
    const [product, reader, ...others] = (x && users.get(x.memory)) ?? [];
    if (x?.memory.kind !== 'temporary' || product === undefined || reader !== norm || others.length > 0) continue;
    const weights = weightsOf(product, norm.shape);
    const given = [weights?.weight, weights?.bias, ...Object.values(statistics)].filter((it) => it !== undefined);
    if (weights === undefined || y === undefined || !given.every(({ memory }) => constants.has(memory))) continue;
    if (![x, y].every(isWhole) || users.get(y.memory)?.[0] !== norm) continue;
    replaced.set(product, [...folded(product, weights, norm, y)]);
    replaced.set(norm, []);
  }
  return { ...graph, calls: graph.calls.flatMap((call) => replaced.get(call) ?? [call]) };
}

interface Weights {
  /** Name of the weight among the operands. */
  readonly name: string;
  readonly weight: Operand;
  readonly bias: Operand | undefined;
  /** The weight is [channels, inner], or [inner, channels] where channels are last. */
  readonly inner: number;
  readonly channelsLast: boolean;
}

/** The weights of a product whose result has the channels of a norm; undefined for others. */
function weightsOf({ kernel, shape, operands }: Call, norm: Fields): Weights | undefined {
  const { channels = 0 } = norm;
  const [name, inner] = kernel === 'conv2d' ? ['weight', undefined] : ['b', shape.k];
  const weight = operands[name];
  if (weight === undefined || shape.activation !== 0) return undefined;
  const { bias } = operands;
  if (kernel === 'conv2d' && shape.outChannels === channels) {
    return { name, weight, bias, inner: weight.length / channels, channelsLast: false };
  }
  const single = shape.batch === 1 && shape.bBatch === 1 && !shape.accumulate;
  if (kernel !== 'matmul' || !single || shape.n !== channels || norm.inner !== 1 || inner === undefined)
    return undefined;
  return { name, weight, bias, inner, channelsLast: !shape.transposeB };
}

/** scale = gamma / √(variance + eps); weight' = scale weight; bias' = scale (bias - mean) + beta. */
function* folded(product: Call, { name, weight, bias, inner, channelsLast }: Weights, norm: Call, y: Operand) {
  const { mean, variance, weight: gamma, bias: beta } = norm.operands;
  const { channels = 0, eps = 0 } = norm.shape;
  const [shifted, deviation, scale, centred, scaled, newBias] = Array.from({ length: 6 }, () => temporary(channels));
  const newWeight = temporary(weight.length);
  const each = { count: channels };
  yield call('affine', { ...each, scale: 1, shift: eps }, { x: variance, y: shifted });
  yield call('sqrt', each, { x: shifted, y: deviation });
  if (gamma) yield perChannel('div', gamma, deviation, scale);
  else yield call('pow', rows(channels, 1, [1, 0], [0, 0], channels, 1), { a: deviation, b: minusOne(), y: scale });
  const strides = channelsLast ? [0, 1] : [1, 0];
  const [outer, last] = channelsLast ? [inner, channels] : [channels, inner];
  yield call('mul', rows(outer, last, [last, 1], strides, weight.length, channels), {
    a: weight,
    b: scale,
    y: newWeight,
  });
  if (bias) yield perChannel('sub', bias, mean, centred);
  else yield call('affine', { ...each, scale: -1, shift: 0 }, { x: mean, y: centred });
  yield perChannel('mul', centred, scale, beta ? scaled : newBias);
  if (beta) yield perChannel('add', scaled, beta, newBias);
  yield { ...product, operands: { ...product.operands, [name]: newWeight, bias: newBias, y } };
}

const temporary = (length: number): Operand => ({
  memory: { kind: 'temporary', type: 'f32', length },
  offset: 0,
  length,
});

const minusOne = (): Operand => ({
  memory: { kind: 'captured', type: 'f32', length: 1, data: Float32Array.of(-1) },
  offset: 0,
  length: 1,
});

const call = (kernel: Call['kernel'], shape: Fields, operands: Call['operands']): Call => ({ kernel, shape, operands });

/** The shape of a broadcast kernel over two dimensions. */
const rows = (
  d2: number,
  d3: number,
  [a2, a3]: readonly number[],
  [b2, b3]: readonly number[],
  a: number,
  b: number,
) => ({
  ...{ d0: 1, d1: 1, d2, d3, a0: 0, a1: 0, a2: a2!, a3: a3!, b0: 0, b1: 0, b2: b2!, b3: b3! },
  ...{ aLength: a, bLength: b },
});

function perChannel(kernel: 'add' | 'sub' | 'mul' | 'div', a?: Operand, b?: Operand, y?: Operand): Call {
  const { length } = y!;
  return call(kernel, rows(1, length, [0, 1], [0, 1], length, length), { a, b, y });
}
