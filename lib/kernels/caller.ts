// For each kernel, the function that lays a call out for the binary: shape fields in order, then buffers in order.
import type { Layout } from './layout.ts';

type Memory = Float32Array | Float64Array | Int32Array | undefined;
export type Fields = Readonly<Record<string, number>>;
export type Memories = Readonly<Record<string, Memory>>;
type Run = (kernel: number, values: Float64Array, ...buffers: Memory[]) => void;

/** One kernel, ready to be called. `values` is used again at every call: a call is over when it returns. */
export interface Caller {
  readonly layout: Layout;
  readonly values: Float64Array;
  setShape(values: Float64Array, shape: Fields): void;
  run(run: Run, values: Float64Array, shape: Fields, buffers: Memories, packed: Memory): void;
}

/** The caller of a kernel: as code made for it, or plain where the process allows no code to be made. */
export function callerOf(layout: Layout): Caller {
  try {
    return compiledCaller(layout);
  } catch (error) {
    if (error instanceof EvalError) return plainCaller(layout); // node --disallow-code-generation-from-strings
    throw error;
  }
}

/** With a property access per field: looking fields up by a variable name costs 8 ns each, more than many a kernel. */
export function compiledCaller(layout: Layout): Caller {
  const { fields, names, packs, index } = layout;
  const assignments = fields.map((field, i) => `values[${i}] = shape.${field};`).join('\n');
  const buffers = [...names.map((name) => `buffers.${name}`), ...(packs.length > 0 ? ['packed'] : [])];
  const call = `run(${[index, 'values', ...buffers].join(', ')});`;
  return {
    layout,
    values: new Float64Array(fields.length),
    setShape: new Function('values', 'shape', assignments) as Caller['setShape'],
    run: new Function('run', 'values', 'shape', 'buffers', 'packed', `${assignments}\n${call}`) as Caller['run'],
  };
}

/** The same without making code. */
export function plainCaller(layout: Layout): Caller {
  const { fields, names, packs, index } = layout;
  const setShape: Caller['setShape'] = (values, shape) => {
    for (let i = 0; i < fields.length; i++) values[i] = shape[fields[i]!]!;
  };
  const run: Caller['run'] = (run, values, shape, buffers, packed) => {
    setShape(values, shape);
    const given = names.map((name) => buffers[name]);
    run(index, values, ...given, ...(packs.length > 0 ? [packed] : []));
  };
  return { layout, values: new Float64Array(fields.length), setShape, run };
}
