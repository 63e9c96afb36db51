// What a command may touch of its process, so that tests can run one without a process of its own.
import type { Command } from 'commander';
import type { Output } from '../training/index.ts';

export interface Context {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Default: the process's own. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Aborted with an {@link Interrupted} to end a command early. Default: on SIGINT and SIGTERM. */
  readonly signal?: AbortSignal;
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: Context) => void;

/** A command that was asked to end; what was worth saving has been saved. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As shells count: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' = 'SIGINT') {
    super('interrupted');
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs `work` with a signal that Ctrl-C aborts; a second Ctrl-C ends the process at once, as without this. */
export async function interruptible<T>(context: Context, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (context.signal) return work(context.signal);
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.off(name, stop);
    controller.abort(new Interrupted(signal === 'SIGTERM' ? signal : 'SIGINT'));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
