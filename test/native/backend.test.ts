// The choice of a backend and its errors, in this process: each test takes a fresh copy of the modules.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tryNative } from './helpers.ts';

const { native, problem } = tryNative();

let scratch = '';
let warnings: string[] = [];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'fovea-backend-'));
  vi.resetModules();
  for (const name of ['FOVEA_BACKEND', 'FOVEA_ISA', 'FOVEA_THREADS']) vi.stubEnv(name, '');
  setEnvironmentData('fovea: fallback warning given', undefined);
  warnings = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => warnings.push(String(text)) > 0);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(scratch, { recursive: true, force: true });
});

const load = async (): Promise<typeof import('../../lib/kernels/backend.ts')> => import('../../lib/kernels/backend.ts');

/** The message of the error that the first call ends with. */
async function refusal(): Promise<string> {
  const { backendInfo } = await load();
  try {
    return backendInfo().backend;
  } catch (error) {
    return String(error);
  }
}

describe('without a binary', () => {
  beforeEach(() => vi.stubEnv('FOVEA_BINARY', join(scratch, 'fovea.node')));

  it('the reference runs, with one warning', async () => {
    const { run, backendInfo } = await load();
    const y = new Float32Array(2);
    run('relu', { count: 2 }, { x: Float32Array.of(-1, 1), y });
    run('relu', { count: 2 }, { x: y, y });
    expect([...y]).toEqual([0, 1]);
    expect(backendInfo()).toMatchObject({ backend: 'reference', isa: 'none', threads: 1 });
    expect(backendInfo().reason).toContain('fovea.node: not there');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^fovea: running on the TypeScript kernels/);
    expect(getEnvironmentData('fovea: fallback warning given')).toBe(true);
  });

  it('forcing the native backend fails', async () => {
    vi.stubEnv('FOVEA_BACKEND', 'native');
    expect(await refusal()).toMatch(/^Error: FOVEA_BACKEND=native: no native binary could be loaded \(.*not there\)/);
  });

  it('forcing an instruction set fails', async () => {
    vi.stubEnv('FOVEA_ISA', 'sse');
    expect(await refusal()).toMatch(/^Error: FOVEA_ISA=sse: no native binary/);
  });

  it('a file that is no binary is named with the reason', async () => {
    writeFileSync(join(scratch, 'fovea.node'), 'no binary');
    vi.stubEnv('FOVEA_BACKEND', 'native');
    expect(await refusal()).toContain(`${join(scratch, 'fovea.node')}: `);
    expect(await refusal()).not.toContain('not there');
  });
});

describe('words that are not known', () => {
  it.for([
    ['FOVEA_BACKEND', 'cuda', "RangeError: FOVEA_BACKEND: expected one of native, reference, but got 'cuda'"],
    ['FOVEA_ISA', 'sse9', "RangeError: FOVEA_ISA: expected one of avx512, avx2, sse, neon, scalar, but got 'sse9'"],
    ['FOVEA_THREADS', '0', "RangeError: FOVEA_THREADS: expected an integer from 1 to 256, but got '0'"],
  ] as const)('%s=%s is refused', async ([name, value, message]) => {
    vi.stubEnv(name, value);
    expect(await refusal()).toBe(message);
  });
});

describe('the search', () => {
  it('tells of every place, and what to do in an installed package and in a clone', async () => {
    vi.stubEnv('FOVEA_BINARY', '');
    const { NativeLoadError, openBinary, packageRoot } = await import('../../lib/kernels/binary.ts');
    expect(() => openBinary(scratch)).toThrow(NativeLoadError);
    expect(() => openBinary(scratch)).toThrow(/prebuilds: holds nothing for .*fovea\.node: not there.*reinstall it/);
    expect(packageRoot()).toMatch(/\w/);
  });
});

describe.skipIf(native === undefined)(`with a binary${problem && ` (skipped: ${problem})`}`, () => {
  it('it is chosen, with the best instruction set', async () => {
    const { backendInfo, run } = await load();
    const y = new Float32Array(3);
    run('relu', { count: 3 }, { x: Float32Array.of(-1, 1, 2), y });
    expect([...y]).toEqual([0, 1, 2]);
    expect(backendInfo()).toMatchObject({ backend: 'native', isa: native!.isas[0], isas: native!.isas });
    expect(warnings).toEqual([]);
  });

  it('a forced instruction set is the one that runs', async () => {
    vi.stubEnv('FOVEA_ISA', 'scalar');
    vi.stubEnv('FOVEA_THREADS', '2');
    const { backendInfo, run } = await load();
    run('neg', { count: 1 }, { x: Float32Array.of(1), y: new Float32Array(1) });
    expect(native!.info().lastIsa).toBe('scalar');
    expect(backendInfo()).toMatchObject({
      isa: 'scalar',
      threads: 2,
      reason: expect.stringContaining('FOVEA_ISA=scalar'),
    });
    native!.selectIsa(native!.isas[0]!);
  });

  it('one that this machine has not is refused', async () => {
    const absent = ['neon', 'avx2'].find((isa) => !native!.isas.includes(isa));
    vi.stubEnv('FOVEA_ISA', absent!);
    expect(await refusal()).toBe(
      `RangeError: FOVEA_ISA: expected one of ${native!.isas.join(', ')}, because this machine has those, but got '${absent}'`,
    );
  });

  it('numbers in double precision run on the reference', async () => {
    const { run } = await load();
    const y = new Float64Array(2);
    run('relu', { count: 2 }, { x: Float64Array.of(-1, 0.1), y });
    expect([...y]).toEqual([0, 0.1]);
    expect(() => run('relu', { count: 3 }, { x: y, y })).toThrow(
      'relu: expected x with 3 elements, because count is 3',
    );
  });

  it('the reference can be forced', async () => {
    vi.stubEnv('FOVEA_BACKEND', 'reference');
    const { backendInfo } = await load();
    expect(backendInfo()).toMatchObject({ backend: 'reference', reason: 'FOVEA_BACKEND=reference' });
    expect(warnings).toEqual([]);
  });
});
