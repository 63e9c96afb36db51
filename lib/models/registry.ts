// The models that can be made by name.
import { fail } from '../tensor/errors.ts';
import type { ModelDefinition, ModelOptions } from './definition.ts';
import { LeNet5, LeNet5Classic } from './lenet.ts';
import { recipes } from './recipes.ts';

/** Every model by its name. */
export const models: Readonly<Record<string, (options?: ModelOptions) => ModelDefinition>> = {
  lenet5: ({ classes = 10, generator } = {}) => ({
    architecture: 'lenet5',
    options: { classes },
    model: new LeNet5({ classes, generator }),
    inputShape: [1, 28, 28],
    preprocessing: { size: [28, 28], channels: 1, mean: [0.1307], std: [0.3081] }, // of the MNIST training set
    classes: numbered(classes),
    recipe: recipes.lenet5,
  }),
  'lenet5-1998': ({ classes = 10, generator } = {}) => ({
    architecture: 'lenet5-1998',
    options: { classes },
    model: new LeNet5Classic({ classes, generator }),
    inputShape: [1, 28, 28],
    preprocessing: { size: [28, 28], channels: 1, mean: [0.1 / 1.275], std: [1 / 1.275] }, // 0 -> -0.1, 1 -> 1.175
    classes: numbered(classes),
    recipe: recipes['lenet5-1998'],
  }),
};

/** A new model by name. @throws FoveaError that lists the known names for an unknown one. */
export function createModel(name: string, options: ModelOptions = {}): ModelDefinition {
  const create = Object.hasOwn(models, name) ? models[name] : undefined;
  if (create === undefined) {
    fail('createModel', { expected: `one of ${Object.keys(models).join(', ')}`, got: `'${name}'` });
  }
  return create(options);
}

const numbered = (classes: number) => Array.from({ length: classes }, (_, i) => String(i));
