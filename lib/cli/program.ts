// The `fovea` program: its commands, and what becomes of errors.
import { Command, CommanderError } from 'commander';
import { version } from '../io/version.ts';
import { addClassify } from './classify.ts';
import { type Context, Interrupted, UsageError } from './context.ts';
import { addEvaluate } from './evaluate.ts';
import { addForecast } from './forecast.ts';
import { addGenerate } from './generate.ts';
import { addInfo } from './info.ts';
import { examples } from './options.ts';
import { addRead } from './read.ts';
import { addSummary } from './summary.ts';
import { addTag } from './tag.ts';
import { addTrain } from './train.ts';
import { addVectors } from './vectors.ts';

const commands = [
  addTrain,
  addClassify,
  addEvaluate,
  addTag,
  addGenerate,
  addRead,
  addForecast,
  addSummary,
  addVectors,
  addInfo,
];

/**
 * Runs one command line (without `node` and the script) and resolves with its exit code: 0 for success, 1 for failure,
 * 2 for wrong usage, 130 for Ctrl-C. Never rejects: an error becomes one line on stderr; with FOVEA_DEBUG=1, its stack.
 */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  const { stdout, stderr } = context;
  const program = new Command('fovea')
    .description('Trains and uses convolutional and recurrent networks on this machine.')
    .version(version(), '-V, --version', 'print the version')
    .enablePositionalOptions() // what follows a command is the command's
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText(
      'after',
      examples('fovea train lenet5 --out digits.safetensors', 'fovea classify digits.safetensors photo.png'),
    );
  for (const add of commands) add(program, context);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // has printed its message
    stderr.write(`${describe(error)}\n`);
    if (error instanceof Interrupted) return error.exitCode;
    return error instanceof UsageError ? 2 : 1;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  if (process.env.FOVEA_DEBUG === '1') return error.stack ?? error.message;
  if (error instanceof Interrupted) return error.message;
  return `error: ${error.message.split('\n').join(' ')}`;
}
