// Public names of training.
export {
  bestCheckpoint,
  type Callback,
  csvLog,
  earlyStopping,
  jsonLinesLog,
  type Monitor,
  type Run,
} from './callbacks.ts';
export { compileStep, type StepOptions, type TrainingStep } from './compile-step.ts';
export { DivergenceError } from './divergence.ts';
export {
  type Answer,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Meaning,
  type PredictOptions,
  predict,
  type Source,
} from './evaluate.ts';
export { type CheckpointOptions, type FitOptions, type FitResult, fit } from './fit.ts';
export type { EpochRow } from './history.ts';
export { accuracy, ConfusionMatrix, type Metric, topK } from './metrics.ts';
export { type Carried, type Loss, type Measured, type Objective, supervised } from './objective.ts';
export {
  type LetterModel,
  letterAccuracy,
  type ReadingOptions,
  type Readings,
  reading,
  wordAccuracy,
} from './reading.ts';
export {
  barReport,
  lineReport,
  type Output,
  type Report,
  type RunReport,
  reportTo,
  type StepReport,
  silentReport,
} from './report.ts';
export { Share, SpanCounts, SpanScore, TaggingScore, type TagNumbers, taggingMetrics } from './tagging.ts';
