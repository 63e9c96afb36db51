// fovea info: which backend runs the kernels here, and why.
import { backendInfo } from '../kernels/backend.ts';
import type { AddCommand } from './context.ts';
import { examples } from './options.ts';

export const addInfo: AddCommand = (program, { stdout }) => {
  program
    .command('info')
    .description('print which backend runs here and why: instruction set, threads, versions')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('fovea info', 'FOVEA_BACKEND=reference fovea info --json'))
    .action(({ json }: { json?: true }) => {
      const info = backendInfo();
      if (json) {
        stdout.write(`${JSON.stringify(info, null, 2)}\n`);
        return;
      }
      const width = Math.max(...Object.keys(info).map((name) => name.length));
      for (const [name, value] of Object.entries(info)) {
        stdout.write(`${name.padEnd(width)}  ${Array.isArray(value) ? value.join(', ') : value}\n`);
      }
    });
};

/** What decides how results are rounded: `native avx2`, or `reference`. */
export function kernels(): string {
  const { backend, isa } = backendInfo();
  return backend === 'native' ? `native ${isa}` : backend;
}

/** One line: `native avx2, 2 threads`. */
export function backendLine(): string {
  const { backend, threads } = backendInfo();
  return backend === 'native' ? `${kernels()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : backend;
}
