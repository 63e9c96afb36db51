// A training step as a function, for loops of one's own.
import { programsEnabled } from '../graph/index.ts';
import type { Module } from '../nn/index.ts';
import { scaleGradients } from '../optim/clip.ts';
import type { Optimizer } from '../optim/index.ts';
import type { Tensor } from '../tensor/index.ts';
import { type Loss, supervised } from './objective.ts';
import { Steps } from './steps.ts';
import { Updates } from './updates.ts';

export interface StepOptions {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** Default: cross-entropy. */
  readonly loss?: Loss;
  /** Largest length of the gradient of all parameters together. */
  readonly clipNorm?: number;
}

/** Forward, backward and update for a batch. Resolves with the loss before the update. */
export type TrainingStep = (inputs: Tensor, targets: Tensor) => Promise<number>;

/**
 * The training step of a model, as a program: recorded for each shape of batch that comes a second time, then run without
 * JavaScript and off the event loop. The model and the loss must make the same kernel calls for all batches of one shape;
 * where they look at numbers, steps run eagerly. Await each step before the next. No step is left out: check the loss, or
 * use `fit`, which stops where numbers are not finite.
 */
export function compileStep({ model, optimizer, loss, clipNorm }: StepOptions): TrainingStep {
  const parameters = [...new Set([...model.parameters(), ...optimizer.paramGroups.flatMap(({ params }) => params)])];
  const programs = programsEnabled();
  const steps = new Steps(model, supervised(model, loss), { parameters, programs });
  const updates = new Updates(optimizer, programs);
  return async (inputs, targets) => {
    const measured = await steps.measure({ inputs, targets }, undefined);
    if (clipNorm !== undefined) scaleGradients(parameters, measured.gradNorm, clipNorm);
    await updates.step();
    return measured.loss.item();
  };
}
