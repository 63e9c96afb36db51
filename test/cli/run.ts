// Runs a command line in this process and keeps what it printed.
import { run } from '../../lib/cli/program.ts';

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function cli(...argv: string[]): Promise<Printed> {
  return cliWith({}, ...argv);
}

export async function cliWith({ signal }: { signal?: AbortSignal }, ...argv: string[]): Promise<Printed> {
  const text = { stdout: '', stderr: '' };
  const output = (name: keyof typeof text) => ({
    write: (part: string) => {
      text[name] += part;
    },
  });
  const code = await run(argv, { stdout: output('stdout'), stderr: output('stderr'), ...(signal && { signal }) });
  return { code, ...text };
}
