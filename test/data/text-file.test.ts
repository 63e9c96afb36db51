// Text from outside: UTF-8 or an error that names file and line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { readLines, readText } from '../../lib/data/index.ts';
import { DataError } from '../../lib/tensor/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'fovea-text-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(bytes: Uint8Array | string, name = 'text.txt'): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

describe('readText and readLines', () => {
  test('without byte order mark, with either kind of line end', () => {
    const path = file('\ufeffZoë\r\n\r\n\ufeff東京\nlast');
    expect(readText(path)).toBe('Zoë\r\n\r\n\ufeff東京\nlast');
    expect([...readLines(path)]).toEqual(['Zoë', '', '\ufeff東京', 'last']);
    expect([...readLines(file('a\n\n'))]).toEqual(['a', '']);
    expect([...readLines(file(''))]).toEqual([]);
    expect(readText(file(''))).toBe('');
  });

  test('compressed', () => {
    const path = file(gzipSync('eins\nzwei\n'), 'text.txt.gz');
    expect(readText(path)).toBe('eins\nzwei\n');
    expect([...readLines(path)]).toEqual(['eins', 'zwei']);
    expect(() => readText(file('no gzip', 'bad.gz'))).toThrow(DataError);
  });

  test.each([
    ['latin-1', Buffer.from('one\ntwo\ncaf\xe9\nfour\n', 'latin1'), 3],
    ['cut off at the end', Buffer.from('one\ntwo €').subarray(0, -1), 2],
    ['cut off at a line end', Buffer.concat([Buffer.from([0xe2, 0x82]), Buffer.from('\nmore')]), 1],
    ['utf-16', Buffer.from('\ufeffab', 'utf16le'), 1],
    ['a surrogate', Buffer.from([0x61, 0x0a, 0xed, 0xa0, 0x80]), 2],
  ])('%s is refused, with file and line', (_what, bytes, line) => {
    const path = file(bytes);
    const message = `${path}:${line}: expected text in UTF-8, but got bytes that are not`;
    expect(() => readText(path)).toThrow(message);
    expect(() => [...readLines(path)]).toThrow(message);
  });

  test('a missing file is named', () => {
    const path = join(directory, 'none');
    expect(() => readText(path)).toThrow(`read: expected to read ${path}, but got: no such file or directory`);
  });

  test('any bytes: both agree, or both refuse (property)', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const path = file(bytes);
          const outcome = (read: () => string[]) => {
            try {
              return read().join('|');
            } catch (error) {
              return String(error);
            }
          };
          const split = () => {
            const text = readText(path);
            const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
            return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
          };
          if (bytes.length > 0 && bytes[0] !== 0xef) expect(outcome(() => [...readLines(path)])).toBe(outcome(split));
        },
      ),
      { numRuns: 60 },
    );
  });
});
