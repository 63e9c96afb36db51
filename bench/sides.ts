// Who is compared: fovea and its rivals, how each is started, and what to do where one is absent.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cache, here, modules } from './cache.ts';
import type { Options } from './options.ts';
import { isSample } from './shapes/javascript.ts';
import type { Row } from './shapes/row.ts';

/** One column of the table. */
export interface Side {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What to do to have it; undefined where it is there. */
  readonly absent?: string | undefined;
  /** Rows it is asked for. */
  takes(row: Row): boolean;
}

const isNative = (row: Row): boolean => row.family !== 'javascript';
/** The price of a call is that of calls from a script: a C++ program has none. */
const isWork = (row: Row): boolean => isNative(row) && row.family !== 'call';

const python = process.env.PYTHON ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3');
const hasAvx512 = spawnSync('grep', ['-q', 'avx512f', '/proc/cpuinfo']).status === 0;

/** How the rivals are held to an instruction set; OpenBLAS and BLIS of Debian take new processors for old ones unless told. */
const held: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  avx512: { OPENBLAS_CORETYPE: 'SkylakeX', BLIS_ARCH_TYPE: 'skx' },
  avx2: {
    OPENBLAS_CORETYPE: 'Haswell',
    BLIS_ARCH_TYPE: 'haswell',
    LIBXSMM_TARGET: 'hsw',
    DNNL_MAX_CPU_ISA: 'AVX2',
    ATEN_CPU_CAPABILITY: 'avx2',
  },
  sse: {
    OPENBLAS_CORETYPE: 'Nehalem',
    LIBXSMM_TARGET: 'wsm',
    DNNL_MAX_CPU_ISA: 'SSE41',
    ATEN_CPU_CAPABILITY: 'default',
  },
};

/** Those that no variable holds to an instruction set: BLIS has none below AVX2 that Debian's build heeds. */
const isFree = (name: string, isa: string): boolean =>
  isa !== '' && (name === 'onnxruntime' || (name === 'BLIS' && ['sse', 'scalar'].includes(isa)));

/** The variables that every rival gets for an instruction set ('' where fovea chooses). */
export const environmentOf = (isa: string): Readonly<Record<string, string>> =>
  held[isa === '' && hasAvx512 ? 'avx512' : isa === 'scalar' ? 'sse' : isa] ?? {};

/** What each process is told of threads; everyone's large buffers may lie on large pages. */
export const environmentFor = (threads: number): Readonly<Record<string, string>> => ({
  FOVEA_THREADS: String(threads),
  OMP_NUM_THREADS: String(threads),
  OPENBLAS_NUM_THREADS: String(threads),
  BLIS_NUM_THREADS: String(threads),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
});

const node = (file: string, ...args: string[]) => ({
  command: process.execPath,
  args: ['--expose-gc', '--import', 'tsx', join(here, 'compare', file), ...args],
});

function built(name: string, target: string, debian: string): Side {
  const command = join(cache, target);
  const absent = existsSync(command)
    ? undefined
    : `not built for this version of bench/compare: apt install ${debian} cmake, then npm run bench:rivals`;
  return { name, command, args: [], env: {}, absent, takes: isWork };
}

/** A build of fovea: its native kernels, and for the rows of plain JavaScript those in TypeScript. */
function fovea(name: string, root: string, env: Readonly<Record<string, string>>, isa: string): Side[] {
  const side = { name, ...node('fovea.ts', '--root', root) };
  return [
    { ...side, env: { ...env, FOVEA_BACKEND: 'native', ...(isa !== '' && { FOVEA_ISA: isa }) }, takes: isNative },
    { ...side, env: { ...env, FOVEA_BACKEND: 'reference' }, takes: (row) => !isNative(row) },
  ];
}

function pytorch(): Side {
  const found = spawnSync(python, ['-c', 'import importlib.util as u; exit(u.find_spec("torch") is None)']);
  const absent = found.status === 0 ? undefined : `apt install python3-torch (PYTHON=… names another python)`;
  return {
    name: 'PyTorch',
    command: python,
    args: [join(here, 'compare', 'pytorch.py')],
    env: {},
    absent,
    takes: isNative,
  };
}

function npm(name: string, file: string, takes: (row: Row) => boolean, ...args: string[]): Side {
  const absent = existsSync(join(modules, 'node_modules')) ? undefined : 'npm run bench:rivals installs it';
  return { name, ...node(file, ...args), env: {}, absent, takes };
}

/** The probe of this processor's limits. */
export const probe: Side = built('probe', 'probe', 'g++');

/** Another build of fovea, from a checkout or a binary. */
function other(path: string, isa: string): Side[] {
  const full = resolve(path);
  const found = existsSync(full);
  if (found && statSync(full).isFile()) return fovea('other', join(here, '..'), { FOVEA_BINARY: full }, isa);
  if (found && ['lib', 'dist'].some((folder) => existsSync(join(full, folder, 'kernels'))))
    return fovea('other', full, {}, isa);
  throw new Error(`--against: expected a .node binary, or a checkout of fovea with lib/kernels, but got ${full}`);
}

/** All sides of a run, fovea first; those that are absent say so. */
export function sidesOf({ isa, against, rivals }: Options): Side[] {
  const own = fovea('fovea', join(here, '..'), {}, isa);
  if (against !== undefined) return [...own, ...other(against, isa)];
  const all = [
    built('oneDNN', 'onednn', 'libdnnl-dev'),
    built('OpenBLAS', 'openblas', 'libopenblas-dev'),
    built('BLIS', 'blis', 'libblis-dev'),
    built('libxsmm', 'libxsmm', 'libxsmm-dev'),
    pytorch(),
    npm('onnxruntime', 'onnxruntime.ts', isNative),
    npm('tfjs-wasm', 'tfjs.ts', (row) => isNative(row) && isSample(row), '--backend', 'wasm'),
    npm('tfjs-cpu', 'tfjs.ts', (row) => !isNative(row), '--backend', 'cpu'),
    npm('convnetjs', 'convnetjs.ts', (row) => !isNative(row)),
  ].map((side) => ({
    ...side,
    env: { ...environmentOf(isa), ...side.env },
    ...(isFree(side.name, isa) && { absent: `nothing holds it to ${isa}` }),
  }));
  const unknown = rivals?.find((name) => !all.some((side) => side.name.toLowerCase() === name));
  if (unknown !== undefined)
    throw new Error(`--rivals: expected some of ${all.map((side) => side.name).join(', ')}, but got '${unknown}'`);
  return [...own, ...all.filter((side) => rivals?.includes(side.name.toLowerCase()) ?? true)];
}
