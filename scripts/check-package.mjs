// Shows that the packed tarball works where it matters: an empty project, install scripts off, no compiler to be found.
// First natively, from the prebuilt binary; then with the binary deleted, on the fallback. `npm run check:package`
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const work = mkdtempSync(join(tmpdir(), 'fovea-package-'));
const failures = [];

function check(what, ok, detail = '') {
  console.log(`${ok ? 'ok     ' : 'FAILED '}${what}${detail ? `: ${detail}` : ''}`);
  if (!ok) failures.push(what);
}

function npm(args, cwd) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

// 1. Pack, as for publishing.
npm(['run', 'prebuild'], root);
const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', work], root));
const tarball = join(work, packed.filename);
const binaries = packed.files.filter((file) => file.path.endsWith('.node'));
check('the tarball carries a prebuilt binary', binaries.length > 0, binaries.map((file) => file.path).join(', '));
console.log(
  `       ${packed.filename}: ${(packed.size / 1e6).toFixed(2)} MB packed, ${(packed.unpackedSize / 1e6).toFixed(2)} MB unpacked`,
);

// 2. Install into an empty project, with no scripts run.
const project = join(work, 'project');
mkdirSync(project);
writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball, 'sharp'], project);
const installed = join(project, 'node_modules', 'fovea');
const { scripts = {} } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
const hooks = ['preinstall', 'install', 'postinstall'].filter((name) => name in scripts);
check('the package has no install script', hooks.length === 0, hooks.join(', '));

// 3. A stranger's TypeScript, strict and without skipLibCheck, for Node's way to find modules and for bundlers'.
// No type of theirs is `any`, and those of sharp are not needed.
const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
const subpaths = Object.keys(exports).filter((name) => name !== './package.json');
const anything = `
  type IsAny<T> = 0 extends 1 & T ? true : false;
  type AnyIn<T> = { [K in keyof T]: IsAny<T[K]> extends true ? K : T[K] extends (...a: infer A) => infer R
    ? true extends IsAny<R> | IsAny<A[number]> ? K : never : never }[keyof T];
  type None<T extends never> = T;
  ${subpaths.map((name, i) => `import * as area${i} from '${join('fovea', name)}';\n  export type Check${i} = None<AnyIn<typeof area${i}>>;`).join('\n  ')}
  import { customOp, ones, type Tensor } from 'fovea';
  import { Linear, Module } from 'fovea/nn';
  export class Scaled extends Module {
    readonly factor = ones([1], { requiresGrad: true });
    readonly linear = new Linear(4, 3);
    override forward(x: Tensor): Tensor { return this.linear.forward(x).mul(this.factor); }
  }
  export const double = customOp({
    name: 'double',
    forward: (_, x: Tensor) => x.mul(2),
    backward: (_, gradY) => [gradY.mul(2)],
  });
  export type Checks = [None<AnyIn<Tensor>>, None<AnyIn<Module>>];
`;
writeFileSync(join(project, 'consumer.mts'), anything);
renameSync(join(project, 'node_modules', 'sharp'), join(work, 'sharp'));
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const strict = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022', '--types', 'node'];
const typeRoots = ['--typeRoots', join(root, 'node_modules', '@types')];
for (const [module, resolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]) {
  const options = [...strict, ...typeRoots, '--module', module, '--moduleResolution', resolution];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, 'consumer.mts'], {
    cwd: project,
    encoding: 'utf8',
  });
  check(`its types serve a strict project (${resolution})`, status === 0, stdout);
}
renameSync(join(work, 'sharp'), join(project, 'node_modules', 'sharp'));

// 4. Run with nothing on PATH but node.
const bin = join(work, 'bin');
mkdirSync(bin);
symlinkSync(process.execPath, join(bin, 'node'));
const { FOVEA_BACKEND, FOVEA_ISA, ...inherited } = process.env;

function fovea(...args) {
  const result = spawnSync(process.execPath, [join(installed, 'dist', 'cli', 'main.js'), ...args], {
    cwd: project,
    encoding: 'utf8',
    env: { ...inherited, PATH: bin },
  });
  if (result.status !== 0)
    check(`fovea ${args.join(' ')}`, false, `exit ${result.status}\n${result.stdout}${result.stderr}`);
  return result;
}

function trainAndClassify(expected, limit) {
  const info = JSON.parse(fovea('info', '--json').stdout || '{}');
  check(`fovea info says ${expected}`, info.backend === expected, `${info.backend}, ${info.isa}`);
  const begin = performance.now();
  const train = fovea(
    'train',
    'lenet5',
    '--data',
    'builtin',
    '--limit',
    String(limit),
    '--epochs',
    '1',
    '--out',
    'model.safetensors',
  );
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  check(
    `trains on the ${expected} backend`,
    train.status === 0 && statSync(join(project, 'model.safetensors')).size > 240_000,
    `${seconds} s`,
  );
  const draw = `
    import { builtinDigits } from 'fovea/data';
    import { saveImage } from 'fovea/image';
    const digits = builtinDigits({ count: 10, seed: 99 });
    const { inputs } = await digits.batch([0]);
    await saveImage(inputs.reshape(1, 28, 28), 'digit.png');`;
  writeFileSync(join(project, 'draw.mjs'), draw);
  execFileSync(process.execPath, ['draw.mjs'], {
    cwd: project,
    env: { ...inherited, PATH: bin },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const classified = fovea('classify', 'model.safetensors', 'digit.png', '--json');
  check(`classifies on the ${expected} backend`, classified.status === 0 && classified.stdout.includes('probability'));
  return [train.stderr, classified.stderr];
}

const [nativeNoise] = trainAndClassify('native', 6400);
check('no warning when the binary loads', !/warn|fallback/i.test(nativeNoise), nativeNoise);

// 5. Without the binary.
for (const name of readdirSync(installed))
  if (name === 'prebuilds' || name === 'build') rmSync(join(installed, name), { recursive: true });
const [, fallbackNoise] = trainAndClassify('reference', 640);
const warnings = fallbackNoise.split('\n').filter((line) => line.startsWith('fovea:'));
check('exactly one warning on the fallback', warnings.length === 1, warnings.join(' | '));

rmSync(work, { recursive: true });
console.log(failures.length === 0 ? 'the package works' : `${failures.length} checks failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
