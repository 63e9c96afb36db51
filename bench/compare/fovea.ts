// fovea's kernels, called as a tensor operation calls them: `run(name, shape, buffers)`, the outputs allocated before.
// `--root` is the checkout to measure.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { BufferLayout, Layout } from '../../lib/kernels/layout.ts';
import type { Call } from '../shapes/row.ts';
import { Skip, serve, type Way } from './trial.ts';

type Memory = Float32Array | Int32Array;
type Backend = {
  run(kernel: string, shape: Readonly<Record<string, number>>, buffers: Readonly<Record<string, Memory>>): void;
  backendInfo(): { backend: string; isa: string; version: string };
};

const { values } = parseArgs({ options: { root: { type: 'string', default: '.' } } });
const folder = existsSync(join(values.root, 'lib')) ? 'lib' : 'dist';
const load = (file: string) =>
  import(pathToFileURL(join(values.root, folder, 'kernels', `${file}.${folder === 'lib' ? 'ts' : 'js'}`)).href);
const { run, backendInfo } = (await load('backend')) as Backend;
const { layouts } = (await load('layout')) as { layouts: ReadonlyMap<string, Layout> };

/** What kernels expect of some buffers beyond their length. */
const special: Readonly<Record<string, (length: number) => Memory>> = {
  variance: (length) => new Float32Array(length).fill(1),
  inverseStd: (length) => new Float32Array(length).fill(1),
  squareAverage: (length) => new Float32Array(length).fill(0.01),
};

function allocate({ name, spec, below }: BufferLayout, length: number, product: (fields: readonly string[]) => number) {
  if (special[name] !== undefined) return special[name](length);
  const memory = spec.type === 'i32' ? new Int32Array(length) : new Float32Array(length);
  // Outputs are written too, so that no page is touched first while the clock runs.
  if (memory instanceof Float32Array) for (let i = 0; i < length; ++i) memory[i] = Math.random() - 0.5;
  else for (let i = 0; i < length; ++i) memory[i] = Math.floor(Math.random() * (below.length ? product(below) : 1));
  return memory;
}

function prepare(call: Call): Way {
  const layout = layouts.get(call.op);
  if (layout === undefined) throw new Skip('not in this build');
  if (call.packed) throw new Skip('not in this build');
  const shape = Object.fromEntries(layout.fields.map((field) => [field, Number(call[field])]));
  const product = (fields: readonly string[]) => fields.reduce((size, field) => size * shape[field]!, 1);
  const given = String(call.with ?? '').split(',');
  const buffers: Record<string, Memory> = {};
  for (const buffer of layout.buffers) {
    if (buffer.spec.optional && !given.includes(buffer.name)) continue;
    buffers[buffer.name] = allocate(buffer, product(buffer.length), product);
  }
  return { run: () => run(call.op, shape, buffers) };
}

const { backend, isa, version } = backendInfo();
await serve({ name: 'fovea', version: `${version} ${backend}`, isa, prepare });
