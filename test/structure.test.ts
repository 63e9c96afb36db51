// Holds the code to the layering in docs/architecture.md: who may import whom, no cycles, names the same everywhere.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const allowed: Record<string, readonly string[]> = {
  kernels: [],
  tensor: ['kernels'],
  nn: ['kernels', 'tensor'],
  optim: ['kernels', 'tensor'],
  graph: ['kernels', 'tensor'],
  models: ['nn', 'tensor', 'optim', 'io'],
  data: ['tensor', 'io'],
  io: ['tensor', 'nn', 'optim'],
  training: ['tensor', 'nn', 'optim', 'graph', 'data', 'io'],
  cli: ['kernels', 'tensor', 'nn', 'optim', 'graph', 'models', 'data', 'io', 'training'],
};

const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('lib', file));

const source = (file: string) => readFileSync(join(root, file), 'utf8');

/** Specifiers of static and dynamic imports and re-exports; `runtime` leaves out those of types only. */
function imports(file: string, { runtime = false } = {}): string[] {
  const found: string[] = [];
  const pattern = /(?:^|\n)\s*(import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g;
  for (const [, , type, from, dynamic] of source(file).matchAll(pattern)) {
    if (runtime && (type || dynamic)) continue;
    found.push((from ?? dynamic) as string);
  }
  return found;
}

const resolve = (file: string, specifier: string) => normalize(join(dirname(file), specifier));
const layer = (file: string) => relative('lib', file).split('/')[0] as string;

describe('structure', () => {
  test('every folder of lib imports only what its layer may', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const from = layer(file);
      if (from.endsWith('.ts')) continue; // lib/index.ts gathers the public names
      for (const specifier of imports(file).filter((name) => name.startsWith('.'))) {
        const to = layer(resolve(file, specifier));
        if (to !== from && !(allowed[from] ?? []).includes(to)) wrong.push(`${file} imports ${specifier}`);
      }
    }
    expect(files.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  test('only data/image.ts imports sharp', () => {
    expect(files.filter((file) => imports(file).includes('sharp')).map((file) => relative('lib', file))).toEqual([
      join('data', 'image.ts'),
    ]);
  });

  test('there are no import cycles at run time', () => {
    const graph = new Map(
      files.map((file) => [
        file,
        imports(file, { runtime: true })
          .filter((name) => name.startsWith('.'))
          .map((name) => resolve(file, name)),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file) || path.includes(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('only isa/ includes intrinsics, and only the files of the addon know Node', () => {
    const native = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(h|cpp)$/.test(file))
      .map((file) => join('native', file));
    const including = (pattern: RegExp) => native.filter((file) => pattern.test(source(file)));
    expect(including(/<(immintrin|arm_neon|xmmintrin|emmintrin|x86intrin)\.h>/)).toSatisfy((list: string[]) =>
      list.every((file) => file.startsWith('native/isa/')),
    );
    expect(including(/<(napi|node_api|js_native_api)\.h>/)).toEqual([join('native', 'addon-napi.h')]);
    expect(including(/_mm\d*_|\bv(ld|st)1q_|__m(128|256|512)/).every((file) => file.startsWith('native/isa/'))).toBe(
      true,
    );
  });

  test('every file of lib and native starts with a line that says its one idea', () => {
    const native = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(h|cpp)$/.test(file))
      .map((file) => join('native', file));
    expect([...files, ...native].filter((file) => !/^(\/\/ |\/\*\* |#!.*\n\/\/ )/.test(source(file)))).toEqual([]);
  });
});
