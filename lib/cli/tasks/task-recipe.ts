// A recipe with what the command line says in place of what it says itself.
import type { ScheduleSpec } from '../../optim/index.ts';
import type { Settings, TaskRecipe } from './task.ts';

/** The recipe with the epochs and the learning rate that were asked for. */
export function recipeWith(recipe: TaskRecipe, { epochs, lr }: Pick<Settings, 'epochs' | 'lr'>): TaskRecipe {
  const { optimizer, schedule } = recipe;
  return {
    ...recipe,
    epochs: epochs ?? recipe.epochs,
    optimizer: lr === null ? optimizer : { ...optimizer, lr },
    schedule: lr === null ? schedule : withPeak(schedule, lr),
  };
}

/** One-cycle schedules name the highest rate themselves; the others start from the optimizer's. */
const withPeak = (spec: ScheduleSpec, lr: number): ScheduleSpec =>
  spec.name === 'oneCycle' ? { ...spec, maxLr: lr } : spec;
