// The tagger: learns by heart what it is shown, in each of its forms; neighbours and padding change nothing.
import { describe, expect, test } from 'vitest';
import { SentenceEncoder, type TaggedSentence } from '../../lib/data/index.ts';
import { Tagger, type TaggerOptions } from '../../lib/models/index.ts';
import { Adam } from '../../lib/optim/index.ts';
import { FoveaError, Generator, noGrad, type Tensor } from '../../lib/tensor/index.ts';

const sentence = (text: string, tags: string, intent?: string): TaggedSentence => ({
  words: text.split(' '),
  tags: tags.split(' '),
  details: tags.toLowerCase().split(' '),
  ...(intent !== undefined && { intent }),
});

const speech = [
  sentence('time flies like an arrow', 'NOUN VERB ADP DET NOUN'),
  sentence('fruit flies like a banana', 'NOUN NOUN VERB DET NOUN'),
  sentence('Time', 'VERB'),
];
const slots = [
  sentence('play some jazz by Miles Davis', 'O O B-genre O B-artist I-artist', 'Play'),
  sentence('book a table in Miles', 'O O O O B-city', 'Book'),
];

const small = { wordFeatures: 12, characterFeatures: 8, spellingFeatures: 8, hiddenSize: 16 } as const;

function made(sentences: readonly TaggedSentence[], options: TaggerOptions = {}) {
  const encoder = SentenceEncoder.of(sentences);
  return { encoder, model: new Tagger(encoder.sizes, { ...small, ...options, generator: new Generator(1) }) };
}

const largest = (x: Tensor): number => Math.max(...x.floats.map(Math.abs));

