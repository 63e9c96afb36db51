// Builds the package in a clone (npm runs it as `prepare`): TypeScript, which must succeed, then the native binary,
// without which everything still works, only slower.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const binary = join(root, 'build', 'Release', 'fovea.node');
const log = join(root, 'build', 'native.log');

buildTypeScript();
if (isNewer(binary, nativeSources())) console.log(`fovea: ${relative(root, binary)} is up to date`);
else buildNative();

function buildTypeScript() {
  const compiler = find(() => join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'));
  if (compiler === undefined) {
    console.error('fovea: typescript is not installed, so dist/ cannot be built; run: npm install --include=dev');
    process.exit(1);
  }
  const { status } = spawnSync(process.execPath, [compiler, '-b', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  const program = join(root, 'dist', 'cli', 'main.js');
  if (existsSync(program)) chmodSync(program, 0o755);
}

function buildNative() {
  const gyp = findNodeGyp();
  if (gyp === undefined) return warn('node-gyp was not found, which npm carries with it');
  mkdirSync(dirname(log), { recursive: true });
  const started = Date.now();
  const { status, error, stdout, stderr } = spawnSync(...gyp, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    shell: process.platform === 'win32' && gyp[0] !== process.execPath,
  });
  writeFileSync(log, `${stdout ?? ''}${stderr ?? ''}${error ?? ''}\n`);
  if (status !== 0) return warn(missing() ?? lastError(`${stdout}\n${stderr}`));
  console.log(`fovea: built ${relative(root, binary)} in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  removeOldPrebuilt();
}

/** The one warning: what is missing, what to do, where to read more. */
function warn(problem) {
  const more = existsSync(log) ? ` The whole output is in ${relative(root, log)}.` : '';
  console.error(
    `fovea: the native binary could not be built, because ${problem}. Everything works without it, only slower. ` +
      `With a C++17 compiler, make and Python 3 installed, run: npm run prepare.${more}`,
  );
}

/** The command of node-gyp and its arguments: what npm gives to scripts, else npm's own copy. */
function findNodeGyp() {
  const headers = process.env.npm_config_nodedir ? undefined : ownHeaders();
  const steps = ['configure', 'build', '--jobs', 'max', ...(headers === undefined ? [] : [`--nodedir=${headers}`])];
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm');
  const scripts = [
    process.env.npm_config_node_gyp,
    find(() => require.resolve('node-gyp/bin/node-gyp.js')),
    join(beside, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'),
    join(dirname(process.execPath), 'node_modules', 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'),
  ];
  const script = scripts.find((path) => path && existsSync(path));
  if (script !== undefined) return [process.execPath, [script, ...steps]];
  return onPath('node-gyp') ? ['node-gyp', steps] : undefined;
}

/** Where the headers of this very Node.js lie, so that none need be downloaded; undefined where they do not. */
function ownHeaders() {
  const prefix = dirname(dirname(process.execPath));
  const version = find(() => readFileSync(join(prefix, 'include', 'node', 'node_version.h'), 'utf8'));
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map((part) => version?.match(`NODE_${part}_VERSION (\\d+)`)?.[1]);
  return numbers.join('.') === process.versions.node ? prefix : undefined;
}

/** Which of the tools a build needs is not there, as far as one can tell. */
function missing() {
  if (process.platform === 'win32') return undefined;
  const compiler = process.env.CXX?.split(' ')[0] ?? (process.platform === 'darwin' ? 'c++' : 'g++');
  const tools = [compiler, process.env.MAKE ?? 'make', process.env.PYTHON ?? 'python3'];
  const absent = tools.filter((tool) => !onPath(tool) && !existsSync(tool));
  if (absent.length === 0) return undefined;
  return `${absent.join(' and ')} ${absent.length === 1 ? 'is' : 'are'} not installed`;
}

function lastError(output) {
  const lines = output.split('\n');
  const reason = lines.find((line) => /error: |ERR! stack/i.test(line)) ?? lines.find((line) => line.includes('ERR!'));
  return `node-gyp failed (${reason?.replace('gyp ERR! stack', '').trim() ?? 'it gave no reason'})`;
}

function onPath(tool) {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => endings.some((ending) => existsSync(join(folder, tool + ending))));
}

function find(attempt) {
  try {
    return attempt();
  } catch {
    return undefined;
  }
}

function nativeSources() {
  const files = readdirSync(join(root, 'native'), { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath ?? file.path, file.name));
  return [join(root, 'binding.gyp'), ...paths.filter((path) => !path.includes(`${join('native', 'test')}`))];
}

function isNewer(path, sources) {
  if (!existsSync(path)) return false;
  const made = statSync(path).mtimeMs;
  return sources.every((source) => statSync(source).mtimeMs <= made);
}

/** A prebuilt binary goes before a local build, so one that is older than the sources must not stay. */
function removeOldPrebuilt() {
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.node'))) {
    if (isNewer(join(folder, file), nativeSources())) continue;
    rmSync(join(folder, file));
    console.log(
      `fovea: removed ${relative(root, join(folder, file))}, older than the sources; npm run prebuild makes it`,
    );
  }
}
