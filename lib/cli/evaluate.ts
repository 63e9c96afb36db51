// fovea evaluate: how good a saved model is on a data set.
import { Option } from 'commander';
import { DataLoader } from '../data/index.ts';
import { ConfusionMatrix, evaluate } from '../training/index.ts';
import { type AddCommand, type Context, interruptible } from './context.ts';
import { checkFits, numberedAs, openData } from './data.ts';
import { openModel } from './model-file.ts';
import { count, examples, percent } from './options.ts';
import { normalization } from './recipe.ts';

interface Options {
  readonly data: string;
  readonly split: 'train' | 'test';
  readonly json?: true;
}

export const addEvaluate: AddCommand = (program, context) => {
  program
    .command('evaluate')
    .description('measure a saved model: accuracy, confusion matrix, precision, recall and F1')
    .argument('<model>', 'a model file')
    .option('--data <where>', "a directory, or 'builtin'", 'builtin')
    .addOption(new Option('--split <part>', 'which part of the data').choices(['train', 'test']).default('test'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea evaluate lenet5.safetensors --data mnist/'))
    .action((file: string, options: Options) => measure(file, options, context));
};

async function measure(file: string, options: Options, context: Context): Promise<void> {
  const { stdout } = context;
  const { definition, info } = openModel(file);
  const names = info.classes ?? definition.classes;
  const opened = await openData(options.data, { ...info, classes: names });
  for (const note of opened.notes) context.stderr.write(`${note}\n`);
  checkFits(opened[options.split], info.architecture, info.inputShape);
  const data = numberedAs(opened[options.split], names, file);
  const confusion = new ConfusionMatrix(names.length);
  const loader = new DataLoader(data, { batchSize: 256, transforms: normalization(info.preprocessing) });
  const { loss, samples } = await interruptible(context, (signal) =>
    evaluate(definition.model, loader, { metrics: [confusion], signal }),
  );
  if (options.json) {
    const classes = names.map((name, c) => ({
      name,
      samples: confusion.support(c),
      precision: confusion.precision(c),
      recall: confusion.recall(c),
      f1: confusion.f1(c),
      predicted: names.map((_, predicted) => confusion.count(c, predicted)),
    }));
    const { accuracy } = confusion;
    stdout.write(
      `${JSON.stringify({ samples, accuracy, error: 1 - accuracy, loss, macroF1: confusion.value, classes }, null, 2)}\n`,
    );
    return;
  }
  stdout.write(`${count(samples)} pictures (${options.data}, ${options.split})\n`);
  stdout.write(`accuracy ${percent(confusion.accuracy)}, error ${percent(1 - confusion.accuracy)}, `);
  stdout.write(`loss ${loss.toPrecision(4)}, macro F1 ${confusion.value.toFixed(4)}\n\n`);
  stdout.write(`rows: true class; columns: predicted class\n${confusion.toString(names)}\n`);
}
