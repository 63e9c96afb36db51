// What calls cost, and small networks: a kernel call, a program, LeNet-5 beside onnxruntime-node, in turns in one process.
// `npm run bench:call [-- --threads 1 --rounds 15 --json]`; onnxruntime-node is installed by `npm run bench:rivals`.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backendInfo, compile, Generator, noGrad, randn, record, type Tensor, zeros } from '../lib/index.ts';
import { run } from '../lib/kernels/backend.ts';
import { createModel } from '../lib/models/index.ts';
import { modules } from './cache.ts';
import { encodeChain, type Operation } from './compare/onnx-model.ts';
import { machine } from './machine.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
  },
});
const threads = Number(values.threads);
process.env.FOVEA_THREADS = values.threads; // before the first kernel call chooses

interface Timed {
  readonly row: string;
  readonly name: string;
  readonly work: () => unknown;
  readonly times: number[];
}

const timed: Timed[] = [];
const time = (row: string, name: string, work: () => unknown) => void timed.push({ row, name, work, times: [] });

const nothing = new Float32Array(0);
time('nothing at all', 'kernel call', () => run('fill', { count: 0, value: 0 }, { y: nothing }));
const idle = record((x: Tensor) => x.exp(), [zeros([0])]);
const none = [zeros([0])];
time('nothing at all', 'program, runSync', () => idle.runSync(none));
time('nothing at all', 'program, run', () => idle.run(none));

const { model } = createModel('lenet5', { generator: new Generator(1) });
model.eval();
const compiled = compile(model);
const session = await onnxSession();
for (const batch of [1, 32]) {
  const row = `LeNet-5, batch ${batch}`;
  const x = randn([batch, 1, 28, 28], { seed: 1 });
  const expected = noGrad(() => model.forward(x)).floats;
  time(row, 'eager', () => noGrad(() => model.forward(x)));
  time(row, 'program, runSync', () => compiled.runSync(x));
  time(row, 'program, run', () => compiled.run(x));
  if (session === undefined) continue;
  const [feeds, answer] = await session(x);
  if (answer.some((value, i) => Math.abs(value - expected[i]!) > 1e-4)) throw new Error('the two networks differ');
  time(row, 'onnxruntime, run', feeds);
}

// In turns, so that what else the machine does meets all alike; each for some 20 ms.
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const { work, times } of timed) {
    const begin = performance.now();
    let calls = 0;
    for (; calls < 4 || performance.now() - begin < 20; calls++) await work();
    if (round > 0) times.push((performance.now() - begin) / calls); // the first warms up
  }
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
const results = timed.map(({ row, name, times }) => ({ row, name, us: 1000 * median(times) }));
const { isa } = backendInfo();
if (values.json) console.log(JSON.stringify({ machine: machine(), threads, isa, results }));
else {
  const { processor, processors, date } = machine();
  console.log(`Calls, ${threads} thread(s), ${isa}; ${processor}, ${processors} processors; ${date} UTC\n`);
  console.log('| work | way | microseconds | of onnxruntime |\n|---|---|---|---|');
  for (const { row, name, us } of results) {
    const rival = results.find((it) => it.row === row && it.name.startsWith('onnx'));
    console.log(`| ${row} | ${name} | ${us.toPrecision(3)} | ${rival ? (us / rival.us).toFixed(2) : ''} |`);
  }
}

/** The same network in onnxruntime-node: what runs it on an input, and what it then gives; undefined if not installed. */
async function onnxSession() {
  interface Runtime {
    readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object;
    readonly InferenceSession: {
      create(
        model: Buffer,
        options: object,
      ): Promise<{ run(feeds: object): Promise<Record<string, { data: Float32Array }>> }>;
    };
  }
  let runtime: Runtime;
  try {
    runtime = createRequire(join(modules, 'package.json'))('onnxruntime-node') as Runtime;
  } catch {
    console.error('onnxruntime-node is not installed (npm run bench:rivals): without it');
    return undefined;
  }
  const weights = Object.entries(model.stateDict());
  const names = weights.map(([name]) => name);
  const layer = (type: string, attributes: Operation['attributes'], from: string, to: string): Operation => {
    const weighted = type === 'Conv' || type === 'Gemm' ? names.splice(0, 2) : [];
    return { type, attributes: attributes ?? {}, inputs: [from, ...weighted], outputs: [to] };
  };
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  const chain = [
    layer('Conv', { kernel_shape: [5, 5], pads: [2, 2, 2, 2] }, 'x', 'a'),
    layer('Relu', {}, 'a', 'b'),
    layer('MaxPool', pool, 'b', 'c'),
    layer('Conv', { kernel_shape: [5, 5] }, 'c', 'd'),
    layer('Relu', {}, 'd', 'e'),
    layer('MaxPool', pool, 'e', 'f'),
    layer('Flatten', {}, 'f', 'g'),
    layer('Gemm', { transB: 1 }, 'g', 'h'),
    layer('Relu', {}, 'h', 'i'),
    layer('Gemm', { transB: 1 }, 'i', 'j'),
    layer('Relu', {}, 'j', 'k'),
    layer('Gemm', { transB: 1 }, 'k', 'y'),
  ];
  const constants = weights.map(([name, { shape, floats }]) => ({
    name,
    dims: shape,
    values: Float32Array.from(floats),
  }));
  return async (x: Tensor) => {
    const options = { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all' };
    const bytes = encodeChain(chain, [{ name: 'x', dims: x.shape }], constants);
    const created = await runtime.InferenceSession.create(bytes, options);
    const feeds = { x: new runtime.Tensor('float32', Float32Array.from(x.floats), x.shape) };
    const { y } = await created.run(feeds);
    return [() => created.run(feeds), [...y!.data]] as const;
  };
}
