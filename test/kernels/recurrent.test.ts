// Recurrent kernels: gradients against finite differences, and what lengths, directions and states mean, on each backend.
import { describe, expect, it } from 'vitest';
import type { KernelName } from '../../lib/kernels/list.ts';
import { generator, type Named, type Numbers, productOf, specsOf } from './buffers.ts';
import { callReference } from './compare.ts';
import { type Call, nativeCall } from './native-call.ts';

type Cell = 'rnn' | 'gru' | 'lstm';
type Fields = Readonly<Record<string, number>>;
type Floats = Float32Array | Float64Array;

const sizes = {
  steps: 4,
  batch: 3,
  inputSize: 3,
  hiddenSize: 5,
  reverse: 0,
  projSize: 0,
  stateSize: 5,
  yStride: 7,
  yOffset: 1,
  accumulate: 0,
};
const lengths = Int32Array.of(2, 4, 0);

/** Every form of every cell. */
const forms: readonly (readonly [string, Cell, Fields])[] = [
  ['rnn', 'rnn', { relu: 0 }],
  ['rnn with ReLU', 'rnn', { relu: 1 }],
  ['gru, reset after', 'gru', { resetAfter: 1 }],
  ['gru, reset before', 'gru', { resetAfter: 0 }],
  ['lstm', 'lstm', {}],
  ['lstm, projected', 'lstm', { projSize: 2, stateSize: 2 }],
];

/** Buffers of a kernel: those given (undefined leaves one out), random numbers within ±0.8 for others. */
function buffersOf(kernel: KernelName, shape: Fields, double: boolean, given: Named, seed: number) {
  return Object.fromEntries(
    Object.entries(specsOf(kernel)).map(([name, spec], i): [string, Numbers | undefined] => {
      if (name in given) return [name, given[name]];
      const random = generator(100 * seed + i);
      const values = Array.from({ length: productOf(spec.length, shape) }, () => 1.6 * random() - 0.8);
      if (spec.type === 'i32') return [name, undefined];
      return [name, double ? Float64Array.from(values) : Float32Array.from(values)];
    }),
  );
}

const floats = (buffers: Named, name: string): Floats => {
  const found = buffers[name];
  if (found === undefined || found instanceof Int32Array) throw new Error(`expected floats as ${name}`);
  return found;
};
/** Equal but for rounding: sums of another number of rows may be taken in another order. */
function expectClose(got: Numbers | undefined, want: Numbers | undefined): void {
  expect(got?.length).toBe(want?.length);
  got?.forEach((value, i) => {
    expect(Math.abs(value - (want?.[i] ?? Number.NaN))).toBeLessThanOrEqual(1e-6);
  });
}
const capital = (name: string) => `grad${name.charAt(0).toUpperCase()}${name.slice(1)}`;

describe('gradients through time agree with finite differences', () => {
  for (const [name, cell, flags] of forms) {
    for (const reverse of [0, 1]) {
      for (const given of [{}, { lengths }, { h0: undefined, c0: undefined, peepholes: undefined }]) {
        const options = Object.keys(given).join(', ') || 'nothing';
        it(`${name}, reverse ${reverse}, ${options} given or left out`, () => {
          const shape = { ...sizes, ...flags, reverse };
          const buffers = buffersOf(cell, shape, true, given, 7);
          callReference(cell, shape, buffers);
          const outputs = cell === 'lstm' ? ['y', 'hN', 'cN'] : ['y', 'hN'];
          const random = generator(8);
          const grads = Object.fromEntries(
            outputs.map((output) => [output, floats(buffers, output).map(() => 2 * random() - 1)]),
          );
          const backward: KernelName = `${cell}Backward`;
          const gradients = buffersOf(
            backward,
            shape,
            true,
            {
              ...buffers,
              ...Object.fromEntries(outputs.map((output) => [capital(output), grads[output]])),
              saved: buffers.saved?.slice(),
            },
            9,
          );
          callReference(backward, shape, gradients);
          const inputs = ['x', 'weightIh', 'weightHh', 'biasIh', 'biasHh', 'weightHr', 'peepholes', 'h0', 'c0'];
          for (const input of inputs) {
            if (buffers[input] === undefined) continue;
            const gradient = capital(input);
            const got = gradients[gradient] ?? gradients.gradBias;
            const values = floats(buffers, input);
            const loss = () => {
              callReference(cell, shape, buffers);
              let total = 0;
              for (const output of outputs)
                floats(buffers, output).forEach((value, i) => {
                  const column = i % shape.yStride;
                  const mine = output !== 'y' || (column >= shape.yOffset && column < shape.yOffset + shape.stateSize);
                  if (mine) total += value * (grads[output]?.[i] ?? 0);
                });
              return total;
            };
            values.forEach((value, i) => {
              values[i] = value + 1e-5;
              const above = loss();
              values[i] = value - 1e-5;
              const want = (above - loss()) / 2e-5;
              values[i] = value;
              expect(Math.abs((got?.[i] ?? Number.NaN) - want), `${gradient}[${i}]`).toBeLessThanOrEqual(1e-8);
            });
          }
        });
      }
    }
  }
});

