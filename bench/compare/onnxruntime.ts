// onnxruntime-node: a model of one operation, weights constant, run as its user runs it: `await session.run(…)`.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { modules } from '../cache.ts';
import type { Call } from '../shapes/row.ts';
import { type Constant, encode, type Input, type Operation } from './onnx-model.ts';
import { randomFloats, Skip, serve, type Way } from './trial.ts';

interface Runtime {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object;
  readonly InferenceSession: {
    create(model: Buffer, options: object): Promise<{ run(feeds: object): Promise<unknown>; release(): Promise<void> }>;
  };
}

const require = createRequire(join(modules, 'package.json'));
const runtime = require('onnxruntime-node') as Runtime;
const { version } = require('onnxruntime-node/package.json') as { version: string };

interface Graph {
  readonly operation: Operation;
  readonly inputs: readonly Input[];
  readonly constants?: readonly Constant[];
}

type Fields = Readonly<Record<string, number>>;

const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);
const random = (dims: readonly number[]): Float32Array => randomFloats(product(dims));
const constant = (name: string, ...dims: number[]): Constant => ({ name, dims, values: random(dims) });

function matmul(c: Fields): Graph {
  const a = { name: 'a', dims: c.transposeA ? [c.k!, c.m!] : [c.m!, c.k!] };
  const b = { name: 'b', dims: c.transposeB ? [c.n!, c.k!] : [c.k!, c.n!] };
  const attributes = { transA: c.transposeA!, transB: c.transposeB! };
  const operation = { type: 'Gemm', attributes, inputs: ['a', 'b'], outputs: ['y'] };
  if (c.packed) return { operation, inputs: [a], constants: [constant('b', ...b.dims)] };
  return { operation, inputs: [a, b] };
}

function conv2d(c: Fields): Graph {
  // Padding at the end may be less than at the begin, where the stride leaves a rest.
  const rest = (size: number, out: number, stride: number, kernel: number, pad: number) =>
    Math.max(0, (out - 1) * stride + kernel - size - pad);
  const bottom = rest(c.height!, c.outHeight!, c.strideHeight!, c.kernelHeight!, c.padTop!);
  const right = rest(c.width!, c.outWidth!, c.strideWidth!, c.kernelWidth!, c.padLeft!);
  const attributes = {
    strides: [c.strideHeight!, c.strideWidth!],
    pads: [c.padTop!, c.padLeft!, bottom, right],
    group: c.groups!,
  };
  return {
    operation: { type: 'Conv', attributes, inputs: ['x', 'weight', 'bias'], outputs: ['y'] },
    inputs: [{ name: 'x', dims: [c.batch!, c.inChannels!, c.height!, c.width!] }],
    constants: [
      constant('weight', c.outChannels!, c.groupChannels!, c.kernelHeight!, c.kernelWidth!),
      constant('bias', c.outChannels!),
    ],
  };
}

function pool(type: string, extra: Readonly<Record<string, number>>) {
  return (c: Fields): Graph => ({
    operation: {
      type,
      attributes: {
        kernel_shape: [c.kernelHeight!, c.kernelWidth!],
        strides: [c.strideHeight!, c.strideWidth!],
        pads: [c.padTop!, c.padLeft!, c.padTop!, c.padLeft!],
        ...extra,
      },
      inputs: ['x'],
      outputs: ['y'],
    },
    inputs: [{ name: 'x', dims: [c.planes! / c.channels!, c.channels!, c.height!, c.width!] }],
  });
}

function recurrent(c: Fields, cell: string): Graph {
  const type = { lstm: 'LSTM', gru: 'GRU', 'gru-v1': 'GRU' }[cell] ?? 'RNN';
  const gates = { LSTM: 4, GRU: 3 }[type] ?? 1;
  const { steps, batch, inputs, hidden, directions } = c as Record<string, number> & Fields;
  return {
    operation: {
      type,
      attributes: {
        hidden_size: hidden!,
        direction: directions === 2 ? 'bidirectional' : 'forward',
        ...(type === 'GRU' && { linear_before_reset: Number(cell === 'gru') }),
      },
      inputs: ['x', 'weight', 'recurrence', 'bias'],
      outputs: ['y'],
    },
    inputs: [{ name: 'x', dims: [steps!, batch!, inputs!] }],
    constants: [
      constant('weight', directions!, gates * hidden!, inputs!),
      constant('recurrence', directions!, gates * hidden!, hidden!),
      constant('bias', directions!, 2 * gates * hidden!),
    ],
  };
}

function graphOf(call: Call): Graph {
  const fields = call as unknown as Fields;
  if (call.op === 'matmul') return matmul(fields);
  if (call.op === 'conv2d' && call.packed) return conv2d(fields);
  if (call.op === 'maxPool2d' && call.with === '') return pool('MaxPool', {})(fields);
  if (call.op === 'avgPool2d') return pool('AveragePool', { count_include_pad: 1 })(fields);
  if (call.op !== 'recurrent' || call.training)
    throw new Skip('it is measured on products, convolutions, pools, cells');
  if (Number(call.layers) > 1) throw new Skip('its layers are one operation each');
  return recurrent(fields, String(call.cell));
}

async function prepare(call: Call): Promise<Way> {
  const { operation, inputs, constants } = graphOf(call);
  const session = await runtime.InferenceSession.create(encode(operation, inputs, constants), {
    intraOpNumThreads: Number(process.env.OMP_NUM_THREADS),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const feeds = Object.fromEntries(
    inputs.map(({ name, dims }) => [name, new runtime.Tensor('float32', random(dims), dims)]),
  );
  return { run: () => session.run(feeds), done: () => session.release() };
}

await serve({ name: 'onnxruntime', version, prepare });
