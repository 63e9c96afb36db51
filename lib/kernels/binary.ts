// Finds and opens the native binary: a prebuilt one, then a local build.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { description, layouts } from './layout.ts';

type Memory = Float32Array | Float64Array | Int32Array | undefined;

/** What the binary says of itself and of what ran. */
export interface BinaryInfo {
  readonly compiler: string;
  readonly isa: string;
  /** The instruction set whose kernel ran last; '' before the first. */
  readonly lastIsa: string;
  readonly vectorWidth: number;
  readonly threads: number;
  readonly startedThreads: number;
  readonly workspaceBytes: number;
}

/** The exports of native/addon.cpp. */
export interface Binary {
  describe(): readonly { name: string; integers: string; constants: string; buffers: string }[];
  isas(): string[];
  selectIsa(name: string): void;
  setThreads(count: number): void;
  info(): BinaryInfo;
  /** Buffers in the order of the list, then the packed form of its operands, if any. */
  run(kernel: number, shape: Float64Array, ...buffers: Memory[]): void;
  /** Floats of that form; 0 where this shape takes its operands as they are. */
  packedLength(kernel: number, shape: Float64Array): number;
  /** The operands that the list marks, in its order, then the packed form, which is written. */
  pack(kernel: number, shape: Float64Array, ...operands: Memory[]): void;
  /** Makes a program of the numbers that native/program.h describes; memories that are inputs are undefined. */
  createProgram(numbers: Float64Array, memories: readonly Memory[]): NativeProgram;
  runProgram(program: NativeProgram, ...inputs: Memory[]): void;
  /** The same, and how many milliseconds each call took. */
  timeProgram(program: NativeProgram, times: Float64Array, ...inputs: Memory[]): void;
  /** Calls `done` when it is over, with the time it took and what went wrong, if anything. Inputs are copied. */
  startProgram(
    program: NativeProgram,
    done: (milliseconds: number, problem?: string) => void,
    ...inputs: Memory[]
  ): void;
  /** Ends the run under way, if any, before its next call. */
  cancelProgram(program: NativeProgram): void;
}

/** A program of the binary. */
export type NativeProgram = object;

/** A path that was tried, and why it did not serve. */
export interface Attempt {
  readonly path: string;
  readonly problem: string;
}

/** A binary that serves, and where it was found. */
export interface Found {
  readonly binary: Binary;
  readonly path: string;
  readonly origin: 'prebuilt' | 'local build' | 'FOVEA_BINARY';
}

/** No binary could be loaded; `attempts` says what was tried. */
export class NativeLoadError extends Error {
  override readonly name = 'NativeLoadError';
  readonly attempts: readonly Attempt[];

  constructor(attempts: readonly Attempt[], advice: string) {
    const tried = attempts.map(({ path, problem }) => `${path}: ${problem}`).join('; ');
    super(`no native binary could be loaded (${tried}); ${advice}`);
    this.attempts = attempts;
  }
}

/** What is used of node-gyp-build, which knows the names of prebuilt binaries. */
interface Prebuilds {
  parseTuple(name: string): { name: string } | undefined;
  matchTuple(platform: string, arch: string): (tuple: { name: string } | undefined) => boolean;
  compareTuples(a: object, b: object): number;
  parseTags(file: string): { file: string } | undefined;
  matchTags(runtime: string, abi: string): (tags: { file: string } | undefined) => boolean;
  compareTags(runtime: string): (a: object, b: object) => number;
}

const require = createRequire(import.meta.url);

/** The folder of this package, from lib/ as from dist/. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isPackage(folder)) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`expected the package fovea around ${import.meta.url}, but found none`);
    folder = parent;
  }
  return folder;
}

function isPackage(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'fovea';
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** The prebuilt binary for this platform, or undefined. */
function findPrebuilt(root: string): string | undefined {
  const names = require('node-gyp-build') as Prebuilds;
  const folder = join(root, 'prebuilds');
  const tuples = list(folder).map((name) => names.parseTuple(name));
  const [tuple] = tuples
    .filter(names.matchTuple(platform(), arch()))
    .filter((it) => it !== undefined)
    .sort(names.compareTuples);
  if (tuple === undefined) return undefined;
  const tags = list(join(folder, tuple.name)).map((file) => names.parseTags(file));
  const matching = tags.filter(names.matchTags('node', process.versions.modules)).filter((it) => it !== undefined);
  const [best] = matching.sort(names.compareTags('node'));
  return best && join(folder, tuple.name, best.file);
}

/** Opens one file. Throws where it is no binary of this platform, or of another version of the list. */
function open(path: string): Binary {
  const binary = require(path) as Binary;
  const theirs = binary.describe();
  const ours = [...layouts.values()].map(description);
  const differing = ours.findIndex((kernel, i) => JSON.stringify(kernel) !== JSON.stringify(theirs[i]));
  if (differing < 0 && ours.length === theirs.length) return binary;
  const name = ours[differing]?.name ?? theirs[ours.length]?.name;
  throw new Error(`built from another version of the kernels (they differ at '${name}')`);
}

/**
 * Opens the first binary that serves: the one FOVEA_BINARY names (for testing a build, nothing else is tried then), or
 * a prebuilt one, or a local build. Throws a NativeLoadError with every path tried.
 */
export function openBinary(root = packageRoot()): Found {
  const attempts: Attempt[] = [];
  const attempt = (path: string | undefined, origin: Found['origin']): Found | undefined => {
    if (path === undefined) {
      attempts.push({ path: join(root, 'prebuilds'), problem: `holds nothing for ${platform()}-${arch()}` });
      return undefined;
    }
    try {
      if (!existsSync(path)) throw new Error('not there');
      return { binary: open(path), path, origin };
    } catch (error) {
      attempts.push({ path, problem: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '' });
      return undefined;
    }
  };
  const forced = process.env.FOVEA_BINARY ?? '';
  const found =
    forced !== ''
      ? attempt(resolve(forced), 'FOVEA_BINARY')
      : (attempt(findPrebuilt(root), 'prebuilt') ??
        attempt(join(root, 'build', 'Release', 'fovea.node'), 'local build'));
  if (found !== undefined) return found;
  throw new NativeLoadError(attempts, advice(root));
}

function advice(root: string): string {
  if (existsSync(join(root, 'scripts', 'build.mjs'))) {
    return 'to build one, install a C++17 compiler, make and Python 3, and run: npm run prepare';
  }
  return `this package has none for ${platform()}-${arch()}: reinstall it, or use a platform that it has one for`;
}
