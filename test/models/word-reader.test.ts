// The word reader learns a small batch by heart, does not look at padding, and says what it was made of.
import { describe, expect, it } from 'vitest';
import { alphabet, type HandwrittenWord, normalize, wordBatch } from '../../lib/data/index.ts';
import { WordReader } from '../../lib/models/index.ts';
import { AdamW, clipGradNorm_ } from '../../lib/optim/index.ts';
import { Generator, manualSeed, noGrad } from '../../lib/tensor/index.ts';
import { letterAccuracy, reading, wordAccuracy } from '../../lib/training/index.ts';
import { generator } from '../kernels/buffers.ts';

const texts = ['cat', 'at', 'tea', 'ate', 'catty'];
const random = generator(5);
const count = texts.join('').length;
const letters = Uint8Array.from({ length: count * 128 }, () => Number(random() < 0.3));
let first = 0;
const words: HandwrittenWord[] = texts.map((text) => {
  const word = { text, first, fold: 0 };
  first += text.length;
  return word;
});
const batch = wordBatch(letters, words, [normalize(0.3, 0.5)]);
const make = () => new WordReader({ channels: 8, hiddenSize: 12, generator: new Generator(1) });

describe('WordReader', () => {
  it('overfits a small batch', () => {
    manualSeed(1);
    const model = make();
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const objective = reading(model);
    for (let step = 0; step < 60; step++) {
      optimizer.zeroGrad();
      objective(batch).loss.backward();
      clipGradNorm_(model.parameters(), 5);
      optimizer.step();
    }
    model.eval();
    const read = noGrad(() => model.read(batch.images, batch.places, batch.lengths));
    expect(read.map((path) => path.map((letter) => alphabet[letter]).join(''))).toEqual(texts);
    const { outputs, targets, loss, count: counted } = noGrad(() => objective(batch));
    expect(counted).toBe(count);
    expect(loss.item()).toBeLessThan(0.1);
    for (const metric of [letterAccuracy(), wordAccuracy()]) {
      metric.update(outputs!, targets!);
      expect(metric.value).toBe(1);
    }
  });

  it('reads a word alone as it does among longer ones', () => {
    const model = make().eval();
    const { emissions } = noGrad(() => model.scores(batch.images, batch.places, batch.lengths));
    const alone = wordBatch(letters, [words[1]!], [normalize(0.3, 0.5)]);
    const { emissions: one } = noGrad(() => model.scores(alone.images, alone.places, alone.lengths));
    for (let step = 0; step < 2; step++) {
      for (let tag = 0; tag < 26; tag++) {
        expect(one.floats[step * 26 + tag]).toBeCloseTo(emissions.floats[(step * 5 + 1) * 26 + tag]!, 5);
      }
    }
  });

  it('takes an empty batch and words of no letters', () => {
    const model = make().eval();
    const none = wordBatch(letters, [{ text: '', first: 0, fold: 0 }, words[0]!], []);
    expect(noGrad(() => model.read(none.images, none.places, none.lengths)).map((path) => path.length)).toEqual([0, 3]);
  });

  it('counts letters and words', () => {
    const metrics = [letterAccuracy(), wordAccuracy()];
    const right = texts.map((text) => Array.from(text, (letter) => alphabet.indexOf(letter)));
    const wrong = right.map((path, i) => (i === 0 ? [0, 0, 19] : path));
    for (const metric of metrics) metric.update(wrong, batch);
    expect(metrics.map(({ value }) => value)).toEqual([(count - 1) / count, 4 / 5]);
    const [again] = [letterAccuracy()];
    again!.setState(metrics[0]!.state());
    expect(again!.value).toBe((count - 1) / count);
  });
});
