// The kernels against answers of PyTorch (fixtures/make*.py): the reference in double precision, native in single.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type KernelName, kernels, savedBy } from '../../lib/kernels/list.ts';
import { type Named, type Numbers, productOf, specsOf } from './buffers.ts';
import { callReference } from './compare.ts';
import { type Call, nativeCall } from './native-call.ts';

type Values = readonly (number | 'nan' | 'inf' | '-inf')[];
type Fields = Readonly<Record<string, number>>;

interface Entry {
  readonly name: string;
  readonly kernel: string;
  readonly shape: Fields;
  readonly inputs: Readonly<Record<string, Values>>;
  readonly outputs: Readonly<Record<string, Values>>;
  /** Optimizers: what changes from step to step, and the state they keep, which starts at 0. */
  readonly steps?: readonly Readonly<Record<string, Values>>[];
  readonly state?: readonly string[];
}

const entries = ['pytorch', 'recurrent', 'crf'].flatMap((name) =>
  readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line): Entry => JSON.parse(line)),
);

const named: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
const numbers = (values: Values) => values.map((value) => (typeof value === 'string' ? (named[value] ?? 0) : value));

const isKernel = (name: string): name is KernelName => name in kernels;
const isUnary = (name: string): name is keyof typeof savedBy => name in savedBy;

/** Runs a kernel on the inputs given; a backward kernel's missing inputs come from a run of its forward kernel. */
function answer(call: Call, kernel: KernelName, entry: Entry, floats: (values: Iterable<number>) => Numbers): Named {
  const given: Record<string, Numbers | undefined> = {};
  const buffers = (of: KernelName) =>
    Object.fromEntries(
      Object.entries(specsOf(of)).flatMap(([name, spec]): [string, Numbers | undefined][] => {
        if (name in given) return [[name, given[name]]];
        const values = entry.inputs[name];
        if (values !== undefined)
          return [[name, spec.type === 'i32' ? Int32Array.from(numbers(values)) : floats(numbers(values))]];
        if (spec.mode === 'read') return [];
        const wanted = name in entry.outputs || !spec.optional || name === 'saved' || entry.state?.includes(name);
        const zeros = new Array<number>(productOf(spec.length, entry.shape)).fill(0);
        return wanted ? [[name, spec.type === 'i32' ? Int32Array.from(zeros) : floats(zeros)]] : [];
      }),
    );
  const forward = kernel.replace(/Backward$/, '');
  if (
    forward !== kernel &&
    isKernel(forward) &&
    'x' in entry.inputs &&
    !('x' in specsOf(kernel) && kernel.startsWith('conv'))
  ) {
    const first = buffers(forward);
    call(forward, { momentum: 0, ...entry.shape }, first);
    if (isUnary(forward)) given.saved = first[savedBy[forward]];
    else
      for (const name of ['y', 'probabilities', 'mean', 'inverseStd', 'saved'])
        if (name in first) given[name] = first[name];
  }
  const all = buffers(kernel);
  if (entry.steps === undefined) call(kernel, entry.shape, all);
  for (const step of entry.steps ?? []) {
    const changing = Object.fromEntries(Object.entries(step).map(([name, values]) => [name, floats(numbers(values))]));
    call(kernel, entry.shape, { ...all, ...changing });
  }
  return all;
}

/** Places where `got` is further from `want` than `tolerance` times the largest of `want` (at least 1). */
function wrong(got: Numbers | undefined, values: Values, tolerance: number): string[] {
  const want = numbers(values);
  if (got?.length !== want.length) return [`${got?.length} elements, expected ${want.length}`];
  const largest = Math.max(1, ...want.filter(Number.isFinite).map(Math.abs));
  return want.flatMap((be, i) => {
    const is = got[i] ?? Number.NaN;
    const same = is === be || (Number.isNaN(is) && Number.isNaN(be));
    return same || Math.abs(is - be) <= tolerance * largest ? [] : [`[${i}] is ${is}, expected ${be}`];
  });
}

function compare(call: Call, entry: Entry, floats: (values: Iterable<number>) => Numbers, tolerance: number): void {
  if (!isKernel(entry.kernel)) throw new Error(`no kernel ${entry.kernel}`);
  const got = answer(call, entry.kernel, entry, floats);
  for (const [name, values] of Object.entries(entry.outputs)) {
    expect(wrong(got[name], values, tolerance), name).toEqual([]);
  }
}

describe('reference agrees with PyTorch in double precision', () => {
  for (const entry of entries) {
    it(`${entry.kernel}: ${entry.name}`, () =>
      compare(callReference, entry, (values) => Float64Array.from(values), 1e-10));
  }

  it('on every kernel but those of random numbers and movement, whose answers are not PyTorch’s', () => {
    const others = ['neg', 'affine', 'add', 'sub', 'mul', 'sumSquares', 'uniform', 'normal', 'dropout', 'copy', 'fill'];
    const covered = new Set(entries.map((entry) => entry.kernel));
    expect(
      Object.keys(kernels)
        .filter((name) => !covered.has(name))
        .sort(),
    ).toEqual(others.sort());
  });
});

const { call, reason } = nativeCall();

describe.skipIf(call === undefined)(`native agrees with PyTorch${call ? '' : ` (skipped: ${reason})`}`, () => {
  for (const entry of entries) {
    it(`${entry.kernel}: ${entry.name}`, () => {
      // 2^-24 for each rounding; sums of up to 121 terms, and five steps of an optimizer.
      if (call !== undefined) compare(call, entry, (values) => Float32Array.from(values), 2e-6);
    });
  }
});
