// Formats the C++ of native/ and bench/ with clang-format; with --check only says which files are not formatted. Skips aloud without the tool.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');
const tool = process.env.CLANG_FORMAT ?? 'clang-format';

const files = ['native', 'bench'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((file) => /\.(h|cpp)$/.test(file) && !file.includes('node_modules'))
    .map((file) => join(folder, file)),
);

const version = spawnSync(tool, ['--version'], { encoding: 'utf8' });
if (version.error) {
  console.log(`SKIPPED: the format of ${files.length} C++ files was not checked, because ${tool} is not installed`);
} else {
  const mode = check ? ['--dry-run', '--Werror'] : ['-i'];
  const { status } = spawnSync(tool, [...mode, ...files], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error('format-native: expected every C++ file as clang-format writes it; run: npm run format');
    process.exit(1);
  }
}