const { call: native, reason } = nativeCall();
const backends: readonly (readonly [string, Call | undefined])[] = [
  ['reference', callReference],
  [native === undefined ? `native (skipped: ${reason})` : 'native', native],
];

for (const [backend, call] of backends) {
  describe.skipIf(call === undefined)(backend, () => {
    const run: Call = (...given) => call?.(...given);
    const empty = (length: number) => new Float32Array(length);

    for (const [name, cell, flags] of forms) {
      const shape = { ...sizes, ...flags };
      const { steps, batch, inputSize, stateSize, yStride, yOffset } = shape;
      const rowsAfterEnd = (b: number) =>
        Array.from({ length: steps - (lengths[b] ?? 0) }, (_, i) => ((lengths[b] ?? 0) + i) * batch + b);

      it(`${name}: nothing in a padded step counts, forward or backward`, () => {
        for (const reverse of [0, 1]) {
          const [clean, dirty] = [0, Number.NaN].map((padding) => {
            const forward = buffersOf(cell, { ...shape, reverse }, false, { lengths }, 3);
            const spoil = (buffers: Named, buffer: string, columns: number) => {
              for (let b = 0; b < batch; b++)
                for (const row of rowsAfterEnd(b))
                  floats(buffers, buffer).fill(padding, row * columns, (row + 1) * columns);
            };
            spoil(forward, 'x', inputSize);
            run(cell, { ...shape, reverse }, forward);
            const backward = buffersOf(
              `${cell}Backward`,
              { ...shape, reverse },
              false,
              { ...forward, saved: forward.saved?.slice() },
              4,
            );
            spoil(backward, 'gradY', yStride);
            run(`${cell}Backward`, { ...shape, reverse }, backward);
            return { forward, backward };
          });
          for (const side of ['forward', 'backward'] as const) {
            for (const [buffer, spec] of Object.entries(specsOf(side === 'forward' ? cell : `${cell}Backward`))) {
              if (spec.mode === 'read') continue;
              expect(dirty?.[side][buffer], `${side} ${buffer}`).toEqual(clean?.[side][buffer]);
            }
          }
          const columns = (b: number) =>
            rowsAfterEnd(b).flatMap((row) =>
              Array.from(
                floats(clean?.forward ?? {}, 'y')
                  .subarray(row * yStride + yOffset)
                  .subarray(0, stateSize),
              ),
            );
          expect(columns(0).every((value) => value === 0)).toBe(true);
          expect(columns(0).length).toBe(2 * stateSize);
          const gradX = floats(clean?.backward ?? {}, 'gradX');
          for (const row of rowsAfterEnd(2))
            expect(Array.from(gradX.subarray(row * inputSize, (row + 1) * inputSize))).toEqual([0, 0, 0]);
          // Of a sequence without steps, the state stays as it was.
          const last = (buffer: string) => Array.from(floats(clean?.forward ?? {}, buffer).subarray(2 * stateSize));
          expect(last('hN')).toEqual(last('h0'));
        }
      });

      it(`${name}: lengths change nothing for sequences that have all steps`, () => {
        const plain = buffersOf(cell, shape, false, {}, 5);
        const given = buffersOf(cell, shape, false, { lengths: Int32Array.of(4, 4, 4) }, 5);
        run(cell, shape, plain);
        run(cell, shape, given);
        expectClose(given.y, plain.y);
        expectClose(given.hN, plain.hN);
      });

      it(`${name}: reverse is the same on the turned sequence`, () => {
        const turn = (values: Floats, columns: number) => {
          const row = batch * columns;
          return Float32Array.from({ length: values.length }, (_, i) => {
            const time = Math.floor(i / row);
            return values[(steps - 1 - time) * row + (i % row)] ?? 0;
          });
        };
        const forward = buffersOf(cell, shape, false, {}, 6);
        const reverse = buffersOf(cell, shape, false, { ...forward, x: turn(floats(forward, 'x'), inputSize) }, 6);
        for (const buffer of ['y', 'hN', 'cN', 'saved']) reverse[buffer] = forward[buffer]?.slice();
        reverse.y = turn(floats(forward, 'y'), yStride);
        run(cell, shape, forward);
        run(cell, { ...shape, reverse: 1 }, reverse);
        expect(turn(floats(reverse, 'y'), yStride)).toEqual(forward.y);
        expect(reverse.hN).toEqual(forward.hN);
      });

      it(`${name}: two halves with the state carried over are the whole`, () => {
        const whole = buffersOf(cell, shape, false, {}, 2);
        const y = floats(whole, 'y').slice();
        const carried: Record<string, Numbers | undefined> = {
          ...whole,
          hN: empty(batch * stateSize),
          saved: undefined,
        };
        if (cell === 'lstm') carried.cN = empty(15);
        const half = { ...shape, steps: steps / 2 };
        for (const part of [0, 1]) {
          const x = floats(whole, 'x').subarray(
            (part * 4 * batch * inputSize) / 2,
            ((part + 1) * 4 * batch * inputSize) / 2,
          );
          const rows = y.subarray((part * y.length) / 2, ((part + 1) * y.length) / 2);
          const states = part === 0 ? {} : { h0: carried.hN, c0: carried.cN };
          // In place: the final state takes the place of the initial one.
          run(cell, half, { ...carried, ...states, x, y: rows });
        }
        run(cell, shape, whole);
        expectClose(y, whole.y);
        expectClose(carried.hN, whole.hN);
        expectClose(carried.cN, whole.cN);
      });

      it(`${name}: two directions share y, and the second gradient comes on top of the first`, () => {
        const both = { ...shape, yStride: 2 * stateSize };
        const y = empty(steps * batch * 2 * stateSize).fill(-5);
        const first = buffersOf(cell, { ...both, yOffset: 0 }, false, { y, lengths }, 10);
        run(cell, { ...both, yOffset: 0 }, first);
        const half = y.slice();
        run(cell, { ...both, yOffset: stateSize, reverse: 1 }, buffersOf(cell, both, false, { y, lengths }, 11));
        y.forEach((value, i) => {
          if (i % (2 * stateSize) < stateSize) expect(value).toBe(half[i]);
          else expect(value).not.toBe(-5);
        });
        const given = { ...first, saved: first.saved?.slice() };
        const alone = buffersOf(`${cell}Backward`, { ...both, yOffset: 0 }, false, given, 12);
        const onTop = buffersOf(`${cell}Backward`, { ...both, yOffset: 0 }, false, given, 12);
        onTop.gradX = floats(onTop, 'gradX').fill(0.5);
        run(`${cell}Backward`, { ...both, yOffset: 0 }, alone);
        run(`${cell}Backward`, { ...both, yOffset: 0, accumulate: 1 }, onTop);
        floats(alone, 'gradX').forEach((value, i) => {
          expect(floats(onTop, 'gradX')[i]).toBeCloseTo(value + 0.5, 5);
        });
      });
    }
  });
}
