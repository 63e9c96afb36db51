// fovea train: trains a model by its recipe, saves it, and tests it once at the end.
import { checkWritable } from '../io/atomic.ts';
import { type Checkpoint, loadCheckpoint } from '../io/index.ts';
import { models } from '../models/index.ts';
import type { AddCommand, Context } from './context.ts';
import { examples, integer, number } from './options.ts';
import { type Given, newSettings, resumedSettings } from './settings.ts';
import { train } from './training-run.ts';

interface Options extends Omit<Given, 'model'> {
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly resume?: string;
  readonly log?: string;
  readonly quiet?: true;
}

export const addTrain: AddCommand = (program, context) => {
  program
    .command('train')
    .description('train a model, save it after every epoch, and test it at the end')
    .argument('[model]', `one of ${Object.keys(models).join(', ')}; may be left out with --resume`)
    .option('--data <where>', "a directory (idx files, train/ and test/, or one per class), or 'builtin' (default)")
    .option('--epochs <n>', "times through the data (default: the model's recipe)", integer(1))
    .option('--batch-size <n>', 'pictures per step (default: the recipe)', integer(1))
    .option('--lr <rate>', 'learning rate, the highest of the schedule (default: the recipe)', number(0))
    .option('--seed <n>', 'of weights, order and augmentation (default: 1)', integer(0))
    .option('--limit <n>', 'train on so many of the pictures only', integer(1))
    .option(
      '--validation <share>',
      'hold out this share of the training pictures and measure it after each epoch',
      number(0, 1),
    )
    .option('--no-augment', 'no random changes of the pictures')
    .option('--out <file>', 'where to save (default: <model>.safetensors, or the file resumed)')
    .option('--checkpoint-every <steps>', 'save also after every so many steps', integer(1))
    .option('--resume <file>', 'go on with the run that saved this file')
    .option('--log <file>', 'write the numbers of each epoch, as .csv or .jsonl')
    .option('--quiet', 'print only the result')
    .addHelpText(
      'after',
      `\nCtrl-C saves and ends with exit code 130; --resume then goes on as if nothing had happened.\n${examples(
        'fovea train lenet5',
        'fovea train lenet5 --data mnist/ --epochs 12 --seed 1 --out mnist.safetensors --log mnist.csv',
        'fovea train --resume mnist.safetensors',
      )}`,
    )
    .action((model: string | undefined, options: Options) => start(model, options, context));
};

async function start(model: string | undefined, options: Options, context: Context): Promise<void> {
  const { out: asked, checkpointEvery, resume, log, quiet = false, augment, ...rest } = options;
  const given: Given = { ...rest, model, augment: augment === false ? false : undefined };
  let checkpoint: Checkpoint | undefined;
  if (resume !== undefined) checkpoint = loadCheckpoint(resume);
  const settings = checkpoint && resume !== undefined ? resumedSettings(checkpoint, resume, given) : newSettings(given);
  const out = asked ?? resume ?? `${settings.model}.safetensors`;
  for (const file of [out, log]) if (file !== undefined) checkWritable(file);
  await train(settings, { out, log, checkpoint, checkpointEvery, quiet }, context);
}
