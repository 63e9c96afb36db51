// Chooses the backend once per process, at the first call, and runs kernel calls on it.
//
// FOVEA_BACKEND=native|reference forces one, FOVEA_ISA an instruction set, FOVEA_THREADS the number of threads.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { NativeLoadError, packageRoot } from './binary.ts';
import type { Buffers, Operands, Shape } from './call.ts';
import { checkCall } from './check.ts';
import { type Executor, type ProgramSpec, referenceExecutor } from './executor.ts';
import { layoutOf } from './layout.ts';
import type { KernelName } from './list.ts';
import { loadNative, type Native, type Packed } from './native.ts';
import { recorder } from './recording.ts';
import { reference } from './reference.ts';
import { chooseThreads } from './threads.ts';

/** What runs the kernels, and why. */
export interface BackendInfo {
  readonly backend: 'native' | 'reference';
  /** The instruction set in use; 'none' on the reference backend. */
  readonly isa: string;
  /** Those this machine can run, best first; empty on the reference backend. */
  readonly isas: readonly string[];
  readonly threads: number;
  /** Why this backend. */
  readonly reason: string;
  /** The native binary, and the compiler that made it. */
  readonly path?: string;
  readonly compiler?: string;
  /** Versions of this package and of Node.js; the platform as `linux-x64`. */
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

interface Choice {
  /** Absent on the reference backend. */
  readonly native?: Native;
  readonly reason: string;
}

const backends = ['native', 'reference'];
const isas = ['avx512', 'avx2', 'sse', 'neon', 'scalar'];

let chosen: Choice | undefined;

/**
 * Runs one kernel call; every buffer that the list says is written holds the result when it returns. A call with a
 * Float64Array among its buffers runs on the reference backend. `packed` is what `pack` gave for this shape and these
 * operands. Throws a TypeError or RangeError, before anything is written, where the call does not fit the list.
 */
export function run<K extends KernelName>(kernel: K, shape: Shape<K>, buffers: Buffers<K>, packed?: Packed): void {
  chosen ??= choose();
  recorder()?.called(kernel, shape, buffers);
  if (chosen.native !== undefined && !hasDoubles(buffers)) chosen.native.run(kernel, shape, buffers, packed);
  else runReference(kernel, shape, buffers);
}

/**
 * Packs the constant operands (weights) of calls of this shape, to be given to each of them: then no call packs them
 * again. Undefined where there is nothing to gain: on the reference backend, and for shapes that read them as they are.
 */
export function pack<K extends KernelName>(kernel: K, shape: Shape<K>, operands: Operands<K>): Packed | undefined {
  chosen ??= choose();
  return chosen.native?.pack(kernel, shape, operands);
}

/** Prepares a program for the backend in use. */
export function executorOf(spec: ProgramSpec): Executor {
  chosen ??= choose();
  return chosen.native?.executor(spec) ?? referenceExecutor(spec);
}

/** What was chosen and why. Makes the choice if no kernel has run yet. */
export function backendInfo(): BackendInfo {
  chosen ??= choose();
  const { native, reason } = chosen;
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  const around = { reason, version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
  if (native === undefined) return { backend: 'reference', isa: 'none', isas: [], threads: 1, ...around };
  const { isa, threads, compiler } = native.info();
  return { backend: 'native', isa, isas: native.isas, threads, path: native.path, compiler, ...around };
}

/** Runs one call in TypeScript, checked as the native edge checks. */
export function runReference<K extends KernelName>(kernel: K, shape: Shape<K>, buffers: Buffers<K>): void {
  checkCall(layoutOf(kernel), shape, buffers);
  reference[kernel](shape, buffers);
}

function hasDoubles(buffers: Readonly<Record<string, unknown>>): boolean {
  for (const name in buffers) {
    if (buffers[name] instanceof Float64Array) return true;
  }
  return false;
}

/** The value of an environment variable that must be one of some words; '' where unset. */
function word(variable: string, valid: readonly string[]): string {
  const value = process.env[variable] ?? '';
  if (value === '' || valid.includes(value)) return value;
  throw new RangeError(`${variable}: expected one of ${valid.join(', ')}, but got '${value}'`);
}

function choose(): Choice {
  const backend = word('FOVEA_BACKEND', backends);
  const isa = word('FOVEA_ISA', isas);
  const threads = chooseThreads();
  if (backend === 'reference') return { reason: 'FOVEA_BACKEND=reference' };
  let native: Native;
  try {
    native = loadNative();
  } catch (error) {
    if (!(error instanceof NativeLoadError)) throw error;
    if (backend === 'native') throw new Error(`FOVEA_BACKEND=native: ${error.message}`, { cause: error });
    if (isa !== '') throw new Error(`FOVEA_ISA=${isa}: ${error.message}`, { cause: error });
    warnOnce(error.message);
    return { reason: error.message };
  }
  native.setThreads(threads);
  if (isa !== '' && !native.isas.includes(isa)) {
    throw new RangeError(
      `FOVEA_ISA: expected one of ${native.isas.join(', ')}, because this machine has those, but got '${isa}'`,
    );
  }
  if (isa !== '') native.selectIsa(isa);
  const forced = [backend && `FOVEA_BACKEND=${backend}`, isa && `FOVEA_ISA=${isa}`].filter((it) => it !== '');
  return { native, reason: [native.origin, ...forced].join(', ') };
}

/** One warning for this process: threads started later inherit that it has been given. */
function warnOnce(problem: string): void {
  const key = 'fovea: fallback warning given';
  if (getEnvironmentData(key) !== undefined) return;
  setEnvironmentData(key, true);
  process.stderr.write(`fovea: running on the TypeScript kernels, which are much slower, because ${problem}\n`);
}
