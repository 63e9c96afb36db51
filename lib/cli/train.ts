// fovea train: trains a model by its recipe, saves it, and tests it once at the end.
import type { Command } from 'commander';
import { checkWritable } from '../io/atomic.ts';
import { loadCheckpoint } from '../io/index.ts';
import type { AddCommand, Context } from './context.ts';
import { examples, integer } from './options.ts';
import { begun, commandOptions, resumed, saidOn } from './settings.ts';
import { tasks } from './tasks/index.ts';
import type { Task } from './tasks/task.ts';
import { train } from './training-run.ts';

/** Options that do not decide the outcome. */
interface Options {
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly resume?: string;
  readonly log?: string;
  readonly quiet?: boolean;
}

const interrupting = '\nCtrl-C saves and ends with exit code 130; --resume then goes on as if nothing had happened.\n';

export const addTrain: AddCommand = (program, context) => {
  // Without a model: the options that all have, because the file to go on from says which model it is.
  const command = withOptions(program.command('train'))
    .description('train a model, save it after every epoch, and test it at the end')
    .usage('<model> [options]')
    .argument('[model]')
    .enablePositionalOptions()
    .addHelpText('after', '\nEach model has options of its own: fovea train <model> --help.')
    .addHelpText(
      'after',
      interrupting +
        examples('fovea train lenet5', 'fovea train lenet5 --help', 'fovea train --resume lenet5.safetensors'),
    )
    .action((model: string | undefined, _options, self: Command) => start(model, undefined, self, context));
  command.configureHelp({ visibleArguments: () => [] });
  for (const task of tasks) {
    for (const [model, about] of Object.entries(task.architectures)) {
      withOptions(command.command(model), task)
        .description(about)
        .usage('[options]')
        .addHelpText('after', interrupting + examples(...task.examples))
        .action((_options, self: Command) => start(model, task, self, context));
    }
  }
};

function withOptions(command: Command, task?: Task): Command {
  for (const option of commandOptions(task)) command.addOption(option);
  return command
    .option('--out <file>', 'where to save (default: <model>.safetensors, or the file resumed)')
    .option('--checkpoint-every <steps>', 'save also after every so many steps', integer(1))
    .option('--resume <file>', 'go on with the run that saved this file')
    .option('--log <file>', 'write the numbers of each epoch, as .csv or .jsonl')
    .option('--quiet', 'print only the result');
}

async function start(
  model: string | undefined,
  task: Task | undefined,
  command: Command,
  context: Context,
): Promise<void> {
  // What stands before the name of the model, `fovea train --seed 2 lenet5`, is said to the command above.
  const above = command.parent ?? command;
  const { out: asked, checkpointEvery, resume, log, quiet = false }: Options = { ...above.opts(), ...command.opts() };
  const given = { ...saidOn(above), ...saidOn(command, task) };
  const checkpoint = resume === undefined ? undefined : loadCheckpoint(resume);
  const run = checkpoint && resume !== undefined ? resumed(checkpoint, resume, model, given) : begun(model, given);
  const out = asked ?? resume ?? `${run.settings.model}.safetensors`;
  for (const file of [out, log]) if (file !== undefined) checkWritable(file);
  await train(run, { out, log, checkpoint, checkpointEvery, quiet }, context);
}