describe('Tagger', () => {
  test.each([
    ['softmax over words', speech, {}],
    ['a convolution over letters', speech, { spelling: 'cnn' }],
    ['words alone', speech, { spelling: 'none' }],
    ['two layers', speech, { numLayers: 2 }],
    ['a CRF', speech, { crf: true }],
    ['intents and slots with a CRF', slots, { crf: true }],
    ['intents and slots with a softmax', slots, {}],
  ] as const)('overfits a small batch: %s', (_, sentences, options) => {
    const { encoder, model } = made(sentences, { ...options, dropout: 0.1 });
    const batch = encoder.encode(sentences);
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    let last = Number.NaN;
    for (let step = 0; step < 120; step++) {
      optimizer.zeroGrad();
      const { loss } = model.measure(batch);
      loss.backward();
      optimizer.step();
      last = loss.item();
    }
    const [first] = [noGrad(() => made(sentences, options).model.measure(batch).loss.item())];
    expect(last).toBeLessThan(first / 4);
    model.eval();
    const { outputs = [] } = noGrad(() => model.measure(batch));
    for (const [b, { words, tags, intent }] of sentences.entries()) {
      expect(outputs[b]?.tags.map((tag) => encoder.tags.word(tag))).toEqual(tags);
      expect(outputs[b]?.tags).toHaveLength(words.length);
      expect(encoder.intents.word(outputs[b]?.intent ?? -1)).toBe(intent);
    }
  });

  test.each(['lstm', 'cnn', 'none'] as const)(
    'scores a sentence alike alone and beside longer ones (%s)',
    (spelling) => {
      const { encoder, model } = made(slots, { spelling, numLayers: 2 });
      model.eval();
      const long = sentence('extraordinarily long words and many of them here', 'O O O O O O O O', 'Play');
      const { alone, beside } = noGrad(() => ({
        alone: model.scores(encoder.encode([slots[1]!])),
        beside: model.scores(encoder.encode([long, slots[1]!, { words: [], tags: [] }])),
      }));
      const steps = slots[1]!.words.length;
      expect(largest(beside.tags.slice(0, 0, steps).slice(1, 1, 2).sub(alone.tags))).toBeLessThan(1e-5);
      expect(largest(beside.intents!.slice(0, 1, 2).sub(alone.intents!))).toBeLessThan(1e-5);
    },
  );

  test('what is padding has no share in the gradient', () => {
    const { encoder, model } = made(speech, { dropout: 0, wordDropout: 0 });
    const gradient = (sentences: readonly TaggedSentence[]) => {
      model.zeroGrad();
      model.measure(encoder.encode(sentences)).loss.backward();
      return model.parameters().map((parameter) => parameter.grad!.clone());
    };
    const alone = gradient([speech[2]!]);
    const beside = gradient([speech[2]!, { words: [], tags: [] }]);
    for (const [i, one] of alone.entries()) expect(largest(one.sub(beside[i]!))).toBeLessThan(1e-6);
    expect(Math.max(...alone.map(largest))).toBeGreaterThan(0.01);
    expect(model.embedding.weight.grad?.floats.slice(0, small.wordFeatures).every((g) => g === 0)).toBe(true);
  });

  test.each([{}, { crf: true }])('nothing but empty sentences: nothing counted, no NaN (%o)', (options) => {
    const { encoder, model } = made(slots, options);
    const { loss, count } = model.measure(encoder.encode([{ words: [], tags: [] }]));
    expect([loss.item(), count]).toEqual([0, 0]);
    loss.backward();
    for (const { grad } of model.parameters()) expect(grad === null || grad.floats.every(Number.isFinite)).toBe(true);
    model.eval();
    expect(model.measure(encoder.encode([{ words: [], tags: [] }])).outputs?.[0]?.tags).toEqual([]);
  });

  test.each([{}, { crf: true }])('a tag never seen has no loss, and makes none NaN (%o)', (options) => {
    const { encoder, model } = made(speech, { ...options, dropout: 0, wordDropout: 0 });
    const strange = sentence('time', 'NEW');
    const known = model.measure(encoder.encode([speech[0]!])).loss.item();
    expect(model.measure(encoder.encode([speech[0]!, strange])).loss.item()).toBeCloseTo(known, 5);
    expect(model.measure(encoder.encode([strange])).loss.item()).toBe(0);
  });

  test('takes words for unknown the more often, the rarer they are', () => {
    // Digits would make them one word.
    const spelt = (i: number) => [...String(i)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
    const words = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 'often' : `once${spelt(i)}`));
    const text = { words, tags: words.map((_, i) => (i % 3 === 0 ? 'X' : 'Y')) };
    const { encoder, model } = made([text], { spelling: 'none', dropout: 0, wordDropout: 1 });
    const batch = encoder.encode([text]);
    model.measure(batch).loss.backward();
    const rows = model.embedding.weight.grad!;
    const untouched = Array.from({ length: 1000 }, (_, i) => rows.slice(0, i + 3, i + 4)).filter(
      (row) => largest(row) === 0,
    );
    expect(untouched.length).toBeGreaterThan(430); // of 1,000 words that occur once, half
    expect(untouched.length).toBeLessThan(570);
    model.eval();
    const twice = [0, 1].map(() => noGrad(() => model.scores(batch).tags.floats));
    expect(twice[0]).toEqual(twice[1]);
  });

  test('refuses a spelling that it does not know', () => {
    const { encoder } = made(speech);
    const options = JSON.parse('{"spelling":"rnn"}');
    expect(() => new Tagger(encoder.sizes, options)).toThrow(FoveaError);
    expect(() => new Tagger(encoder.sizes, options)).toThrow(
      "expected spelling 'lstm', 'cnn' or 'none', but got 'rnn'",
    );
  });

  test('has the parts that its paper has, and as a module takes tensors', () => {
    const { encoder, model } = made(slots, { crf: true });
    expect([...model.namedChildren().keys()].sort()).toEqual(
      ['context', 'crf', 'detail', 'dropout', 'embedding', 'intent', 'lstm', 'spelling', 'tag'].sort(),
    );
    const { words, counts, lengths, spellings, spellingLengths, spelling } = encoder.encode(slots);
    expect(model.forward(words, counts, lengths, spellings, spellingLengths, spelling).shape).toEqual([
      6,
      2,
      encoder.tags.size,
    ]);
    expect(() => model.forward(words)).toThrow('the six tensors of a TaggerInput, but got 1');
  });
});
