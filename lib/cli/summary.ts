// fovea summary: the layers of a model, their shapes, parameters and work.
import { existsSync } from 'node:fs';
import { summary } from '../nn/index.ts';
import { type AddCommand, UsageError } from './context.ts';
import { readModelFile } from './model-file.ts';
import { examples } from './options.ts';
import { architectures, taskIn, taskOf } from './tasks/index.ts';
import type { Sample } from './tasks/task.ts';

export const addSummary: AddCommand = (program, { stdout }) => {
  program
    .command('summary')
    .description('print the layers of a model: output shapes, parameters, multiply-adds, bytes')
    .argument('<model>', `a model file, or one of ${architectures.join(', ')}`)
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea summary lenet5', 'fovea summary tagger.safetensors --json'))
    .action((name: string, { json }: { json?: true }) => {
      const { model, what, run } = sampleOf(name);
      const result = summary(model, run);
      const { rows: layers, totals } = result;
      const text = json ? JSON.stringify({ input: what, layers, totals }, null, 2) : `${result}\n\nreading ${what}`;
      stdout.write(`${text}\n`);
    });
};

/** The model of a file, or a new one by name, with something to read. */
function sampleOf(name: string): Sample {
  const named = taskOf(name);
  if (named === undefined || existsSync(name)) {
    if (!existsSync(name)) {
      throw new UsageError(`summary: expected a model file or one of ${architectures.join(', ')}, but got '${name}'`);
    }
    const read = readModelFile(name);
    const task = taskIn(read);
    return task.sample(task.open(read));
  }
  if (named.sampleOfNew) return named.sampleOfNew(name);
  throw new UsageError(
    `summary: expected the file of a ${name}, because its size depends on what it learns, but got '${name}': train one first`,
  );
}
