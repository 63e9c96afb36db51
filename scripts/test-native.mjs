// Runs the C++ tests outside Node.js: `sanitize` under AddressSanitizer, UndefinedBehaviorSanitizer and
// ThreadSanitizer; `arm64` cross-compiled and under qemu; `accuracy` that of the elementary functions over all floats
// (an hour). Skips aloud where the tools are absent.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const builds = {
  sanitize: [
    { name: 'address', options: ['-DFOVEA_SANITIZE=address,undefined'], tools: ['c++'] },
    { name: 'thread', options: ['-DFOVEA_SANITIZE=thread'], tools: ['c++'], only: ['threads', 'programs'] },
  ],
  accuracy: [
    { name: 'accuracy', options: [], tools: ['c++'], only: ['accuracy'], environment: { FOVEA_TEST_STRIDE: '1' } },
  ],
  arm64: [
    {
      name: 'arm64',
      options: [
        '-DCMAKE_SYSTEM_NAME=Linux',
        '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
        '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
        '-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64;-L;/usr/aarch64-linux-gnu',
      ],
      tools: ['aarch64-linux-gnu-g++', 'qemu-aarch64'],
      environment: { FOVEA_EMULATED: '1' },
    },
  ],
};

const chosen = builds[process.argv[2]];
if (chosen === undefined) {
  console.error(`test-native: expected one of ${Object.keys(builds).join(', ')}, but got '${process.argv[2] ?? ''}'`);
  process.exit(1);
}
for (const build of chosen) test(build);

function test({ name, options, tools, only, environment = {} }) {
  const absent = ['cmake', 'ctest', ...tools].filter((tool) => !onPath(tool));
  if (absent.length > 0) {
    console.log(`SKIPPED: the ${name} tests, because ${absent.join(' and ')} cannot be found`);
    return;
  }
  const folder = `build-${name}`;
  run('cmake', ['-S', '.', '-B', folder, '-DFOVEA_TESTS=ON', ...options]);
  const target = only === undefined ? [] : ['--target', ...only.map((name) => `test-${name}`)];
  run('cmake', ['--build', folder, '--parallel', String(availableParallelism()), ...target]);
  const tests = ['--no-tests=error', '--tests-regex', only?.join('|') ?? '.*'];
  run('ctest', ['--test-dir', folder, '--output-on-failure', '--verbose', ...tests], environment);
}

function run(command, parameters, environment = {}) {
  const sanitizers = {
    ASAN_OPTIONS: 'detect_leaks=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    TSAN_OPTIONS: 'halt_on_error=1',
  };
  const env = { ...process.env, ...sanitizers, ...environment };
  const { status } = spawnSync(command, parameters, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

function onPath(tool) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)));
}
