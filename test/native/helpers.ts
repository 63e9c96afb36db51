// What the tests of the native side share: child processes on the built package, and random valid calls.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { NativeLoadError, packageRoot } from '../../lib/kernels/binary.ts';
import { loadNative, type Native } from '../../lib/kernels/native.ts';

export const root = packageRoot();

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a module's text in a fresh Node.js, without any FOVEA_ variable but those given. */
export function runModule(text: string, environment: Record<string, string> = {}, folder = root): Finished {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(FOVEA_|NODE_OPTIONS|VITEST)/.test(name));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', text], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...Object.fromEntries(inherited), ...environment },
  });
  return { status, stdout, stderr };
}

/** The native kernels, or why there are none. */
export function tryNative(): { native?: Native; problem: string } {
  try {
    return { native: loadNative(), problem: '' };
  } catch (error) {
    if (error instanceof NativeLoadError) return { problem: 'no native binary' };
    throw error;
  }
}

/** Path of the compiled backend module, as text for an import. */
export const backendModule = JSON.stringify(join(root, 'dist', 'kernels', 'backend.js'));

/** For child processes that must use the binary that this process uses: another build may be under test. */
export const sameBinary: Record<string, string> = process.env.FOVEA_BINARY
  ? { FOVEA_BINARY: resolve(process.env.FOVEA_BINARY) }
  : {};
