// Which backend is chosen, in a fresh process each time: forced or not, with a binary, a broken one, an old one, or none.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BackendInfo } from '../../lib/kernels/backend.ts';
import { backendModule, root, runModule, sameBinary, tryNative } from './helpers.ts';

const { native, problem } = tryNative();
const skipped = problem && ` (skipped: ${problem})`;
const needsNative = { skip: native === undefined };

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'fovea-loading-')));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs one kernel and says what was chosen, and which instruction set that kernel says it was compiled for. */
const tell = (module: string): string => `
  async function tell(module) {
    const { run, backendInfo } = await import(module);
    const x = Float32Array.of(-1, 2, -3, 4), y = new Float32Array(4);
    run('relu', { count: 4 }, { x, y });
    if (y.join() !== '0,2,0,4') throw new Error('relu gave ' + y.join());
    const info = backendInfo();
    const ran = info.path && (await import('node:module')).createRequire(info.path)(info.path).info().lastIsa;
    console.log(JSON.stringify({ ...info, ran }));
  }
  await tell(${module});
`;

type Told = BackendInfo & { readonly ran?: string };

function choose(environment: Record<string, string>, module = backendModule): Told {
  const { status, stdout, stderr } = runModule(tell(module), {
    ...(module === backendModule ? sameBinary : {}),
    ...environment,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Told;
}

/** The message of the error that a process with these variables ends with. */
function refusal(environment: Record<string, string>, module = backendModule): string {
  const { status, stderr } = runModule(tell(module), {
    ...(module === backendModule ? sameBinary : {}),
    ...environment,
  });
  expect(status).not.toBe(0);
  return stderr.split('\n').find((line) => /^\w*Error: /.test(line)) ?? stderr;
}

/** A copy of the package, as installed: with the binaries that `place` puts there, and no scripts unless asked for. */
function install(name: string, place: (folder: string) => void = () => {}): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const part of ['package.json', 'dist']) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  place(folder);
  return JSON.stringify(join(folder, 'dist', 'kernels', 'backend.js'));
}

const platform = `${process.platform}-${process.arch}`;

function place(folder: string, ...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, '..'), { recursive: true });
  cpSync(native!.path, file);
  return file;
}

describe('forcing a backend', () => {
  it(`takes the native one by default${skipped}`, needsNative, () => {
    const told = choose({});
    expect(told).toMatchObject({ backend: 'native', path: native!.path, reason: native!.origin, isa: native!.isas[0] });
    expect(told.ran).toBe(told.isa);
    expect(told).toMatchObject({ node: process.versions.node, platform, version: expect.stringMatching(/^\d/) });
  });

  it(`takes the native one when told${skipped}`, needsNative, () => {
    expect(choose({ FOVEA_BACKEND: 'native' })).toMatchObject({
      backend: 'native',
      reason: expect.stringContaining('FOVEA_BACKEND=native'),
    });
  });

  it('takes the reference when told, without a word', () => {
    const told = choose({ FOVEA_BACKEND: 'reference' });
    expect(told).toMatchObject({
      backend: 'reference',
      isa: 'none',
      isas: [],
      threads: 1,
      reason: 'FOVEA_BACKEND=reference',
    });
  });

  it('refuses an unknown one, and says which there are', () => {
    expect(refusal({ FOVEA_BACKEND: 'gpu' })).toBe(
      "RangeError: FOVEA_BACKEND: expected one of native, reference, but got 'gpu'",
    );
  });

  it('does nothing at import', () => {
    const { status, stdout, stderr } = runModule(`await import(${backendModule}); console.log('imported')`, {
      FOVEA_BACKEND: 'gpu',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'imported\n', stderr: '' });
  });
});

describe('forcing an instruction set', () => {
  it.for(['avx512', 'avx2', 'sse', 'neon', 'scalar'])(
    `runs %s, or says what this machine has${skipped}`,
    needsNative,
    (isa) => {
      if (native!.isas.includes(isa)) {
        const told = choose({ FOVEA_ISA: isa });
        expect(told).toMatchObject({ isa, ran: isa, isas: native!.isas });
        expect(told.reason).toContain(`FOVEA_ISA=${isa}`);
      } else {
        expect(refusal({ FOVEA_ISA: isa })).toContain(`FOVEA_ISA: expected one of ${native!.isas.join(', ')}`);
      }
    },
  );

  it('refuses an unknown one, and says which there are', () => {
    expect(refusal({ FOVEA_ISA: 'mmx' })).toBe(
      "RangeError: FOVEA_ISA: expected one of avx512, avx2, sse, neon, scalar, but got 'mmx'",
    );
  });
});

describe('the number of threads', () => {
  it.for(['1', '3', '256'])(`is FOVEA_THREADS=%s${skipped}`, needsNative, (threads) => {
    expect(choose({ FOVEA_THREADS: threads }).threads).toBe(Number(threads));
  });

  it.for(['0', '-1', '257', '1.5', 'many', ' 2', '1e2'])('refuses FOVEA_THREADS=%s', (threads) => {
    expect(refusal({ FOVEA_THREADS: threads })).toBe(
      `RangeError: FOVEA_THREADS: expected an integer from 1 to 256, but got '${threads}'`,
    );
  });
});

