// Public names of data sets, loaders, transforms and images. Nothing here loads sharp before an image is read.
export {
  type AffineOptions,
  elastic,
  type ImageFunction,
  mapImages,
  normalize,
  randomAffine,
  randomCrop,
  randomHorizontalFlip,
  type Transform,
} from './augment.ts';
export type { Batches, LoaderState } from './batches.ts';
export { type CountingLosses, countingLosses } from './bigrams.ts';
export { type ColumnOptions, parseColumns, readColumns } from './columns.ts';
export { type ConlluSentence, parseConllu, readConllu } from './conllu.ts';
export {
  ArrayDataset,
  type ArrayOptions,
  type Batch,
  type Dataset,
  type Indices,
  type Samples,
  split,
  subset,
} from './dataset.ts';
export { builtinDigits, type DigitOptions } from './digits.ts';
export { type Idx, type IdxOptions, loadMnist, type MnistOptions, readIdx } from './idx.ts';
export { type ImageOptions, loadImage, loadModelInput, saveImage } from './image.ts';
export { type FolderOptions, ImageFolder, imageFolder } from './image-folder.ts';
export { joinLetters, letterOf, loadLetter } from './letter-picture.ts';
export { type LineBatch, LineSamples } from './lines.ts';
export { DataLoader, type LoaderOptions } from './loader.ts';
export { type InputOptions, toModelInput } from './model-input.ts';
export {
  alphabet,
  type HandwrittenWord,
  type HandwrittenWords,
  letterSize,
  loadOcrLetters,
  splitWords,
} from './ocr-letters.ts';
export type { TaggedSentence } from './sentence.ts';
export { type SentenceBatch, SentenceData } from './sentence-data.ts';
export { SentenceEncoder, type SentenceEncoderJson } from './sentence-encoder.ts';
export { readIntents } from './snips.ts';
export { marksSpans, type Span, spans } from './spans.ts';
export { type StreamBatch, StreamLoader, type StreamOptions } from './stream.ts';
export { readLines, readText } from './text-file.ts';
export { readSeries, rmse, type Series, type WindowRange, Windows } from './time-series.ts';
export { lineEnd, spaceBetween, type TextLevel, textLevels, tokenize } from './tokens.ts';
export { type CountingOptions, Vocabulary, type VocabularyJson, type VocabularyOptions } from './vocabulary.ts';
export { type WordBatch, WordLoader, type WordLoaderOptions, wordBatch } from './word-batches.ts';
export * from './word-vectors/index.ts';
export { wordsOf } from './words.ts';
