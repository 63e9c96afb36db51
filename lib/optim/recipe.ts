// Optimizers and schedules by name: recipes are data, so that models, files and the command line can carry them.
import { fail } from '../tensor/errors.ts';
import type { Tensor } from '../tensor/index.ts';
import { Adam, type AdamOptions, AdamW } from './adam.ts';
import { OneCycleLR, type OneCycleOptions } from './one-cycle.ts';
import type { Optimizer } from './optimizer.ts';
import { type PlateauOptions, ReduceLROnPlateau } from './plateau.ts';
import { Adagrad, type AdagradOptions, RMSprop, type RMSpropOptions } from './rmsprop.ts';
import { CosineAnnealingLR, LinearWarmup, type Schedule, StepLR } from './schedule.ts';
import { SGD, type SGDOptions } from './sgd.ts';

/** An optimizer as data. */
export type OptimizerSpec =
  | ({ readonly name: 'sgd' } & Partial<SGDOptions> & Pick<SGDOptions, 'lr'>)
  | ({ readonly name: 'adam' | 'adamw' } & Partial<AdamOptions>)
  | ({ readonly name: 'rmsprop' } & Partial<RMSpropOptions>)
  | ({ readonly name: 'adagrad' } & Partial<AdagradOptions>);

/** A schedule as data; its lengths follow from those of the training. `warmup` and `stepSize` count epochs. */
export type ScheduleSpec =
  | { readonly name: 'constant'; readonly warmup?: number }
  | { readonly name: 'step'; readonly stepSize: number; readonly gamma?: number }
  | { readonly name: 'cosine'; readonly etaMin?: number; readonly warmup?: number }
  | ({ readonly name: 'oneCycle' } & Omit<OneCycleOptions, 'totalSteps' | 'every'>)
  | ({ readonly name: 'plateau' } & Omit<PlateauOptions, 'every'>);

/** @throws FoveaError that lists the known names for an unknown one. */
export function createOptimizer(params: readonly Tensor[], spec: OptimizerSpec): Optimizer {
  const { name } = spec;
  if (spec.name === 'sgd') return new SGD(params, without(spec));
  if (spec.name === 'adam') return new Adam(params, without(spec));
  if (spec.name === 'adamw') return new AdamW(params, without(spec));
  if (spec.name === 'rmsprop') return new RMSprop(params, without(spec));
  if (spec.name === 'adagrad') return new Adagrad(params, without(spec));
  return fail('createOptimizer', { expected: 'one of sgd, adam, adamw, rmsprop, adagrad', got: String(name) });
}

/** The schedule for a training of so many epochs of so many batches; undefined for a rate that stays as it is. */
export function createSchedule(
  optimizer: Optimizer,
  spec: ScheduleSpec,
  { epochs, batches }: { epochs: number; batches: number },
): Schedule | undefined {
  const { name } = spec;
  if (spec.name === 'constant') return warm(optimizer, undefined, (spec.warmup ?? 0) * batches);
  if (spec.name === 'step') return new StepLR(optimizer, without(spec));
  if (spec.name === 'cosine') {
    const steps = Math.round((spec.warmup ?? 0) * batches);
    const tMax = Math.max(1, epochs * batches - steps);
    return warm(optimizer, new CosineAnnealingLR(optimizer, { tMax, etaMin: spec.etaMin ?? 0, every: 'batch' }), steps);
  }
  if (spec.name === 'oneCycle') return new OneCycleLR(optimizer, { ...without(spec), totalSteps: epochs * batches });
  if (spec.name === 'plateau') return new ReduceLROnPlateau(optimizer, without(spec));
  return fail('createSchedule', { expected: 'one of constant, step, cosine, oneCycle, plateau', got: String(name) });
}

function warm(optimizer: Optimizer, after: Schedule | undefined, steps: number): Schedule | undefined {
  if (steps < 1) return after;
  return new LinearWarmup(optimizer, { steps: Math.round(steps), every: 'batch', ...(after && { after }) });
}

function without<Spec extends { readonly name: string }>({ name: _, ...options }: Spec): Omit<Spec, 'name'> {
  return options;
}