describe('without a binary', () => {
  const warning =
    /^fovea: running on the TypeScript kernels, which are much slower, because no native binary [^\n]*\n$/;

  it('runs the reference, with one warning for several imports, calls and threads', () => {
    const module = install('none');
    const again = JSON.stringify(`${JSON.parse(module) as string}?again`);
    const worker = `
      const { Worker } = await import('node:worker_threads');
      const worker = new Worker(${JSON.stringify(`import(${module}).then(({ backendInfo }) => console.log(backendInfo().backend))`)}, { eval: true });
      await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    `;
    const { status, stdout, stderr } = runModule(
      `${tell(module)} await tell(${module}); await tell(${again}); ${worker}`,
    );
    expect(stderr).toMatch(warning);
    expect(status).toBe(0);
    expect(stdout.match(/"backend":"reference"/g)).toHaveLength(3);
    expect(stdout).toMatch(/\nreference\n$/);
    expect(stderr).toContain(`prebuilds: holds nothing for ${platform}`);
    expect(stderr).toContain('fovea.node: not there');
    expect(stderr).toContain('reinstall it');
  });

  it('says how to build one where that can be done', () => {
    const module = install('clone', (folder) =>
      cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true }),
    );
    expect(runModule(tell(module)).stderr).toMatch(
      /install a C\+\+17 compiler, make and Python 3, and run: npm run prepare\n$/,
    );
  });

  it('refuses to be forced, with every path tried and why', () => {
    const module = install('forced', (folder) => {
      mkdirSync(join(folder, 'build', 'Release'), { recursive: true });
      writeFileSync(join(folder, 'build', 'Release', 'fovea.node'), 'not a binary');
    });
    for (const environment of [{ FOVEA_BACKEND: 'native' }, { FOVEA_ISA: 'scalar' }]) {
      const message = refusal(environment, module);
      expect(message).toContain(Object.entries(environment)[0]!.join('='));
      expect(message).toContain(`${join(scratch, 'forced', 'prebuilds')}: holds nothing for ${platform}`);
      expect(message).toMatch(/fovea\.node: .*(invalid ELF header|file too short|not a|slice)/);
    }
    expect(choose({ FOVEA_BACKEND: 'reference' }, module).backend).toBe('reference');
  });
});

describe.skipIf(native === undefined)(`with binaries${skipped}`, () => {
  it('takes a prebuilt one before a local build', () => {
    let prebuilt = '';
    const module = install('both', (folder) => {
      prebuilt = place(folder, 'prebuilds', platform, 'fovea.node');
      place(folder, 'build', 'Release', 'fovea.node');
    });
    expect(choose({}, module)).toMatchObject({ path: prebuilt, reason: 'prebuilt' });
  });

  it('takes a local build where there is nothing prebuilt for this platform', () => {
    let built = '';
    const module = install('local', (folder) => {
      built = place(folder, 'build', 'Release', 'fovea.node');
      place(folder, 'prebuilds', 'sunos-mips', 'fovea.node');
    });
    expect(choose({}, module)).toMatchObject({ path: built, reason: 'local build' });
  });

  it('takes a local build where the prebuilt one does not load', () => {
    let built = '';
    const module = install('broken', (folder) => {
      built = place(folder, 'build', 'Release', 'fovea.node');
      mkdirSync(join(folder, 'prebuilds', platform), { recursive: true });
      writeFileSync(join(folder, 'prebuilds', platform, 'fovea.node'), 'not a binary');
    });
    expect(choose({}, module)).toMatchObject({ path: built, reason: 'local build' });
  });

  it('refuses one that was built from another list of kernels', () => {
    const module = install('stale', (folder) => {
      place(folder, 'build', 'Release', 'fovea.node');
      const list = join(folder, 'dist', 'kernels', 'list.js');
      writeFileSync(
        list,
        readFileSync(list, 'utf8').replace("['rows', 'classes', 'ignoreIndex']", "['rows', 'classes', 'ignore']"),
      );
    });
    expect(refusal({ FOVEA_BACKEND: 'native' }, module)).toContain(
      "built from another version of the kernels (they differ at 'crossEntropy')",
    );
  });

  it('tries only FOVEA_BINARY where that is set', () => {
    const module = install('named', (folder) => place(folder, 'prebuilds', platform, 'fovea.node'));
    expect(choose({ FOVEA_BINARY: native!.path }, module)).toMatchObject({
      path: native!.path,
      reason: 'FOVEA_BINARY',
    });
    const message = refusal({ FOVEA_BINARY: '/nowhere/fovea.node', FOVEA_BACKEND: 'native' }, module);
    expect(message).toContain('(/nowhere/fovea.node: not there)');
  });
});
