// `npm run prepare` in a clone: without compilers one warning and success; with wrong TypeScript a failure.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './helpers.ts';

const scratch = mkdtempSync(join(tmpdir(), 'fovea-prepare-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const parts = ['package.json', 'binding.gyp', 'lib', 'native', 'scripts', 'dist'];
const settings = ['tsconfig.base.json', 'tsconfig.build.json', 'tsconfig.reference.json'];
for (const part of [...parts, ...settings]) {
  // Times are kept, so that what is built in dist/ counts as built.
  cpSync(join(root, part), join(scratch, part), { recursive: true, preserveTimestamps: true });
}
symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));

/** A PATH with Node.js and nothing else. */
const tools = join(scratch, 'tools');
mkdirSync(tools);
symlinkSync(process.execPath, join(tools, 'node'));

function prepare(): { status: number | null; stdout: string; stderr: string } {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|FOVEA_|CXX|CC|MAKE|PYTHON|NODE_OPTIONS)/.test(name),
  );
  return spawnSync(process.execPath, [join(scratch, 'scripts', 'build.mjs')], {
    encoding: 'utf8',
    env: { ...Object.fromEntries(inherited), PATH: tools },
  });
}

const windows = process.platform === 'win32' ? ' (skipped: on Windows compilers are not found by PATH)' : '';

describe.skipIf(windows !== '')(`prepare${windows}`, () => {
  it('warns once where the compilers are missing, and succeeds', () => {
    const { status, stdout, stderr } = prepare();
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(
      /^fovea: the native binary could not be built, because (g\+\+|c\+\+) and make and python3 are not installed\./,
    );
    expect(stderr).toContain('run: npm run prepare. The whole output is in build/native.log.');
    expect(readFileSync(join(scratch, 'build', 'native.log'), 'utf8')).toMatch(/gyp ERR!/);
    expect(existsSync(join(scratch, 'build', 'Release', 'fovea.node'))).toBe(false);
    expect(status).toBe(0);
  });

  it('fails where the TypeScript does not compile', () => {
    appendFileSync(join(scratch, 'lib', 'kernels', 'threads.ts'), '\nexport const wrong: number = "text";\n');
    const { status, stdout } = prepare();
    expect(stdout).toContain('lib/kernels/threads.ts');
    expect(status).not.toBe(0);
  });
});
