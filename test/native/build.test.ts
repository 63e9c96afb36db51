// The two builds compile the same files with the same flags, and no instruction set leaks code into another.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../lib/kernels/binary.ts';

const root = packageRoot();

interface Target {
  target_name: string;
  sources: string[];
  cflags_cc?: string[];
  defines?: string[];
  conditions?: [string, { ldflags?: string[] }][];
}
interface Gyp {
  target_defaults: { cflags_cc: string[] };
  targets: Target[];
  conditions: [string, { targets: Target[] }][];
}

const withoutComments = (text: string): string => text.replace(/^\s*#.*$/gm, '');
const gyp = JSON.parse(withoutComments(readFileSync(join(root, 'binding.gyp'), 'utf8'))) as Gyp;
const cmake = withoutComments(readFileSync(join(root, 'CMakeLists.txt'), 'utf8'));

/** Every call of a CMake command: its arguments as words. */
function calls(command: string): string[][] {
  return [...cmake.matchAll(new RegExp(`\\b${command}\\(([^()]*(?:\\([^()]*\\)[^()]*)*)\\)`, 'g'))].map((match) =>
    (match[1] ?? '').split(/\s+/).filter((word) => word !== ''),
  );
}

const byName = (pairs: readonly (readonly [string, readonly string[]])[]): Record<string, readonly string[]> =>
  Object.fromEntries([...pairs].sort(([a], [b]) => a.localeCompare(b)));

const addon = gyp.targets.find((target) => target.target_name === 'fovea')!;
const isaTargets = [...gyp.targets, ...gyp.conditions.flatMap(([, { targets }]) => targets)].filter(
  (it) => it !== addon,
);

describe('binding.gyp and CMakeLists.txt', () => {
  it('compile the same files into the addon', () => {
    const core = calls('set')
      .find(([name]) => name === 'CORE_SOURCES')!
      .slice(1);
    const library = calls('add_library').find(([name]) => name === 'fovea')!;
    const own = library.filter((word) => word.endsWith('.cpp'));
    expect([...core, ...own].sort()).toEqual([...addon.sources].sort());
  });

  it('compile every C++ file there is', () => {
    const files = [
      ...readdirSync(join(root, 'native')),
      ...readdirSync(join(root, 'native/isa')).map((it) => `isa/${it}`),
    ];
    const sources = files.filter((file) => file.endsWith('.cpp')).map((file) => `native/${file}`);
    const compiled = [...addon.sources, ...isaTargets.flatMap((target) => target.sources)];
    expect(compiled.sort()).toEqual(sources.sort());
  });

  it('compile each instruction set with the same flags', () => {
    const fromCMake = calls('fovea_isa').filter(([name, first]) => name !== 'name' && !first?.startsWith('/'));
    const fromGyp = isaTargets.map((target) => [target.target_name, target.cflags_cc ?? []] as const);
    expect(fromCMake.length).toBe(5);
    expect(byName(fromGyp)).toEqual(byName(fromCMake.map(([name, ...flags]) => [name!, flags] as const)));
    for (const { target_name, sources } of isaTargets) expect(sources).toEqual([`native/isa/${target_name}.cpp`]);
  });

  it('compile everything with the same flags, definitions and linker options', () => {
    const common = calls('add_compile_options').find(([first]) => first?.startsWith('-O'))!;
    const settings = ['-std=c++17', '-fvisibility=hidden']; // CMake has words of its own for these
    expect(calls('set')).toContainEqual(['CMAKE_CXX_STANDARD', '17']);
    expect(calls('set')).toContainEqual(['CMAKE_CXX_VISIBILITY_PRESET', 'hidden']);
    expect([...common, ...settings].sort()).toEqual([...gyp.target_defaults.cflags_cc].sort());
    expect(
      calls('target_compile_definitions')
        .find(([name]) => name === 'fovea')!
        .slice(2),
    ).toEqual(addon.defines);
    const linux = addon.conditions?.find(([condition]) => condition.includes('linux'))?.[1].ldflags;
    expect(
      calls('target_link_options')
        .find(([name]) => name === 'fovea')!
        .slice(2),
    ).toEqual(linux);
  });
});

/** Object files of the instruction sets: their own, in whichever build is there. */
const objects = ['build/Release/obj.target', 'build-cmake/CMakeFiles'].flatMap((folder) => {
  if (!existsSync(join(root, folder))) return [];
  return ['avx512', 'avx2', 'sse', 'neon', 'scalar'].flatMap((isa) => {
    const files = [`${folder}/${isa}/native/isa/${isa}.o`, `${folder}/${isa}.dir/native/isa/${isa}.cpp.o`];
    return files.filter((file) => existsSync(join(root, file))).map((file) => ({ isa, file: join(root, file) }));
  });
});

function hasNm(): boolean {
  try {
    execFileSync('nm', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const unable =
  process.platform === 'win32' || !hasNm() ? 'there is no nm' : objects.length === 0 ? 'nothing is built' : '';

describe('object files', () => {
  it.skipIf(unable !== '')(
    `of an instruction set export one symbol, their table${unable && ` (skipped: ${unable})`}`,
    () => {
      for (const { isa, file } of objects) {
        const lines = execFileSync('nm', ['--format=posix', file], { encoding: 'utf8' }).trim().split('\n');
        const symbols = lines.map((line) => line.split(' ')).map(([name, kind]) => ({ name: name!, kind: kind! }));
        // Lower case is local and U is wanted from outside. Anything else the linker could give to another object.
        const shared = symbols.filter(({ kind }) => /[A-Tu-wV-Z]/.test(kind) && kind !== 'U');
        expect(
          shared.map(({ name }) => name),
          file,
        ).toEqual([expect.stringContaining(`${isa}Kernels`)]);
      }
    },
  );
});
