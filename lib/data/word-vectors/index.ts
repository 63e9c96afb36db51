// Public names of word vectors.
export * from './evaluate.ts';
export { loadWordVectors, type WordVectorOptions } from './read.ts';
export { spearman } from './spearman.ts';
export { type Neighbour, type Question, type TableOptions, type WordTable, WordVectors } from './word-vectors.ts';
