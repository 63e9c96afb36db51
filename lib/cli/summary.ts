// fovea summary: the layers of a model, their shapes, parameters and work.
import { existsSync } from 'node:fs';
import { summary } from '../nn/index.ts';
import { type AddCommand, UsageError } from './context.ts';
import { readModelFile } from './model-file.ts';
import { examples } from './options.ts';
import { taskIn, taskOf, tasks } from './tasks/index.ts';
import type { Sample } from './tasks/task.ts';

/** Models whose size is known before they have seen data. */
const known = tasks
  .flatMap(({ architectures, sampleOfNew }) => (sampleOfNew ? Object.keys(architectures) : []))
  .join(', ');

export const addSummary: AddCommand = (program, { stdout }) => {
  program
    .command('summary')
    .description('print the layers of a model: output shapes, parameters, multiply-adds, bytes')
    .argument('<model>', `a model file, or one of ${known}`)
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
  if (named?.sampleOfNew) return named.sampleOfNew(name);
  if (existsSync(name)) {
    const read = readModelFile(name);
    const task = taskIn(read);
    return task.sample(task.open(read));
  }
  const expected = named
    ? `the file of a ${name}, because its size depends on what it learns`
    : `a model file or one of ${known}`;
  throw new UsageError(`summary: expected ${expected}, but got '${name}'`);
}
