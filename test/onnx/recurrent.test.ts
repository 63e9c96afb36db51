// RNN, GRU and LSTM as ONNX defines them: its conformance cases, through the op, at its own tolerances.
import { describe, expect, it } from 'vitest';
import {
  fromArray,
  noGrad,
  type RecurrentCell,
  type RecurrentWeights,
  recurrent,
  reshape,
  type Tensor,
  transpose,
} from '../../lib/tensor/index.ts';
import { archive, type ConformanceCase, conformanceCases } from './archive.ts';
import type { Value } from './proto.ts';

/** For each gate of ours (PyTorch's order) its number in ONNX: z r h of a GRU, i o f c of an LSTM, whose peepholes are i o f. */
const orders = { rnn: [0], gru: [1, 0, 2], lstm: [0, 2, 3, 1], peepholes: [0, 2, 1] } as const;

const cells: Readonly<Record<string, RecurrentCell>> = { RNN: 'rnn', GRU: 'gru', LSTM: 'lstm' };

/** Part `direction` of [directions, gates x rest], its gates in our order. */
function reordered({ dims, data }: Value, direction: number, order: readonly number[], from = 0, parts = 1): Tensor {
  const [directions = 1, rows = 0, ...rest] = dims;
  const size = data.length / directions;
  const half = size / parts;
  const gate = half / order.length;
  const to = new Float32Array(half);
  for (const [own, theirs] of order.entries()) {
    const start = direction * size + from * half + theirs * gate;
    to.set(data.subarray(start, start + gate), own * gate);
  }
  return fromArray(to, [rows / parts, ...rest]);
}

/** What the node gives: Y, Y_h and Y_c, by their places among its outputs. */
function compute({ graph, inputs }: ConformanceCase): readonly (Tensor | undefined)[] {
  const [node] = graph.nodes;
  const cell = cells[node?.op ?? ''];
  if (node === undefined || cell === undefined || graph.nodes.length !== 1)
    throw new Error('one recurrent node expected');
  const known = ['hidden_size', 'direction', 'layout', 'linear_before_reset'];
  const strange = [...node.attributes.keys()].filter((name) => !known.includes(name));
  if (strange.length > 0) throw new Error(`unknown attributes: ${strange.join(', ')}`);
  const given = (place: number): Value | undefined => {
    const name = node.inputs[place];
    return name ? inputs[graph.inputs.indexOf(name)] : undefined;
  };
  const batchFirst = node.attributes.get('layout') === 1;
  const [x, w, r, b, lengths, h, c, p] = [0, 1, 2, 3, 4, 5, 6, 7].map(given);
  if (!x || !w || !r) throw new Error('X, W and R expected');
  const order = orders[cell];
  const parameters = (direction: number): RecurrentWeights => ({
    weightIh: reordered(w, direction, order),
    weightHh: reordered(r, direction, order),
    biasIh: b ? reordered(b, direction, order, 0, 2) : null,
    biasHh: b ? reordered(b, direction, order, 1, 2) : null,
    ...(p && { peepholes: reordered(p, direction, orders.peepholes) }),
  });
  const tensorOf = ({ data, dims }: Value) => fromArray(Float32Array.from(data), dims);
  const turned = (tensor: Tensor) => (batchFirst ? transpose(tensor, 0, 1) : tensor);
  const directions = w.dims[0] ?? 0;
  const { y, hN, cN } = recurrent(
    cell,
    turned(tensorOf(x)),
    directions === 2 ? [parameters(0), parameters(1)] : [parameters(0)],
    {
      h0: h ? turned(tensorOf(h)) : null,
      c0: c ? turned(tensorOf(c)) : null,
      lengths: lengths ? [...lengths.data] : null,
      resetAfter: node.attributes.get('linear_before_reset') === 1,
    },
  );
  const [steps = 0, batch = 0, wide = 0] = y.shape;
  // Ours is [steps, batch, directions hidden], theirs [steps, directions, batch, hidden], or [batch, steps, directions, hidden].
  const parted = reshape(y, [steps, batch, directions, wide / directions]);
  const theirs = batchFirst ? transpose(parted, 0, 1) : transpose(parted, 1, 2);
  return [theirs, turned(hN), cN && turned(cN)];
}

const cases = conformanceCases(/^test_(simple_rnn|rnn|gru|lstm)_/);
if (cases === undefined)
  console.warn(`ONNX's recurrent cases: skipped, because there is no ${archive} (set FOVEA_DATA)`);

describe.skipIf(cases === undefined)('a recurrent node of ONNX', () => {
  it('has cases of each kind', () => {
    const kinds = new Set(cases?.map(({ graph }) => graph.nodes[0]?.op));
    expect([...kinds].sort()).toEqual(['GRU', 'LSTM', 'RNN']);
  });

  for (const test of cases ?? []) {
    it(`gives the expected numbers: ${test.name}`, () => {
      const results = noGrad(() => compute(test));
      const names = test.graph.nodes[0]?.outputs ?? [];
      expect(test.outputs.length).toBeGreaterThan(0);
      for (const [i, want] of test.outputs.entries()) {
        const got = results[names.indexOf(test.graph.outputs[i] ?? '')];
        expect(got?.shape).toEqual(want.dims);
        const far = Array.from(
          want.data,
          (value, j) => Math.abs((got?.floats[j] ?? Number.NaN) - value) <= 1e-5 + 1e-3 * Math.abs(value),
        );
        expect(far).not.toContain(false);
      }
    });
  }
});
