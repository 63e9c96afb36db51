// The language model: shapes, tied weights, carried state, padding, and that it learns a small text by heart.
import { describe, expect, it } from 'vitest';
import { backendInfo } from '../../lib/kernels/backend.ts';
import { LanguageModel, padding } from '../../lib/models/index.ts';
import { Linear } from '../../lib/nn/index.ts';
import { Adam, clipGradNorm_ } from '../../lib/optim/index.ts';
import { fromArray, Generator, noGrad } from '../../lib/tensor/index.ts';

const generator = () => new Generator(1);
const tokensOf = (values: readonly number[], rows = 1) => fromArray(Int32Array.from(values)).reshape(-1, rows);

/** Bit for bit; but the TypeScript kernels hold a state in doubles for as long as one call goes on. */
function expectSame(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (backendInfo().backend === 'native') expect(Array.from(got)).toEqual(Array.from(expected));
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) expect(got[i]).toBeCloseTo(expected[i]!, 6);
}

describe('LanguageModel', () => {
  it.each(['lstm', 'gru', 'rnn'] as const)('%s: a state that is carried equals one long pass', (cell) => {
    const model = new LanguageModel(7, {
      embeddingSize: 5,
      hiddenSize: 6,
      numLayers: 2,
      cell,
      generator: generator(),
    }).eval();
    const tokens = [1, 2, 3, 4, 5, 6, 1, 3, 5, 2];
    noGrad(() => {
      const whole = model.unroll(tokensOf(tokens, 2));
      const first = model.unroll(tokensOf(tokens.slice(0, 4), 2));
      const second = model.unroll(tokensOf(tokens.slice(4), 2), first.state);
      expectSame([...first.logits.floats, ...second.logits.floats], whole.logits.floats);
      expectSame(second.state.h!.floats, whole.state.h!.floats);
      expect(model.forward(tokensOf(tokens, 2)).floats).toEqual(whole.logits.floats);
    });
  });

  it('shares one tensor between embedding and output where they are tied', () => {
    const model = new LanguageModel(7, { embeddingSize: 6, hiddenSize: 6, tied: true, generator: generator() });
    expect(model.output.weight).toBe(model.embedding.weight);
    expect([...model.namedParameters().keys()]).not.toContain('output.weight');
    expect(() => new LanguageModel(7, { embeddingSize: 5, hiddenSize: 6, tied: true })).toThrow(
      /LanguageModel: expected embeddingSize equal to hiddenSize, .*, but got 5 and 6/,
    );
    expect(() => new Linear(6, 5, { weight: model.embedding.weight })).toThrow(
      /Linear: expected weight \[5, 6\], but got \[7, 6\]/,
    );
  });

  it('leaves padding out of loss, count and gradients', () => {
    const model = new LanguageModel(5, { embeddingSize: 4, hiddenSize: 4, generator: generator() });
    const short = { inputs: tokensOf([1, 2]), targets: tokensOf([2, 3]) };
    const padded = { inputs: tokensOf([1, 2, padding, padding]), targets: tokensOf([2, 3, padding, padding]) };
    const [a, b] = [model.measure(short), model.measure(padded)];
    expect([a.count, b.count]).toEqual([2, 2]);
    expect(b.loss.item()).toBe(a.loss.item());
    b.loss.backward();
    expect([...model.embedding.weight.grad!.floats.slice(0, 4)]).toEqual([0, 0, 0, 0]);
  });

  it('drops only while training', () => {
    const model = new LanguageModel(5, {
      embeddingSize: 4,
      hiddenSize: 4,
      numLayers: 2,
      dropout: 0.5,
      inputDropout: 0.5,
    });
    const tokens = tokensOf([1, 2, 3, 4]);
    const twice = () => noGrad(() => [model.forward(tokens).floats, model.forward(tokens).floats] as const);
    const [first, second] = twice();
    expect(first).not.toEqual(second);
    model.eval();
    const [third, fourth] = twice();
    expect(third).toEqual(fourth);
  });

  it('refuses an unknown cell', () => {
    // @ts-expect-error: what a model file might say
    expect(() => new LanguageModel(5, { cell: 'tree' })).toThrow(/one of lstm, gru, rnn, but got 'tree'/);
  });

  it('learns a small text by heart', () => {
    const text = 'to be or not to be, that is the question';
    const letters = [...new Set(text)].sort();
    const tokens = [...text].map((letter) => letters.indexOf(letter) + 1);
    const batch = { inputs: tokensOf(tokens.slice(0, -1)), targets: tokensOf(tokens.slice(1)) };
    const model = new LanguageModel(letters.length + 1, { embeddingSize: 16, hiddenSize: 48, generator: generator() });
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    let last = Number.POSITIVE_INFINITY;
    for (let step = 0; step < 120; step++) {
      optimizer.zeroGrad();
      const { loss } = model.measure(batch);
      loss.backward();
      clipGradNorm_(model.parameters(), 1);
      optimizer.step();
      last = loss.item();
    }
    expect(last).toBeLessThan(0.05);
  });
});
