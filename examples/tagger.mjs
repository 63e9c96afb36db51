// A tagger of parts of speech, from a treebank to tags of new sentences, in a few minutes.
// Run: node examples/tagger.mjs ud-english-ewt/   (any folder of CoNLL-U files called train and test)
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { manualSeed, noGrad } from 'fovea';
import { DataLoader, readConllu, SentenceData, SentenceEncoder, wordsOf } from 'fovea/data';
import { Tagger } from 'fovea/models';
import { Adam, CosineAnnealingLR } from 'fovea/optim';
import { evaluate, fit, taggingMetrics } from 'fovea/training';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node examples/tagger.mjs <folder of CoNLL-U files>');
  process.exit(2);
}
const sentencesOf = (part) => {
  const file = readdirSync(folder).find((name) => name.includes(part) && name.includes('.conllu'));
  return readConllu(join(folder, file)).map(({ words, upos, xpos }) => ({ words, tags: upos, details: xpos }));
};

// The vocabularies of the training part: words, letters, tags. The finer tags (XPOS) are learnt for the others' sake.
const training = sentencesOf('train');
const encoder = SentenceEncoder.of(training);
console.log(`${training.length} sentences, ${encoder.words.words.length} different words, ${encoder.tags.size} tags`);

// The network, and batches of sentences that are about equally long.
manualSeed(1);
const tagger = new Tagger(encoder.sizes, { hiddenSize: 128 });
const data = new SentenceData(training, encoder);
const loader = new DataLoader(data, { batchSize: 32, shuffle: true, seed: 1, lengths: data.lengths });
const objective = (batch) => tagger.measure(batch);

const epochs = 4;
const optimizer = new Adam(tagger.parameters(), { lr: 2e-3 });
const schedule = new CosineAnnealingLR(optimizer, { tMax: epochs * loader.length, every: 'batch' });
await fit(tagger, loader, { epochs, objective, optimizer, schedule, clipNorm: 5, unit: 'words' });

const metrics = taggingMetrics(encoder);
const { accuracy } = await evaluate(tagger, new SentenceData(sentencesOf('test'), encoder), { objective, metrics });
console.log(`\nOf the words of sentences it has never seen it tags ${(100 * accuracy).toFixed(2)} % right.\n`);

// New sentences: the same word is a verb in one and a noun in the other.
tagger.eval();
for (const text of ['Time flies like an arrow.', 'Fruit flies like a banana.']) {
  const words = wordsOf(text);
  const batch = encoder.encode([{ words, tags: [] }]);
  const [{ tags }] = noGrad(() => tagger.decide(tagger.scores(batch), batch.lengths));
  console.log(words.map((word, i) => `${word}/${encoder.tags.word(tags[i])}`).join(' '));
}
console.log('\nNext: npx fovea train tagger --data, which also saves the model, and npx fovea tag.');
