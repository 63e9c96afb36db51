// Atomic writing: a file is whole or untouched, and whether it can be written is known before the work starts.
import {
  chmodSync,
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
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkWritable, writeAtomic } from '../../lib/io/atomic.ts';
import { DataError } from '../../lib/tensor/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-atomic-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);
const root = process.getuid?.() === 0;

describe('writeAtomic', () => {
  test('replaces the content, keeps the mode, follows a link', async () => {
    writeFileSync(path('a'), 'old');
    chmodSync(path('a'), 0o640);
    symlinkSync(path('a'), path('link'));
    await writeAtomic(path('link'), Buffer.alloc(3_000_000, 'x'));
    expect(readFileSync(path('a')).equals(Buffer.alloc(3_000_000, 'x'))).toBe(true);
    expect(statSync(path('a')).mode & 0o777).toBe(0o640);
    expect(readFileSync(path('link')).length).toBe(3_000_000);
  });

  test('a reader never sees anything but a whole file', async () => {
    const contents = ['a', 'b'].map((letter) => letter.repeat(200_000));
    await writeAtomic(path('busy'), contents[0] ?? '');
    let done = false;
    let seen = 0;
    const writing = (async () => {
      for (let i = 0; i < 40; i++) await writeAtomic(path('busy'), contents[i % 2] ?? '');
      done = true;
    })();
    while (!done) {
      expect(contents).toContain(readFileSync(path('busy'), 'utf8'));
      seen++;
      await new Promise(setImmediate);
    }
    await writing;
    expect(seen).toBeGreaterThan(40);
  });

  test('writers at the same time each leave a whole file', async () => {
    const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
    await Promise.all(contents.map((content) => writeAtomic(path('race'), content)));
    expect(contents).toContain(readFileSync(path('race'), 'utf8'));
  });

  test('a failure leaves the old things and no temporary file', async () => {
    mkdirSync(path('directory'));
    writeFileSync(path('directory/inside'), 'kept');
    await expect(writeAtomic(path('directory'), 'new')).rejects.toThrow(DataError);
    await expect(writeAtomic(path('missing/file'), 'new')).rejects.toThrow(/missing\/file, but got: no such file/);
    await expect(writeAtomic(path('a/file'), 'new')).rejects.toThrow('a part of the path is not a directory');
    expect(readFileSync(path('directory/inside'), 'utf8')).toBe('kept');
    expect(readdirSync(directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('checkWritable', () => {
  test('accepts a new file and an old one, and leaves both as they are', () => {
    writeFileSync(path('old'), 'content');
    checkWritable(path('old'));
    checkWritable(path('new'));
    expect(readFileSync(path('old'), 'utf8')).toBe('content');
    expect(readdirSync(directory)).not.toContain('new');
  });

  test('refuses a directory, a device, a missing directory, a file as directory', () => {
    expect(() => checkWritable(directory)).toThrow('it is a directory');
    expect(() => checkWritable('/dev/null')).toThrow('it is not a regular file');
    expect(() => checkWritable(path('missing/file'))).toThrow(DataError);
    expect(() => checkWritable(path('old/file'))).toThrow('a part of the path is not a directory');
    expect(() => checkWritable(path('x'.repeat(300)))).toThrow('the name is too long');
  });

  test.skipIf(root)('refuses a read-only file and a read-only directory (skipped for root, who may write them)', () => {
    writeFileSync(path('locked'), 'kept');
    chmodSync(path('locked'), 0o444);
    expect(() => checkWritable(path('locked'))).toThrow('permission denied');
    mkdirSync(path('closed'), { mode: 0o555 });
    expect(() => checkWritable(path('closed/file'))).toThrow('permission denied');
  });
});
