// Public names of optimizers, schedules and clipping.
export { Adam, type AdamOptions, AdamW } from './adam.ts';
export { clipGradNorm_, clipGradValue_, gradNorm } from './clip.ts';
export { OneCycleLR, type OneCycleOptions } from './one-cycle.ts';
export {
  type CommonOptions,
  type GroupOptions,
  Optimizer,
  type OptimizerState,
  type OptimizerValues,
  type ParamGroup,
} from './optimizer.ts';
export { type PlateauOptions, ReduceLROnPlateau } from './plateau.ts';
export { createOptimizer, createSchedule, type OptimizerSpec, type ScheduleSpec } from './recipe.ts';
export { Adagrad, type AdagradOptions, RMSprop, type RMSpropOptions } from './rmsprop.ts';
export { CosineAnnealingLR, type Interval, LinearWarmup, Schedule, type ScheduleState, StepLR } from './schedule.ts';
export { SGD, type SGDOptions } from './sgd.ts';
