// fovea evaluate: how good a saved model is on data.
import { Option } from 'commander';
import type { AddCommand, Context } from './context.ts';
import { readModelFile } from './model-file.ts';
import { examples } from './options.ts';
import { taskIn } from './tasks/index.ts';

interface Options {
  readonly data?: string;
  readonly split: 'train' | 'test';
  readonly json?: boolean;
}

export const addEvaluate: AddCommand = (program, context) => {
  program
    .command('evaluate')
    .description('measure a saved model; of pictures: accuracy, confusion matrix, precision, recall and F1')
    .argument('<model>', 'a model file')
    .option('--data <where>', 'as for fovea train')
    .addOption(new Option('--split <part>', 'which part of the data').choices(['train', 'test']).default('test'))
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea evaluate lenet5.safetensors --data mnist/'))
    .action((file: string, options: Options) => measure(file, options, context));
};

async function measure(file: string, { data, split, json = false }: Options, context: Context): Promise<void> {
  const read = readModelFile(file);
  const task = taskIn(read);
  await task.evaluate(task.open(read), { ...read, data, split, json }, context);
}
