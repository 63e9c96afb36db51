// The two lists of kernels, TypeScript and C++, say the same.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernels, savedBy } from '../../lib/kernels/list.ts';
import type { BufferSpec, KernelSpec } from '../../lib/kernels/spec.ts';

const textOfHeader = (name: string) => readFileSync(new URL(`../../native/kernels/${name}`, import.meta.url), 'utf8');

/** The list, with its part for sequences where the list names it. */
const header = textOfHeader('list.h').replace('FOVEA_RECURRENT_KERNELS(K)', textOfHeader('list-recurrent.h'));

/** The text of C string literals next to each other, joined. */
const unquote = (text: string) => [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1]).join('');

const names = (text: string) => text.split(',').map((name) => name.trim());

/** Shape structs of the header: integers and constants by struct name. */
const structs = new Map<string, { integers: string[]; constants: string[] }>();
for (const match of header.matchAll(
  /^FOVEA_SHAPE(?:_WITH_CONSTANTS)?\(\s*(\w+),\s*\(([^)]*)\)(?:,\s*\(([^)]*)\))?\)/gm,
)) {
  const [, name = '', integers = '', constants] = match;
  structs.set(name, { integers: names(integers), constants: constants === undefined ? [] : names(constants) });
}

/** Buffer lists that several kernels share, by macro name. */
const shared = new Map<string, string>();
const joined = header.replaceAll(/\\\n/g, ' ');
for (const match of joined.matchAll(/^#define (FOVEA_[A-Z_]+) +((?:"[^"]*"\s*)+)/gm)) {
  shared.set(match[1] ?? '', unquote(match[2] ?? ''));
}

/** The kernels of the header, in order. */
const listed = [...joined.matchAll(/\bK\((\w+), (\w+),\s*((?:"[^"]*"\s*)+|FOVEA_[A-Z_]+)\)/g)].map((match) => {
  const [, name = '', struct = '', buffers = ''] = match;
  return { name, ...structs.get(struct), buffers: shared.get(buffers.trim()) ?? unquote(buffers) };
});

/** One buffer as the header writes it. */
function textOf([name, spec]: [string, BufferSpec]): string {
  const parts = [`${name}${spec.optional ? '?' : ''}: ${spec.mode} ${spec.type}[${spec.length}]`];
  if (spec.packs) parts.push('packs');
  if (spec.below !== undefined) parts.push(`below ${spec.below}`);
  if (spec.except !== undefined) parts.push(`except ${spec.except}`);
  if (spec.inPlace !== undefined) parts.push(`over ${spec.inPlace}`);
  if (spec.unless !== undefined) parts.push(`unless ${spec.unless}`);
  return parts.join(' ');
}

const expected = Object.entries<KernelSpec>(kernels).map(([name, spec]) => ({
  name,
  integers: [...spec.shape],
  constants: [...spec.constants],
  buffers: Object.entries(spec.buffers).map(textOf).join('; '),
}));

describe('the list of kernels', () => {
  it('has the same kernels in the same order in TypeScript and C++', () => {
    expect(listed.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  });

  for (const [i, kernel] of expected.entries()) {
    it(`describes ${kernel.name} alike`, () => expect(listed[i]).toEqual(kernel));
  }

  it('names only shape fields and numbers in the lengths and bounds of buffers', () => {
    for (const [name, spec] of Object.entries<KernelSpec>(kernels)) {
      for (const [buffer, { length, below, except, inPlace }] of Object.entries(spec.buffers)) {
        const fields = [length, below, except]
          .flatMap((text) => text?.split(' ') ?? [])
          .filter((word) => !/^\d+$/.test(word));
        expect(spec.shape, `${name} ${buffer}`).toEqual(expect.arrayContaining(fields));
        const others = inPlace?.split(' ') ?? [];
        expect(Object.keys(spec.buffers), `${name} ${buffer}`).toEqual(expect.arrayContaining(others));
      }
    }
  });

  it('says what the gradient of every unary kernel needs', () => {
    const withGradient = Object.entries<KernelSpec>(kernels)
      .filter(([name, { buffers }]) => name.endsWith('Backward') && Object.keys(buffers).join() === 'saved,gradY,gradX')
      .map(([name]) => name.replace(/Backward$/, ''));
    expect(Object.keys(savedBy).sort()).toEqual(withGradient.sort());
  });
});
