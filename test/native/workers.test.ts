// Several threads of JavaScript on one pool of native threads: at once, ended in the middle of a call, and ended all.
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { backendModule, runModule, sameBinary, tryNative } from './helpers.ts';

const { native, problem } = tryNative();

/** A thread that multiplies matrices until it is stopped, and reports wrong products. */
const multiply = `
  Promise.all([import('node:worker_threads'), import(${backendModule})]).then(([{ workerData, parentPort }, { run }]) => {
    const { n, rounds, seed } = workerData;
    const a = new Float32Array(n * n), b = new Float32Array(n * n), y = new Float32Array(n * n);
    for (let i = 0; i < n; ++i) a[i * n + i] = seed;
    for (let i = 0; i < n * n; ++i) b[i] = i % 11;
    const shape = { batch: 1, aBatch: 1, bBatch: 1, m: n, n, k: n, transposeA: 0, transposeB: 0, accumulate: 0, activation: 0 };
    parentPort.postMessage('started');
    for (let round = 0; round < rounds; ++round) {
      run('matmul', shape, { a, b, y });
      for (let i = 0; i < n * n; i += 97) if (y[i] !== seed * b[i]) throw new Error('wrong product at ' + i);
    }
    parentPort.postMessage('done');
  });
`;

const start = `
  import { Worker } from 'node:worker_threads';
  import { setTimeout as wait } from 'node:timers/promises';
  const start = (workerData) => {
    const worker = new Worker(${JSON.stringify(multiply)}, { eval: true, workerData });
    worker.on('error', (error) => { console.error(error); process.exit(3); });
    const told = (text) => new Promise((resolve) => worker.on('message', (message) => message === text && resolve()));
    return { worker, started: told('started'), done: told('done') };
  };
`;

const run = (text: string, threads = 2) =>
  runModule(`${start}${text}`, { ...sameBinary, FOVEA_BACKEND: 'native', FOVEA_THREADS: String(threads) });

describe.skipIf(native === undefined)(`worker threads${problem && ` (skipped: ${problem})`}`, () => {
  it.for([1, 2, 4])('get right results at once, with %d native threads', (threads) => {
    const result = run(
      `await Promise.all([2, 3, 5, 7].map((seed) => start({ n: 150, rounds: 60, seed }).done));
       console.log('right');`,
      threads,
    );
    expect(result).toEqual({ status: 0, stdout: 'right\n', stderr: '' });
  });

  it('may be ended in the middle of a call', () => {
    const result = run(`
      for (let round = 0; round < 6; ++round) {
        const workers = [1, 2, 3].map((seed) => start({ n: 300, rounds: 1e9, seed }));
        await Promise.all(workers.map(({ started }) => started));
        await wait(3 * round);
        await Promise.all(workers.map(({ worker }) => worker.terminate()));
      }
      await start({ n: 100, rounds: 3, seed: 4 }).done;
      console.log('alive');
    `);
    expect(result).toEqual({ status: 0, stdout: 'alive\n', stderr: '' });
  });

  it('may be ended at any moment of their start, and while the binary makes or throws JavaScript values', () => {
    const ask = `
      Promise.all([import('node:worker_threads'), import('node:module'), import(${backendModule})]).then(
        ([{ parentPort }, { createRequire }, { backendInfo }]) => {
          const binary = createRequire(${backendModule})(backendInfo().path);
          parentPort.postMessage('started');
          for (;;) {
            binary.describe();
            try { binary.selectIsa('none'); } catch {}
            try { binary.run(0); } catch {}
          }
        },
      );
    `;
    const result = run(`
      for (let round = 0; round < 30; ++round) {
        const workers = [1, 2].map((seed) => start({ n: 50, rounds: 1e9, seed }).worker);
        const asking = new Worker(${JSON.stringify(ask)}, { eval: true });
        asking.on('error', (error) => { console.error(error); process.exit(3); });
        if (round % 2 === 0) await new Promise((resolve) => asking.on('message', resolve));
        else await wait(round);
        await Promise.all([...workers, asking].map((worker) => worker.terminate()));
      }
      await start({ n: 100, rounds: 3, seed: 4 }).done;
      console.log('alive');
    `);
    expect(result).toEqual({ status: 0, stdout: 'alive\n', stderr: '' });
  });

  it('may all end, so that the binary would be unloaded, and start anew', () => {
    const result = run(`
      for (let round = 0; round < 3; ++round) {
        const { worker, done } = start({ n: 200, rounds: 5, seed: 2 });
        const gone = new Promise((resolve) => worker.on('exit', resolve));
        await done;
        await gone;
        await wait(20);
      }
      console.log('alive');
    `);
    expect(result).toEqual({ status: 0, stdout: 'alive\n', stderr: '' });
  });

  it('do not keep process.exit waiting, nor crash it', () => {
    const result = run(`
      const workers = [1, 2].map((seed) => start({ n: 300, rounds: 1e9, seed }));
      await Promise.all(workers.map(({ started }) => started));
      setTimeout(() => process.exit(5), 10);
    `);
    expect(result).toEqual({ status: 5, stdout: '', stderr: '' });
  });

  it('start pool threads only for work that is large enough, and once for all', () => {
    const result = runModule(
      `const { run, backendInfo } = await import(${backendModule});
       const binary = (await import('node:module')).createRequire(import.meta.url)(backendInfo().path);
       const counts = [binary.info().startedThreads];
       run('relu', { count: 8 }, { x: new Float32Array(8), y: new Float32Array(8) });
       counts.push(binary.info().startedThreads);
       const large = new Float32Array(2 ** 20);
       for (let i = 0; i < 5; ++i) run('relu', { count: large.length }, { x: large, y: large });
       counts.push(binary.info().startedThreads);
       console.log(counts.join());`,
      { ...sameBinary, FOVEA_BACKEND: 'native', FOVEA_THREADS: '3' },
    );
    expect(result).toEqual({ status: 0, stdout: '0,0,2\n', stderr: '' });
  });

  it('leave an idle process idle', () => {
    const result = runModule(
      `const { run } = await import(${backendModule});
       const large = new Float32Array(2 ** 20);
       run('relu', { count: large.length }, { x: large, y: large });
       await new Promise((resolve) => setTimeout(resolve, 100));
       const before = process.cpuUsage();
       await new Promise((resolve) => setTimeout(resolve, 500));
       const { user, system } = process.cpuUsage(before);
       console.log(user + system < 50_000 ? 'idle' : 'busy for ' + (user + system) + ' us of 500 ms');`,
      { ...sameBinary, FOVEA_BACKEND: 'native', FOVEA_THREADS: String(Math.max(2, availableParallelism())) },
    );
    expect(result).toEqual({ status: 0, stdout: 'idle\n', stderr: '' });
  });
});
