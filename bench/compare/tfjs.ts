// TensorFlow.js in Node.js: `--backend cpu` is plain JavaScript, `--backend wasm` its WebAssembly.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { modules } from '../cache.ts';
import type { Call } from '../shapes/row.ts';
import { Skip, serve, type Way } from './trial.ts';

interface Tensor {
  dispose(): void;
}

interface TensorFlow {
  readonly version: { readonly tfjs: string };
  readonly env: () => { set(flag: string, value: boolean): void };
  readonly layers: { lstm(options: object): { apply(x: Tensor): Tensor } };
  setBackend(name: string): Promise<boolean>;
  randomUniform(shape: readonly number[], low: number, high: number): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  conv2d(x: Tensor, filter: Tensor, strides: readonly number[], pad: number | string): Tensor;
  tidy<T>(body: () => T): T;
  dispose(tensors: readonly Tensor[]): void;
}

const { values } = parseArgs({ options: { backend: { type: 'string', default: 'cpu' } } });
const require = createRequire(join(modules, 'package.json'));
// It advertises its own binding on the standard output.
console.warn = console.log = () => {};
const tf = require('@tensorflow/tfjs') as TensorFlow;
if (values.backend === 'wasm') {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
}
await tf.setBackend(values.backend);

const random = (...shape: number[]): Tensor => tf.randomUniform(shape, -0.5, 0.5);

/** A call whose result is thrown away, as its user must by hand. */
function way(inputs: readonly Tensor[], body: () => Tensor): Way {
  return { run: () => tf.tidy(() => void body()), done: () => tf.dispose(inputs) };
}

function prepare(call: Call): Way {
  const c = call as unknown as Readonly<Record<string, number>>;
  if (call.op === 'matmul') {
    const a = random(...(c.transposeA ? [c.k!, c.m!] : [c.m!, c.k!]));
    const b = random(...(c.transposeB ? [c.n!, c.k!] : [c.k!, c.n!]));
    return way([a, b], () => tf.matMul(a, b, Boolean(c.transposeA), Boolean(c.transposeB)));
  }
  if (call.op === 'conv2d' && c.groups === 1) {
    const x = random(c.batch!, c.height!, c.width!, c.inChannels!);
    const filter = random(c.kernelHeight!, c.kernelWidth!, c.inChannels!, c.outChannels!);
    return way([x, filter], () => tf.conv2d(x, filter, [c.strideHeight!, c.strideWidth!], c.padTop!));
  }
  if (call.op === 'recurrent' && call.cell === 'lstm' && !call.training && c.layers === 1 && c.directions === 1) {
    // Its own initializer would take minutes: it makes the weights orthogonal.
    const recurrentInitializer = 'glorotUniform';
    const layer = tf.layers.lstm({ units: c.hidden!, returnSequences: true, recurrentInitializer });
    const x = random(c.batch!, c.steps!, c.inputs!);
    return way([x], () => layer.apply(x));
  }
  throw new Skip('it is measured on a few rows');
}

await serve({ name: `tfjs ${values.backend}`, version: tf.version.tfjs, prepare });
