// Sequences padded and unpadded: shapes, round trips, gradients, and what a recurrent layer makes of lengths it is given.
import { describe, expect, it } from 'vitest';
import { GRU, LSTM, padSequences, RNN, unpadSequences } from '../../lib/nn/index.ts';
import { gradcheck, noGrad, randn, type Tensor, tensor, zeros } from '../../lib/tensor/index.ts';

describe('padSequences', () => {
  it('puts sequences side by side, steps first or batch first', () => {
    const sequences = [tensor([1, 2, 3]), tensor([4]), zeros([0])];
    const { padded, lengths } = padSequences(sequences, { value: -1 });
    expect(lengths).toEqual(Int32Array.of(3, 1, 0));
    expect(padded.shape).toEqual([3, 3]);
    expect([...padded.floats]).toEqual([1, 4, -1, 2, -1, -1, 3, -1, -1]);
    const first = padSequences(sequences, { value: -1, batchFirst: true }).padded;
    expect([...first.floats]).toEqual([1, 2, 3, 4, -1, -1, -1, -1, -1]);
  });

  it.each([false, true])('and unpadSequences gives them back, of any element type (batchFirst %s)', (batchFirst) => {
    const kinds = [
      [5, 2, 0, 3].map((length) => randn([length, 2, 3])),
      [tensor([7, 8], { dtype: 'int32' }), tensor([9], { dtype: 'int32' })],
      [zeros([0, 4]), zeros([0, 4])],
    ];
    for (const sequences of kinds) {
      const { padded, lengths } = padSequences(sequences, { batchFirst });
      const back = unpadSequences(padded, lengths, { batchFirst });
      expect(back.map(({ label }) => label)).toEqual(sequences.map(({ label }) => label));
      expect(back.map(({ data }) => data)).toEqual(sequences.map(({ data }) => data));
    }
  });

  it('lets gradients through both ways', () => {
    const inputs = [2, 3, 1].map((length) => randn([length, 2], { dtype: 'float64' }));
    const weight = randn([3, 3, 2], { dtype: 'float64' });
    const through = (...sequences: Tensor[]) => {
      const { padded, lengths } = padSequences(sequences);
      const [, second] = unpadSequences(padded.mul(weight), lengths);
      return padded.mul(weight).square().sum().add(second!.pow(3).sum());
    };
    expect(gradcheck(through, inputs)).toBeLessThan(1e-6);
  });

  it('refuses what has no common form', () => {
    expect(() => padSequences([])).toThrow('padSequences: expected at least one sequence, but got none');
    expect(() => padSequences([zeros([2, 3]), zeros([2, 4])])).toThrow(
      'expected float32 [steps, 3], because sequences may differ in their steps alone, but got float32 [2, 4]',
    );
    expect(() => padSequences([tensor(1)])).toThrow('padSequences: expected float32 [steps]');
    expect(() => padSequences([zeros([1]), zeros([1], { dtype: 'int32' })])).toThrow('but got int32 [1]');
    expect(() => unpadSequences(zeros([3]), [3])).toThrow('expected padded [steps, batch, ..]');
    expect(() => unpadSequences(zeros([3, 2]), [3])).toThrow('expected 2 lengths');
    expect(() => unpadSequences(zeros([3, 2]), [3, 1.5])).toThrow('expected integer lengths, but got 1.5');
    for (const wrong of [4, -1]) {
      expect(() => unpadSequences(zeros([3, 2]), [3, wrong])).toThrow(
        `expected lengths from 0 to 3, because padded has 3 steps, but got ${wrong} of sequence 1`,
      );
    }
  });
});

const options = { bidirectional: true, numLayers: 2 };
const layers = { rnn: new RNN(2, 3, options), gru: new GRU(2, 3, options), lstm: new LSTM(2, 3, options) };

describe.each(Object.entries(layers))('%s on padded sequences', (kind, layer) => {
  it('is the layer on each sequence alone', () => {
    const sequences = [4, 1, 6].map((length) => randn([length, 2]));
    const { padded, lengths } = padSequences(sequences);
    const { output, state } = noGrad(() => layer.unroll(padded, { lengths }));
    for (const [b, sequence] of unpadSequences(output, lengths).entries()) {
      const alone = noGrad(() => layer.unroll(sequences[b]!.unsqueeze(1)));
      expect(sequence.sub(alone.output.squeeze(1)).abs().max().item()).toBeLessThan(1e-6);
      expect(
        state.h
          .slice(1, b, b + 1)
          .sub(alone.state.h)
          .abs()
          .max()
          .item(),
      ).toBeLessThan(1e-6);
    }
  });

  it('gives nothing for nothing: a batch that is all padding, or has no steps', () => {
    const x = randn([4, 2, 2], { requiresGrad: true });
    layer.zeroGrad();
    const { output, state } = layer.unroll(x, { lengths: [0, 0] });
    output.sum().add(state.h.sum()).backward();
    for (const zero of [output, state.h, x.grad!, ...layer.parameters().map(({ grad }) => grad!)]) {
      expect(zero.floats.every((value) => value === 0)).toBe(true);
    }
    const { padded, lengths } = padSequences([zeros([0, 2]), zeros([0, 2])]);
    const empty = noGrad(() => layer.unroll(padded, { lengths }));
    expect(empty.output.shape).toEqual([0, 2, 6]);
    expect(empty.state.h.floats.every((value) => value === 0)).toBe(true);
  });

  it.each([5, -1])('refuses a length of %s where x has 4 steps', (wrong) => {
    expect(() => layer.unroll(zeros([4, 2, 2]), { lengths: [4, wrong] })).toThrow(
      `${kind}: expected lengths from 0 to 4, because x has 4 steps, but got ${wrong} of sequence 1`,
    );
  });
});
