// Compares what two runs of one case wrote, within the tolerance of the case.
import type { KernelName } from '../../lib/kernels/list.ts';
import { reference } from '../../lib/kernels/reference.ts';
import { allocate, fieldsOf, type Named, specsOf } from './buffers.ts';
import type { AnyCase } from './case.ts';

type Fields = Readonly<Record<string, number>>;

/** Calls a reference kernel whose name is data. */
export function callReference(kernel: KernelName, shape: Fields, buffers: Named): void {
  Reflect.apply(reference[kernel], undefined, [shape, buffers]);
}

/** Runs a case on the reference backend. */
export const runReference = (test: AnyCase, buffers: Named) =>
  callReference(test.kernel, fieldsOf(test.shape), buffers);

const writtenBy = (kernel: KernelName) =>
  Object.entries(specsOf(kernel)).flatMap(([name, spec]) => (spec.mode === 'read' ? [] : [name]));

/** What the kernel gives for the absolute values of every input and constant, without activation: sums of |terms|. */
function magnitudes(test: AnyCase): Named {
  const { buffers } = allocate(test, { double: true });
  for (const values of Object.values(buffers)) {
    if (values instanceof Float64Array) for (let i = 0; i < values.length; i++) values[i] = Math.abs(values[i] ?? 0);
  }
  const shape = Object.fromEntries(
    Object.entries(fieldsOf(test.shape)).map(([name, value]) => [
      name,
      name === 'activation' ? 0 : Number.isInteger(value) ? value : Math.abs(value),
    ]),
  );
  callReference(test.kernel, shape, buffers);
  return buffers;
}

/** Says where `got` is too far from `want`, the first few places; empty if nowhere. */
export function differences(test: AnyCase, got: Named, want: Named): string[] {
  const { ulps = 0, terms = 0, absolute = 0 } = test.tolerance;
  const magnitude = terms > 0 ? magnitudes(test) : {};
  const found: string[] = [];
  for (const name of writtenBy(test.kernel)) {
    const g = got[name];
    const w = want[name];
    if (w === undefined || g === undefined) continue;
    for (let i = 0; i < w.length && found.length < 5; i++) {
      const is = g[i] ?? Number.NaN;
      const be = w[i] ?? Number.NaN;
      if (is === be || (Number.isNaN(is) && Number.isNaN(be))) continue;
      const scale = ulps * Math.abs(be) + (terms > 0 ? terms * (magnitude[name]?.[i] ?? 0) : 0);
      const allowed = scale * 2 ** -23 + (ulps + terms) * 2 ** -149 + absolute;
      // A difference with NaN or an infinity in it is never at or below what is allowed.
      if (!(Math.abs(is - be) <= allowed) || !Number.isFinite(be)) {
        found.push(`${name}[${i}] is ${is}, expected ${be}, off by ${Math.abs(is - be)}, allowed ${allowed}`);
      }
    }
  }
  return found;
}

/** Whether two runs wrote the same bits (any NaN is the same). */
export function sameBits(test: AnyCase, a: Named, b: Named): boolean {
  return writtenBy(test.kernel).every((name) => {
    const left = a[name];
    const right = b[name];
    return (
      left === right || (left !== undefined && right !== undefined && left.every((v, i) => Object.is(v, right[i])))
    );
  });
}
