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
type Shape = Readonly<Record<string, number>>;
type Buffers = Readonly<Record<string, Memory>>;
type Backend = {
  run(kernel: string, shape: Shape, buffers: Buffers, packed?: unknown): void;
  /** Older builds have none. */
  pack?(kernel: string, shape: Shape, operands: Buffers): unknown;
  backendInfo(): { backend: string; isa: string; version: string };
};

const { values } = parseArgs({ options: { root: { type: 'string', default: '.' } } });
const folder = existsSync(join(values.root, 'lib')) ? 'lib' : 'dist';
const load = (file: string) =>
  import(pathToFileURL(join(values.root, folder, 'kernels', `${file}.${folder === 'lib' ? 'ts' : 'js'}`)).href);
const { run, pack, backendInfo } = (await load('backend')) as Backend;
const { layouts } = (await load('layout')) as { layouts: ReadonlyMap<string, Layout> };

/** Values for the buffers that random numbers would not suit. */
const constant: Readonly<Record<string, number>> = { variance: 1, inverseStd: 1, squareAverage: 0.01 };

/** Of one optimizer step (see the list). */
const settingsOf = (op: string, momentum: boolean): Float32Array =>
  Float32Array.from(
    op === 'sgd' ? [0.01, momentum ? 0.9 : 0, 0, 0, 0, 0, 0] : [0.001, 0.9, 0.999, 1e-8, 0, 0, 0, 1, 1],
  );

/** A buffer of a call, all of it written: no page may be touched first while the clock runs. */
function allocate({ name, spec }: BufferLayout, length: number, below: number): Memory {
  if (spec.type === 'i32') return Int32Array.from({ length }, () => Math.floor(Math.random() * below));
  const value = constant[name];
  const memory = new Float32Array(length);
  for (let i = 0; i < length; ++i) memory[i] = value ?? Math.random() - 0.5;
  return memory;
}

/** Places of maxima as a forward pass leaves them. */
function placesOf(shape: Shape, indices: Memory): Memory {
  const x = Float32Array.from({ length: shape.planes! * shape.height! * shape.width! }, Math.random);
  run('maxPool2d', shape, { x, y: new Float32Array(indices.length), indices });
  return indices;
}

function prepare(call: Call): Way {
  const layout = layouts.get(call.op);
  if (layout === undefined || (call.packed && pack === undefined)) throw new Skip('not in this build');
  const shape = Object.fromEntries(layout.fields.map((field) => [field, Number(call[field])]));
  const product = (fields: readonly string[]) => fields.reduce((size, field) => size * shape[field]!, 1);
  const given = String(call.with ?? '').split(',');
  const buffers: Record<string, Memory> = {};
  for (const buffer of layout.buffers) {
    if (buffer.spec.optional && !given.includes(buffer.name)) continue;
    if (buffer.name === 'settings') buffers.settings = settingsOf(call.op, given.includes('velocity'));
    else buffers[buffer.name] = allocate(buffer, product(buffer.length), product(buffer.below));
  }
  if (call.op === 'maxPool2dBackward') buffers.indices = placesOf(shape, buffers.indices!);
  if (!call.packed) return { run: () => run(call.op, shape, buffers) };
  const packed = pack?.(call.op, shape, buffers);
  return { run: () => run(call.op, shape, buffers, packed), ...(packed !== undefined && { how: 'packed' }) };
}

const { backend, isa, version } = backendInfo();
await serve({ name: 'fovea', version: `${version} ${backend}`, isa, prepare });
