// Shows that the packed tarball works where it matters: an empty project, install scripts off, no compiler to be found.
// First natively, from the prebuilt binary; then with the binary deleted, on the fallback. `npm run check:package`
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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

// 3. Run with nothing on PATH but node.
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

// 4. Without the binary.
for (const name of readdirSync(installed))
  if (name === 'prebuilds' || name === 'build') rmSync(join(installed, name), { recursive: true });
const [, fallbackNoise] = trainAndClassify('reference', 640);
const warnings = fallbackNoise.split('\n').filter((line) => line.startsWith('fovea:'));
check('exactly one warning on the fallback', warnings.length === 1, warnings.join(' | '));

rmSync(work, { recursive: true });
console.log(failures.length === 0 ? 'the package works' : `${failures.length} checks failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
