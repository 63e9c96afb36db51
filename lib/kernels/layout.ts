// The list of kernels arranged for calling: fields in the order C++ takes them, lengths as lists of fields.
import { type KernelName, kernels } from './list.ts';
import type { BufferSpec, KernelSpec } from './spec.ts';

/** One buffer of a kernel, with its products split into fields. */
export interface BufferLayout {
  readonly name: string;
  readonly spec: BufferSpec;
  readonly length: readonly string[];
  readonly below: readonly string[];
  /** Names of the buffers it may replace. */
  readonly inPlace: readonly string[];
}

/** One kernel as the backends call it. */
export interface Layout {
  readonly name: KernelName;
  /** Position in the list, by which the native side knows the kernel. */
  readonly index: number;
  readonly integers: readonly string[];
  /** Integers, then constants. */
  readonly fields: readonly string[];
  readonly names: readonly string[];
  /** Names of the operands that can be packed. */
  readonly packs: readonly string[];
  readonly buffers: readonly BufferLayout[];
}

/** What one word of a length counts: a field of the shape, or a number. */
export const sizeOf = (word: string, shape: Readonly<Record<string, number>>): number => shape[word] ?? Number(word);

const words = (text: string | undefined): string[] => (text ?? '').split(' ').filter((word) => word !== '');

function arrange(name: KernelName, index: number, spec: KernelSpec): Layout {
  const buffers = Object.entries(spec.buffers).map(([buffer, it]) => ({
    name: buffer,
    spec: it,
    length: words(it.length),
    below: words(it.below),
    inPlace: words(it.inPlace),
  }));
  return {
    name,
    index,
    integers: spec.shape,
    fields: [...spec.shape, ...spec.constants],
    names: buffers.map((buffer) => buffer.name),
    packs: buffers.filter((buffer) => buffer.spec.packs).map((buffer) => buffer.name),
    buffers,
  };
}

/** All kernels in the order of the list. */
export const layouts: ReadonlyMap<string, Layout> = new Map(
  (Object.keys(kernels) as KernelName[]).map((name, index) => [name, arrange(name, index, kernels[name])]),
);

/** The layout of a kernel. Throws for a name that is not in the list. */
export function layoutOf(kernel: string): Layout {
  const layout = layouts.get(kernel);
  if (layout === undefined) throw new TypeError(`run: expected the name of a kernel, but got '${kernel}'`);
  return layout;
}

/** What a binary must describe for this list: the same text that `native/kernels/list.h` holds. */
export function description(layout: Layout): { name: string; integers: string; constants: string; buffers: string } {
  const constants = layout.fields.slice(layout.integers.length);
  const buffers = layout.buffers.map(({ name, spec, inPlace }) => {
    const clauses = [
      `${name}${spec.optional ? '?' : ''}: ${spec.mode} ${spec.type}[${spec.length}]`,
      spec.packs ? 'packs' : '',
      spec.below === undefined ? '' : `below ${spec.below}`,
      spec.except === undefined ? '' : `except ${spec.except}`,
      inPlace.length === 0 ? '' : `over ${inPlace.join(' ')}`,
      spec.unless === undefined ? '' : `unless ${spec.unless}`,
    ];
    return clauses.filter((clause) => clause !== '').join(' ');
  });
  return {
    name: layout.name,
    integers: `(${layout.integers.join(', ')})`,
    constants: `(${constants.join(', ')})`,
    buffers: buffers.join('; '),
  };
}
