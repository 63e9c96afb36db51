// LeNet-5 on handwritten digits, from nothing to a classified picture, in about a minute: npm start
import { backendInfo, manualSeed, noGrad, softmax } from 'fovea';
import { builtinDigits, DataLoader, normalize, randomAffine } from 'fovea/data';
import { loadImage, saveImage } from 'fovea/image';
import { createModel } from 'fovea/models';
import { Adam, OneCycleLR } from 'fovea/optim';
import { evaluate, fit } from 'fovea/training';

const { backend, isa, threads } = backendInfo();
console.log(`backend: ${backend} ${isa}, ${threads} threads`);

// The network and its initial weights.
manualSeed(1);
const definition = createModel('lenet5');
const { model, preprocessing } = definition;

// The data: digits drawn by the library itself, each a little turned and shifted anew in every epoch.
const toInput = normalize(preprocessing.mean, preprocessing.std);
const training = new DataLoader(builtinDigits({ count: 12_000, seed: 1 }), {
  batchSize: 64,
  shuffle: true,
  seed: 1,
  transforms: [randomAffine({ degrees: 10, translate: [0.08, 0.08] }), toInput],
});
const test = new DataLoader(builtinDigits({ count: 2_000, seed: 2 }), { batchSize: 256, transforms: [toInput] });

// The training: Adam, its rate rising and falling once; saved to a file after every epoch.
const epochs = 8;
const optimizer = new Adam(model.parameters(), { lr: 2e-3 });
const schedule = new OneCycleLR(optimizer, { maxLr: 4e-3, totalSteps: epochs * training.length });
const file = 'lenet5.safetensors';
await fit(model, training, { epochs, optimizer, schedule, seed: 1, checkpoint: { file, model: definition } });

const { accuracy } = await evaluate(model, test);
console.log(`test accuracy: ${(100 * accuracy).toFixed(2)} % of ${test.dataset.length} digits it has never seen`);
console.log(`saved: ${file}`);
