// Text files as text: UTF-8 and nothing else, compressed or not, with the line named where they are not.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { reasonOf } from '../io/atomic.ts';
import { DataError } from '../tensor/errors.ts';

const NEWLINE = 0x0a;

/**
 * The text of a file in UTF-8, without a byte order mark. One that ends in .gz is decompressed. Throws DataError, with file
 * and line, for bytes that are not UTF-8.
 */
export function readText(file: string): string {
  return decodeText(readBytes(file), file);
}

/**
 * The lines of a text file, one after the other, without their ends (\n or \r\n), as `readText` reads it; also of files
 * too large for one string.
 */
export function* readLines(file: string): Generator<string, void, undefined> {
  const bytes = readBytes(file);
  let number = 0;
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, from);
    const to = found === -1 ? bytes.length : found;
    number++;
    const line = decode(bytes.subarray(from, to), number === 1) ?? refuse(file, number);
    yield line.endsWith('\r') ? line.slice(0, -1) : line;
    from = to + 1;
  }
}

/** The text that bytes in UTF-8 say, without a byte order mark; `source` names them in errors. */
export function decodeText(bytes: Uint8Array, source: string): string {
  const text = decode(bytes, true);
  if (text !== undefined) return text;
  // No byte of a longer character is a newline: each line can be tried alone.
  let number = 1;
  for (let from = 0; ; number++) {
    const found = bytes.indexOf(NEWLINE, from);
    const to = found === -1 ? bytes.length : found;
    if (decode(bytes.subarray(from, to), false) === undefined || found === -1) return refuse(source, number);
    from = to + 1;
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const strictFromStart = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array, start: boolean): string | undefined {
  try {
    return (start ? strictFromStart : strict).decode(bytes);
  } catch {
    return undefined;
  }
}

function refuse(source: string, line: number): never {
  throw new DataError(`${source}:${line}: expected text in UTF-8, but got bytes that are not`);
}

/** The bytes of a file; one that ends in .gz is decompressed. */
export function readBytes(file: string): Uint8Array {
  try {
    const bytes = readFileSync(file);
    return file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  } catch (error) {
    throw new DataError(`read: expected to read ${file}, but got: ${reasonOf(error)}`, { cause: error });
  }
}
