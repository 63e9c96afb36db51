// Public names of the models.
export type { Preprocessing } from '../io/index.ts';
export type { Augmentation, ModelDefinition, ModelOptions, Recipe } from './definition.ts';
export { Forecaster, type ForecasterOptions } from './forecaster.ts';
export { LanguageModel, type LanguageModelOptions, padding, type TokenBatch } from './language-model.ts';
export { c3Table, LeNet5, LeNet5Classic, type LeNetOptions, Subsample2d } from './lenet.ts';
export { recipes } from './recipes.ts';
export { createModel, models } from './registry.ts';
export { type SamplingOptions, sampleIndex, type WritingOptions, writeTokens } from './sampling.ts';
export { SpellingCNN, SpellingLSTM, type SpellingOptions } from './spelling.ts';
export { Tagger, type TaggerOptions } from './tagger.ts';
export type { TaggerInput, TaggerScores, TaggerSizes, TaggerTargets, Tagging } from './tagger-batch.ts';
export { type LetterScores, WordReader, type WordReaderOptions } from './word-reader.ts';
