// Reads handwritten words that nobody has written in the training data: letters by a small network, words by a CRF.
// Run: node examples/handwritten-words.mjs ocr-letters/
import { manualSeed, noGrad } from 'fovea';
import { alphabet, loadOcrLetters, normalize, randomAffine, splitWords, WordLoader, wordBatch } from 'fovea/data';
import { WordReader } from 'fovea/models';
import { AdamW, OneCycleLR } from 'fovea/optim';
import { evaluate, fit, letterAccuracy, reading, wordAccuracy } from 'fovea/training';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node examples/handwritten-words.mjs <letter.data or its folder>');
  process.exit(2);
}
manualSeed(1);

// Every fifth of the distinct words is kept away.
const { words, letters } = loadOcrLetters(folder);
const { train, test } = splitWords(words, 'words');
const ink = normalize([0.22], [0.415]);
const distortion = randomAffine({ degrees: 8, translate: [0.1, 0.06], scale: [0.88, 1.12], shear: 12 });
const training = new WordLoader(letters, train, { shuffle: true, seed: 1, transforms: [distortion, ink] });

const model = new WordReader();
const objective = reading(model);
const metrics = [letterAccuracy(), wordAccuracy()];
const optimizer = new AdamW(model.parameters(), { lr: 2e-3 });
const epochs = 3;
const schedule = new OneCycleLR(optimizer, { maxLr: 2e-3, totalSteps: epochs * training.length });
await fit(model, training, { epochs, optimizer, schedule, objective, metrics, clipNorm: 5, unit: 'letters' });

const unseen = new WordLoader(letters, test, { batchSize: 256, transforms: [ink] });
console.log(await evaluate(model, unseen, { objective, metrics }));

model.eval();
const some = test.filter((_, i) => i % 200 === 0);
const { images, places, lengths } = wordBatch(letters, some, [ink]);
const read = noGrad(() => model.read(images, places, lengths));
for (const [i, path] of read.entries()) {
  console.log(`${some[i].text} was read as ${path.map((letter) => alphabet[letter]).join('')}`);
}
