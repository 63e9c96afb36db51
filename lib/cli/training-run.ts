// One training run of the command line: model, data and recipe brought together.
import { DataLoader, type Dataset, split, subset } from '../data/index.ts';
import type { Checkpoint } from '../io/index.ts';
import { isRecord } from '../io/json.ts';
import { createModel, type ModelDefinition } from '../models/index.ts';
import { createOptimizer, createSchedule, type OptimizerSpec, type ScheduleSpec } from '../optim/index.ts';
import { crossEntropy, Generator, type Tensor } from '../tensor/index.ts';
import { accuracy, csvLog, evaluate, fit, jsonLinesLog, reportTo, silentReport } from '../training/index.ts';
import { type Context, Interrupted, interruptible } from './context.ts';
import { checkFits, openData, type TrainAndTest } from './data.ts';
import { backendLine, kernels } from './info.ts';
import { infoOf } from './model-file.ts';
import { count, percent } from './options.ts';
import { augmentations, normalization } from './recipe.ts';
import type { Settings } from './settings.ts';

export interface Files {
  readonly out: string;
  readonly log: string | undefined;
  /** To go on from. */
  readonly checkpoint: Checkpoint | undefined;
  readonly checkpointEvery: number | undefined;
  readonly quiet: boolean;
}

/** Trains, saves to `out`, tests, and prints it all. */
export async function train(settings: Settings, files: Files, context: Context): Promise<void> {
  const { stdout } = context;
  const { out, log, quiet } = files;
  const { definition, data } = await prepare(settings);
  for (const note of data.notes) context.stderr.write(`${note}\n`);
  const { model, recipe, preprocessing } = definition;
  const { batchSize: size, epochs: times, seed } = settings;
  const epochs = times ?? recipe.epochs;
  const batchSize = size ?? recipe.batchSize;
  const normalize = normalization(preprocessing);
  const [training, held] = parts(data.train, settings);
  const loader = new DataLoader(training, {
    batchSize,
    shuffle: true,
    seed,
    transforms: settings.augment
      ? [...augmentations(recipe.augmentation, preprocessing.size), ...normalize]
      : normalize,
  });
  const validation = held && new DataLoader(held, { batchSize: 256, transforms: normalize });
  const optimizer = createOptimizer(model.parameters(), withRate(recipe.optimizer, settings.lr));
  const schedule = createSchedule(optimizer, withPeak(recipe.schedule, settings.lr), {
    epochs,
    batches: loader.length,
  });
  const { labelSmoothing = 0, clipNorm } = recipe;
  const loss = (outputs: Tensor, targets: Tensor) => crossEntropy(outputs, targets, { labelSmoothing });
  if (!quiet) {
    stdout.write(`backend  ${backendLine()}\n`);
    stdout.write(`data     ${data.description}\n`);
    if (training.length !== data.train.length)
      stdout.write(`         ${count(training.length)} of these used to train\n`);
    stdout.write(
      `model    ${definition.architecture}, ${count(parameterCount(definition))} parameters, seed ${seed}\n`,
    );
  }
  noteOtherBackend(files.checkpoint, context);
  await interruptible(context, async (signal) => {
    await fit(model, loader, {
      epochs,
      optimizer,
      loss,
      schedule,
      validation,
      metrics: [accuracy()],
      clipNorm,
      seed,
      signal,
      resume: files.checkpoint,
      checkpoint: {
        file: out,
        every: files.checkpointEvery,
        model: infoOf(definition, data.train.classes),
        extra: { ...settings, backend: kernels() },
      },
      callbacks: log === undefined ? [] : [log.endsWith('.csv') ? csvLog(log) : jsonLinesLog(log)],
      report: quiet ? silentReport : reportTo(stdout),
    });
    const tests = new DataLoader(data.test, { batchSize: 256, transforms: normalize });
    const result = await evaluate(model, tests, { metrics: [accuracy()], signal });
    const share = result.accuracy ?? 0;
    stdout.write(
      `test     accuracy ${percent(share)}, error ${percent(1 - share)}, loss ${result.loss.toPrecision(4)}\n`,
    );
  }).catch((error: unknown) => {
    // Only now, when the progress bar is gone and the file is there.
    if (error instanceof Interrupted)
      context.stderr.write(`saved ${out}; fovea train --resume ${out} goes on from there\n`);
    throw error;
  });
  stdout.write(`saved    ${out}\n`);
}

/** Another instruction set rounds otherwise: the resumed run is as good, but not the same to the last bit. */
function noteOtherBackend(checkpoint: Checkpoint | undefined, { stderr }: Context): void {
  const training = checkpoint?.training;
  const before = isRecord(training) && isRecord(training.extra) ? training.extra.backend : undefined;
  const now = kernels();
  if (before === undefined || before === now) return;
  stderr.write(`note: begun on ${before}, resumed on ${now}: the last digits may differ\n`);
}

/** The model with as many outputs as the data has classes, its weights drawn from the seed. */
async function prepare(settings: Settings): Promise<{ definition: ModelDefinition; data: TrainAndTest }> {
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
function parts(all: Dataset, { limit, validation, seed }: Settings): [training: Dataset, held?: Dataset] {
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

const withRate = (spec: OptimizerSpec, lr: number | null): OptimizerSpec => (lr === null ? spec : { ...spec, lr });

/** One-cycle schedules name the highest rate themselves; the others start from the optimizer's. */
const withPeak = (spec: ScheduleSpec, lr: number | null): ScheduleSpec =>
  lr !== null && spec.name === 'oneCycle' ? { ...spec, maxLr: lr } : spec;

const parameterCount = ({ model }: ModelDefinition) => model.parameters().reduce((sum, { size }) => sum + size, 0);
