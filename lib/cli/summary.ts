// fovea summary: the layers of a model, their shapes, parameters and work.
import { existsSync } from 'node:fs';
import { createModel, models } from '../models/index.ts';
import { summary } from '../nn/index.ts';
import { type AddCommand, UsageError } from './context.ts';
import { openModel, readModelFile } from './model-file.ts';
import { examples } from './options.ts';

export const addSummary: AddCommand = (program, { stdout }) => {
  program
    .command('summary')
    .description('print the layers of a model: output shapes, parameters, multiply-adds, bytes')
    .argument('<model>', `a model file, or one of ${Object.keys(models).join(', ')}`)
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea summary lenet5', 'fovea summary lenet5.safetensors --json'))
    .action((name: string, { json }: { json?: true }) => {
      const { model, inputShape } = definitionOf(name);
      const result = summary(model, inputShape);
      const text = json ? JSON.stringify({ layers: result.rows, totals: result.totals }, null, 2) : result.toString();
      stdout.write(`${text}\n`);
    });
};

function definitionOf(name: string) {
  if (Object.hasOwn(models, name)) return createModel(name);
  if (existsSync(name)) return openModel(readModelFile(name)).definition;
  const known = Object.keys(models).join(', ');
  throw new UsageError(`summary: expected a model file or one of ${known}, but got '${name}'`);
}
