// LeNet-5 on handwritten digits, from nothing to a picture that is read, in about a minute: npm start
import { backendInfo, manualSeed, noGrad, softmax } from 'fovea';
import { builtinDigits, DataLoader, loadModelInput, normalize, randomAffine, saveImage } from 'fovea/data';
import { createModel } from 'fovea/models';
import { Adam, OneCycleLR } from 'fovea/optim';
import { evaluate, fit } from 'fovea/training';

const { backend, isa, threads } = backendInfo();
console.log(`Running on the ${backend} backend (${isa}, ${threads} threads).`);

// The network, its first weights drawn from a seed.
manualSeed(1);
const lenet = createModel('lenet5');
const { model, preprocessing } = lenet;

// The data: digits that the library draws by itself. In every epoch each is turned and shifted a little differently.
const standardize = normalize(preprocessing.mean, preprocessing.std);
const training = new DataLoader(builtinDigits({ count: 20_000, seed: 1 }), {
  batchSize: 64,
  shuffle: true,
  seed: 1,
  transforms: [randomAffine({ degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1] }), standardize],
});
const unseen = builtinDigits({ count: 2_000, seed: 2 });
const test = new DataLoader(unseen, { batchSize: 256, transforms: [standardize] });

// The training: Adam, with a learning rate that rises and then falls. Every epoch ends with a checkpoint.
const epochs = backend === 'native' ? 12 : 2; // plain TypeScript takes about twenty times as long
const file = 'lenet5.safetensors';
const optimizer = new Adam(model.parameters());
const schedule = new OneCycleLR(optimizer, { maxLr: 4e-3, totalSteps: epochs * training.length });
await fit(model, training, { epochs, optimizer, schedule, checkpoint: { file, model: lenet } });

const { accuracy } = await evaluate(model, test);
console.log(`\nOf ${unseen.length} digits it has never seen it reads ${(100 * accuracy).toFixed(2)} % right.`);
console.log(`Saved as ${file}.`);

// A picture: one of the unseen digits, drawn large, dark on light; then read like any other picture.
const { inputs, targets } = builtinDigits({ count: 10, seed: 3, size: 280 }).batch([7]);
const picture = inputs.neg().add(1).reshape(1, 280, 280);
await saveImage(picture, 'digit.png');

const input = await loadModelInput('digit.png', { ...preprocessing, invert: 'auto', center: true });
model.eval();
const probabilities = noGrad(() => softmax(model.forward(input.unsqueeze(0)), -1)).toArray()[0];
const best = probabilities.map((probability, digit) => ({ digit, probability }));
best.sort((a, b) => b.probability - a.probability);
console.log(`\ndigit.png, a picture of a ${targets.item()}, shows, it says:`);
for (const { digit, probability } of best.slice(0, 5)) console.log(`  ${digit}  ${(100 * probability).toFixed(2)} %`);
console.log('\nNext: npx fovea classify lenet5.safetensors digit.png, or a photo of your own handwriting.');
