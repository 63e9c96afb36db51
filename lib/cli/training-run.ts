// One training run of the command line: a task's plan carried out, told, and saved.
import type { Checkpoint } from '../io/index.ts';
import { isRecord } from '../io/json.ts';
import type { Module } from '../nn/index.ts';
import { createOptimizer, createSchedule } from '../optim/index.ts';
import { csvLog, fit, jsonLinesLog, reportTo, silentReport } from '../training/index.ts';
import { type Context, Interrupted, interruptible } from './context.ts';
import { backendLine, kernels } from './info.ts';
import { count } from './options.ts';
import type { Run } from './settings.ts';

export interface Files {
  readonly out: string;
  readonly log: string | undefined;
  /** To go on from. */
  readonly checkpoint: Checkpoint | undefined;
  readonly checkpointEvery: number | undefined;
  readonly quiet: boolean;
}

/** Trains, saves to `out`, tests, and prints it all. */
export async function train({ task, settings }: Run, files: Files, context: Context): Promise<void> {
  const { stdout } = context;
  const { out, log, quiet } = files;
  const plan = await task.prepare(settings);
  for (const note of plan.notes) context.stderr.write(`${note}\n`);
  const { model, info, loader, validation, metrics, unit, recipe } = plan;
  const { epochs, clipNorm } = recipe;
  const optimizer = createOptimizer(model.parameters(), recipe.optimizer);
  const schedule = createSchedule(optimizer, recipe.schedule, { epochs, batches: loader.length });
  if (!quiet) {
    const parameters = count(parameterCount(model));
    const [first = '', ...more] = plan.description;
    stdout.write(`backend  ${backendLine()}\ndata     ${first}\n`);
    for (const line of more) stdout.write(`         ${line}\n`);
    stdout.write(`model    ${info.architecture}, ${parameters} parameters, seed ${settings.seed}\n`);
  }
  noteOtherBackend(files.checkpoint, context);
  await interruptible(context, async (signal) => {
    await fit(model, loader, {
      epochs,
      optimizer,
      objective: (batch, carried) => plan.objective(batch, carried),
      schedule,
      validation,
      metrics,
      clipNorm,
      seed: settings.seed,
      programs: true,
      signal,
      unit,
      resume: files.checkpoint,
      checkpoint: {
        file: out,
        every: files.checkpointEvery,
        model: info,
        extra: { ...settings, backend: kernels() },
      },
      callbacks: log === undefined ? [] : [log.endsWith('.csv') ? csvLog(log) : jsonLinesLog(log)],
      report: quiet ? silentReport : reportTo(stdout),
    });
    stdout.write(`test     ${await plan.test(signal)}\n`);
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

const parameterCount = (model: Module) => model.parameters().reduce((sum, { size }) => sum + size, 0);
