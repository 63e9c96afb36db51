// What word vectors know: neighbours and an analogy, then the first layer of a model from them.
// Run: node examples/word-vectors.mjs glove.6B.50d.txt
import { tensor } from 'fovea';
import { loadWordVectors } from 'fovea/data';
import { Embedding } from 'fovea/nn';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node examples/word-vectors.mjs <file of word vectors>');
  process.exit(2);
}
const vectors = loadWordVectors(file);
console.log(`${vectors.length} words, ${vectors.width} numbers each`);

console.log(
  'nearest to coffee:',
  vectors
    .neighbours('coffee', 5)
    .map(({ word }) => word)
    .join(', '),
);
const [best] = vectors.analogy('france', 'paris', 'italy');
console.log(`france is to paris as italy is to ${best.word} (${best.similarity.toFixed(3)})`);

// A vocabulary's words at these vectors; padding has its own row, unknown words get random ones.
const vocabulary = ['<pad>', '<unk>', 'time', 'flies', 'like', 'an', 'arrow'];
const { vectors: table, known } = vectors.tableFor(vocabulary);
const embedding = Embedding.fromPretrained(table, { freeze: false, paddingIdx: 0 });
console.log(`${known.filter(Boolean).length} of ${vocabulary.length} words have a vector`);
console.log('time flies:', embedding.forward(tensor([2, 3], { dtype: 'int32' })).shape);
