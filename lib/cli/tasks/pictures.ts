// The task of telling what pictures show: convolutional networks that give each class a score.
import { DataLoader, type Dataset, split, subset } from '../../data/index.ts';
import { createModel, type ModelDefinition } from '../../models/index.ts';
import { crossEntropy, Generator, type Tensor, zeros } from '../../tensor/index.ts';
import { accuracy, ConfusionMatrix, evaluate, supervised } from '../../training/index.ts';
import { type Context, interruptible } from '../context.ts';
import { infoOf, type OpenModel, openModel } from '../model-file.ts';
import { count, integer, number, percent } from '../options.ts';
import { checkFits, numberedAs, openData, type TrainAndTest } from './picture-data.ts';
import { augmentations, normalization } from './picture-transforms.ts';
import type { EvaluateRequest, Plan, Sample, Settings, Task } from './task.ts';
import { recipeWith } from './task-recipe.ts';

type Own = {
  /** Use only so many of the training pictures; null: all. */
  readonly limit: number | null;
  /** Share of the training pictures held out to measure after each epoch. */
  readonly validation: number;
  readonly augment: boolean;
};

type OpenPictures = Pick<OpenModel, 'definition'>;

export const pictures: Task<Own, OpenPictures> = {
  architectures: {
    lenet5: 'LeNet-5 as it is built today: pictures of 28 x 28, such as digits',
    'lenet5-1998': 'LeNet-5 as its authors built it',
  },
  data: {
    help: "a directory (idx files, train/ and test/, or one per class), or 'builtin'",
    default: 'builtin',
  },
  options: {
    limit: {
      flags: '--limit <n>',
      description: 'train on so many of the pictures only',
      parse: integer(1),
      default: null,
    },
    validation: {
      flags: '--validation <share>',
      description: 'hold out this share of the training pictures and measure it after each epoch',
      parse: number(0, 1),
      default: 0,
    },
    augment: { flags: '--no-augment', description: 'no random changes of the pictures', default: true },
  },
  examples: [
    'fovea train lenet5',
    'fovea train lenet5 --data mnist/ --epochs 12 --seed 1 --out mnist.safetensors --log mnist.csv',
  ],
  prepare,
  open: openModel,
  sample: sampleOf,
  sampleOfNew: (architecture) => sampleOf({ definition: createModel(architecture) }),
  evaluate: measure,
};

function sampleOf({ definition: { model, inputShape } }: OpenPictures): Sample {
  const run = () => model.forward(zeros([1, ...inputShape]));
  return { model, what: `a picture of ${inputShape.join(' x ')}`, run };
}

async function prepare(settings: Settings<Own>): Promise<Plan> {
  const { definition, data } = await open(settings);
  const { model, recipe, preprocessing } = definition;
  const { batchSize, seed, augment } = settings;
  const normalize = normalization(preprocessing);
  const [training, held] = parts(data.train, settings);
  const loader = new DataLoader(training, {
    batchSize: batchSize ?? recipe.batchSize,
    shuffle: true,
    seed,
    transforms: augment ? [...augmentations(recipe.augmentation, preprocessing.size), ...normalize] : normalize,
  });
  const inOrder = (part: Dataset) => new DataLoader(part, { batchSize: 256, transforms: normalize });
  const { labelSmoothing = 0 } = recipe;
  const loss = (outputs: Tensor, targets: Tensor) => crossEntropy(outputs, targets, { labelSmoothing });
  const used = training.length === data.train.length ? [] : [`${count(training.length)} of these used to train`];
  return {
    model,
    info: infoOf(definition, data.train.classes),
    description: [data.description, ...used],
    notes: data.notes,
    loader,
    validation: held && inOrder(held),
    recipe: recipeWith(recipe, settings),
    objective: supervised(model, loss),
    metrics: [accuracy()],
    unit: 'images',
    async test(signal) {
      const result = await evaluate(model, inOrder(data.test), { metrics: [accuracy()], signal });
      const share = result.accuracy ?? 0;
      return `accuracy ${percent(share)}, error ${percent(1 - share)}, loss ${result.loss.toPrecision(4)}`;
    },
  };
}

/** The model with as many outputs as the data has classes, its weights drawn from the seed. */
async function open(settings: Settings<Own>): Promise<{ definition: ModelDefinition; data: TrainAndTest }> {
  const { model, data: where, seed, limit } = settings;
  let definition = createModel(model, { generator: new Generator(seed) });
  const data = await openData(where, definition, limit);
  const classes = data.train.classes?.length ?? definition.options.classes;
  if (classes !== definition.options.classes) {
    definition = createModel(model, { classes, generator: new Generator(seed) });
  }
  for (const part of [data.train, data.test]) checkFits(part, model, definition.inputShape);
  return { definition, data };
}

/** What is trained on and, where asked for, what is held out of it. */
function parts(all: Dataset, { limit, validation, seed }: Settings<Own>): [training: Dataset, held?: Dataset] {
  // Spread evenly, because folders list their pictures class by class.
  const kept = Math.min(limit ?? all.length, all.length);
  const used =
    limit === null
      ? all
      : subset(
          all,
          Array.from({ length: kept }, (_, i) => Math.floor((i * all.length) / kept)),
        );
  if (validation === 0) return [used];
  const [training = used, held = used] = split(used, [1 - validation, validation], seed);
  return [training, held];
}

async function measure({ definition }: OpenPictures, request: EvaluateRequest, context: Context): Promise<void> {
  const { file, info, data: where = 'builtin', split: part, json } = request;
  const { stdout } = context;
  const names = info.classes ?? definition.classes;
  const opened = await openData(where, { ...info, classes: names });
  for (const note of opened.notes) context.stderr.write(`${note}\n`);
  checkFits(opened[part], info.architecture, info.inputShape ?? definition.inputShape);
  const data = numberedAs(opened[part], names, file);
  const confusion = new ConfusionMatrix(names.length);
  const loader = new DataLoader(data, { batchSize: 256, transforms: normalization(info.preprocessing) });
  const { loss, samples } = await interruptible(context, (signal) =>
    evaluate(definition.model, loader, { metrics: [confusion], signal }),
  );
  if (json) {
    const classes = names.map((name, c) => ({
      name,
      samples: confusion.support(c),
      precision: confusion.precision(c),
      recall: confusion.recall(c),
      f1: confusion.f1(c),
      predicted: names.map((_, predicted) => confusion.count(c, predicted)),
    }));
    const { accuracy } = confusion;
    const result = { samples, accuracy, error: 1 - accuracy, loss, macroF1: confusion.value, classes };
    stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  stdout.write(`${count(samples)} pictures (${where}, ${part})\n`);
  stdout.write(`accuracy ${percent(confusion.accuracy)}, error ${percent(1 - confusion.accuracy)}, `);
  stdout.write(`loss ${loss.toPrecision(4)}, macro F1 ${confusion.value.toFixed(4)}\n\n`);
  stdout.write(`rows: true class; columns: predicted class\n${confusion.toString(names)}\n`);
}
