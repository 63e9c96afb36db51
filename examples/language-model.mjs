// A character model from nothing to new text: node examples/language-model.mjs [FILE], by default the project's own docs.
import { readdirSync } from 'node:fs';
import { Generator, manualSeed } from 'fovea';
import { readText, StreamLoader, Vocabulary } from 'fovea/data';
import { LanguageModel, padding, writeTokens } from 'fovea/models';
import { Adam, OneCycleLR } from 'fovea/optim';
import { evaluate, fit } from 'fovea/training';

const folder = new URL('../docs/', import.meta.url);
const docs = readdirSync(folder).filter((name) => name.endsWith('.md'));
const files = process.argv[2] ? [process.argv[2]] : docs.map((name) => new URL(name, folder).pathname);

// The text as numbers. Its last tenth is kept for testing.
const characters = [...files.map(readText).join('\n')];
const cut = Math.floor(0.9 * characters.length);
const vocabulary = Vocabulary.count(characters.slice(0, cut));
const tokens = Int32Array.from(characters, (character) => vocabulary.index(character));
const [training, unseen] = [tokens.subarray(0, cut), tokens.subarray(cut)];
console.log(`${characters.length} characters, ${vocabulary.words.length} different ones.`);

// 32 parts of the text are read side by side, 64 characters at a time. The network's state goes on from window to window;
// gradients stop where a window begins: truncated backpropagation through time.
manualSeed(1);
const model = new LanguageModel(vocabulary.size, { embeddingSize: 64, hiddenSize: 256, dropout: 0.3 });
const objective = (batch, carried) => model.measure(batch, carried);
const loader = new StreamLoader(training, { rows: 32, steps: 64, seed: 1 });
const epochs = 30;
const optimizer = new Adam(model.parameters());
const schedule = new OneCycleLR(optimizer, { maxLr: 5e-3, totalSteps: epochs * loader.length });
await fit(model, loader, { epochs, optimizer, schedule, objective, clipNorm: 1, unit: 'characters' });

const { loss } = await evaluate(model, new StreamLoader(unseen, { rows: 1, steps: 512 }), { objective });
console.log(`\n${loss.toFixed(3)} nats per character on text it has not seen; it writes:\n`);

// New text, one character after the other, each drawn from what the model expects after those before.
model.eval();
const options = { temperature: 0.7, never: [padding, Vocabulary.unknown], generator: new Generator(1) };
let left = 600;
for (const token of writeTokens(model, [vocabulary.index('\n')], options)) {
  process.stdout.write(vocabulary.word(token));
  if (--left === 0) break;
}
console.log('\n\nNext: npx fovea train language-model --data a-book.txt');
