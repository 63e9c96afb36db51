// Recurrent layers give PyTorch's outputs, states, gradients and names (fixtures/make.py).
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.ts';
import {
  gradcheck,
  noGrad,
  type RecurrentWeights,
  randn,
  recurrent,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/tensor/index.ts';
import { expectKept, fill, type Kept, load } from './fixtures/kept.ts';

type Kind = 'RNN' | 'RNN with ReLU' | 'GRU' | 'LSTM' | 'LSTM with a projection';

interface RecurrentCase {
  readonly kind: Kind;
  readonly layers: number;
  readonly bidirectional: boolean;
  readonly lengths: readonly number[] | null;
  readonly bias: boolean;
  readonly states: boolean;
  readonly output: Kept;
  readonly h: Kept;
  readonly c: Kept | null;
  readonly gradInput: Kept;
  readonly gradH: Kept | null;
  readonly gradC: Kept | null;
  readonly gradients: Record<string, Kept>;
  readonly state: readonly string[];
}

const steps = 5;
const batch = 3;
const inputSize = 4;
const hiddenSize = 6;
const projSize = 2;

const layer: Record<Kind, (options: nn.RecurrentOptions) => nn.Recurrent> = {
  RNN: (options) => new nn.RNN(inputSize, hiddenSize, options),
  'RNN with ReLU': (options) => new nn.RNN(inputSize, hiddenSize, { ...options, nonlinearity: 'relu' }),
  GRU: (options) => new nn.GRU(inputSize, hiddenSize, options),
  LSTM: (options) => new nn.LSTM(inputSize, hiddenSize, options),
  'LSTM with a projection': (options) => new nn.LSTM(inputSize, hiddenSize, { ...options, projSize }),
};

const nameOf = ({ kind, layers, bidirectional, lengths, bias, states }: RecurrentCase): string =>
  [
    `${kind}, ${layers} ${layers === 1 ? 'layer' : 'layers'}`,
    bidirectional ? 'both directions' : 'one direction',
    lengths ? `lengths ${lengths.join(' ')}` : 'equal lengths',
    ...(bias ? [] : ['no bias']),
    ...(states ? ['from a state'] : []),
  ].join(', ');

const cases = load<RecurrentCase[]>('recurrent').map((one) => ({ title: nameOf(one), ...one }));

describe('recurrent layers against PyTorch, to 1e-5 of the largest value', () => {
  it('of every kind, depth, direction and of unequal lengths are there', () => expect(cases).toHaveLength(60));

  for (const batchFirst of [false, true]) {
    it.each(cases)(`$title${batchFirst ? ', batch first' : ''}`, (one) => {
      const { kind, layers, bidirectional, bias, lengths } = one;
      const module = layer[kind]({ numLayers: layers, bidirectional, bias, batchFirst });
      expect(Object.keys(module.stateDict())).toEqual(one.state);
      for (const [i, parameter] of module.parameters().entries()) {
        parameter.floats.set(fill(parameter.shape, i + 1, 0.8).floats);
        parameter.touch();
      }
      const order = (x: Tensor) => (batchFirst ? x.transpose(0, 1) : x);
      const x = fill([steps, batch, inputSize], 50, 2);
      x.requiresGrad = true;
      const states = [layers * (bidirectional ? 2 : 1), batch];
      const size = [...states, module.projSize || hiddenSize];
      const [h0, c0] = [fill(size, 51), fill([...states, hiddenSize], 52)];
      h0.requiresGrad = true;
      c0.requiresGrad = true;
      const isLstm = kind.startsWith('LSTM');
      const before = one.states ? (isLstm ? { h: h0, c: c0 } : { h: h0 }) : {};
      const { output, state } = module.unroll(order(x), { state: before, lengths });
      const outputs = order(output);
      let loss = outputs
        .mul(fill(outputs.shape, 60))
        .sum()
        .add(state.h.mul(fill(size, 61)).sum());
      if (state.c) loss = loss.add(state.c.mul(fill(state.c.shape, 62)).sum());
      loss.backward();

      expectKept('output', outputs, one.output, 1e-5);
      expectKept('h', state.h, one.h, 1e-5);
      expect(state.c !== undefined).toBe(isLstm);
      if (one.c) expectKept('c', state.c ?? null, one.c, 1e-5);
      expectKept('gradient of x', x.grad, one.gradInput, 1e-5);
      if (one.gradH) expectKept('gradient of h', h0.grad, one.gradH, 1e-5);
      if (one.gradC) expectKept('gradient of c', c0.grad, one.gradC, 1e-5);
      for (const [name, parameter] of module.namedParameters()) {
        expectKept(`gradient of ${name}`, parameter.grad, one.gradients[name]!, 1e-5);
      }
    });
  }
});

describe('recurrent layers', () => {
  it('carry a state from one part of a sequence to the next', () => {
    const lstm = new nn.LSTM(3, 4, { numLayers: 2 });
    const x = randn([6, 2, 3]);
    const whole = noGrad(() => lstm.unroll(x));
    const first = noGrad(() => lstm.unroll(x.slice([[0, 4]])));
    const second = noGrad(() => lstm.unroll(x.slice([[4]]), { state: first.state }));
    // Rounded once more where the state is handed over, on the reference backend.
    const near = (got: Tensor, want: Tensor) => expect(got.sub(want).abs().max().item()).toBeLessThan(1e-6);
    near(second.output, whole.output.slice([[4]]));
    near(second.state.c!, whole.state.c!);
  });

  it.each(Object.keys(layer) as Kind[])(
    '%s: step by step, give what one call gives, also when weights change',
    (kind) => {
      const module = layer[kind]({ numLayers: 2, bias: false });
      const x = randn([5, batch, inputSize]);
      const stepwise = () => {
        let state: nn.RecurrentState = {};
        return [0, 1, 2, 3, 4].flatMap((step) => {
          const { output, state: after } = module.unroll(x.slice([[step, step + 1]]), { state });
          state = after;
          return [...output.floats];
        });
      };
      noGrad(() => {
        for (let change = 0; change < 3; change++) {
          const whole = module.forward(x).floats;
          const differences = stepwise().map((value, i) => Math.abs(value - whole[i]!));
          expect(Math.max(...differences)).toBeLessThan(1e-6);
          for (const weight of module.parameters()) weight.uniform_(-0.5, 0.5);
        }
      });
    },
  );

  it('let nothing of padded steps into output, states or gradients', () => {
    for (const module of [
      new nn.RNN(2, 3, { bidirectional: true }),
      new nn.GRU(2, 3, { bidirectional: true }),
      new nn.LSTM(2, 3, { bidirectional: true }),
      new nn.LSTM(2, 4, { bidirectional: true, projSize: 3 }),
    ]) {
      const lengths = [2, 0, 4];
      const results = [0, Number.NaN].map((padding) => {
        const x = tensor(
          Array.from({ length: 4 }, (_, t) =>
            lengths.map((length) => [t < length ? 1 : padding, t < length ? -t : padding]),
          ),
        );
        x.requiresGrad = true;
        const { output, state } = module.zeroGrad() ?? module.unroll(x, { lengths });
        output.sum().add(state.h.sum()).backward();
        return [output.data, state.h.data, x.grad!.data, ...module.parameters().map((p) => p.grad!.data)];
      });
      expect(results[1]).toEqual(results[0]);
      expect(results[0]![0]!.slice(3 * 3 * 6).slice(0, 12)).toEqual(new Float32Array(12));
    }
  });

  it('give zeros and the state itself where a batch is all padding', () => {
    const gru = new nn.GRU(2, 3);
    const h = randn([1, 2, 3]);
    const { output, state } = noGrad(() => gru.unroll(randn([4, 2, 2]), { state: { h }, lengths: [0, 0] }));
    expect(output.data).toEqual(new Float32Array(24));
    expect(state.h.data).toEqual(h.data);
  });

  it('project a state: finite differences agree, also of peepholes and with unequal lengths', () => {
    const inputs = [
      [3, 2, 2],
      [2, 2, 2],
      [2, 2, 3],
      ...[0, 1].flatMap(() => [[12, 2], [12, 2], [2, 3], [12], [9]]),
    ].map((shape) => randn(shape, { dtype: 'float64' }));
    const run = (x: Tensor, h0: Tensor, c0: Tensor, ...weights: Tensor[]) => {
      const from = (first: number): RecurrentWeights => ({
        weightIh: weights[first]!,
        weightHh: weights[first + 1]!,
        weightHr: weights[first + 2]!,
        biasIh: weights[first + 3]!,
        peepholes: weights[first + 4]!,
      });
      const { y, hN, cN } = recurrent('lstm', x, [from(0), from(5)], { h0, c0, lengths: [2, 3] });
      return y.flatten().square().sum().add(hN.square().sum()).add(cN!.square().sum());
    };
    expect(gradcheck((x, h0, c0, ...weights) => run(x!, h0!, c0!, ...weights), inputs)).toBeLessThan(1e-7);
  });

  it('take gradients through one output alone', () => {
    const lstm = new nn.LSTM(2, 3);
    const x = randn([4, 1, 2], { requiresGrad: true });
    lstm.unroll(x).state.c!.sum().backward();
    expect(x.grad!.data.some((value) => value !== 0)).toBe(true);
  });

  it('drop between layers in training only', () => {
    const rnn = new nn.RNN(2, 3, { numLayers: 2, dropout: 0.5 });
    const x = randn([4, 5, 2]);
    const run = () => noGrad(() => rnn.forward(x).data);
    expect(run()).not.toEqual(run());
    rnn.eval();
    expect(run()).toEqual(run());
  });

  it('refuse what does not fit', () => {
    const lstm = new nn.LSTM(2, 3);
    const x = zeros([4, 5, 2]);
    expect(() => lstm.forward(zeros([4, 5, 3]))).toThrow(/weightIh of shape \[12, 3\], because x is \[4, 5, 3\]/);
    expect(() => lstm.forward(zeros([4, 2]))).toThrow(/x \[steps, batch, inputSize\]/);
    expect(() => lstm.unroll(x, { lengths: [1, 2, 3, 4] })).toThrow(
      /5 lengths, because there is one for each sequence/,
    );
    expect(() => lstm.unroll(x, { lengths: [1, 2, 3, 4, 5] })).toThrow(
      /lengths from 0 to 4, because x has 4 steps, but got 5 of sequence 4/,
    );
    expect(() => lstm.unroll(x, { state: { h: zeros([1, 4, 3]) } })).toThrow(/a state \[1, 5, 3\]/);
    expect(() => new nn.GRU(2, 3).unroll(x, { state: { c: zeros([1, 5, 3]) } })).toThrow(/no c0, because only an LSTM/);
    expect(() => new nn.LSTM(2, 3, { projSize: 3 })).toThrow(/projSize below hiddenSize 3, because a projection/);
    const projected = new nn.LSTM(2, 3, { projSize: 2 });
    expect(() => projected.unroll(x, { state: { h: zeros([1, 5, 3]) } })).toThrow(/a state \[1, 5, 2\].*projSize/);
    expect(() => new nn.LSTM(2, 0)).toThrow(/hiddenSize to be an integer of at least 1, but got 0/);
    expect(() => new nn.LSTM(2, 3, { numLayers: 1.5 })).toThrow(/numLayers/);
    expect(() => Reflect.construct(nn.RNN, [2, 3, { nonlinearity: 'sin' }])).toThrow(/nonlinearity 'tanh' or 'relu'/);
  });
});

describe('recurrent cells', () => {
  const layers = {
    RNNCell: () => ({
      cell: new nn.RNNCell(2, 3, { nonlinearity: 'relu' }),
      layer: new nn.RNN(2, 3, { nonlinearity: 'relu' }),
    }),
    GRUCell: () => ({ cell: new nn.GRUCell(2, 3), layer: new nn.GRU(2, 3) }),
    'GRUCell, reset before': () => ({
      cell: new nn.GRUCell(2, 3, { resetAfter: false }),
      layer: new nn.GRU(2, 3, { resetAfter: false }),
    }),
    LSTMCell: () => ({ cell: new nn.LSTMCell(2, 3), layer: new nn.LSTM(2, 3) }),
  };

  it.each(Object.entries(layers))('%s goes the way of its layer, step by step, and so do gradients', (_name, make) => {
    const { cell, layer } = make();
    expect(Object.keys(cell.stateDict())).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    layer.loadStateDict(
      Object.fromEntries(Object.entries(cell.stateDict()).map(([name, value]) => [`${name}_l0`, value])),
    );
    const x = randn([4, 5, 2]);
    const { output, state } = layer.unroll(x);
    let stepped: nn.CellState = {};
    for (let t = 0; t < 4; t++) stepped = cell.step(x.slice([[t, t + 1]]).reshape([5, 2]), stepped);
    const near = (got: Tensor, want: Tensor) => expect(got.sub(want).abs().max().item()).toBeLessThan(1e-6);
    near(stepped.h!, state.h.reshape([5, 3]));
    near(cell.forward(x.slice([[0, 1]]).reshape([5, 2])), output.slice([[0, 1]]).reshape([5, 3]));
    stepped.h!.sum().backward();
    state.h.sum().backward();
    for (const [i, parameter] of cell.parameters().entries()) near(parameter.grad!, layer.parameters()[i]!.grad!);
  });
});
