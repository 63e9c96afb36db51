// fovea's kernels, called as a tensor operation calls them: `run(name, shape, buffers)`, the outputs allocated before.
// `--root` is the checkout to measure.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Layout } from '../../lib/kernels/layout.ts';
import type { Call } from '../shapes/row.ts';
import { type Build, KernelCall, type Memory, type Shape } from './fovea-call.ts';
import { recurrent } from './fovea-recurrent.ts';
import { serve, type Way } from './trial.ts';

type Backend = Omit<Build, 'layouts'> & {
  backendInfo(): { backend: string; isa: string; version: string };
};

const { values } = parseArgs({ options: { root: { type: 'string', default: '.' } } });
const [folder, ending] = existsSync(join(values.root, 'lib')) ? ['lib', 'ts'] : ['dist', 'js'];
const load = (file: string) => import(pathToFileURL(join(values.root, folder, 'kernels', `${file}.${ending}`)).href);
const { run, pack, backendInfo } = (await load('backend')) as Backend;
const { layouts } = (await load('layout')) as { layouts: ReadonlyMap<string, Layout> };
const build: Build = { run, layouts, ...(pack && { pack }) };

/** Places of maxima as a forward pass leaves them. */
function placesOf(shape: Shape): Memory {
  const maxima = new KernelCall(build, 'maxPool2d', shape, ['indices']);
  maxima.runner()();
  return maxima.buffers.indices!;
}

function prepare(call: Call): Way {
  if (call.op === 'recurrent') return recurrent(build, call);
  const fields = call as unknown as Shape;
  const existing = call.op === 'maxPool2dBackward' ? { indices: placesOf(fields) } : {};
  const one = new KernelCall(build, call.op, fields, String(call.with ?? '').split(','), existing);
  const packed = call.packed === 1 && one.pack();
  return { run: one.runner(), ...(packed && { how: 'packed' }) };
}

const { backend, isa, version } = backendInfo();
await serve({ name: 'fovea', version: `${version} ${backend}`, isa, prepare });
